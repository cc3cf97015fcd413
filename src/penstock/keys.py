"""Keys and digests of stored objects, the same in every object store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from penstock.errors import InvalidInput

__all__ = ["RESERVED", "checked_key", "tree_digest"]

RESERVED = ".store"
"""No key begins with this segment: stores keep their own files there."""

_KEY, _SEGMENT = 1024, 250
_PLAIN = re.compile(r"[\w-][\w.-]{0,199}(?:/[\w-][\w.-]{0,199}){0,3}", re.ASCII)
"""What most keys look like: nothing is wrong with them, and no other look is needed."""


def checked_key(key: str) -> str:
    """The key itself. Raises InvalidInput where it is not a relative POSIX path of plain segments.

    At most 1024 bytes of UTF-8, 250 in a segment; no empty segment, `.` or `..`, no control character.
    """
    wrong = "" if _PLAIN.fullmatch(key) else _wrong(key)
    if wrong:
        raise InvalidInput(f"object key: got {key!r:.200}, which {wrong}; expected a path like artifacts/run/step/name")
    return key


def _wrong(key: str) -> str:
    segments = key.split("/")
    try:
        sizes = [len(segment.encode()) for segment in segments]
    except UnicodeEncodeError:
        return "is not a text"
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in key):
        return "holds a control character"
    if any(segment in ("", ".", "..") for segment in segments):
        return "has an empty segment, a . or a .."
    if max(sizes) > _SEGMENT or sum(sizes) + len(sizes) - 1 > _KEY:
        return f"is longer than {_KEY} bytes, or {_SEGMENT} in a segment"
    return f"begins with {RESERVED}" if segments[0] == RESERVED else ""


def tree_digest(entries: Iterable[tuple[str, str]]) -> str:
    """`sha256:<hex>` of a directory object: of the lines `<digest or link target>  <relative path>`, sorted by path."""
    lines = (f"{content}  {path}\n" for path, content in sorted(entries))
    return "sha256:" + hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
