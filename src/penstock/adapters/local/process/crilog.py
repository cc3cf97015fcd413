"""The log of a step in the CRI format: `<time> <stdout|stderr> <F|P> <text>`, an entry per line."""

from __future__ import annotations

import os
import time

__all__ = ["CriLog"]

_LONGEST = 16 * 1024
"""Bytes of one entry's text; a longer line goes on in the next entry (container runtimes' own limit)."""
_MOST_HELD = 1 << 20
"""Bytes that are kept in memory for a disk that is full."""


class CriLog:
    """Writes what the streams of a step bring. What a full disk refuses is held, and tried again with what follows.

    What is too much to hold is lost, never the step; `lost` counts bytes.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._partial: dict[str, bytes] = {}
        self._second = -1
        self._prefix = ""
        self._refused = b""
        self._torn = 0
        self.lost = 0
        self.empty = True

    def feed(self, stream: str, data: bytes) -> None:
        """Take bytes of `stream` as they came from the pipe."""
        lines = (self._partial.get(stream, b"") + data).split(b"\n")
        rest = lines.pop()
        cut = len(rest) - len(rest) % _LONGEST
        stamp = self._stamp()
        entries = [entry for line in lines for entry in _entries(stamp, stream, line)]
        entries += [_entry(stamp, stream, b"P", rest[i : i + _LONGEST]) for i in range(0, cut, _LONGEST)]
        self._partial[stream] = rest[cut:]
        self._write(b"".join(entries))

    @property
    def waiting(self) -> bool:
        """Whether text is held back: without a line's end, or for want of room."""
        return bool(self._refused) or any(self._partial.values())

    def flush(self, kind: bytes) -> None:
        """Write what is held back: as `P`, for a reader who follows, or at the end as `F`."""
        for stream, text in self._partial.items():
            if text:
                self._write(_entry(self._stamp(), stream, kind, text))
        self._partial.clear()
        self._write(b"")

    def close(self) -> int:
        """Write what is held back; what cannot be written now is lost. How many bytes that were in all."""
        self.flush(b"F")
        if self._refused:
            self.lost += len(self._refused)
            self._refused = b""
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - self._torn)
        return self.lost

    def note(self, text: str) -> None:
        """Add a line of the supervisor's own to stderr."""
        self.flush(b"F")
        self.feed("stderr", text.encode("utf-8", "backslashreplace") + b"\n")

    def sync(self) -> None:
        """Make what was written durable."""
        if not self.empty:
            os.fdatasync(self._descriptor)

    def release(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        data = self._refused + data
        try:
            while data:
                written = os.write(self._descriptor, data)
                whole = data.rfind(b"\n", 0, written) + 1
                self._torn = written - whole if whole else self._torn + written
                data = data[written:]
                self.empty = False
        except OSError:
            held = len(data) if len(data) <= _MOST_HELD else data.rfind(b"\n", 0, _MOST_HELD) + 1
            self.lost += len(data) - held
            data = data[:held]
        self._refused = data

    def _stamp(self) -> bytes:
        now = time.time_ns()
        second, rest = divmod(now, 1_000_000_000)
        if second != self._second:
            self._second, self._prefix = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._prefix}.{rest:09d}Z".encode()


def _entry(stamp: bytes, stream: str, kind: bytes, text: bytes) -> bytes:
    return b"%b %b %b %b\n" % (stamp, stream.encode(), kind, text)


def _entries(stamp: bytes, stream: str, line: bytes) -> list[bytes]:
    if len(line) <= _LONGEST:
        return [_entry(stamp, stream, b"F", line)]
    parts = [line[i : i + _LONGEST] for i in range(0, len(line), _LONGEST)]
    last = parts.pop()
    return [_entry(stamp, stream, b"P", part) for part in parts] + [_entry(stamp, stream, b"F", last)]
