"""What the server tells for as long as it happens: events of a run, logs of a step. Broken connections are taken up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from penstock.client.connection import Connection
from penstock.client.values import Gone, Note, Run, RunEvent
from penstock.errors import Unavailable
from penstock.workflow.status import Node

__all__ = ["PATIENCE", "events", "patiently"]

PATIENCE = 30.0
"""Seconds for which a server may be away (it is started anew) before a follower gives up."""

PAUSE = 0.5
"""Seconds between two tries to reach it."""

KINDS: Mapping[str, type[Any]] = {"run": Run, "node": Node, "gone": Gone, "note": Note}


def patiently(what: Callable[[], Any], *, patience: float = PATIENCE) -> Any:
    """The result of `what`, tried anew while no server answers; after `patience` seconds its Unavailable goes on."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return what()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)


def events(http: Connection, run_id: str, after: int) -> Iterator[RunEvent]:
    """The run's events after that number, until it has ended. Raises NotFound, and Unavailable for a server away."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            for event in _connected(http, run_id, after):
                if event is None:
                    return
                after = event.seq
                deadline = time.monotonic() + PATIENCE
                yield event
        except Unavailable:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)


def _connected(http: Connection, run_id: str, after: int) -> Iterator[RunEvent | None]:
    """Events of one connection; None says that there are no more."""
    import httpx2

    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    with http.stream(f"/runs/{run_id}/events", headers=headers, endless=True) as response:
        for event in httpx2.EventSource(response, max_event_size=None):
            if event.event == "end":
                yield None
            elif event.event in KINDS:
                value = msgspec.json.decode(event.data, type=KINDS[event.event])
                after = int(event.id or after)
                yield RunEvent(seq=after, kind=event.event, value=value)
