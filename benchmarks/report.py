"""Results: what was measured, on what, as a table."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

__all__ = ["Peer", "Result", "machine", "table", "update"]

BEGIN, END = "<!-- begin of the measured table -->", "<!-- end of the measured table -->"


@dataclass(frozen=True, slots=True)
class Peer:
    """What another engine takes for the same work, in the unit of the result that it stands in."""

    name: str
    values: Sequence[float]

    def told(self) -> str:
        """Its name and median, with the extremes where it ran more than once."""
        low, middle, high = _cells(self.values)
        return f"{self.name}: {middle}" + (f" ({low}–{high})" if len(self.values) > 1 else "")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `reach` is what is promised: the most, or with `least` the least. `values` are in `unit`."""

    work: str
    unit: str
    reach: float
    values: Sequence[float]
    once: bool = False
    """The value cannot differ from round to round, or was made of all rounds, so there is one."""
    least: bool = False
    peers: Sequence[Peer] = ()
    steps: int = 0
    """How many steps a value counts, where the picture shows it; 0 where it does not."""
    figure: str = ""
    """The name by which the command measures it."""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """A result as `as_dict` gave it."""
        return cls(**{**stored, "peers": [Peer(**peer) for peer in stored.get("peers", ())]})

    @property
    def reached(self) -> bool:
        """Whether the median keeps the promise."""
        middle = median(self.values)
        return middle >= self.reach if self.least else middle <= self.reach

    @property
    def promise(self) -> str:
        """The promise as the table shows it."""
        return f"{'≥' if self.least else '≤'} {self.reach:.3g}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def line(self) -> str:
        """For a terminal."""
        sign = "ok  " if self.reached else "MISS"
        beside = "".join(f"; {peer.told()}" for peer in self.peers)
        return f"{sign} {self.work}: {' / '.join(self.cells())} {self.unit} ({self.promise}{beside})"

    def cells(self) -> tuple[str, str, str]:
        """Minimum, median, maximum."""
        return _cells(self.values)


def _cells(values: Sequence[float]) -> tuple[str, str, str]:
    return (_number(min(values)), _number(median(values)), _number(max(values)))


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def machine() -> dict[str, str]:
    """What decides how fast all is."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def table(results: Collection[Result], notes: Mapping[str, str]) -> str:
    """Markdown: the figures, and the machine below them."""
    rows = ["| work | reach | minimum | median | maximum | unit | beside | measured by |", "|---" * 8 + "|"]
    for result in results:
        low, middle, high = result.cells()
        cells = ("–", middle, "–") if result.once else (low, middle, high)
        mark = "" if result.reached else " (missed)"
        beside = "; ".join(peer.told() for peer in result.peers)
        rows.append(
            f"| {result.work} | {result.promise} | {cells[0]} | {cells[1]}{mark} | {cells[2]} | {result.unit} "
            f"| {beside} | `make bench ARGS={result.figure}` |"
        )
    fewest = min((len(result.values) for result in results if not result.once), default=1)
    told = f"{notes['processor']}, {notes['cores']} cores, {notes['kernel']}, {notes['python']}"
    return "\n".join([*rows, "", f"Measured on {notes['date']}: {told}; at least {fewest} rounds each."])


def update(document: str, table: str) -> str:
    """The document with its measured table replaced. Raises ValueError where its marks are missing."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"performance.md: the marks {BEGIN} and {END} are missing")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"
