"""Reading a step's log."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from penstock.cli.commands.logs import Tail


def tail(path: Path | None) -> Tail:
    runs = SimpleNamespace(log=lambda run_id, node_id: SimpleNamespace(path=path, done=False))
    home: Any = SimpleNamespace(services=SimpleNamespace(runs=runs))
    return Tail(home, "run", "node")


def texts(tail: Tail) -> list[str]:
    return [line.text for line in tail.read()]


def test_entries_that_go_on_are_one_line(tmp_path: Path) -> None:
    log = tmp_path / "main.log"
    log.write_text("2026-01-01T00:00:00.000000001Z stdout P a b\n2026-01-01T00:00:00.000000002Z stdout F  c\n")
    assert texts(tail(log)) == ["a b c"]


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    log = tmp_path / "main.log"
    log.write_text("t stdout F one\nt stderr F tw")
    reader = tail(log)
    assert texts(reader) == ["one"]
    with log.open("a") as file:
        file.write("o\nt stdout F \n")
    assert texts(reader) == ["two", ""]


def test_no_log_yet_is_no_line() -> None:
    assert texts(tail(None)) == []
