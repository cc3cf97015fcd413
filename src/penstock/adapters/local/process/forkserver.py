"""The server's end of the fork server: starts it, sends it steps, starts it again when it dies."""

from __future__ import annotations

import array
import asyncio
import json
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import penstock
from penstock.adapters.local.process import messages
from penstock.adapters.local.process.forking import wanted
from penstock.errors import Unavailable

__all__ = ["ForkServer", "Kind", "readable", "request", "start"]

Kind = Literal["step", "pod", "spare", "network", "removal", "asking", "probe"]
"""What a process is for: to supervise a step, or one of several containers; to wait for steps; to hold a network; to
remove what steps have left; to ask a step whether it is ready; or to try whether a root can be made."""

_PADDING = "-" * 400
"""Room in the command line for the titles that supervisors write over it."""
_PROGRAM = "import sys;sys.path[0]={!r};from penstock.adapters.local.process.zygote import main;sys.exit(main({}))"


def start() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a fork server. It ends when the socket is closed. Its environment is not this process's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    source = str(Path(penstock.__file__).parent.parent)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format(source, theirs.fileno()), "penstock-zygote", _PADDING],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"LANG": "C.UTF-8", "PATH": os.defpath},
            cwd="/",
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    return process, ours


def _receive(channel: socket.socket) -> tuple[dict[str, Any], int]:
    """An answer and the pidfd that came with it, -1 if none. Raises EOFError."""
    received = array.array("i")
    try:
        message, ancillary, _, _ = channel.recvmsg(4096, socket.CMSG_SPACE(received.itemsize))
    except ConnectionResetError:
        message, ancillary = b"", []
    if not message:
        raise EOFError
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            received.frombytes(data)
    return json.loads(message), (received[0] if received else -1)


def _send(channel: socket.socket, kind: Kind, spec: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    sheet = messages.sheet(spec)
    try:
        messages.send(channel, {"kind": kind, **wanted(spec)}, (sheet, *descriptors))
    finally:
        os.close(sheet)


def request(
    channel: socket.socket, kind: Kind, spec: Mapping[str, Any], descriptors: Sequence[int]
) -> tuple[dict[str, Any], int]:
    """Ask for one process and wait for the answer, blocking."""
    _send(channel, kind, spec, descriptors)
    return _receive(channel)


async def readable(descriptor: int) -> None:
    """Return when `descriptor` has something to read (a pidfd: when its process has ended), and close it."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(descriptor, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


class ForkServer:
    """A fork server used from one event loop."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._waiting: deque[asyncio.Future[tuple[dict[str, Any], int]]] = deque()

    async def fork(self, kind: Kind, spec: Mapping[str, Any], descriptors: Sequence[int]) -> tuple[int, int]:
        """Start a supervisor: (its pid, its pidfd). `descriptors` are what the fork server wants for this kind.

        Raises EOFError where the fork server died meanwhile: the step may or may not have been started. Raises
        Unavailable where the kernel refuses.
        """
        channel = self._channel or self._begin()
        future: asyncio.Future[tuple[dict[str, Any], int]] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            _send(channel, kind, spec, descriptors)
        except (BrokenPipeError, ConnectionResetError):
            self._lost()
        except OSError:
            self._waiting.remove(future)
            raise
        answer, pidfd = await asyncio.shield(future)
        if "error" in answer:
            raise Unavailable(f"no process could be started: {answer['error']}")
        return int(answer["pid"]), pidfd

    async def remove(self, paths: Sequence[str]) -> None:
        """Delete what lies there, in a process of its own where one can be had. What cannot be deleted stays."""
        if self._channel is None:
            return
        with suppress(EOFError, OSError, Unavailable):
            _, pidfd = await self.fork("removal", {"way": "rewrite", "user": None, "paths": paths}, ())
            await readable(pidfd)

    def close(self) -> None:
        """Let the fork server end. Steps go on."""
        self._lost()

    def _begin(self) -> socket.socket:
        self._process, channel = start()
        channel.setblocking(True)
        self._channel = channel
        asyncio.get_running_loop().add_reader(channel, self._on_answer)
        return channel

    def _on_answer(self) -> None:
        assert self._channel is not None
        try:
            answer = _receive(self._channel)
        except EOFError:
            self._lost()
            return
        future = self._waiting.popleft()
        if not future.done():
            future.set_result(answer)

    def _lost(self) -> None:
        channel, process = self._channel, self._process
        self._channel = self._process = None
        waiting, self._waiting = self._waiting, deque()
        if channel is not None:
            asyncio.get_running_loop().remove_reader(channel)
            channel.close()
        if process is not None:
            process.wait()
        for future in waiting:
            if not future.done():
                future.set_exception(EOFError())
