"""The event stream of a run: server-sent events, from any point on, until the run has ended.

Events are `run` (`wire.Run`), `node` (`workflow.status.Node`), `gone` (`wire.Gone`), `note` (`wire.Note`), and `end` as
the last one. The id of an event is its number in the run; a client that comes back says it in `Last-Event-ID`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from penstock import ports
from penstock.errors import NotFound
from penstock.ports import RunEvent
from penstock.server import convert
from penstock.server.routing import Context, Route
from penstock.server.streams import Stream
from penstock.server.wire import Count, Wire

__all__ = ["ROUTES"]

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent: proxies close what is silent."""
BATCH = 100
"""Most events that are held for a client at once."""
PACE = 0.05
"""Seconds between two looks for events: quick steps are told of together."""
HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventQuery(Wire, kw_only=True):
    """`after` is the number of the last event that is known already."""

    after: Count = 0


class EventHeaders(Wire, kw_only=True, rename={"last_event_id": "Last-Event-ID"}):
    """A browser that reconnects says here what it saw last; this goes before `after`."""

    last_event_id: Count = 0


def events(at: Context, run_id: str, query: EventQuery, headers: EventHeaders) -> ASGIApp:
    """Follow a run"""
    at.services.runs.get(run_id)
    return Stream(_stream(at, run_id, headers.last_event_id or query.after), headers=HEADERS)


async def _stream(at: Context, run_id: str, after: int) -> AsyncGenerator[bytes]:
    yield b"retry: 1000\n\n"
    with at.news.listening(run_id) as bell:
        while not at.news.closed:
            bell.clear()
            found, ended = await run_in_threadpool(at.services.runs.news, run_id, after, BATCH)
            if found:
                after = found[-1].seq
                yield b"".join(map(_event, found))
            if ended:
                yield b"event: end\ndata: {}\n\n"
                return
            if found:
                await bell.pause(PACE)
            elif not await _rings(bell):
                yield b": still here\n\n"


async def _rings(bell: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARTBEAT):
            return await bell.wait()
    return False


def _event(event: RunEvent) -> bytes:
    data = event.data
    if event.kind == "run":
        data = msgspec.to_builtins(convert.run(msgspec.convert(event.data, ports.Run)))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.kind.encode(), msgspec.json.encode(data))


ROUTES = (Route("GET", "/runs/{run_id}/events", events, (NotFound,), media=("text/event-stream",)),)
