"""The whole server as one ASGI application: doors, keys, routes, the page; every failure in one shape."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

import penstock
from penstock.errors import Unauthenticated
from penstock.server import artifacts, events, experiments, failures, logs, pipelines, runs, wire
from penstock.server.guard import Doors, Keys
from penstock.server.news import News
from penstock.server.page import Page
from penstock.server.routing import Context, Route, encoded, router
from penstock.services import Services
from penstock.settings import Settings

__all__ = ["API", "ROUTES", "Application", "app"]

log = logging.getLogger(__name__)

API = "/apis/v2beta1"
LOGIN = "/login"
METRICS = "/metrics"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""On every answer."""
DEFAULTS = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
"""On every answer that does not say otherwise."""


def health(at: Context) -> wire.Health:  # noqa: ARG001 - all routes are called alike
    """Tell that the server answers"""
    return wire.Health(version=penstock.__version__)


def metrics(at: Context) -> Response:
    """Read what the metrics of documents count up to, as Prometheus asks for it"""
    return Response(at.services.meters.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


def description(at: Context) -> Response:  # noqa: ARG001
    """Read this document"""
    from penstock.server.openapi import document

    return encoded(document(ROUTES))


_TABLES = (
    experiments.ROUTES,
    pipelines.ROUTES,
    runs.ROUTES,
    events.ROUTES,
    logs.ROUTES,
    artifacts.ROUTES,
    (Route("GET", "/healthz", health), Route("GET", "/openapi.json", description, media=("application/json",))),
)

ROUTES = (
    Route("GET", "/healthz", health),
    Route("GET", METRICS, metrics, media=("text/plain",)),
    *(replace(route, path=API + route.path) for table in _TABLES for route in table),
)
"""All routes of the API with their full paths."""


class Application:
    """The server. `news` tells its streams of changes, and ends them."""

    def __init__(
        self, services: Services, token: str, settings: Settings, news: News, now: Callable[[], float] = time.time
    ) -> None:
        self.news = news
        self._doors = Doors(settings.host, settings.allowed_hosts)
        self._keys = Keys(token, now)
        page = Page(Path(penstock.__file__).parent / "web")
        self._router = router(Context(services, news), ROUTES, default=page)

    def login_path(self) -> str:
        """An address that logs a browser in, once."""
        return f"{LOGIN}?" + urlencode({"code": self._keys.new_code()})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"no {scope['type']} here")
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _dress(MutableHeaders(scope=message))
            await send(message)

        try:
            self._check(scope)
            served = self._login(Request(scope)) if scope["path"] == LOGIN else self._router
            await served(scope, receive, sending)
        except ClientDisconnect:
            log.debug("a client went before its request was whole")
        except Exception as error:
            if begun:
                log.error("an answer broke off", exc_info=error)
                raise
            await failures.answer(error)(scope, receive, sending)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        self._doors.check(headers)
        # The page itself is open: it holds no secret, and tells who is not let in what to do.
        if scope["path"].startswith(("/apis/", METRICS)):
            self._keys.check(headers)

    def _login(self, request: Request) -> Response:
        """Take a code; go on to the page with a cookie, so that the code stays in no history."""
        if self._keys.knows(request.headers):
            return RedirectResponse("/", 303)
        cookie = self._keys.redeem(request.query_params.get("code", "")) if request.method == "GET" else None
        if cookie is None and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/", 303)  # the page says how to be let in
        if cookie is None:
            raise Unauthenticated("this login link was used, or is not of this start; `penstock up` prints a new one")
        return RedirectResponse("/", 303, {"Set-Cookie": cookie})


def _dress(headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers[name] = value
    for name, value in DEFAULTS.items():
        headers.setdefault(name, value)


def app(services: Services, *, token: str, settings: Settings, news: News) -> Application:
    """The server of these use cases."""
    return Application(services, token, settings, news)
