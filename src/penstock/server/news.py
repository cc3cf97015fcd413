"""Who waits for changes of a run, and who tells them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from penstock.errors import Unavailable
from penstock.ports import Records

__all__ = ["Bell", "News"]

POLL = 0.05
"""Seconds between two looks at what other processes wrote, while somebody listens."""


class Bell(asyncio.Event):
    """Rings when something may have changed. `last` rings when the run has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.last = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        """Let some time pass, less where the run ends meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.last.wait()


class News:
    """A bell for each listener. Bells say only that something may have changed; who hears one looks for himself."""

    def __init__(self) -> None:
        self._bells: defaultdict[str, set[Bell]] = defaultdict(set)
        self._listened = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """True when the server ends: whoever streams has to come to an end too."""
        return self._closed

    def publish(self, run_id: str, ended: bool = False) -> None:
        """Something of the run was committed, its end perhaps. May be called from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._ring, run_id, ended)

    def close(self) -> None:
        """The server ends: wake everybody."""
        self._closed = True
        self._ring_all()

    @contextmanager
    def listening(self, run_id: str) -> Iterator[Bell]:
        """A bell that rings with each change of the run, and at the end of the server. Who listens clears it."""
        bell = Bell()
        self._bells[run_id].add(bell)
        self._listened.set()
        try:
            yield bell
        finally:
            self._bells[run_id].discard(bell)
            if not self._bells[run_id]:
                del self._bells[run_id]
            if not self._bells:
                self._listened.clear()

    @asynccontextmanager
    async def watching(self, records: Records) -> AsyncIterator[None]:
        """While inside, bells ring: for what is published, and for what other processes commit to these records."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._watch(records), name="news")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self, records: Records) -> None:
        version: int | None = None
        while True:
            await self._listened.wait()
            with suppress(Unavailable):  # the database is away: look again
                now = await asyncio.to_thread(records.version)
                if now != version:
                    version = now
                    self._ring_all()
            await asyncio.sleep(POLL)

    def _ring(self, run_id: str, ended: bool) -> None:
        for bell in self._bells.get(run_id, ()):
            bell.set()
            if ended:
                bell.last.set()

    def _ring_all(self) -> None:
        for bells in self._bells.values():
            for bell in bells:
                bell.set()
