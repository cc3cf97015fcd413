"""Homes that are served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from penstock_up import Gate, Up


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A home that is served to all tests of a file."""
    served = Up(tmp_path_factory.mktemp("served") / "home")
    yield served
    served.end()


@pytest.fixture
def own_home(tmp_path: Path) -> Path:
    """A home for a server of the test's own."""
    return tmp_path / "home"


@pytest.fixture
def client(up: Up) -> Iterator[httpx2.Client]:
    """A client with the token."""
    with up.client() as client:
        yield client


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A door that steps wait at."""
    gate = Gate()
    yield gate
    gate.close()
