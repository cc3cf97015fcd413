"""HTTP to one server: requests, streams, and answers of 400 or more translated to our errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from penstock.client.address import is_loopback
from penstock.errors import (
    AlreadyExists,
    Conflict,
    Final,
    Forbidden,
    InvalidInput,
    NoSpace,
    NotFound,
    PenstockError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

if TYPE_CHECKING:
    import httpx2

__all__ = ["API", "Connection"]

T = TypeVar("T")

API = "/apis/v2beta1"

_ALREADY_EXISTS = 6
"""gRPC's code in the body of a refusal: 409 stands for two kinds."""

_ERRORS: Mapping[int, type[PenstockError]] = {
    error.http_status: error
    for error in (InvalidInput, Unauthenticated, Forbidden, NotFound, Conflict, TooLarge, Unavailable, NoSpace)
}


class Connection:
    """Requests to one server with one token. httpx2 is imported with the first request: it takes longer than the rest.

    All methods raise the error of `penstock.errors` that the server's refusal stands for, and Unavailable where no
    server answers.
    """

    def __init__(self, host: str, token: str, *, timeout: float = 30.0, transport: Any = None) -> None:
        """`host` is the server's address; `timeout` the seconds of silence after which it counts as gone.

        Raises InvalidInput for what is no address.
        """
        self.host = _checked(host.rstrip("/"))
        self._token = token
        self._timeout = timeout
        self._transport = transport
        self._client: httpx2.Client | None = None

    def call(self, method: str, path: str, answer: type[T], *, query: Mapping[str, Any] = {}, body: Any = None) -> T:
        """One request with a JSON body, its JSON answer as a value. Entries of `query` that are empty are left out."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        return self._decoded(self._request(method, path, query=query, content=content, headers=headers), answer)

    def upload(self, path: str, answer: type[T], *, query: Mapping[str, Any], name: str, content: bytes) -> T:
        """Send a file as the form field `uploadfile`."""
        return self._decoded(self._request("POST", path, query=query, files={"uploadfile": (name, content)}), answer)

    def read(self, path: str, *, query: Mapping[str, Any] = {}) -> bytes:
        """The bytes at `path`."""
        return self._request("GET", path, query=query).content

    @contextmanager
    def stream(
        self, path: str, *, query: Mapping[str, Any] = {}, headers: Mapping[str, str] = {}, endless: bool = False
    ) -> Iterator[httpx2.Response]:
        """An answer that is read piece by piece. `endless`: silence is no fault."""
        http, patience = self._http(), self._patience(endless)
        with (
            self._translated(),
            http.stream("GET", path, params=_filled(query), headers=dict(headers), timeout=patience) as response,
        ):
            if response.status_code >= 400:
                response.read()
                raise self._refusal(response)
            yield response

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # --- parts ----------------------------------------------------------------------------------------------------

    def _request(self, method: str, path: str, *, query: Mapping[str, Any], **more: Any) -> httpx2.Response:
        with self._translated():
            response = self._http().request(method, path, params=_filled(query), **more)
        if response.status_code >= 400:
            raise self._refusal(response)
        return response

    def _http(self) -> httpx2.Client:
        if self._client is None:
            import httpx2

            self._client = httpx2.Client(
                base_url=self.host + API,
                headers={"Authorization": f"Bearer {self._token}"} if self._token else {},
                timeout=self._patience(False),
                transport=self._transport,
                # A proxy of the surroundings is not meant for a server on this machine.
                trust_env=not is_loopback(self.host),
            )
        return self._client

    def _patience(self, endless: bool) -> httpx2.Timeout:
        import httpx2

        return httpx2.Timeout(self._timeout, read=None if endless else self._timeout)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import httpx2

        try:
            yield
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(
                f"{self.host}: no Penstock server answers ({reason}); start one with `penstock up`"
            ) from None

    def _decoded(self, response: httpx2.Response, answer: type[T]) -> T:
        try:
            return msgspec.json.decode(response.content or b"{}", type=answer)
        except msgspec.DecodeError as error:
            raise Final(self._strange(response) or f"{response.url}: the answer is not understood: {error}") from None

    def _refusal(self, response: httpx2.Response) -> PenstockError:
        """The error that an answer of 400 or more stands for."""
        try:
            body = msgspec.json.decode(response.content, type=dict[str, Any])
        except msgspec.DecodeError:
            body = {}
        kind = _ERRORS.get(response.status_code, Final if response.status_code < 500 else Unavailable)
        if kind is Conflict and body.get("code") == _ALREADY_EXISTS:
            kind = AlreadyExists
        message = str(body.get("message") or "") or self._strange(response)
        return kind(message or f"{response.url}: the server answered {response.status_code} {response.reason_phrase}")

    def _strange(self, response: httpx2.Response) -> str:
        """What to say of a page where data was expected; "" where it is none."""
        if "html" not in response.headers.get("content-type", ""):
            return ""
        return f"Got HTML from {response.url}; is this the login page? Check host and token."


def _checked(host: str) -> str:
    try:
        parts = urlsplit(host)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise InvalidInput(f"host: got {host!r}, expected an address such as http://127.0.0.1:8080")
    return host


def _filled(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value not in (None, "")}
