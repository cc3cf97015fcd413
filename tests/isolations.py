"""The ways of isolating steps that this machine and user allow, each found once by trying."""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path

import pytest

from needs import absent
from penstock.adapters.local.process.isolation import WAYS, Isolation, detect

__all__ = ["best_isolation", "isolation", "isolation_of", "own_root"]

POSSIBLE = [way for way in WAYS if way != "overlay" or os.geteuid() == 0]
"""Only root can make an overlay over the host's root."""


@functools.cache
def _found(way: str) -> Isolation:
    with tempfile.TemporaryDirectory() as home:
        return detect(Path(home), way)


def isolation_of(way: str) -> Isolation:
    """The isolation of that way; the test skips where the kernel forbids it."""
    found = _found(way)
    if found.way != way:
        absent(f"steps cannot be isolated by {way!r} here: {found.reason}")
    return found


@functools.cache
def best_isolation() -> Isolation:
    """What a server would choose here."""
    with tempfile.TemporaryDirectory() as home:
        return detect(Path(home))


@pytest.fixture(params=POSSIBLE)
def isolation(request: pytest.FixtureRequest) -> Isolation:
    """Each way in turn."""
    return isolation_of(request.param)


@pytest.fixture(params=[way for way in POSSIBLE if way != "rewrite"])
def own_root(request: pytest.FixtureRequest) -> Isolation:
    """Each way in turn that gives steps a root of their own."""
    return isolation_of(request.param)
