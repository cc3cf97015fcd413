"""Asking a step whether it is ready, from inside its network. Standard library only."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

__all__ = ["answers", "run"]

_PIECES = 8
"""In how many pieces the first line of an answer may come."""


def run(spec: Mapping[str, Any], descriptors: Sequence[int]) -> NoReturn:
    """Ask once, write `yes` to the descriptor where there is an answer, and end."""
    (told,) = descriptors
    if answers("127.0.0.1", spec["asked"]):
        os.write(told, b"yes")
    os._exit(0)


def answers(host: str, asked: Mapping[str, Any]) -> bool:
    """Whether something listens at the `port` of `asked`; with a `path`, whether it answers with a status below 400."""
    try:
        with socket.create_connection((host, asked["port"]), timeout=asked["patience"]) as plain:
            if not asked["path"]:
                return True
            with _wrapped(plain) if asked["tls"] else plain as connection:
                connection.settimeout(asked["patience"])
                connection.sendall(_request(host, asked))
                return 200 <= _status(connection) < 400
    except (OSError, ValueError):
        return False


def _wrapped(plain: socket.socket) -> socket.socket:
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # as the kubelet does it
    return context.wrap_socket(plain)


def _request(host: str, asked: Mapping[str, Any]) -> bytes:
    own = {"host": f"{host}:{asked['port']}", "user-agent": "penstock-probe", "accept": "*/*", "connection": "close"}
    for name, value in asked["headers"]:
        own[name.lower()] = value
    lines = [f"GET {asked['path']} HTTP/1.1", *(f"{name}: {value}" for name, value in own.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line ends inside")
    return "\r\n".join([*lines, "", ""]).encode()


def _status(connection: socket.socket) -> int:
    """The number in the first line of the answer. Raises OSError, ValueError."""
    head = b""
    for _ in range(_PIECES):
        head += connection.recv(4096)
        if b"\n" in head:
            break
    protocol, number, *_ = head.partition(b"\n")[0].decode("latin-1").split()
    if not protocol.startswith("HTTP/"):
        raise ValueError(protocol)
    return int(number)
