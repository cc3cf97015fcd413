"""What a person sees of a run while it goes on: a state fed by the run's events. Prints nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["Board", "Line", "Row", "clock", "duration"]

SHOWN = ("Pod", "Skipped", "Suspend")
"""Types of nodes that a person takes for steps; the others are groups of them."""

FINAL = ("Succeeded", "Skipped", "Failed", "Error", "Omitted")


def clock(at: float) -> str:
    """The wall clock's time, to the second."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


@dataclass(frozen=True, slots=True)
class Line:
    """Something new, in words. `lasting`: no table shows it."""

    text: str
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A step as it stands."""

    id: str
    name: str
    phase: str
    message: str
    started_at: float | None
    finished_at: float | None

    @property
    def ended(self) -> bool:
        """True when nothing more happens to it."""
        return self.phase in FINAL

    @property
    def failed(self) -> bool:
        """True when the step itself went wrong."""
        return self.phase in ("Failed", "Error")

    def took(self, now: float) -> str:
        """How long it runs or ran, "" before it starts."""
        if self.started_at is None or self.phase in ("Pending", "Skipped", "Omitted"):
            return ""
        return duration((self.finished_at or now) - self.started_at)


@dataclass(slots=True)
class Board:
    """The steps of one run, in the order in which they came, and the run's own row."""

    title: str = ""
    rows: dict[str, Row] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, kind: str, at: float, data: Mapping[str, Any]) -> Sequence[Line]:
        """Take in an event; lines that tell what is new in it."""
        match kind:
            case "node":
                return self._node(at, data)
            case "run":
                return self._run(at, data)
            case "gone":
                for id in data.get("ids", ()):
                    self.rows.pop(str(id), None)
                return []
            case "note":
                return [self._note(at, str(data.get("nodeId", "")), str(data.get("message", "")))]
            case _:
                return []

    def failures(self) -> Sequence[Row]:
        """Steps that went wrong."""
        return [row for row in self.rows.values() if row.failed]

    def _node(self, at: float, data: Mapping[str, Any]) -> Sequence[Line]:
        if data.get("type") not in SHOWN:
            return []
        row = Row(
            id=str(data["id"]),
            name=str(data.get("displayName") or data.get("name") or data["id"]),
            phase=str(data.get("phase", "Pending")),
            message=str(data.get("message", "")),
            started_at=data.get("startedAt"),
            finished_at=data.get("finishedAt"),
        )
        before = self.rows.get(row.id)
        self.rows[row.id] = row
        if before and (before.phase, before.message) == (row.phase, row.message):
            return []
        said = "; ".join(part for part in (row.took(at) if row.ended else "", row.message) if part)
        return [self._line(at, row.name, row.phase, said)]

    def _run(self, at: float, data: Mapping[str, Any]) -> Sequence[Line]:
        before, self.run = self.run.get("state"), data
        if before == data.get("state"):
            return []
        return [self._line(at, self.title, str(data.get("state", "")).capitalize(), str(data.get("message", "")))]

    def _step(self, node_id: str) -> str:
        row = self.rows.get(node_id)
        return row.name if row else self.title

    def _note(self, at: float, node_id: str, message: str) -> Line:
        return Line(f"{clock(at)}  {self._step(node_id)}: {message}", lasting=True)

    @staticmethod
    def _line(at: float, name: str, phase: str, said: str) -> Line:
        return Line(f"{clock(at)}  {name}  {phase}" + (f"  ({said})" if said else ""))
