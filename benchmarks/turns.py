"""What a turn of the engine costs in a run of many nodes: `python -m benchmarks.turns NODES` prints its milliseconds.

A turn as the host makes it, with the launcher left out: a step has ended, the engine decides, what changed is stored in
SQLite in one transaction.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.pipelines import tasks_in_layers
from penstock import engine, workflow
from penstock.adapters.objects import LocalObjects
from penstock.adapters.sql import open_records
from penstock.engine.protocol import Begin, Command, Event, Exited, Launch
from penstock.ports import NodeRow, Run, Turn
from penstock.services import Report

__all__ = ["turn"]

WIDTH = 10
LAST = 200
"""How many turns count, the last ones before the run ends."""


class _Drive:
    """A run whose steps end in the order in which they were launched."""

    def __init__(self, folder: Path, nodes: int) -> None:
        text = tasks_in_layers(nodes // WIDTH, WIDTH)
        loaded = workflow.load(text)
        self._records = open_records(folder / "penstock.db")
        self._journal = Report(self._records, LocalObjects(folder / "objects", background=False))
        row = Run(id="r", name="r", workflow_name="r", experiment_id="", parameters={}, created_at=0.0)
        self._records.write(lambda store: store.add_run(row, text)).result()
        self._run = engine.new_run(loaded, name="r", uid="r", parameters={}, created_at=0.0)
        self._launched = self._turn(Begin(now=1.0))

    def seconds(self) -> list[float]:
        """How long each turn takes."""
        took = []
        while self._launched:
            began = time.perf_counter()
            event = Exited(now=2.0, node_id=self._launched.pop(0), exit_code=0)
            self._launched += self._turn(event)
            took.append(time.perf_counter() - began)
        assert self._run.phase == "Succeeded", self._run.message
        return took

    def _turn(self, event: Event) -> list[str]:
        self._run, commands = engine.step(self._run, event)
        nodes = [NodeRow(run_id="r", node=self._run.nodes[id], incarnation=1) for id in self._run.changed]
        run = self._run
        turn = Turn(run_id="r", at=event.now, nodes=nodes, phase=run.phase, finished_at=run.finished_at)
        self._journal.commit(turn).result()
        return [_launched(command) for command in commands if isinstance(command, Launch)]

    def close(self) -> None:
        self._records.close()


def _launched(command: Command) -> str:
    assert isinstance(command, Launch)
    return command.pod.node_id


def turn(nodes: int) -> float:
    """Milliseconds of a turn near the end of a run of that many nodes: the median of the last ones."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        drive = _Drive(Path(folder), nodes)
        took = drive.seconds()
        drive.close()
    last = min(LAST, len(took) // 2)
    return median(took[-last - WIDTH : -WIDTH]) * 1000


if __name__ == "__main__":
    print(turn(int(sys.argv[1])))
