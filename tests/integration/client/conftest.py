"""A server in a process of its own, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commandline import WORKFLOW, Rig, rig, up
from penstock import Client

__all__ = ["rig", "up"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A home that is served to all tests of a file."""
    rig = Rig(tmp_path_factory.mktemp("served") / "home", tmp_path_factory.mktemp("work"))
    rig.file("workflow.yaml", WORKFLOW)
    rig.file("images.toml", '[images]\nshell = "host"\n')
    with rig.start("up", "--port", "0", "--images", "images.toml") as server:
        server.until("Log in, once: ")
        yield rig


@pytest.fixture
def client(served: Rig) -> Iterator[Client]:
    """A client that found the server by its home."""
    with Client(home=served.home) as client:
        yield client
