"""A step's log as it is stored and sent: the CRI format, `<time> <stdout|stderr> <F|P> <text>`, one entry a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["LogLine", "LogReader"]

LONGEST = 1 << 20
"""Most bytes of an entry; longer ones come in pieces."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a step wrote. `time` is RFC 3339 text with nanoseconds, `stream` stdout or stderr."""

    text: str
    stream: str = "stdout"
    time: str = ""


class LogReader:
    """Makes lines of entries that come in pieces, cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._open: dict[str, str] = {}

    def push(self, piece: bytes) -> Iterator[LogLine]:
        """The lines that are whole with this piece."""
        *entries, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LONGEST:
            entries, self._rest = [*entries, self._rest], b""
        for entry in entries:
            yield from self._entry(entry.decode("utf-8", "replace"))

    def end(self) -> Iterator[LogLine]:
        """What is left when no more comes."""
        if self._rest:
            yield from self._entry(self._rest.decode("utf-8", "replace"))
        for stream, text in self._open.items():
            yield LogLine(text, stream)
        self._rest, self._open = b"", {}

    def _entry(self, entry: str) -> Iterator[LogLine]:
        """P says that the stream's line goes on in its next entry."""
        time, stream, whole, text = [*entry.split(" ", 3), "", "", "", ""][:4]
        text = self._open.pop(stream, "") + text
        if whole == "P":
            self._open[stream] = text
        else:
            yield LogLine(text, stream, time)
