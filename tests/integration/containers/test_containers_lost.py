"""A command of the engine that is killed after the engine has done what it asked for: the next try finds that."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers import SHELL, docker
from penstock.adapters.local.docker.launcher import DockerLauncher
from penstock.errors import Unavailable
from penstock.ports import Input, Step, StepId

PROGRAM = """#!/bin/sh
{docker} "$@"
code=$?
if [ "$1" = {verb} ] && ! [ -e {lost} ]; then : > {lost}; kill -9 $$; fi
exit $code
"""
"""Docker's command, whose first answer of a kind is lost."""

REMOVING = """#!/bin/sh
if [ "$1" = {verb} ] && ! [ -e {lost} ]; then : > {lost}; {docker} rm --force "$2" >&2; fi
exec {docker} "$@"
"""
"""Docker's command, before which somebody removes the container the first time."""


@pytest.fixture
def home(tmp_path: Path, container_engine: str) -> Iterator[Path]:
    yield tmp_path / "home"
    assert docker("ps", "--all", "--quiet", "--filter", f"label=penstock.home={tmp_path / 'home'}") == ""


@pytest.mark.parametrize(
    ("program", "verb"),
    [*((PROGRAM, verb) for verb in ("run", "create", "cp", "start", "container", "logs", "rm")), (REMOVING, "start")],
    ids=lambda value: value if len(value) < 20 else "lost" if value == PROGRAM else "removed",
)
def test_the_next_try_finds_what_was_done(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, verb: str
) -> None:
    programs, lost = tmp_path / "bin", tmp_path / "lost"
    programs.mkdir()
    (programs / "docker").write_text(program.format(docker=shutil.which("docker"), verb=verb, lost=lost))
    (programs / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    id = StepId(run_id="run-1", node_id="node-1")
    script = (
        "echo given; echo once >> /count; cat /count" if verb == "run" else "cat /in; echo once >> /count; cat /count"
    )
    step = Step(
        id=id,
        name="train",
        image=SHELL,
        command=("sh", "-c", script),
        inputs=() if verb == "run" else (Input(path="/in", content=b"given\n"),),
    )

    async def play() -> None:
        launcher = DockerLauncher(home)
        while True:
            try:
                await launcher.launch(step)
                break
            except Unavailable:  # the host tries again
                pass
        assert (await launcher.wait(id)).code == 0
        said = [line.split(b" ", 3)[3] for line in launcher.log(id).read_bytes().splitlines()]
        assert said == [b"given", b"once"]
        await launcher.remove(id)
        await launcher.remove(id)
        await launcher.close()

    asyncio.run(play())
    assert lost.exists()
