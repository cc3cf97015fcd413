"""Where the server is, and its token."""

from __future__ import annotations

import json
import os
from pathlib import Path

from penstock.errors import Unavailable
from penstock.settings import Settings, load

__all__ = ["is_loopback", "located"]


def located(host: str | None, token: str | None, home: str | os.PathLike[str] | None = None) -> tuple[str, str]:
    """Address and token: those given, else those of the server that holds the local home (of the settings).

    A home's own token is given to the server of that home alone, never to another address.
    Raises Unavailable where nobody serves the home, InvalidSetting.
    """
    settings = load({"home": home})
    if host is None:
        served = _served(settings.home)
        if served is None:
            raise Unavailable(
                f"home {settings.home}: nobody serves it; start `penstock up`, or name a server with host="
            )
        return served, token or _own_token(settings)
    address = _with_scheme(host).rstrip("/")
    if token is None:
        token = _own_token(settings) if _served(settings.home) == address else settings.token
    return address, token


def _with_scheme(host: str) -> str:
    if "://" in host:
        return host
    return f"http://{host}" if is_loopback(host) else f"https://{host}"


def is_loopback(host: str) -> bool:
    """Whether an address, with its scheme or without, names this machine."""
    name = host.partition("://")[2] or host
    return name.startswith(("127.", "localhost", "[::1]"))


def _served(home: Path) -> str | None:
    """The address of the server that holds a home, None where none does."""
    try:
        served = json.loads((home / "server.json").read_bytes())
        process, address = int((home / "lock").read_text()), str(served["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # A server that was killed leaves its address, which may be another program's by now.
    return address if served.get("process") == process and _alive(process) else None


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:  # there, and somebody else's
        return True
    except OSError:
        return False
    return True


def _own_token(settings: Settings) -> str:
    if settings.token:
        return settings.token
    try:
        return (settings.home / "token").read_text().strip()
    except OSError:
        return ""
