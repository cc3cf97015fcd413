"""The log of a step: by byte range, or followed until the step has ended.

A log is lines in the CRI format, as the launcher wrote them: `<RFC 3339 time> <stdout|stderr> <F|P> <text>`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from penstock.errors import NotFound, Unavailable
from penstock.server.files import SANDBOX, RangeHeaders, attachment, file_answer
from penstock.server.routing import Context, Route
from penstock.server.streams import PIECE, Stream
from penstock.server.wire import Count, Wire

__all__ = ["ROUTES"]

KIND = "text/plain; charset=utf-8"
LOOK = 0.02
"""Seconds between two looks at a log that grows: its writer is another process."""


class LogQuery(Wire, kw_only=True):
    """`follow`: go on until the step has ended, from the byte `offset` on (`Range` does not count then). `download`: to
    be stored as a file."""

    follow: bool = False
    download: bool = False
    offset: Count = 0


def log(at: Context, run_id: str, node_id: str, query: LogQuery, headers: RangeHeaders) -> ASGIApp:
    """Read or follow the log of a step"""
    disposition = attachment(f"{node_id}.log") if query.download else ""
    if query.follow:
        at.services.runs.node(run_id, node_id)
        return _followed(_follow(at, run_id, node_id, query.offset), disposition)
    return file_answer(_opened(at, run_id, node_id), headers, kind=KIND, disposition=disposition)


def _opened(at: Context, run_id: str, node_id: str) -> BinaryIO:
    source = at.services.runs.log(run_id, node_id)
    if source.path is None:
        raise NotFound(f"node {node_id!r} has no log: " + ("it wrote none" if source.done else "it has not started"))
    try:
        return source.path.open("rb")
    except FileNotFoundError:
        raise Unavailable(f"the log of node {node_id!r} is on its way into the store; try again") from None


def _followed(source: AsyncGenerator[bytes], disposition: str) -> ASGIApp:
    headers = {"Content-Type": KIND, "Cache-Control": "no-store", "Content-Security-Policy": SANDBOX}
    return Stream(source, headers=headers | ({"Content-Disposition": disposition} if disposition else {}))


async def _follow(at: Context, run_id: str, node_id: str, offset: int) -> AsyncGenerator[bytes]:
    """Bytes from `offset` on, as they are written.

    A step that the machine interrupted starts over with a new log, which then follows from its beginning.
    """
    reader = _Reader(offset)
    try:
        with at.news.listening(run_id) as bell, suppress(NotFound):
            while True:
                bell.clear()
                source = await run_in_threadpool(at.services.runs.log, run_id, node_id)
                await run_in_threadpool(reader.turn_to, source.path, stored=source.stored)
                while piece := await run_in_threadpool(reader.read):
                    yield piece
                if source.done or at.news.closed:
                    return
                while not bell.is_set() and not reader.grew():
                    await anyio.sleep(LOOK)
    finally:
        reader.close()


class _Reader:
    """Reads a file that grows, and goes on where its copy in the object store takes its place."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def turn_to(self, path: Path | None, *, stored: bool) -> None:
        """Read this file from now on: from the same byte where it is the stored copy, from its start where the step
        has begun another log.
        """
        if path is None or path == self._path:
            return
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return  # it is on its way into the store
        if self._file is not None and not stored:
            self._offset = 0
        self.close()
        self._path, self._file = path, file

    def read(self) -> bytes:
        """The next bytes, b"" where there are none yet."""
        if self._file is None:
            return b""
        self._file.seek(self._offset)
        piece = self._file.read(PIECE)
        self._offset += len(piece)
        return piece

    def grew(self) -> bool:
        """Whether there is more to read. Asks the file system for a number only."""
        try:
            return self._path is not None and self._path.stat().st_size > self._offset
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()


ROUTES = (
    Route(
        "GET",
        "/runs/{run_id}/nodes/{node_id}/log",
        log,
        (NotFound,),
        media=("text/plain",),
        more=(206, 416),
    ),
)
