"""Following a run to its end, and what ends the following before."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from penstock.bootstrap import Home, open_home
from penstock.errors import Conflict
from penstock.settings import Settings

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: x-}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: python, command: [sleep, "600"]}
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(Settings(home=tmp_path / "home"))


async def followed(home: Home, run_id: str) -> None:
    async with home.engaged():
        async for event in home.follow(run_id):
            if event.kind == "run" and event.data.get("state") == "RUNNING":
                await asyncio.to_thread(home.services.runs.delete, run_id)


def test_a_run_that_is_deleted_meanwhile_is_a_conflict(home: Home) -> None:
    run = home.services.runs.create(WORKFLOW)
    with pytest.raises(Conflict, match="was deleted before it ended"):
        asyncio.run(followed(home, run.id))
    home.close()


def test_what_ends_the_engine_ends_the_following(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail() -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(home.host, "run", fail)
    run = home.services.runs.create(WORKFLOW)
    with pytest.raises(OSError, match="the disk is gone"):
        asyncio.run(followed(home, run.id))
    home.close()
