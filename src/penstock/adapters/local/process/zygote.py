"""The fork server: one small single-threaded process from which every step's supervisor is forked.

A request says which namespaces are wanted and what for; the rest stands on a sheet (`messages`) that the new process
reads, so nothing of a step is ever in the fork server's memory. With it go, for a step, its lock and the end of the
pipe that says "done"; for a spare, the socket that will bring its steps and the sheet with the program that it may be.
The answer carries the new process's pidfd. The fork server ends when the other end of its socket is closed;
supervisors stay.
"""

from __future__ import annotations

import array
import gc
import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from penstock.adapters.local.process import asking, holder, kernel, messages, pod, program, removal, roots, supervisor
from penstock.adapters.local.process.forking import fork

__all__ = ["main"]


def main(descriptor: int) -> int:
    """Serve requests until the socket closes."""
    channel = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    del sys.path[0]
    kernel.bound_capabilities()
    program.warm_up()
    gc.collect()
    gc.freeze()
    while True:
        received = messages.receive(channel)
        if received is None:
            return 0
        words, descriptors = received
        pid, pidfd = -1, -1
        try:
            pid, pidfd = fork(words)
        except OSError as error:
            _answer(channel, {"error": str(error), "errno": error.errno}, ())
        if pid == 0:
            channel.detach()
            os.close(descriptor)
            _supervise(words, descriptors)
        if pid > 0:
            _answer(channel, {"pid": pid}, (pidfd,))
            os.close(pidfd)
        for number in descriptors:
            os.close(number)


def _answer(channel: socket.socket, answer: dict[str, Any], descriptors: tuple[int, ...]) -> None:
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    try:
        channel.sendmsg([json.dumps(answer).encode()], rights)
    except (BrokenPipeError, ConnectionResetError):
        return  # the server is gone; the next recvmsg says so


def _supervise(words: dict[str, Any], descriptors: list[int]) -> NoReturn:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sheet, *others = descriptors
    spec = messages.read(sheet)
    match words["kind"]:
        case "probe":
            _probe(spec, *others)
        case "spare":
            channel, guess = others
            supervisor.run_spares(spec, guess, socket.socket(fileno=channel))
        case "removal":
            removal.run(spec)
        case "asking":
            asking.run(spec, others)
        case "network":
            holder.run(spec, others)
        case "pod":
            pod.run(spec, others)
        case _:
            supervisor.run(spec, others)


def _probe(spec: dict[str, Any], answer: int) -> NoReturn:
    """Try to make a root and say what came of it. Nothing is run."""
    text = b"ok"
    try:
        if spec["user"]:
            roots.map_user(*spec["user"])
        os.chdir(spec["dir"])
        roots.enter(spec, roots.Seen())
    except OSError as error:
        text = str(error).encode("utf-8", "replace")
    os.write(answer, text)
    os._exit(0)
