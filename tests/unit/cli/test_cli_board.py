"""What a person sees of a run: lines and rows from events."""

from __future__ import annotations

import io
from typing import Any

import pytest

from penstock.cli.board import Board, duration
from penstock.cli.follow import Followed, summary
from penstock.cli.show import Lines, _fitting


def node(id: str, phase: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": f"wf.{id}", "displayName": id, "type": "Pod", "phase": phase, **more}


def texts(board: Board, kind: str, data: dict[str, Any], at: float = 100.0) -> list[str]:
    return [line.text[10:] for line in board.apply(kind, at, data)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_each_change_of_a_step_is_one_line() -> None:
    board = Board(title="run")
    assert texts(board, "node", node("train", "Pending")) == ["train  Pending"]
    assert texts(board, "node", node("train", "Running", startedAt=90.0)) == ["train  Running"]
    assert texts(board, "node", node("train", "Running", startedAt=90.0)) == []
    ended = node("train", "Succeeded", startedAt=90.0, finishedAt=95.0)
    assert texts(board, "node", ended) == ["train  Succeeded  (5.0 s)"]


def test_groups_are_no_steps() -> None:
    board = Board(title="run")
    assert texts(board, "node", node("dag", "Running", type="DAG")) == []
    assert board.rows == {}


def test_why_a_step_waits_or_failed_is_told() -> None:
    board = Board(title="run")
    assert texts(board, "node", node("a", "Pending", message="waits for a free place")) == [
        "a  Pending  (waits for a free place)"
    ]
    failed = node("a", "Failed", message="exit code 3", startedAt=1.0, finishedAt=2.5)
    assert texts(board, "node", failed) == ["a  Failed  (1.5 s; exit code 3)"]
    assert [row.name for row in board.failures()] == ["a"]


def test_a_note_names_its_step() -> None:
    board = Board(title="run")
    board.apply("node", 1.0, node("a", "Running"))
    assert texts(board, "note", {"message": "adopted", "nodeId": "a"}) == ["a: adopted"]
    assert texts(board, "note", {"message": "tolerations have no effect", "nodeId": ""}) == [
        "run: tolerations have no effect"
    ]


@pytest.mark.parametrize(
    ("state", "timed_out", "code"),
    [
        ("SUCCEEDED", False, 0),
        ("SUCCEEDED", True, 0),
        ("FAILED", False, 1),
        ("FAILED", True, 124),
        ("CANCELED", True, 124),
        ("CANCELED", False, 130),
    ],
)
def test_the_exit_code_tells_the_outcome(state: str, timed_out: bool, code: int) -> None:
    board = Board(title="run", run={"state": state})
    assert Followed(board, timed_out).exit_code == code


def test_the_summary_names_what_went_wrong_and_the_command_that_shows_more() -> None:
    board = Board(title="daily")
    board.apply("node", 1.0, node("train", "Failed", message="exit code 3"))
    board.apply("run", 9.0, {"state": "FAILED", "started_at": 1.0, "finished_at": 9.0, "message": "child failed"})
    assert list(summary(board)) == [
        "Run daily failed after 8.0 s: child failed",
        "  train: Failed, exit code 3",
        "    penstock logs daily 'train'",
    ]


def test_a_pipe_gets_plain_lines() -> None:
    stream, board = io.StringIO(), Board(title="run")
    with Lines(stream) as show:
        show.update(board.apply("node", 1.0, node("a", "Running")))
    assert stream.getvalue().endswith("  a  Running\n")
    assert "\x1b" not in stream.getvalue()


def test_what_failed_and_what_runs_is_kept_where_there_is_no_room() -> None:
    board = Board(title="run")
    for i in range(50):
        board.apply("node", 1.0, node(f"s{i}", "Succeeded"))
    board.apply("node", 1.0, node("s3", "Failed"))
    board.apply("node", 1.0, node("s7", "Running"))
    assert [row.name for row in _fitting(list(board.rows.values()), 4)] == ["s3", "s7", "s48", "s49"]
