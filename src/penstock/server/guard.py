"""Who may ask: the addresses a request may come by, and the ways to prove that one may use the API.

On loopback too. Another web page in the same browser can send requests here (`Origin`), and can give its own name our
address (`Host`); other users of the machine can connect (the token).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from penstock.errors import Forbidden, Unauthenticated

__all__ = ["EVERYWHERE", "Doors", "Keys", "authority"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - only compared
"""Listening on these is listening on all addresses of the machine."""
WEEKS = 4
"""How long a browser stays logged in."""


def authority(host: str, port: int) -> str:
    """Host and port as they stand in an address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Doors:
    """The `Host` values that are answered: loopback, the address listened on, and what the settings allow.

    A server that listens everywhere answers to all numbers too: no foreign name stands behind a number.
    """

    def __init__(self, host: str, allowed: Collection[str]) -> None:
        self._names = frozenset({*LOOPBACK, host.lower(), *(name.lower() for name in allowed)})
        self._numbers = host in EVERYWHERE

    def check(self, headers: Headers) -> None:
        """Raises Forbidden: for a foreign `Host`, and for a request that another site's page sends."""
        host = headers.get("host", "").lower()
        name = _hostname(host)
        if not name or not ({host, name} & self._names or (self._numbers and _is_number(name))):
            raise Forbidden(
                f"Host: got {host!r:.80}, which is not an address of this server; "
                "add it to the setting allowed_hosts if it is meant to be one"
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin.lower()).netloc != host:
            raise Forbidden(f"Origin: got {origin!r:.80}; only this server's own page may send requests")
        site, mode = headers.get("sec-fetch-site", ""), headers.get("sec-fetch-mode", "")
        if site in ("cross-site", "same-site") and mode != "navigate":
            raise Forbidden(f"Sec-Fetch-Site: got {site!r}; only this server's own page may send requests")


def _is_number(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


class Keys:
    """The token, the links that log a browser in once, and the cookies that these links give.

    A cookie is its time of expiry, signed with the token: it outlives the server and dies with the token, which it
    does not tell. Its name is the home's own, for browsers do not keep cookies of different ports apart.
    """

    def __init__(self, token: str, now: Callable[[], float]) -> None:
        self._token = token.encode()
        self._now = now
        self._codes: set[str] = set()
        self.cookie = "penstock-" + hashlib.sha256(b"cookie name " + self._token).hexdigest()[:12]

    def new_code(self) -> str:
        """A code that `redeem` takes once."""
        code = secrets.token_urlsafe(24)
        self._codes.add(code)
        return code

    def redeem(self, code: str) -> str | None:
        """The cookie's header for a code; None where the code is unknown or was used."""
        # A set is looked through by hash, not by comparing texts from their start.
        if code not in self._codes:
            return None
        self._codes.remove(code)
        age = WEEKS * 7 * 86_400
        value = self._signed(int(self._now()) + age)
        return f"{self.cookie}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict"

    def check(self, headers: Headers) -> None:
        """Raises Unauthenticated where neither a token nor a cookie of ours comes along."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if hmac.compare_digest(token.strip().encode(), self._token):
                return
            raise Unauthenticated("Authorization: not the token of this server; that stands in the home's file token")
        if not self.knows(headers):
            raise Unauthenticated(
                "no token: open the link that `penstock up` printed, or send the token of the home's file token "
                "as `Authorization: Bearer`"
            )

    def knows(self, headers: Headers) -> bool:
        """Whether a cookie of ours comes along that is still good."""
        value = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        expiry = value.partition(".")[0]
        if not (expiry.isascii() and expiry.isdigit() and len(expiry) < 12):
            return False
        return hmac.compare_digest(value.encode(), self._signed(int(expiry)).encode()) and int(expiry) > self._now()

    def _signed(self, expiry: int) -> str:
        return f"{expiry}." + hmac.new(self._token, b"browser until %d" % expiry, hashlib.sha256).hexdigest()
