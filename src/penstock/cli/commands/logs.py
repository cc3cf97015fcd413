"""`penstock logs`: what steps wrote."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from penstock.cli.home import opened
from penstock.cli.options import home_option, json_option
from penstock.client.logs import LogLine, LogReader
from penstock.errors import NotFound
from penstock.workflow.status import nodes_called

if TYPE_CHECKING:
    from penstock.bootstrap import Home

__all__ = ["logs"]

POLL = 0.2
"""Seconds between two looks at a log that grows."""


@click.command()
@click.argument("run")
@click.argument("step", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the steps have ended.")
@home_option
@json_option("json: one object a line.", yaml=False)
def logs(run: str, step: str | None, follow: bool, home: Path | None, output: str) -> None:
    """Print the log of STEP (its name or id), or of all steps of RUN."""
    with opened(home) as found:
        _print(found, found.services.runs.find(run), step, follow, output)


def _print(home: Home, run: Any, step: str | None, follow: bool, output: str) -> None:
    shown: dict[str, Tail] = {}
    while True:
        ended = home.services.runs.get(run.id).state.terminal
        nodes = _nodes(home, run.id, step)
        if step and not nodes and (ended or not follow):
            raise NotFound(_no_such(home, run, step))
        for node in nodes:
            tail = shown.setdefault(node.id, Tail(home, run.id, node.id))
            for line in tail.read():
                if output == "json":
                    click.echo(_entry(node.display_name, line))
                else:
                    click.echo(line.text if step and len(nodes) == 1 else f"[{node.display_name}] {line.text}")
        settled = ended or (bool(step) and bool(nodes) and all(node.phase.fulfilled for node in nodes))
        if not follow or settled:
            return
        time.sleep(POLL)


def _entry(step: str, line: LogLine) -> str:
    fields = {"step": step, "time": line.time, "stream": line.stream, "text": line.text}
    return json.dumps(fields, ensure_ascii=False)


def _nodes(home: Home, run_id: str, step: str | None) -> list[Any]:
    pods = [node for node in home.services.runs.nodes(run_id)[0] if node.type == "Pod"]
    return pods if step is None else list(nodes_called(pods, step))


def _no_such(home: Home, run: Any, step: str) -> str:
    names = ", ".join(sorted({node.display_name for node in _nodes(home, run.id, None)})) or "none yet"
    return f"run {run.name!r} has no step {step!r}; its steps: {names}"


class Tail:
    """The log of one step, read on from where the last reading ended."""

    def __init__(self, home: Home, run_id: str, node_id: str) -> None:
        self._home, self._run_id, self._node_id = home, run_id, node_id
        self._offset = 0
        self._reader = LogReader()

    def read(self) -> Iterator[LogLine]:
        """Whole lines of the step that are new."""
        path = self._home.services.runs.log(self._run_id, self._node_id).path
        if path is None:
            return
        # Opened anew each time: the log moves into the store when its step has ended.
        with path.open("rb") as file:
            file.seek(self._offset)
            while chunk := file.read(1 << 16):
                self._offset += len(chunk)
                yield from self._reader.push(chunk)
