"""The folder of a step: whose process it names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.adapters.local.process import records
from penstock.adapters.local.process.folders import StepFolder


@pytest.fixture
def folder(tmp_path: Path) -> StepFolder:
    return StepFolder(tmp_path)


def test_a_supervisor_is_the_process_of_its_id_start_time_and_boot(folder: StepFolder) -> None:
    Path(folder.file("pid")).write_bytes(records.identity())
    found = folder.pidfd()
    assert found is not None
    os.close(found)


@pytest.mark.parametrize("part", range(3), ids=["id", "start time", "boot"])
def test_a_process_that_differs_in_one_of_them_is_another(folder: StepFolder, part: int) -> None:
    own = records.identity().split()
    own[part] = [b"4194305", b"1", b"00000000-0000-0000-0000-000000000000"][part]  # no process has so high an id
    Path(folder.file("pid")).write_bytes(b" ".join(own) + b"\n")
    assert folder.pidfd() is None


@pytest.mark.parametrize("content", [b"", b"12", b"x y z\n"])
def test_what_names_no_process_names_none(folder: StepFolder, content: bytes) -> None:
    Path(folder.file("pid")).write_bytes(content)
    assert folder.pidfd() is None
