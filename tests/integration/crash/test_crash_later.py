"""Killed while a run is tried again, repeated or deleted, and while rubbish is removed: all of it comes to its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from rigged import PATIENCE, Rig, processes

from penstock.errors import NotFound
from penstock.ports import Page

STEP = """exec 3<>/dev/tcp/127.0.0.1/$PORT
echo "start $RUN $NAME" >&3; read -r _ <&3
echo "$NAME" > /tmp/out
echo "end $RUN $NAME" >&3; read -r _ <&3
exit $CODE
"""

DOCUMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: later-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: port}, {name: code, value: "1"}]}
  templates:
  - name: main
    dag:
      tasks:
      - {name: first, template: step, arguments: {parameters: [{name: name, value: first}, {name: code, value: "0"}]}}
      - name: second
        template: step
        dependencies: [first]
        arguments: {parameters: [{name: name, value: second}, {name: code, value: "{{workflow.parameters.code}}"}]}
  - name: step
    inputs: {parameters: [{name: name}, {name: code}]}
    outputs: {artifacts: [{name: out, path: /tmp/out}]}
    container:
      image: shell
      command: [bash, -c]
      args: [SCRIPT]
      env:
      - {name: RUN, value: "{{workflow.name}}"}
      - {name: NAME, value: "{{inputs.parameters.name}}"}
      - {name: CODE, value: "{{inputs.parameters.code}}"}
      - {name: PORT, value: "{{workflow.parameters.port}}"}
""".replace("SCRIPT", json.dumps(STEP))


def points(*effects: str, counts: Sequence[int] = (1,)) -> list[str]:
    return [f"{effect}.{moment}:{count}" for effect in effects for moment in ("before", "after") for count in counts]


def failed_run(rig: Rig) -> str:
    """A run whose second step has failed; nobody serves the home."""
    rig.start()
    rig.submit(DOCUMENT)
    rig.settle()
    rig.stop()
    id = list(rig.runs)[-1]
    assert rig.home.services.runs.get(id).state == "FAILED"
    return id


def killed(rig: Rig, point: str) -> None:
    rig.start(point)
    assert rig.server is not None
    assert rig.server.wait(PATIENCE) == -signal.SIGKILL, point


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def wishes(rig: Rig) -> int:
    return len(rig.home.records.read(lambda store: store.intents()))


def client(rig: Rig, point: str, *arguments: str) -> int:
    """The exit code of a process that does one thing with the home."""
    program = Path(__file__).with_name("client.py")
    env = {**os.environ, "PENSTOCK_CRASH_AT": point}
    return subprocess.run(
        [sys.executable, program, rig.home.settings.home, *arguments], env=env, check=False
    ).returncode


def check_ended(rig: Rig, id: str, starts: dict[str, int]) -> None:
    """The run has succeeded with all it says it made, and its steps were started so often."""
    runs = rig.home.services.runs
    run = runs.get(id)
    assert run.state == "SUCCEEDED", (run, runs.nodes(id))
    nodes = {node.display_name: node for node in runs.nodes(id)[0] if node.type in ("Pod", "Skipped")}
    for name in ("first", "second"):
        with runs.open_artifact(runs.artifact(id, nodes[name].id, "out")) as data:
            assert data.read().decode().strip() == name
        assert runs.log(id, nodes[name].id).path is not None
    entries = rig.entries()
    assert {name: len(entries[run.workflow_name, name]["start"]) for name in starts} == starts


def test_killed_while_a_run_is_tried_again(rig: Rig) -> None:
    for point in points("reset", "report", "commit", "launch", counts=(1, 2)):
        if point.startswith(("reset", "launch")) and point.endswith("2"):
            continue
        id = failed_run(rig)
        rig.home.services.runs.retry(id, parameters={"code": "0"})
        killed(rig, point)
        rig.start()
        rig.settle()
        check_ended(rig, id, {"first": 1, "second": 2})
        until(lambda: wishes(rig) == 0, point)
        rig.stop()
    assert processes(rig.runs) == []


def test_killed_while_a_run_is_deleted(rig: Rig) -> None:
    for point in points("forget", "commit"):
        kept, id = failed_run(rig), failed_run(rig)
        workflow = rig.runs.pop(id)
        rig.home.services.runs.delete(id)
        killed(rig, point)
        rig.start()
        until(lambda: wishes(rig) == 0, point)
        rig.stop()
        with pytest.raises(NotFound):
            rig.home.services.runs.get(id)
        left = [p for p in rig.home.settings.home.rglob("*") if workflow in p.name or id in p.name]
        assert left == []
        assert rig.home.services.runs.log(kept, rig.home.services.runs.nodes(kept)[0][1].id).path is not None


@pytest.mark.parametrize(("action", "starts"), [(("resubmit",), 0), (("rerun", "second"), 0)])
def test_killed_while_a_run_is_repeated(rig: Rig, action: tuple[str, ...], starts: int) -> None:
    verb, *more = action
    old = failed_run(rig)
    for point in points("store", "commit"):
        before = {run.id for run in rig.home.services.runs.list(Page(size=200)).items}
        assert client(rig, point, verb, old, *more) == -signal.SIGKILL, point
        made = [run for run in rig.home.services.runs.list(Page(size=200)).items if run.id not in before]
        # Acknowledged it was not; so it is there whole, or not at all.
        assert len(made) == (1 if point == "commit.after:1" else 0), point
        rig.runs |= {run.id: run.workflow_name for run in made}
        rig.start()
        rig.settle()
        rig.stop()
        for run in made:
            assert rig.home.services.runs.get(run.id).state == "SUCCEEDED"
            assert len(rig.entries()[run.workflow_name, "first"]["start"]) == starts
            assert len(rig.entries()[run.workflow_name, "second"]["start"]) == 1
    assert_only_runs_are_left(rig)


def test_killed_while_rubbish_is_removed(rig: Rig) -> None:
    failed_run(rig)
    for number, point in enumerate(points("sweep", counts=(1, 2))):
        for name in ("x", "y", "z"):
            rig.home.objects.write(f"artifacts/lost-{number}{name}/step/data", b"12345")
        aged(rig)
        assert client(rig, point, "gc") == -signal.SIGKILL, point
    assert_only_runs_are_left(rig)


def aged(rig: Rig) -> None:
    """Nothing is in the making."""
    old = time.time() - 7200
    for kind in ("artifacts", "logs"):
        for folder in (rig.home.settings.home / "objects" / kind).iterdir():
            os.utime(folder, (old, old))


def assert_only_runs_are_left(rig: Rig) -> None:
    """What nobody refers to goes, and what runs made stays."""
    aged(rig)
    assert client(rig, "", "gc") == 0
    runs = {run.workflow_name for run in rig.home.services.runs.list(Page(size=200)).items}
    for kind in ("artifacts", "logs"):
        assert {path.name for path in (rig.home.settings.home / "objects" / kind).iterdir()} == runs
