"""Kill server, supervisors, steps, or some of them at random moments: nothing is lost, nothing finished is repeated.

`PENSTOCK_KILL_ROUNDS` sets the number of rounds, `PENSTOCK_KILL_SEED` replays a run of this test.
"""

from __future__ import annotations

import json
import os
import random
import time

import pytest
from rigged import Rig, processes

from penstock.adapters.local.attempt import INTERRUPTIONS

ROUNDS = int(os.environ.get("PENSTOCK_KILL_ROUNDS", "150"))
SEED = int(os.environ.get("PENSTOCK_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)

STEP = """exec 3<>/dev/tcp/127.0.0.1/$PORT
echo "start $RUN $NAME $EPOCHREALTIME" >&3; read -r _ <&3
sleep 0.$DELAY
echo "$NAME" > /tmp/out
echo "end $RUN $NAME" >&3; read -r _ <&3
"""

DOCUMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: crash-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: port}]}
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: step, arguments: {parameters: [{name: name, value: a}]}}
      - {name: b, template: step, dependencies: [a], arguments: {parameters: [{name: name, value: b}]}}
      - {name: c, template: step, dependencies: [a], arguments: {parameters: [{name: name, value: c}]}}
      - name: d
        template: step
        dependencies: [b, c]
        arguments: {parameters: [{name: name, value: "{{tasks.b.outputs.parameters.out}}d"}]}
  - name: step
    retryStrategy: {limit: "100"}
    inputs: {parameters: [{name: name}]}
    outputs: {parameters: [{name: out, valueFrom: {path: /tmp/out}}]}
    container:
      image: shell
      command: [bash, -c]
      args: [SCRIPT]
      env:
      - {name: RUN, value: "{{workflow.name}}"}
      - {name: NAME, value: "{{inputs.parameters.name}}"}
      - {name: PORT, value: "{{workflow.parameters.port}}"}
      - {name: DELAY, value: "05"}
"""


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_finished_repeated(rig: Rig) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    document = DOCUMENT.replace("SCRIPT", json.dumps(STEP))
    for _ in range(ROUNDS):
        rig.start()
        rig.submit(document)
        time.sleep(dice.uniform(0.0, 0.6))
        rig.kill(dice.choice(["server", "supervisor", "server and supervisor", "step", "server and step"]))
    rig.start()
    rig.settle()

    for id, name in rig.runs.items():
        run = rig.home.services.runs.get(id)
        bad = [(n.name, n.message) for n in rig.home.services.runs.nodes(id)[0] if n.phase in ("Error", "Failed")]
        assert run.state == "SUCCEEDED" or given_up(rig, id), (name, run.message, bad)
    check_ledger(rig)
    rig.stop()
    assert processes(rig.runs) == []


def given_up(rig: Rig, id: str) -> bool:
    """Whether a step of the run was killed so often that it was not started again."""
    errors = [node for node in rig.home.services.runs.nodes(id)[0] if node.type == "Pod" and node.phase == "Error"]
    return bool(errors) and all(
        node.message == f"interrupted by the machine {INTERRUPTIONS + 1} times; not started again"
        and sum((node.started_at or 0) <= end for _, end in rig.kills) > INTERRUPTIONS
        for node in errors
    )


def check_ledger(rig: Rig) -> None:
    entries = rig.entries()
    for id, workflow in rig.runs.items():
        if given_up(rig, id):
            continue
        nodes = {n.display_name: n for n in rig.home.services.runs.nodes(id)[0] if n.type == "Retry"}
        for display, name in {"a": "a", "b": "b", "c": "c", "d": "bd"}.items():
            times = entries[workflow, name]
            recorded = nodes[display].finished_at
            assert recorded is not None
            assert times["end"], f"{workflow} {display}: recorded as succeeded, but it never ended"
            assert max(times["start"]) <= recorded, f"{workflow} {display}: started again after it was recorded"
            first, last = min(times["start"]), max(times["start"])
            killed = sum(begin <= last and first <= end for begin, end in rig.kills)
            assert len(times["start"]) <= 1 + killed, (
                f"{workflow} {display}: started again, though nobody killed it: {times}, kills {rig.kills}"
            )
