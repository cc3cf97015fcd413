"""What the tests of the server share."""

from __future__ import annotations

from pathlib import Path

import pytest
from server_room import Room
from starlette.testclient import TestClient


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A server over fakes."""
    return Room(tmp_path)


@pytest.fixture
def client(room: Room) -> TestClient:
    """A client of it that sends the token."""
    return room.client()
