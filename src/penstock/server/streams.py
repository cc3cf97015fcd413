"""Answers that are sent while they are made. No client, however slow, holds more than one piece in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from starlette.types import Receive, Scope, Send

__all__ = ["PIECE", "Stream"]

PIECE = 256 * 1024
"""Most bytes that are read of a file at once."""
PATIENCE = 60.0
"""Seconds after which a client that takes nothing is let go."""


class Stream:
    """An ASGI answer from an asynchronous source; ends with the source, or when the client has gone. `close` is called
    at its end, whatever happened."""

    def __init__(
        self,
        source: AsyncGenerator[bytes],
        *,
        headers: Mapping[str, str],
        status: int = 200,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.headers = headers
        self.status = status
        self._source = source
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": raw})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                await _first(self._send(send), _gone(receive))
        finally:
            await self._source.aclose()
            self._close()

    async def _send(self, send: Send) -> None:
        with suppress(TimeoutError, OSError):
            async for piece in self._source:
                async with asyncio.timeout(PATIENCE):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _first(main: Coroutine[Any, Any, None], other: Coroutine[Any, Any, None]) -> None:
    """Until one of the two has ended; raises what `main` raised."""
    tasks = asyncio.create_task(main), asyncio.create_task(other)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcome, _ = await asyncio.gather(*tasks, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
