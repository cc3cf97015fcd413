"""Paths into a Kubernetes object: `jsonPath` as kubectl has it, and the plain paths of `jqFilter`.

Only what picks one value by names and indices. `{}` and `.` pick the whole. (kubectl: `client-go/util/jsonpath`.)
"""

from __future__ import annotations

import re
from typing import Any

from penstock.workflow import gojson

__all__ = ["is_path", "picked"]

_PART = re.compile(
    r"\.?(?:\[(?P<index>-?\d+)\]|\[(?P<quoted>'[^']*'|\"[^\"]*\")\]|(?P<name>(?:[^.\[\]\\{}\s|]|\\\.)+))"
)


def _bare(path: str) -> str:
    text = path.strip()
    text = text[1:-1].strip() if text.startswith("{") and text.endswith("}") else text
    return text.removeprefix("$").removeprefix("@")


def _parts(path: str) -> list[str | int] | None:
    text, parts, position = _bare(path), list[str | int](), 0
    if text in ("", "."):
        return parts
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            return None
        position = match.end()
        if match["index"]:
            parts.append(int(match["index"]))
        else:
            parts.append(match["quoted"][1:-1] if match["quoted"] else match["name"].replace("\\.", "."))
    return parts


def is_path(path: str) -> bool:
    """True for a path that can be followed here."""
    return _parts(path) is not None


def picked(value: Any, path: str) -> str | None:
    """The text of what `path` picks of a JSON value; None where nothing is there."""
    parts = _parts(path)
    if parts is None:
        return None
    for part in parts:
        indexed = isinstance(part, int) and isinstance(value, list) and -len(value) <= part < len(value)
        if not indexed and not (isinstance(part, str) and isinstance(value, dict) and part in value):
            return None
        value = value[part]
    return value if isinstance(value, str) else gojson.dumps(value)
