"""A way out for networks of steps: what leaves one goes on from this machine, by slirp4netns where it is installed.

Nothing outside reaches in, and what listens on this machine's loopback is not reached from inside.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import socket
from contextlib import suppress

from penstock.adapters.local.process.forkserver import readable

__all__ = ["MISSING", "WayOut", "program"]

_PROGRAM, _DEVICE = "slirp4netns", "/dev/net/tun"
MISSING = f"no way out (that needs apt-get install {_PROGRAM}, and {_DEVICE} to be open to this user)"
_OPTIONS = ("--configure", "--mtu=65520", "--disable-host-loopback", "--exit-fd=3", "--ready-fd=4")
_PATIENCE = 10.0
"""Seconds in which a way out is there, or there is none."""


def program() -> str | None:
    """The program that makes a way out, where this user may use it."""
    return shutil.which(_PROGRAM) if os.access(_DEVICE, os.R_OK | os.W_OK) else None


class WayOut:
    """What leads out of the networks of a home; for use in one event loop."""

    def __init__(self) -> None:
        self._ends: set[asyncio.Task[None]] = set()

    async def open(self, pid: int, link: socket.socket) -> None:
        """Lead out of the network of the process `pid`, as long as it has the other end of `link`, where that is
        possible. Tells it to go on, in any case; by `link` it tells that its network is there.
        """
        await readable(os.dup(link.fileno()))
        with suppress(OSError):  # it has ended
            if not link.recv(1):
                return
            found = program()
            if found is not None:
                with suppress(OSError):
                    await self._led_out(found, pid, link.fileno())
            link.send(b"g")

    async def _led_out(self, found: str, pid: int, link: int) -> None:
        reader, writer = os.pipe()
        # Above the numbers that they are to have there.
        given = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 5) for each in (link, writer)]
        os.close(writer)
        nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        handed = [(os.POSIX_SPAWN_DUP2, each, number) for number, each in enumerate(given, 3)]
        words = [found, *_OPTIONS, str(pid), "tap0"]
        try:
            led = os.posix_spawn(found, words, {}, file_actions=[*nothing, *handed], setsid=True)
        except OSError:
            os.close(reader)
            raise
        finally:
            for each in given:
                os.close(each)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await readable(reader)
        task = asyncio.create_task(_reaped(led))
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    def close(self) -> None:
        """Wait for no end any more; what leads out stays."""
        for task in self._ends:
            task.cancel()


async def _reaped(pid: int) -> None:
    await readable(os.pidfd_open(pid))
    os.waitpid(pid, 0)
