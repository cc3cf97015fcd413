"""Where the kernel gives a step no root of its own: its declared paths, written anew wherever they are mentioned."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

__all__ = ["rewriter"]

_USUAL = ("/tmp/inputs", "/tmp/outputs", "/mlpipeline-ui-metadata.json", "/mlpipeline-metrics.json")  # noqa: S108
"""Paths that every compiler of pipelines uses."""


def rewriter(declared: Iterable[str], root: str) -> Callable[[str], str]:
    """A function that puts `root` before every mention of a declared path, or of one below it, in a text."""
    paths = sorted({path.rstrip("/") for path in (*declared, *_USUAL)} - {""}, key=len, reverse=True)
    mention = re.compile(r"(?<![\w.\-/])(" + "|".join(map(re.escape, paths)) + r")(?=$|[^\w.\-])")
    return lambda text: mention.sub(lambda match: root + match[1], text)
