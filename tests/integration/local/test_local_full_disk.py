"""A disk that fills while steps run: nothing is lost, nothing succeeds without its outputs, all goes on afterwards."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_bench import Bench

from isolations import best_isolation
from needs import absent
from penstock.adapters.local.process import kernel
from penstock.adapters.local.reserve import Reserve
from penstock.bootstrap import Home, open_home
from penstock.errors import NoSpace
from penstock.ports import ImageRule, Run
from penstock.settings import Settings


@pytest.fixture
def small_home(tmp_path: Path) -> Iterator[Path]:
    """A home on a file system of 16 MiB."""
    home = tmp_path / "home"
    home.mkdir()
    try:
        kernel.mount("none", str(home), "tmpfs", 0, "size=16m")
    except PermissionError:
        absent("a small file system can be mounted by root only; run the tests as root: sudo make test")
    yield home
    subprocess.run(["umount", "--lazy", home], check=True)


@pytest.fixture
def small(small_home: Path) -> Iterator[Bench]:
    bench = Bench(small_home, best_isolation(), {"host": ImageRule()})
    yield bench
    bench.remove_all()


def fill(home: Path) -> Path:
    """Use all that is left."""
    filler = home / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    return filler


def test_a_step_that_fills_the_disk_fails_and_says_why(small: Bench) -> None:
    ended = small.sh("mkdir -p /tmp/outputs; echo before; head -c 40M /dev/zero > /tmp/outputs/data")
    assert ended.code == 1
    assert "No space left on device" in ended.stderr or "bytes of the log were lost" in ended.exit.message
    assert ended.stdout == "before\n"
    small.remove_all()
    assert small.sh("head -c 4M /dev/zero > /tmp/data").code == 0


def test_an_exit_is_recorded_on_a_full_disk_and_a_lost_log_is_said(small: Bench) -> None:
    ended = small.sh("head -c 40M /dev/zero > /tmp/data 2>/dev/null; yes 0123456789 | head -c 100000; exit 5")
    assert ended.code == 5
    assert "bytes of the log were lost: the disk was full" in ended.exit.message


def test_a_launch_on_a_full_disk_is_refused_and_can_be_tried_again(small: Bench) -> None:
    filler = fill(small.home)
    step = small.sh_step("echo made")
    with pytest.raises(NoSpace, match="no space left"):
        small.ended(step)
    filler.unlink()
    assert small.ended(step).stdout == "made\n"


# --- the whole of it --------------------------------------------------------------------------------------------


def document(*steps: tuple[str, str]) -> str:
    """A chain of shell steps, each with an artifact at /tmp/out."""
    tasks, templates, before = [], [], ""
    for name, script in steps:
        tasks.append({"name": name, "template": name, **({"dependencies": [before]} if before else {})})
        templates.append(
            {
                "name": name,
                "container": {"image": "shell", "command": ["bash", "-c", script]},
                "outputs": {"artifacts": [{"name": "out", "path": "/tmp/out"}]},
            }
        )
        before = name
    spec = {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": tasks}}, *templates]}
    return json.dumps(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": "full-"},
            "spec": spec,
        }
    )


async def finished(home: Home, run_id: str) -> Run:
    deadline = time.monotonic() + 60
    while not (run := home.services.runs.get(run_id)).state.terminal:
        assert time.monotonic() < deadline, home.services.runs.nodes(run_id)
        await asyncio.sleep(0.02)
    return run


def test_a_run_whose_step_fills_the_disk_fails_and_the_next_one_succeeds(small_home: Path) -> None:
    async def story() -> tuple[str, str]:
        home = open_home(Settings(home=small_home, images={"shell": "host"}))
        async with home.engaged():
            full = home.services.runs.create(document(("a", "head -c 40M /dev/zero > /tmp/out"), ("b", "true")))
            first = await finished(home, full.id)
            assert [node.phase for node in home.services.runs.nodes(full.id)[0] if node.display_name == "a"] == [
                "Failed"
            ]
            fine = home.services.runs.create(document(("a", "echo 1 > /tmp/out")))
            second = await finished(home, fine.id)
        home.close()
        return first.state, second.state

    assert asyncio.run(story()) == ("FAILED", "SUCCEEDED")


def test_a_run_waits_while_the_disk_is_full_and_goes_on(small_home: Path) -> None:
    async def story(gate: socket.socket) -> Run:
        home = open_home(Settings(home=small_home, images={"shell": "host"}))
        async with home.engaged():
            held = f"echo 1 > /tmp/out; exec 3<>/dev/tcp/127.0.0.1/{gate.getsockname()[1]}; read -r _ <&3; true"
            run = home.services.runs.create(document(("a", held), ("b", "echo 2 > /tmp/out")))
            step, _ = await asyncio.to_thread(gate.accept)
            Reserve(small_home / "reserve").give()
            filler = fill(small_home)
            step.close()
            await asyncio.to_thread(appears, small_home, f"steps/{run.id}/*/exit.json")
            assert not home.services.runs.get(run.id).state.terminal
            filler.unlink()
            ended = await finished(home, run.id)
        home.close()
        return ended

    with socket.create_server(("127.0.0.1", 0)) as gate:
        gate.settimeout(60)
        ended = asyncio.run(story(gate))
    assert ended.state == "SUCCEEDED", ended


def appears(home: Path, pattern: str) -> None:
    """Until something is at the pattern."""
    deadline = time.monotonic() + 60
    while not list(home.glob(pattern)):
        assert time.monotonic() < deadline, pattern
        time.sleep(0.01)
