"""Listening: where, until when, and what is told where that cannot be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import httpx2
import pytest
from server_room import Exchange, Room

from penstock.errors import InvalidSetting, PortTaken
from penstock.server import listen

PATIENCE = 30.0


class Told:
    """What `listen` says when it is ready."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.url = self.login = ""

    def __call__(self, url: str, login: str) -> None:
        self.url, self.login = url, login
        self.heard.set()


async def serving(room: Room, use: Callable[[Told], None], host: str = "127.0.0.1") -> None:
    """Listen while `use` runs in a thread, then be told to end."""
    told = Told()
    task = asyncio.create_task(listen(room.app, host, 0, told))
    async with asyncio.timeout(PATIENCE):
        await told.heard.wait()
        await asyncio.to_thread(use, told)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_any_free_port_and_a_link_that_works(room: Room) -> None:
    def use(told: Told) -> None:
        assert told.login.startswith(f"{told.url}/login?code=")
        assert not told.url.endswith(":0")
        assert httpx2.get(f"{told.url}/healthz").json()["ready"] is True
        assert httpx2.get(told.login).status_code == 303

    asyncio.run(serving(room, use))


def test_listening_everywhere_tells_an_address_that_can_be_opened(room: Room) -> None:
    def use(told: Told) -> None:
        assert told.url.startswith("http://127.0.0.1:")

    asyncio.run(serving(room, use, "0.0.0.0"))


def test_the_end_ends_streams(room: Room) -> None:
    async def scene() -> None:
        run = room.run()

        def nothing(_: Told) -> None:
            pass

        async with Exchange(room.app, f"/apis/v2beta1/runs/{run}/events") as stream:
            await stream.until("event: run")
            await serving(room, nothing)
            await stream.ended()

    asyncio.run(scene())


def test_a_port_that_is_taken(room: Room) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} of 127.0.0.1 is taken .* --port"):
            asyncio.run(listen(room.app, "127.0.0.1", port, lambda *_: None))


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_this_machine_does_not_have(room: Room, host: str) -> None:
    with pytest.raises(InvalidSetting, match=f"host: got {host!r}"):
        asyncio.run(listen(room.app, host, 0, lambda *_: None))


def test_a_failure_of_who_is_told_ends_it(room: Room) -> None:
    def fail(*_: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        asyncio.run(listen(room.app, "127.0.0.1", 0, fail))
