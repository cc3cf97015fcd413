"""The bell between the processes of a home."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from stage import Stage, chain, staged

from penstock.adapters.local.bell import Bell
from penstock.services import Runs


def test_who_rings_is_heard_by_who_listens(tmp_path: Path) -> None:
    async def story() -> None:
        rung = asyncio.Event()
        with Bell(tmp_path / "bell").heard(rung.set) as heard:
            assert heard
            Bell(tmp_path / "bell").ring()
            await asyncio.wait_for(rung.wait(), 60)

    asyncio.run(story())


def test_ringing_where_nobody_listens_does_nothing(tmp_path: Path) -> None:
    Bell(tmp_path / "bell").ring()
    assert not (tmp_path / "bell").exists()
    os.mkfifo(tmp_path / "bell")
    Bell(tmp_path / "bell").ring()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_fifo_is_left_alone(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "bell", tmp_path / "other"
    other.write_text("kept")
    {"file": lambda: path.write_text("kept"), "folder": path.mkdir, "link": lambda: path.symlink_to(other)}[kind]()

    async def story() -> None:
        with Bell(path).heard(lambda: None) as heard:
            assert not heard

    Bell(path).ring()
    asyncio.run(story())
    assert other.read_text() == "kept"
    assert kind != "file" or path.read_text() == "kept"


@staged
async def test_another_process_rings_for_what_it_wrote(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host that serves does not look by itself within the test's patience."""
    monkeypatch.setattr("penstock.adapters.local.host.SELDOM", 3600.0)
    await stage.leave()
    bell = Bell(stage.folder / "bell")
    stage.host = stage.new_host(bell=bell)
    stage.serve()
    await stage.until((stage.folder / "bell").exists, "it listens")
    other = Runs(stage.records, stage.objects, stage.new_host(bell=bell), stage.launcher, stage.clock)
    stage.runs = other
    assert (await stage.end(stage.create(chain("a")))).state == "SUCCEEDED"
