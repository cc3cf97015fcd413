"""Containers that end at once, in every way, many at a time: the phase of each step is the right one."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter

from commandline import Rig
from containers import SHELL, docker

STEPS = int(os.environ.get("PENSTOCK_CONTAINER_EXITS", "50"))
WAYS = {
    "exit 0": ("Succeeded", "0"),
    "exit 1": ("Failed", "1"),
    "kill -9 $$": ("Failed", "137"),
    "sleep 1000000 & exit 0": ("Succeeded", "0"),
    "sleep 1000000": ("Error", None),
}
"""What steps do, and how each ends. The last one goes on, and is removed by hand as often as it is started."""

REMOVED = 2
"""How many are removed by hand."""

DOCUMENT = f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: ends-}}
spec:
  entrypoint: main
  templates:
  - name: main
    parallelism: 12
    steps:
    - - name: end
        template: end
        continueOn: {{failed: true, error: true}}
        arguments: {{parameters: [{{name: way, value: "{{{{item}}}}"}}]}}
        withItems: %s
  - name: end
    inputs: {{parameters: [{{name: way}}]}}
    container: {{image: {SHELL}, command: [sh, -c, "{{{{inputs.parameters.way}}}}"]}}
"""


def test_no_phase_is_wrong(rig: Rig, container_engine: str) -> None:
    *ended, removed = WAYS
    ways = [removed] * REMOVED + [ended[i % len(ended)] for i in range(STEPS - REMOVED)]
    rig.file("ends.yaml", DOCUMENT % json.dumps(ways))
    with rig.start("run", "ends.yaml", "--launcher", "docker", "--name", "ends") as running:
        own = f"label=penstock.home={rig.home}"
        while running.process.poll() is None:
            for line in docker("ps", "--no-trunc", "--filter", own, "--format", "{{.ID}} {{.Command}}").splitlines():
                id, _, command = line.partition(" ")
                if f"'{removed}'" in command:
                    subprocess.run(["docker", "rm", "--force", id], capture_output=True, check=False)
    document = json.loads(rig.call("runs", "get", "ends", "--output", "json").stdout)
    found = [
        (
            node["inputs"]["parameters"][0]["value"],
            (node["phase"], node.get("outputs", {}).get("exitCode")),
        )
        for node in document["status"]["nodes"].values()
        if node["type"] == "Pod"
    ]
    assert [(way, end) for way, end in found if WAYS[way] != end] == []
    assert Counter(way for way, _ in found) == Counter(ways)
    assert docker("ps", "--all", "--quiet", "--filter", own) == ""
