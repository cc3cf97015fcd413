"""Bytes of files: whole, by range (RFC 9110, one range), and with headers that keep a stranger's bytes harmless."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator
from typing import BinaryIO
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from penstock.server.failures import refusal
from penstock.server.streams import PIECE, Stream
from penstock.server.wire import Wire

__all__ = ["RANGE_NAMES", "SANDBOX", "RangeHeaders", "attachment", "file_answer", "kind_of"]

SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
"""Policy of files that steps made, should a browser show one."""

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*\Z", re.ASCII)
_OUT_OF_RANGE = 11

_IMAGES = {
    b"\x89PNG\r\n\x1a\n": ("image/png", "png"),
    b"\xff\xd8\xff": ("image/jpeg", "jpg"),
    b"GIF8": ("image/gif", "gif"),
}
_MARKUP = re.compile(rb"\s*(?:<\?xml|<!doctype|<!--|<html|<head|<body|<svg|<script)", re.IGNORECASE)


RANGE_NAMES = {"range": "Range", "if_range": "If-Range"}


class RangeHeaders(Wire, kw_only=True, rename=RANGE_NAMES):
    """Which part of a file is wanted."""

    range: str = ""
    if_range: str = ""


def kind_of(head: bytes) -> tuple[str, str, bool]:
    """Content-Type, file extension, and whether a browser may show it, from a file's first bytes and nothing else.

    Pages and drawings with scripts in them are for downloading only.
    """
    for magic, (kind, extension) in _IMAGES.items():
        if head.startswith(magic):
            return kind, extension, True
    if b"\0" in head or not _is_text(head):
        return "application/octet-stream", "bin", False
    if _MARKUP.match(head):
        return "text/html; charset=utf-8", "html", False
    return "text/plain; charset=utf-8", "txt", True


def _is_text(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The last character may be cut.
        return error.end == len(head) and len(head) - error.start < 4
    return True


def attachment(name: str) -> str:
    """A Content-Disposition that stores the file under this name."""
    plain = re.sub(r"[^\w.() -]", "_", name, flags=re.ASCII)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def file_answer(
    file: BinaryIO, asked: RangeHeaders, *, kind: str, disposition: str = "", policy: str = SANDBOX
) -> ASGIApp:
    """The bytes of an open file, as far as they are asked for; 206 for a part, 416 where there is no such part.

    Closes the file. Without a validator of ours, `If-Range` cannot hold: the whole file is sent.
    """
    size = file.seek(0, os.SEEK_END)
    headers = {"Content-Type": kind, "Accept-Ranges": "bytes", "Content-Security-Policy": policy}
    if disposition:
        headers["Content-Disposition"] = disposition
    span = _span(asked.range, size) if not asked.if_range else None
    begin, end = span or (0, size)
    if span and begin >= end:
        file.close()
        refused = refusal(416, _OUT_OF_RANGE, f"Range: got {asked.range!r:.80}, but there are {size} bytes")
        refused.headers["Content-Range"] = f"bytes */{size}"
        return refused
    headers["Content-Length"] = str(end - begin)
    if span:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    return Stream(_pieces(file, begin, end), headers=headers, status=206 if span else 200, close=file.close)


def _span(text: str, size: int) -> tuple[int, int] | None:
    """Begin and end (not in it) of a range, `-n` being the last n bytes; None for what is none: it does not count."""
    wanted = _RANGE.match(text)
    if wanted is None or wanted.groups() == ("", ""):
        return None
    first, last = (int(digits[:20]) if digits else None for digits in wanted.groups())
    if first is None:
        return max(0, size - (last or 0)), size
    if last is not None and last < first:
        return None
    return first, min(size, last + 1) if last is not None else size


async def _pieces(file: BinaryIO, begin: int, end: int) -> AsyncGenerator[bytes]:
    file.seek(begin)
    while begin < end:
        piece = await run_in_threadpool(file.read, min(PIECE, end - begin))
        if not piece:
            return
        begin += len(piece)
        yield piece
