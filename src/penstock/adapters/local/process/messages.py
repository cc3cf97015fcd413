"""Messages between the server, the fork server, supervisors and the processes of steps: few words, and descriptors.

One message on a socket that preserves boundaries. What is long, or for a later reader alone, goes as a *sheet*: JSON in
a memory file whose descriptor is sent (SCM_RIGHTS). Whoever only hands a sheet on never has its words in its memory,
nor have the processes that are forked from it. Standard library only.
"""

from __future__ import annotations

import array
import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["read", "receive", "send", "sheet"]

_MESSAGE = 4096
_DESCRIPTORS = 4


def sheet(content: object) -> int:
    """A descriptor of a memory file with this content in JSON. The caller closes it. Raises OSError."""
    descriptor = os.memfd_create("step", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(json.dumps(content).encode())
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read(descriptor: int) -> Any:
    """What a sheet says; it is closed."""
    try:
        size = os.fstat(descriptor).st_size
        parts: list[bytes] = []
        while size > 0 and (part := os.pread(descriptor, size, sum(map(len, parts)))):
            parts.append(part)
            size -= len(part)
        return json.loads(b"".join(parts))
    finally:
        os.close(descriptor)


def send(channel: socket.socket, words: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Send some words and at most four descriptors. Raises OSError, BrokenPipeError where nobody listens."""
    rights = array.array("i", descriptors)
    channel.sendmsg([json.dumps(words).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Wait for words and their descriptors; None when the other end was closed."""
    received = array.array("i")
    message, ancillary, _, _ = channel.recvmsg(_MESSAGE, socket.CMSG_SPACE(_DESCRIPTORS * received.itemsize))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            received.frombytes(data[: len(data) - len(data) % received.itemsize])
    return (json.loads(message), list(received)) if message else None
