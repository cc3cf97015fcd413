"""The log of a container, brought into a file in the CRI format to the last byte, however often that is interrupted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from types import TracebackType

from penstock.adapters.local.docker.engine import Engine
from penstock.adapters.local.process.crilog import CriLog

__all__ = ["FAILURES", "ContainerLog"]

_CHUNK = 1 << 16
_IDLE = 0.2
"""Seconds after which text without a line's end is shown to readers who follow."""

FAILURES = (b"error", b"cannot connect", b"unexpected eof", b"failed to")
"""How the engine's command begins when it tells of its own failure, in small letters."""


def _all(stream: str, data: bytes) -> bool:  # noqa: ARG001
    return True


class ContainerLog:
    """A container's log file, open while inside.

    The engine keeps the log and tells it from its beginning each time; what the file has of each stream is skipped.
    So the file says by itself how far it is. Entries carry the time at which they were read.
    """

    def __init__(self, engine: Engine, name: str, path: str) -> None:
        self._engine = engine
        self._name = name
        self._path = path

    def __enter__(self) -> ContainerLog:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._seen = _repaired(self._descriptor)
        self._log = CriLog(self._descriptor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    async def follow(self) -> bool:
        """Bring what comes until the engine ends the stream, which may be before the container ends; whether it told
        all that there was by then.
        """
        return await self._copy("logs", "--follow", self._name) is None

    async def catch_up(self) -> bool:
        """Bring what the container has said beyond that by now; True. Raises Refused, Unavailable."""
        errors = await self._copy("logs", self._name)
        if errors is not None:
            raise self._engine.failure(errors)
        return True

    async def bring(self, process: asyncio.subprocess.Process, own: Callable[[str, bytes], bool]) -> bytes:
        """Bring what a process tells that was there before the container said a word, to its end; of which `own` says
        that it is the container's. What it ended with where that may be words of its own.
        """
        return await self._pumped(process, {"stdout": 0, "stderr": 0}, own)

    def finish(self) -> int:
        """The log is whole and durable; the count of bytes lost to a full disk."""
        self._log.flush(b"F")
        self._log.sync()
        return self._log.lost

    async def _copy(self, *command: str) -> bytes | None:
        """Run a command and append what is new; None, or the command's own words where it failed."""
        skip = dict(self._seen)
        async with self._engine.started(*command) as process:
            held = await self._pumped(process, skip)
            return held if process.returncode else None

    async def _pumped(
        self, process: asyncio.subprocess.Process, skip: dict[str, int], own: Callable[[str, bytes], bool] = _all
    ) -> bytes:
        """Append both streams of a process, and wait for its end. What it ended with where it has failed and that may
        be its own words.
        """
        assert process.stdout is not None
        assert process.stderr is not None
        _, held = await asyncio.gather(
            self._pump("stdout", process.stdout, skip, own), self._pump("stderr", process.stderr, skip, own)
        )
        if await process.wait():
            return held
        self._feed("stderr", held)
        return b""

    async def _pump(
        self, stream: str, reader: asyncio.StreamReader, skip: dict[str, int], own: Callable[[str, bytes], bool]
    ) -> bytes:
        """Append a stream; return what it ended with where that may be the command telling of its own failure."""
        held = b""
        while data := await self._chunk(reader):
            if not own(stream, data):
                continue
            self._feed(stream, held)
            old = min(skip[stream], len(data))
            skip[stream] -= old
            held = data[old:] if stream == "stderr" and data[old:].lower().startswith(FAILURES) else b""
            if not held:
                self._feed(stream, data[old:])
        return held

    def _feed(self, stream: str, data: bytes) -> None:
        if data:
            self._seen[stream] += len(data)
            self._log.feed(stream, data)

    async def _chunk(self, reader: asyncio.StreamReader) -> bytes:
        while True:
            try:
                async with asyncio.timeout(_IDLE if self._log.waiting else None):
                    return await reader.read(_CHUNK)
            except TimeoutError:
                self._log.flush(b"P")


def _repaired(descriptor: int) -> dict[str, int]:
    """How many bytes of each stream a log holds; an entry that a crash tore is cut off."""
    seen, whole = {"stdout": 0, "stderr": 0}, 0
    with open(descriptor, "rb", closefd=False) as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            _, stream, kind, text = line[:-1].split(b" ", 3)
            seen[stream.decode()] += len(text) + (kind == b"F")
    os.ftruncate(descriptor, whole)
    return seen
