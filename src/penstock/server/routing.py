"""The typed route layer: a table of routes, and the ASGI application that serves it.

A route is a method, a path and a plain function; what the function takes and returns is read from its annotations:

- first, the `Context`;
- `str` parameters named as in the path;
- `query`, a struct whose fields are the query's parameters; `headers`, a struct whose fields are request headers;
- `body`, a struct for a JSON body; `file`, bytes of the multipart field `uploadfile`;
- returned is a struct or a value (JSON), None (`{}`), or an ASGI answer that the function made.

Functions run in a worker thread, with decoding and encoding: one hop a request. They hold no rules.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_origin, get_type_hints

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from penstock.errors import InvalidInput, PenstockError, TooLarge
from penstock.server.failures import as_invalid, refusal
from penstock.server.news import News
from penstock.services import Services

__all__ = ["BODY_LIMIT", "UPLOAD", "Context", "Route", "encoded", "router"]

BODY_LIMIT = 65 * 1024 * 1024
"""Most bytes of a request: the largest document (64 MiB) and what stands around it."""
UPLOAD = "uploadfile"
"""Name of the multipart field that holds an uploaded document."""

_UNIMPLEMENTED = 12


@dataclass(frozen=True, slots=True)
class Context:
    """What routes are handed."""

    services: Services
    news: News


@dataclass(frozen=True)
class Route:
    """One line of the table. `errors` are those that the use case may raise, `media` the types of what is no JSON,
    `more` further statuses beside 200 (of a part of a file)."""

    method: str
    path: str
    call: Callable[..., Any]
    errors: Sequence[type[PenstockError]] = ()
    media: Sequence[str] = ()
    more: Sequence[int] = ()

    @cached_property
    def hints(self) -> Mapping[str, Any]:
        """Types by parameter, `return` too; without the context."""
        hints = get_type_hints(self.call)
        del hints[next(iter(inspect.signature(self.call).parameters))]
        return hints

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.call.__doc__ or "").strip().partition("\n")[0]

    @property
    def answer(self) -> Any:
        """Type of the JSON that is answered; None where there is nothing to say, or where it is no JSON."""
        return None if self.media else self.hints["return"]

    def part(self, name: str) -> Any:
        """Type of `query`, `headers`, `body` or `file`; None where the function takes none."""
        return self.hints.get(name)

    @property
    def failures(self) -> Sequence[type[PenstockError]]:
        """What the use case may raise, and what reading the request may."""
        decoding = [InvalidInput] if any(map(self.part, ("query", "headers", "body", "file"))) else []
        bounded = [TooLarge] if self.part("body") or self.uploads else []
        return list(dict.fromkeys([*self.errors, *decoding, *bounded]))

    @property
    def uploads(self) -> bool:
        """Whether a file is expected."""
        return "file" in self.hints

    def respond(self, context: Context, request: Request, body: bytes) -> ASGIApp:
        """Decode, call, encode. Runs in a worker thread."""
        given: dict[str, Any] = dict(request.path_params)
        if self.uploads:
            given["file"] = body
        elif self.part("body"):
            given["body"] = _json(body, self.part("body"))
        for name, values in (("query", request.query_params), ("headers", request.headers)):
            if self.part(name):
                given[name] = _fields(values, self.part(name))
        result = self.call(context, **given)
        if self.media:
            made: ASGIApp = result
            return made
        return encoded({} if result is None else result)


def encoded(value: Any) -> Response:
    """A good answer of this value as JSON."""
    return Response(msgspec.json.encode(value), media_type="application/json")


def router(context: Context, routes: Sequence[Route], *, default: ASGIApp) -> Router:
    """Serves the routes, and `default` where none fits."""
    paths: dict[str, dict[str, Route]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = route
    # Longer endings first: `/runs/{id}:stop` would fit `/runs/{id}` too.
    order = sorted(paths, key=lambda path: (path.count("/"), ":" in path, "{" not in path), reverse=True)
    made = [StarletteRoute(path, _Path(context, paths[path])) for path in order]
    return Router(made, default=default, redirect_slashes=False)


@dataclass(frozen=True)
class _Path:
    """All methods of one path, as an ASGI application."""

    context: Context
    routes: Mapping[str, Route]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route = self.routes.get(method)
        if route is None:
            response: ASGIApp = self._unknown(scope["method"])
        else:
            request = Request(scope, receive)
            body = await _upload(request) if route.uploads else await _body(request) if route.part("body") else b""
            response = await run_in_threadpool(route.respond, self.context, request, body)
        await response(scope, receive, send)

    def _unknown(self, method: str) -> Response:
        allowed = sorted({*self.routes, *(["HEAD"] if "GET" in self.routes else [])})
        response = refusal(405, _UNIMPLEMENTED, f"method {method}: expected {' or '.join(allowed)} at this address")
        response.headers["Allow"] = ", ".join(allowed)
        return response


# --- requests ---------------------------------------------------------------------------------------------------


async def _body(request: Request) -> bytes:
    """The whole body. Raises TooLarge."""
    _check_size(int(request.headers.get("content-length") or 0))
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        _check_size(size)
        chunks.append(chunk)
    return b"".join(chunks)


def _check_size(size: int) -> None:
    if size > BODY_LIMIT:
        raise TooLarge(f"body: {size:,} bytes; limit {BODY_LIMIT:,}. A document may have 64 MiB.")


async def _upload(request: Request) -> bytes:
    """The bytes of the uploaded file. Raises InvalidInput, TooLarge."""
    from starlette.formparsers import MultiPartException, MultiPartParser

    _check_size(int(request.headers.get("content-length") or 0))
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidInput(f"body: expected multipart/form-data with a file in the field {UPLOAD}")
    parser = MultiPartParser(request.headers, _bounded(request), max_files=1, max_fields=10)
    # All in memory, of which there is a bound: a full disk is no reason to refuse.
    parser.spool_max_size = BODY_LIMIT
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise InvalidInput(f"body: {getattr(error, 'message', 'no boundary in Content-Type')}") from None
    try:
        file = form.get(UPLOAD)
        if file is None or isinstance(file, str):
            raise InvalidInput(f"body: got no file in the field {UPLOAD}")
        return await file.read()
    finally:
        await form.close()


async def _bounded(request: Request) -> Any:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        _check_size(size)
        yield chunk


def _json(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body or b"{}", type=kind, strict=False)
    except msgspec.DecodeError as error:
        as_invalid("body", error)
    except UnicodeDecodeError:
        raise InvalidInput("body: not UTF-8 text") from None
    except RecursionError:
        raise InvalidInput("body: nested too deeply") from None


def _fields(values: QueryParams | Headers, kind: Any) -> Any:
    """A struct of the values by name; one that is empty counts as not given."""
    given: dict[str, Any] = {}
    for each in msgspec.structs.fields(kind):
        found = [value for value in values.getlist(each.encode_name) if value]
        if found:
            given[each.encode_name] = found if get_origin(each.type) is Sequence else found[-1]
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        as_invalid("query", error)
