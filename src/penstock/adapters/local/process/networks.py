"""Networks that steps share: the daemons of a run, and those that reach them.

A network is a namespace with its loopback, and a way out (`outward`), held by a process that does nothing else.
`<home>/networks/NAME` is its holder's folder, as a step's is its supervisor's. It stays as long as its run has a step
here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from penstock.adapters.local.process.folders import StepFolder, make_folder, remove_tree
from penstock.adapters.local.process.forkserver import Kind
from penstock.adapters.local.process.isolation import Isolation
from penstock.adapters.local.process.outward import WayOut
from penstock.errors import Unavailable

__all__ = ["Networks", "joined"]

Fork = Callable[[Kind, Mapping[str, Any], tuple[int, ...]], Awaitable[tuple[int, int]]]


def joined(spec: Mapping[str, Any], holder: int) -> Mapping[str, Any]:
    """What the first process of a step is told that is to be in the network which the process `holder` holds."""
    # The user namespace around the network has this user as its root, so that inside is nobody else to become.
    return {**spec, "join": holder, "network": False, "user": spec["user"] and (0, 0)}


class Networks:
    """The networks of a home; for use in one event loop."""

    def __init__(self, home: Path, fork: Fork, out: WayOut) -> None:
        self._home = home
        self._fork = fork
        self._out = out
        self._one_by_one = asyncio.Lock()

    async def holder(self, name: str, isolation: Isolation) -> int:
        """The process that holds the network, begun where there is none. Raises OSError, EOFError, Unavailable.

        The folder of the step that is to join is there already: as long as it is, the network stays.
        """
        async with self._one_by_one:
            folder = StepFolder(self._home / "networks" / name)
            if not folder.locked():
                await self._begin(folder, isolation)
            pid = folder.text("pid").partition(" ")[0]
        if not pid:
            raise Unavailable(f"network {name!r}: its process has ended; how is unknown")
        return int(pid)

    async def _begin(self, folder: StepFolder, isolation: Isolation) -> None:
        remove_tree(folder.path)
        make_folder(folder.path)
        lock = folder.lock()
        assert lock is not None, "nobody knew of the folder"
        ours, theirs = socket.socketpair()
        about = {"way": isolation.way, "user": isolation.user, "title": f"penstock-network {folder.path.name}"}
        spec = {**about, "holder": True, "dir": str(folder.path)}
        with ours:
            try:
                pid, pidfd = await self._fork("network", spec, (lock, theirs.fileno()))
                os.close(pidfd)
            finally:
                os.close(lock)
                theirs.close()
            await self._out.open(pid, ours)

    async def leave(self, name: str) -> None:
        """End a network whose run has no step here any more."""
        if not (self._home / "networks" / name).exists():  # most runs have none
            return
        async with self._one_by_one:
            await asyncio.to_thread(self._end, name)

    def sweep(self) -> None:
        """End all whose runs have no step here: what a crash has left."""
        with suppress(FileNotFoundError):
            for name in os.listdir(self._home / "networks"):
                self._end(name)

    def _end(self, name: str) -> None:
        folder = StepFolder(self._home / "networks" / name)
        if not folder.exists() or (self._home / "steps" / name).exists():
            return
        pidfd = folder.pidfd()
        if pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)
        remove_tree(folder.path)
