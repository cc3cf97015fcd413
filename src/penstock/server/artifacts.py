"""Routes of artifacts: bytes by range, the files of a directory, a directory as a tar archive."""

from __future__ import annotations

import html
import tarfile
from collections.abc import AsyncGenerator, Sequence
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp

from penstock.errors import InvalidInput, NotFound, TooLarge
from penstock.server import wire
from penstock.server.files import RANGE_NAMES, RangeHeaders, attachment, file_answer, kind_of
from penstock.server.routing import Context, Route, encoded
from penstock.server.streams import PIECE, Stream
from penstock.server.wire import Wire
from penstock.services import ArtifactSource

__all__ = ["ROUTES"]

HEAD = 4096
"""Bytes that a file's kind is told by."""
LISTED = 10_000
"""Most files of a directory that a listing names."""
READ_LIMIT = 32 * 1024 * 1024
"""Most bytes that are answered as base64 in JSON."""


class ArtifactQuery(Wire, kw_only=True):
    """`path` is a file in a directory artifact. `download`: to be stored; a directory as a tar archive."""

    path: str = ""
    download: bool = False


class ArtifactHeaders(RangeHeaders, kw_only=True, rename=RANGE_NAMES | {"accept": "Accept"}):
    """Which part of a file is wanted; a directory is listed as a page for who accepts `text/html`."""

    accept: str = ""


def artifact(
    at: Context, run_id: str, node_id: str, artifact_name: str, query: ArtifactQuery, headers: ArtifactHeaders
) -> ASGIApp:
    """Read an artifact of a node"""
    source = at.services.runs.artifact(run_id, node_id, artifact_name)
    if source.directory and not query.path:
        members = at.services.runs.artifact_members(source)
        if query.download:
            return _archive(at, source, members, artifact_name)
        return _listing(members, artifact_name, page="text/html" in headers.accept)
    if query.path and not source.directory:
        raise NotFound(f"artifact {artifact_name!r} is a file; there is no {query.path!r} in it")
    return _file(at, source, query, headers, query.path.rpartition("/")[2] or artifact_name)


def read(at: Context, run_id: str, node_id: str, artifact_name: str) -> wire.ArtifactData:
    """Read an artifact as base64, as Kubeflow Pipelines does"""
    source = at.services.runs.artifact(run_id, node_id, artifact_name)
    if source.directory:
        raise InvalidInput(f"artifact {artifact_name!r} is a directory; read it without :read")
    if source.size > READ_LIMIT:
        raise TooLarge(
            f"artifact {artifact_name!r}: {source.size:,} bytes; limit {READ_LIMIT:,}. Read it without :read"
        )
    with at.services.runs.open_artifact(source) as file:
        return wire.ArtifactData(data=file.read(READ_LIMIT))


def _file(at: Context, source: ArtifactSource, query: ArtifactQuery, headers: RangeHeaders, name: str) -> ASGIApp:
    file = at.services.runs.open_artifact(source, query.path)
    kind, extension, showable = kind_of(file.read(HEAD))
    stored = name if "." in name else f"{name}.{extension}"
    return file_answer(
        file, headers, kind=kind, disposition=attachment(stored) if query.download or not showable else ""
    )


# --- directories ------------------------------------------------------------------------------------------------


def _listing(members: Sequence[ArtifactSource], name: str, *, page: bool) -> Response:
    shown = [wire.Member(path=member.key, size=member.size) for member in members[:LISTED]]
    if page:
        # No sandbox: a browser sends no cookie along with a link that is followed out of one.
        policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
        return Response(_page(shown, name), media_type="text/html", headers={"Content-Security-Policy": policy})
    return encoded(wire.MemberList(members=shown, total_size=len(members)))


def _page(members: Sequence[wire.Member], name: str) -> str:
    title = html.escape(name)
    rows = "".join(
        f'<li><a href="?path={quote(member.path, safe="")}">{html.escape(member.path)}</a> {member.size:,} bytes</li>'
        for member in members
    )
    style = "body{font:15px system-ui;margin:2rem}li{margin:.3rem 0}:root{color-scheme:light dark}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        f"<h1>{title}</h1><ul>{rows}</ul></html>"
    )


def _archive(at: Context, source: ArtifactSource, members: Sequence[ArtifactSource], name: str) -> Stream:
    headers = {"Content-Type": "application/x-tar", "Content-Disposition": attachment(f"{name}.tar")}
    return Stream(_tar(at, source, members, name), headers=headers)


async def _tar(
    at: Context, source: ArtifactSource, members: Sequence[ArtifactSource], name: str
) -> AsyncGenerator[bytes]:
    """A tar archive, made while it is sent. Names that tar cannot hold are written by its PAX headers."""
    for member in members:
        info = tarfile.TarInfo(f"{name}/{member.key}")
        info.size, info.mode = member.size, 0o644
        yield info.tobuf(tarfile.PAX_FORMAT, errors="surrogateescape")
        with await run_in_threadpool(at.services.runs.open_artifact, source, member.key) as file:
            while piece := await run_in_threadpool(file.read, PIECE):
                yield piece
        yield b"\0" * (-member.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


_PATH = "/runs/{run_id}/nodes/{node_id}/artifacts/{artifact_name}"
_MEDIA = ("application/octet-stream", "text/plain", "image/*", "text/html", "application/x-tar", "application/json")

ROUTES = (
    Route("GET", _PATH, artifact, (NotFound,), media=_MEDIA, more=(206, 416)),
    Route("GET", f"{_PATH}:read", read, (InvalidInput, NotFound, TooLarge)),
)
