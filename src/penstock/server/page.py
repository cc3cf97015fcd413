"""The web page: its files, as they were built into the package, and one shell for all its addresses."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from penstock.errors import NotFound, Unavailable

__all__ = ["POLICY", "Page"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HASHED = "assets/"
"""Folder of the files whose names hold a hash of what is in them: they never change."""
SHELL = "index.html"


class Page:
    """Serves the files below `root`. Every address that is neither a file's nor the API's is the shell's."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def _files(self) -> Mapping[str, Path]:
        """All files there are, by their address. A request can name these and no others."""
        found = (path for path in self._root.rglob("*") if path.is_file() and not path.name.startswith("."))
        return {path.relative_to(self._root).as_posix(): path for path in found}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await run_in_threadpool(self._respond, scope["method"], scope["path"], Headers(scope=scope))
        await response(scope, receive, send)

    def _respond(self, method: str, path: str, headers: Headers) -> Response:
        name = path.lstrip("/")
        if method not in ("GET", "HEAD") or path.startswith("/apis/"):
            raise NotFound(f"there is nothing at {method} {path!r:.200}")
        if name not in self._files:
            if name.startswith(HASHED) or "." in name.rpartition("/")[2]:
                raise NotFound(f"the page has no file {name!r:.200}")
            name = SHELL
        if name not in self._files:
            raise Unavailable("the page was not built into this package; run `make page`")
        return self._file(name, headers)

    def _file(self, name: str, headers: Headers) -> Response:
        packed = f"{name}.gz" if f"{name}.gz" in self._files and "gzip" in headers.get("accept-encoding", "") else ""
        content = self._files[packed or name].read_bytes()
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        answer = {"Vary": "Accept-Encoding", "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
        if name.startswith(HASHED):
            answer["Cache-Control"] = "public, max-age=31536000, immutable"
        if packed:
            answer["Content-Encoding"] = "gzip"
        answer["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        if answer["ETag"] in headers.get("if-none-match", ""):
            return Response(None, 304, answer)
        return Response(content, headers=answer, media_type=kind)
