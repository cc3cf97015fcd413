"""What a client is told of an error: one shape, one table of codes.

The HTTP status stands at the error's class; the code of `wire.Status` is gRPC's, as Kubeflow Pipelines sends it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NoReturn

import msgspec
from starlette.responses import Response

from penstock.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    InvalidInput,
    NoSpace,
    NotFound,
    PenstockError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from penstock.server.wire import Status

__all__ = ["CODES", "answer", "as_invalid", "refusal"]

log = logging.getLogger(__name__)

INTERNAL = 13
CODES: Mapping[type[PenstockError], int] = {
    InvalidInput: 3,
    NotFound: 5,
    AlreadyExists: 6,
    Forbidden: 7,
    TooLarge: 8,
    NoSpace: 8,
    Conflict: 9,
    Unavailable: 14,
    Unauthenticated: 16,
}
"""gRPC's code of an error; a class without a line has that of the nearest class above it."""


def answer(error: Exception) -> Response:
    """The answer for an error. One that nobody raised on purpose is logged, and the client learns no more of it."""
    if not isinstance(error, PenstockError):
        log.error("a request failed", exc_info=error)
        return refusal(500, INTERNAL, "internal error; the log of the server tells more")
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), INTERNAL)
    response = refusal(error.http_status, code, str(error))
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def refusal(status: int, code: int, message: str) -> Response:
    """An answer with the shape `wire.Status`."""
    body = msgspec.json.encode(Status(code=code, message=message.encode("utf-8", "replace").decode()))
    return Response(body, status, media_type="application/json")


def as_invalid(where: str, error: msgspec.DecodeError) -> NoReturn:
    """Raises InvalidInput with the place that msgspec found, for example `page_size: Expected int, got str`."""
    message, _, path = str(error).partition(" - at `$")
    place = path.rstrip("`").lstrip(".") or where
    raise InvalidInput(f"{place}: {message.replace('`', '')}") from None
