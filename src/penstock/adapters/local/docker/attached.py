"""A container that is made, started and followed by one command, which brings its log and ends as it does.

Each command of the engine takes a while to start: for a brief step that while is most of what comes after its end.
The container does not depend on the command. Who comes when that is gone finds the container and its log in the engine,
and so does who cannot tell the command's own words from the container's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from penstock.adapters.local.docker.engine import Engine
from penstock.adapters.local.docker.log import FAILURES, ContainerLog
from penstock.errors import Unavailable
from penstock.ports import StepExit

__all__ = ["Attached"]

_OWN_WORDS = (*FAILURES, b"docker: ", b"warning: ", b"time=")
"""How the command begins when it says something itself, before the container does, in small letters."""
_MOST_WORDS = 1 << 16
_SILENT = 0.3
"""Seconds after which a container that says nothing is looked at; twice as many each time."""


class Attached:
    """The container `name`, which the command `words` makes and starts. Its log goes to the file `path`."""

    def __init__(self, engine: Engine, name: str, path: str, words: Sequence[str], env: Mapping[str, str]) -> None:
        self._engine = engine
        self._name = name
        self._heard = asyncio.Event()
        self._doubtful = False
        self._words = b""
        self._code: int | None = None
        self._started_at = self._ended_at = time.time()
        self._bringing = asyncio.create_task(self._bring(path, words, env), name=f"run {name}")

    async def begun(self) -> None:
        """Return when the container runs, or has run. Raises Refused, NoSpace, Unavailable."""
        hearing, pause = asyncio.create_task(self._heard.wait()), _SILENT
        try:
            while not (self._heard.is_set() or self._bringing.done()):
                await asyncio.wait([hearing, self._bringing], timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                pause *= 2
                if not (self._heard.is_set() or self._bringing.done()):
                    found = await self._engine.inspect(self._name)
                    if found is not None and not found.fresh:
                        return
        finally:
            hearing.cancel()
        if self._bringing.done() and self._code != 0:
            found = await self._engine.inspect(self._name)
            if found is None or found.fresh:
                raise self._failure()

    async def exit(self) -> StepExit | None:
        """The exit of a container that has succeeded, its log durable; None where the engine has to be asked."""
        try:
            if self._doubtful:
                return None
            await asyncio.wait([self._bringing])
        finally:
            await self.close()
        if self._bringing.cancelled() or self._bringing.exception() is not None or self._code or self._doubtful:
            return None
        lost = self._bringing.result()
        return StepExit(
            code=0,
            message=f"{lost} bytes of the log were lost: the disk was full" if lost else "",
            started_at=self._started_at,
            finished_at=self._ended_at,
        )

    async def close(self) -> None:
        """Let go of the container, which goes on."""
        self._bringing.cancel()
        await asyncio.gather(self._bringing, return_exceptions=True)

    async def _bring(self, path: str, words: Sequence[str], env: Mapping[str, str]) -> int:
        """The count of bytes of the log that were lost. Raises OSError, Unavailable."""
        with ContainerLog(self._engine, self._name, path) as lines:
            async with self._engine.started(*words, env=env) as process:
                held = await lines.bring(process, self._hears)
                self._words += held
                self._code, self._ended_at = process.returncode, time.time()
            # A log that goes on elsewhere may go on in the midst of a line.
            return lines.finish() if self._code == 0 else 0

    def _hears(self, stream: str, data: bytes) -> bool:
        """Whether `data` is the container's; what the command itself may have said is kept apart."""
        first = not self._heard.is_set()
        if first and stream == "stderr" and (self._doubtful or data.lower().startswith(_OWN_WORDS)):
            self._doubtful = True
        if self._doubtful:
            self._words = (self._words + data)[:_MOST_WORDS]
            return False
        self._heard.set()
        return True

    def _failure(self) -> Exception:
        if self._code is None or self._code < 0:
            return Unavailable(f"{self._engine.program}: its command was ended before it had started {self._name!r}")
        return self._engine.failure(self._words)
