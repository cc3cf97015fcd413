"""The server is killed at each point at which something can be half done: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import signal
import time

from rigged import PATIENCE, Rig, processes

from penstock.failpoints import POINTS

STEP = """exec 3<>/dev/tcp/127.0.0.1/$PORT
echo "start $RUN $NAME" >&3; read -r _ <&3
echo "$NAME" > /tmp/out
echo "end $RUN $NAME" >&3; read -r _ <&3
"""

DOCUMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: point-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: port}, {name: own}]}
  templates:
  - name: main
    dag:
      tasks:
      - {name: new, template: equal, arguments: {parameters: [{name: word, value: "{{workflow.parameters.own}}"}]}}
      - {name: equal, template: equal, arguments: {parameters: [{name: word, value: one}]}}
      - {name: alike, template: equal, arguments: {parameters: [{name: word, value: two}]}}
      - name: first
        template: step
        dependencies: [new, equal, alike]
        arguments:
          parameters: [{name: name, value: first}]
          artifacts: [{name: in, from: "{{tasks.equal.outputs.artifacts.out}}"}]
      - name: second
        template: step
        dependencies: [first]
        arguments:
          parameters: [{name: name, value: second}]
          artifacts: [{name: in, from: "{{tasks.first.outputs.artifacts.out}}"}]
  - name: equal
    metadata: {labels: {pipelines.kubeflow.org/enable_caching: "true"}}
    inputs: {parameters: [{name: word}]}
    outputs: {artifacts: [{name: out, path: /tmp/out}]}
    container: {image: shell, command: [sh, -c, "echo {{inputs.parameters.word}} > /tmp/out"]}
  - name: step
    inputs: {parameters: [{name: name}], artifacts: [{name: in, path: /tmp/in}]}
    outputs: {artifacts: [{name: out, path: /tmp/out}]}
    container:
      image: shell
      command: [bash, -c]
      args: [SCRIPT]
      env:
      - {name: RUN, value: "{{workflow.name}}"}
      - {name: NAME, value: "{{inputs.parameters.name}}"}
      - {name: PORT, value: "{{workflow.parameters.port}}"}
"""


def test_the_server_is_killed_at_every_point(rig: Rig) -> None:
    document = DOCUMENT.replace("SCRIPT", json.dumps(STEP))
    rig.start()
    rig.submit(document, own="first")
    rig.settle()
    rig.stop()
    deaths = [f"{point}:{count}" for point in POINTS for count in (1, 2)]
    for death in deaths:
        rig.submit(document, own=death)
        rig.start(death)
        killed(rig, death)
    rig.start()
    rig.settle()
    check(rig)
    origins = list(rig.runs)[1:]
    for death in deaths:
        rig.submit(document, own=death)
    rig.settle()
    check(rig)
    # What a run made before it or after its server was killed is kept for equal steps.
    again = list(rig.runs)[1 + len(deaths) :]
    assert [taken_from(rig, id, "new") for id in again] == origins
    rig.stop()
    assert processes(rig.runs) == []


def killed(rig: Rig, point: str) -> None:
    """The server has ended at the point."""
    deadline = time.monotonic() + PATIENCE
    assert rig.server is not None
    while rig.server.poll() is None:
        assert time.monotonic() < deadline, f"{point} was never passed: {rig.standing()}"
        time.sleep(0.01)
    assert rig.server.returncode == -signal.SIGKILL, point


def check(rig: Rig) -> None:
    """Every acknowledged run has succeeded; each step has run once, with its artifact and its log; equal ones never."""
    entries, runs = rig.entries(), rig.home.services.runs
    first, *others = rig.runs
    for id, workflow in rig.runs.items():
        assert runs.get(id).state == "SUCCEEDED", (workflow, runs.get(id).message)
        nodes = {node.display_name: node for node in runs.nodes(id)[0] if node.type == "Pod"}
        for name in ("first", "second"):
            assert [len(times) for times in entries[workflow, name].values()] == [1, 1], (workflow, name)
            with runs.open_artifact(runs.artifact(id, nodes[name].id, "out")) as data:
                assert data.read().decode().strip() == name
            assert runs.log(id, nodes[name].id).path is not None
    taken = {(id, name): taken_from(rig, id, name) for id in others for name in ("equal", "alike")}
    assert {place: origin for place, origin in taken.items() if origin != first} == {}


def taken_from(rig: Rig, id: str, name: str) -> str | None:
    """The run from which a step of this one took over what it would have made."""
    (node,) = [node for node in rig.home.services.runs.nodes(id)[0] if node.display_name == name]
    return node.cached_from and node.cached_from.run_id
