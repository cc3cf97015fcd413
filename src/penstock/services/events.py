"""Entries of a run's event stream."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.ports import Run, RunEvent
from penstock.workflow.status import Node

__all__ = ["gone_event", "node_event", "note_event", "run_event"]


def run_event(run: Run, seq: int, at: float) -> RunEvent:
    """The run's row changed."""
    return RunEvent(run_id=run.id, seq=seq, kind="run", at=at, data=msgspec.to_builtins(run))


def node_event(run_id: str, node: Node, seq: int, at: float) -> RunEvent:
    """A node is new or changed."""
    return RunEvent(run_id=run_id, seq=seq, kind="node", at=at, data=msgspec.to_builtins(node))


def gone_event(run_id: str, ids: Sequence[str], seq: int, at: float) -> RunEvent:
    """The run has these nodes no more: what they stood for runs again."""
    return RunEvent(run_id=run_id, seq=seq, kind="gone", at=at, data={"ids": list(ids)})


def note_event(run_id: str, node_id: str, message: str, seq: int, at: float) -> RunEvent:
    """Something a person should know of the run, or of one node ("" for the run)."""
    return RunEvent(run_id=run_id, seq=seq, kind="note", at=at, data={"message": message, "nodeId": node_id})
