"""Ways to show runs that go on: lines for a pipe, a table that changes for a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

from penstock.cli.board import Board, Line, Row

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = ["Show", "show_on"]

STYLES = {
    "Succeeded": ("✓", "green"),
    "Failed": ("✗", "red"),
    "Error": ("✗", "red"),
    "Running": ("▶", "cyan"),
    "Pending": ("·", "dim"),
    "Skipped": ("–", "dim"),
    "Omitted": ("–", "dim"),
}


class Show(Protocol):
    """Shows boards while it is entered."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def update(self, lines: Sequence[Line]) -> None:
        """The boards have changed; `lines` tell how."""
        ...

    def say(self, line: str) -> None:
        """Something beside the boards."""
        ...


def show_on(stream: TextIO, boards: Sequence[Board]) -> Show:
    """The way that suits the stream."""
    return Live(stream, boards) if stream.isatty() else Lines(stream)


class Lines:
    """Plain lines, for pipes and files."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, lines: Sequence[Line]) -> None:
        """Print what changed."""
        for line in lines:
            self.say(line.text)

    def say(self, line: str) -> None:
        """Print a line. Where nobody reads them any more, or a full disk takes none, the run goes on unsaid."""
        try:
            print(line, file=self._stream, flush=True)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


class Live:
    """Tables that change in place. Rich is imported here alone: it takes longer than all the rest."""

    def __init__(self, stream: TextIO, boards: Sequence[Board]) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._boards = boards
        self._console = Console(file=stream, highlight=False, soft_wrap=False)
        self._live = RichLive(
            get_renderable=self._picture, console=self._console, refresh_per_second=8, redirect_stdout=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def update(self, lines: Sequence[Line]) -> None:
        """The next refresh shows it; what no table shows gets a line of its own."""
        for line in lines:
            if line.lasting:
                self.say(line.text)

    def say(self, line: str) -> None:
        """Print a line above the tables."""
        from rich.text import Text

        self._live.console.print(Text(line), style="dim")

    def _picture(self) -> RenderableType:
        from rich.console import Group

        space = max(4, (self._console.height - 2) // max(1, len(self._boards)) - 2)
        return Group(*(_table(board, space) for board in self._boards))


def _table(board: Board, space: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    now = time.time()
    table = Table(box=None, show_header=False, padding=(0, 1), title=_title(board), title_justify="left")
    for options in ({"width": 1}, {"no_wrap": True}, {"no_wrap": True}, {"justify": "right", "no_wrap": True}, {}):
        table.add_column(**options)
    for row in _fitting(list(board.rows.values()), space):
        sign, style = STYLES.get(row.phase, ("?", ""))
        table.add_row(Text(sign, style), row.name, Text(row.phase, style), row.took(now), Text(row.message, "dim"))
    return table


def _title(board: Board) -> Text:
    from rich.text import Text

    state = str(board.run.get("state", "PENDING"))
    return Text.assemble((board.title, "bold"), "  ", (state.capitalize(), "dim"))


def _fitting(rows: Sequence[Row], space: int) -> Sequence[Row]:
    """As many rows as there is room for: what went wrong first, then what moves, then the newest, in their order."""
    if len(rows) <= space:
        return rows
    rank: dict[str, Any] = {row.id: (not row.failed, row.ended, -place) for place, row in enumerate(rows)}
    kept = {row.id for row in sorted(rows, key=lambda row: rank[row.id])[:space]}
    return [row for row in rows if row.id in kept]
