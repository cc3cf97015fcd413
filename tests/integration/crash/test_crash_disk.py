"""A disk that fails once, at each write, fsync and rename of a full run: nothing is lost, nothing false is reported.

`PENSTOCK_FAULT_STRIDE` is the distance between two calls that are tried.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from rigged import PATIENCE, Rig

from faults import Calls, Faults
from needs import absent
from penstock.ports import Run

STRIDE = int(os.environ.get("PENSTOCK_FAULT_STRIDE", "7"))

STEP = """exec 3<>/dev/tcp/127.0.0.1/$PORT
echo "start $RUN $NAME" >&3; read -r _ <&3
echo "this is $NAME"
mkdir /tmp/folder; echo "$NAME" > /tmp/folder/out; echo "$NAME" > /tmp/out
echo "end $RUN $NAME" >&3; read -r _ <&3
"""

TEMPLATE = """
  - name: {name}
    metadata: {{labels: {{pipelines.kubeflow.org/enable_caching: "true"}}}}
    inputs: {{artifacts: [{inputs}]}}
    outputs: {{artifacts: [{{name: out, path: /tmp/out}}, {{name: folder, path: /tmp/folder}}]}}
    container:
      image: shell
      command: [bash, -c]
      args: [{script}]
      env:
      - {{name: RUN, value: "{{{{workflow.name}}}}"}}
      - {{name: NAME, value: {name}}}
      - {{name: PORT, value: "{{{{workflow.parameters.port}}}}"}}
"""

DOCUMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: disk-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: port}]}
  templates:
  - name: main
    dag:
      tasks:
      - {name: first, template: first}
      - name: second
        template: second
        dependencies: [first]
        arguments: {artifacts: [{name: in, from: "{{tasks.first.outputs.artifacts.folder}}"}]}
"""
DOCUMENT += TEMPLATE.format(name="first", inputs="", script=json.dumps(STEP))
DOCUMENT += TEMPLATE.format(name="second", inputs="{name: in, path: /tmp/in}", script=json.dumps(STEP))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of the home's own."""
    home = tmp_path / "home"
    home.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(home)]
    if os.geteuid() or subprocess.run(mounted, stderr=subprocess.DEVNULL, check=False).returncode:
        absent("a file system is mounted by root only; run the tests as root: sudo make test")
    yield home
    subprocess.run(["umount", "--lazy", str(home)], check=True)


@pytest.fixture
def faults(disk: Path, tmp_path: Path) -> Faults:
    return Faults(tmp_path, disk)


def ended(rig: Rig) -> Run:
    """A further run, when it has ended."""
    rig.submit(DOCUMENT)
    rig.settle()
    return rig.home.services.runs.get(list(rig.runs)[-1])


def settled(rig: Rig) -> None:
    """What the last run left is removed."""
    deadline = time.monotonic() + PATIENCE
    while left := leftovers(rig.home.settings.home / "steps"):
        assert time.monotonic() < deadline, left
        time.sleep(0.005)


def leftovers(steps: Path) -> list[str]:
    """Folders of steps, by runs: what removes them may be at work."""
    found = list[str]()
    for run in os.listdir(steps):
        with suppress(FileNotFoundError):
            found += [f"{run}/{name}" for name in os.listdir(steps / run)]
    return found


def check(rig: Rig, run: Run, faults: Faults, error: int) -> None:
    """What is said of the run is true: each success has its artifacts and its log, each step has run once."""
    runs, entries = rig.home.services.runs, rig.entries()
    nodes = [node for node in runs.nodes(run.id)[0] if node.type == "Pod"]
    if error == errno.ENOSPC:
        assert run.state == "SUCCEEDED", (faults.failed, faults.file, run, nodes)
    if faults.failed is Calls.FSYNC and "/notes/" not in faults.file:  # a digest's may be noted another time
        assert run.phase in ("Error", "Failed"), (faults.file, run, nodes)
    for node in nodes:
        name = node.display_name
        assert node.phase in ("Succeeded", "Error", "Omitted"), (run.message, node)
        assert len(entries[run.workflow_name, name]["start"]) <= 1, node
        if node.phase == "Succeeded":
            assert len(entries[run.workflow_name, name]["end"]) == 1
            for artifact, member in (("out", ""), ("folder", "out")):
                with runs.open_artifact(runs.artifact(run.id, node.id, artifact), member) as data:
                    assert data.read().decode().strip() == name
            log = runs.log(run.id, node.id).path
            assert log is not None, node
            assert f"this is {name}" in log.read_text()
        elif node.phase == "Error":
            assert node.message or run.message, node
    assert rig.home.records.read(lambda store: store.intents()) == []
    assert rig.server is not None
    assert rig.server.poll() is None, rig.ledger.with_name("server.log").read_text()[-3000:]


@pytest.mark.parametrize(
    ("kinds", "error"),
    [(Calls.WRITE | Calls.RENAME, errno.ENOSPC), (Calls.ALL, errno.EIO)],
    ids=["no space", "I/O error"],
)
def test_any_call_of_a_run_may_fail(faults: Faults, rig: Rig, kinds: Calls, error: int) -> None:
    faults.arm(kinds, 0, 0)
    rig.start(env=faults.env)
    ended(rig)
    settled(rig)
    for kind in kinds:
        faults.arm(kind, 0, 0)
        ended(rig)
        settled(rig)
        calls = faults.count
        assert calls, kind
        for n in range(1 + calls // 2 % STRIDE, calls + 1, STRIDE):
            faults.arm(kind, n, error)
            try:
                run = ended(rig)
            except AssertionError as late:
                said = rig.ledger.with_name("server.log").read_text()[-3000:]
                raise AssertionError(f"{kind!r} {n} of {faults.file}: {late}\n{said}") from None
            check(rig, run, faults, error)
            settled(rig)
    faults.arm(kinds, 0, 0)
    assert rig.server is not None
    rig.stop()
