"""Listen on an address until the process is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Generator

import uvicorn

from penstock.errors import InvalidSetting, PortTaken
from penstock.server.application import Application
from penstock.server.guard import EVERYWHERE, authority

__all__ = ["listen"]

GRACE = 3
"""Seconds that requests have to end in, when the server is told to."""
BACKLOG = 512
SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def listen(app: Application, host: str, port: int, ready: Callable[[str, str], None]) -> None:
    """Serve until SIGINT or SIGTERM; a second one does not wait for requests that are under way.

    `ready` is called with the server's address and a login link, when both are good. Port 0 is any free one. Raises
    PortTaken, and InvalidSetting for an address that this machine does not have.
    """
    listener = _bound(host, port)
    url = f"http://{authority(_shown(host), listener.getsockname()[1])}"
    server = _Server(app, lambda: ready(url, url + app.login_path()))
    serving = asyncio.create_task(server.serve([listener]))
    try:
        with _signals(server):
            await asyncio.shield(serving)
    finally:
        server.end()
        await serving
    if server.failure is not None:
        raise server.failure


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InvalidSetting(f"host: got {host!r}, which is no address ({error.strerror})") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Two servers may bind one port as long as none listens.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from None
    return listener


def _refused(host: str, port: int, error: OSError) -> PortTaken | InvalidSetting:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(
            f"port {port} of {host} is taken by another process; choose another with --port, or --port 0 for a free one"
        )
    if error.errno == errno.EACCES:
        return PortTaken(f"port {port} of {host} needs the rights of root; choose one from 1024 on with --port")
    return InvalidSetting(f"host: got {host!r}, which this machine does not have ({error.strerror})")


def _shown(host: str) -> str:
    """An address that a client can use where the server listens on all."""
    if host not in EVERYWHERE:
        return host
    return "::1" if ":" in host else "127.0.0.1"


class _Server(uvicorn.Server):
    """Uvicorn, with streams that end when the server does, and signals that are ours."""

    def __init__(self, app: Application, started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE,
        )
        super().__init__(config)
        self._ending = asyncio.Event()
        self.failure: Exception | None = None
        """What `started` raised; the server comes to a proper end before that is told."""
        self._started = started
        self._news = app.news

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        try:
            self._started()
        except Exception as error:
            self.failure = error
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._news.close()
        await super().shutdown(sockets)

    def end(self) -> None:
        """Come to an end soon."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """Uvicorn's own asks ten times a second whether it is to end; this one is told."""
        while not await self.on_tick(0):  # which sets the date of answers
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), 1.0)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals stay with who started us."""
        yield


@contextlib.contextmanager
def _signals(server: _Server) -> Generator[None]:
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.force_exit = server.should_exit
        server.end()

    try:
        for number in SIGNALS:
            loop.add_signal_handler(number, end)
    except (RuntimeError, ValueError):  # not the main thread: whoever runs it ends it
        yield
        return
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
