"""HTTP requests of `http` templates, made by this process on behalf of strangers.

Where a request goes is looked at at every hop: a name is resolved once, all its addresses have to be public or allowed,
and the connection is made to one that was looked at. No proxy and no cookie is used. Bodies and times are bounded.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from penstock.errors import Final, InvalidInput, TooLarge
from penstock.workflow.pods import HttpRequest

__all__ = ["MAX_BODY", "Answer", "requested"]

MAX_BODY = 1024 * 1024
"""Most bytes of an answer's body."""

MAX_HOPS = 10
_SECRET = ("authorization", "cookie", "proxy-authorization")
Resolve = Callable[[str, int], Sequence[str]]


class Answer(NamedTuple):
    """What a server answered. Names of `headers` are as Go writes them: `Content-Type`."""

    status: int
    body: str
    headers: dict[str, list[str]]


class Failed(Final):
    """No answer came. `str(error)` says why."""


def requested(request: HttpRequest, allowed: Sequence[str], resolve: Resolve | None = None) -> Answer:
    """The answer to a request, redirections followed. Blocks, at most `request.timeout` seconds.

    `allowed` are hosts (`name`, `name:port`) and networks that may be reached though they are private. Raises Final.
    """
    deadline = time.monotonic() + request.timeout
    for _ in range(MAX_HOPS + 1):
        answer = _hop(request, allowed, resolve or _resolved, deadline)
        location = answer.headers.get("Location", [""])[0]
        if answer.status not in (301, 302, 303, 307, 308) or not location:
            return answer
        request = _redirected(request, answer.status, location)
    raise Failed(f"stopped after {MAX_HOPS} redirects")


def _redirected(request: HttpRequest, status: int, location: str) -> HttpRequest:
    target = urljoin(request.url, location)
    same = urlsplit(target)[:2] == urlsplit(request.url)[:2]
    headers = tuple(pair for pair in request.headers if same or pair[0].lower() not in _SECRET)
    keeps = status in (307, 308) or request.method in ("GET", "HEAD")
    return HttpRequest(
        url=target,
        method=request.method if keeps else "GET",
        headers=headers,
        body=request.body if keeps else b"",
        timeout=request.timeout,
        verify=request.verify,
    )


def _hop(request: HttpRequest, allowed: Sequence[str], resolve: Resolve, deadline: float) -> Answer:
    parts = urlsplit(request.url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise InvalidInput(f"url {request.url!r:.200}: the port is no number") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(f"url {request.url!r:.200}: expected http://… or https://…")
    addresses = _looked_at(parts.hostname, port, allowed, resolve)
    connection = _Connection(parts.hostname, port, addresses, deadline)
    context = _context(request.verify) if parts.scheme == "https" else None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # A server that sends a little now and then must not be waited for.
    watch = threading.Timer(max(0.0, deadline - time.monotonic()), connection.abort)
    watch.daemon = True
    watch.start()
    try:
        connection.open(context)
        connection.putrequest(request.method, target, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        return _answer(connection, deadline)
    except TimeoutError:
        raise Failed(f"no answer from {parts.hostname} within {request.timeout:g} s") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= deadline:
            raise Failed(f"no answer from {parts.hostname} within {request.timeout:g} s") from None
        # What the error says may quote a header, and that a secret.
        raise Failed(f"no answer from {parts.hostname}:{port}: {type(error).__name__}") from None
    finally:
        watch.cancel()
        connection.close()


def _answer(connection: _Connection, deadline: float) -> Answer:
    response = connection.getresponse()
    body = b""
    while part := response.read1(1 << 16):
        body += part
        if len(body) > MAX_BODY:
            raise TooLarge(f"the answer is over {MAX_BODY:,} bytes; fetch it in a container instead")
        if time.monotonic() > deadline:
            raise TimeoutError
    headers: dict[str, list[str]] = {}
    for name, value in response.getheaders():
        headers.setdefault("-".join(part.capitalize() for part in name.split("-")), []).append(value)
    return Answer(response.status, body.decode("utf-8", "replace"), headers)


class _Connection(http.client.HTTPConnection):
    """A connection to one of the addresses that were looked at, under the name of their host."""

    def __init__(self, host: str, port: int, addresses: Sequence[str], deadline: float) -> None:
        super().__init__(host, port)
        self._addresses = addresses
        self._deadline = deadline

    def open(self, context: ssl.SSLContext | None) -> None:
        """Connect, by TLS where there is a context."""
        plain = self._connected()
        self.sock = context.wrap_socket(plain, server_hostname=self.host) if context is not None else plain

    def _connected(self) -> socket.socket:
        """A socket at the first address that answers. Raises OSError, of the last one."""
        for number, address in enumerate(self._addresses, 1):
            left = max(0.001, self._deadline - time.monotonic())
            try:
                return socket.create_connection((address, self.port), timeout=left)
            except OSError:
                if number == len(self._addresses):
                    raise
        raise OSError("no address")

    def abort(self) -> None:
        """End what goes on; from any thread."""
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)


def _context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


# --- where it may go --------------------------------------------------------------------------------------------


def _resolved(host: str, port: int) -> Sequence[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _looked_at(host: str, port: int, allowed: Sequence[str], resolve: Resolve) -> Sequence[str]:
    """The addresses of the host. Raises Failed where one of them may not be reached."""
    try:
        addresses = resolve(host, port)
    except OSError as error:
        raise Failed(f"host {host!r:.200} cannot be resolved: {error.strerror or error}") from None
    if not addresses:
        raise Failed(f"host {host!r:.200} has no address")
    for address in addresses:
        if host not in allowed and f"{host}:{port}" not in allowed and not _may_reach(address, allowed):
            raise Failed(
                f"{host} is at {address}, which is no public address; name the host, or its network, in the setting "
                "http_allow"
            )
    return addresses


def _may_reach(address: str, allowed: Sequence[str]) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    if found.is_global and not found.is_multicast:
        return True
    return any(found in network for network in _networks(allowed) if network.version == found.version)


def _networks(allowed: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for text in allowed:
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            continue
    return found
