"""Steps that end at once: each has the phase of its exit code, whatever the race between its start and its end.

`PENSTOCK_EXITS` sets how many there are.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path

from rigged import signal_quietly, supervisors

from penstock.bootstrap import Home, open_home
from penstock.settings import Settings

EXITS = int(os.environ.get("PENSTOCK_EXITS", "450"))

DOCUMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: exits-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: last}]}
  templates:
  - name: main
    dag:
      tasks:
      - name: good
        template: step
        withSequence: {start: "1", end: "{{workflow.parameters.last}}"}
        arguments: {parameters: [{name: do, value: "exit 0"}]}
      - name: bad
        template: step
        withSequence: {start: "1", end: "{{workflow.parameters.last}}"}
        arguments: {parameters: [{name: do, value: "exit 1"}]}
      - name: hangs
        template: step
        withSequence: {start: "1", end: "{{workflow.parameters.last}}"}
        arguments: {parameters: [{name: do, value: "sleep 1000000 & exit 0"}]}
      - name: vanishes
        template: step
        withSequence: {start: "1", end: "2"}
        arguments: {parameters: [{name: do, value: "sleep 1000007"}]}
      - name: killed
        template: step
        withSequence: {start: "1", end: "{{workflow.parameters.last}}"}
        arguments: {parameters: [{name: do, value: "kill -9 $$"}]}
  - name: step
    inputs: {parameters: [{name: do}]}
    container: {image: shell, command: [sh, -c, "{{inputs.parameters.do}}"]}
"""

EXPECTED = {
    "good": ("Succeeded", "0"),
    "bad": ("Failed", "1"),
    "killed": ("Failed", "137"),
    "hangs": ("Succeeded", "0"),
}
"""`hangs` leaves a process that holds its output open."""


async def ended(home: Home, run_id: str) -> None:
    async with home.engaged():
        killing = asyncio.create_task(vanishing())
        async for _ in home.follow(run_id):
            pass
        killing.cancel()


async def vanishing() -> None:
    """Kill some steps whole, with their supervisors, as often as they are started."""
    while True:
        for pid in await asyncio.to_thread(supervisors, {"sleep 1000007": ""}):
            signal_quietly(pid)
        await asyncio.sleep(0.05)


def test_no_exit_is_taken_for_another(tmp_path: Path) -> None:
    home = open_home(Settings(home=tmp_path / "home", images={"shell": "host"}))
    run = home.services.runs.create(DOCUMENT, parameters={"last": str(EXITS // len(EXPECTED))})
    asyncio.run(ended(home, run.id))
    steps = [node for node in home.services.runs.nodes(run.id)[0] if node.type == "Pod"]
    home.close()
    found = Counter(
        (node.display_name.partition("(")[0], node.phase.value, node.outputs.exit_code if node.outputs else None)
        for node in steps
    )
    expected = {(name, *outcome): EXITS // len(EXPECTED) for name, outcome in EXPECTED.items()}
    assert found == {**expected, ("vanishes", "Error", None): 2}
