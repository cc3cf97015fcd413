"""`penstock run` whose reader has gone, or whose home is full: it comes to its end, and so does the run."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from commandline import COMMAND, PATIENCE, Rig
from faults import Calls, Faults
from needs import absent

HELD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: held-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: port}]}
  templates:
  - name: main
    container:
      image: shell
      command: [bash, -c, "exec 3<>/dev/tcp/127.0.0.1/{{workflow.parameters.port}}; read -r _ <&3; true"]
"""


class Held:
    """A run of one step that goes on until `release`."""

    def __init__(self, rig: Rig, gate: socket.socket) -> None:
        self.rig, self.gate = rig, gate
        self.stack = ExitStack()
        rig.file("held.yaml", HELD)

    def words(self, *more: str) -> list[str]:
        port = f"port={self.gate.getsockname()[1]}"
        return [*COMMAND, "run", "held.yaml", "--images", "images.toml", "--name", "held", "-p", port, *more]

    def start(self, *more: str, env: dict[str, str] | None = None, **streams: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.words(*more), cwd=self.rig.folder, env=self.rig.environment(env), stdin=subprocess.DEVNULL, **streams
        )

    def begun(self) -> socket.socket:
        """The step's connection; it goes on when that is closed."""
        return self.stack.enter_context(self.gate.accept()[0])

    def state(self) -> str:
        return str(json.loads(self.rig.call("runs", "list", "--output", "json").stdout)[0]["state"])


@pytest.fixture
def held(rig: Rig) -> Iterator[Held]:
    with socket.create_server(("127.0.0.1", 0)) as gate:
        gate.settimeout(PATIENCE)
        held = Held(rig, gate)
        with held.stack:
            yield held


@pytest.mark.parametrize(("stream", "flags"), [("stdout", ()), ("stderr", ("--output", "json"))])
def test_who_reads_no_more_does_not_end_the_run(held: Held, stream: str, flags: tuple[str, ...]) -> None:
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: subprocess.PIPE}
    with held.start(*flags, **streams) as process:
        step = held.begun()
        pipe = getattr(process, stream)
        assert pipe.readline()
        pipe.close()
        step.close()
        assert process.wait(PATIENCE) == 0
    assert held.state() == "SUCCEEDED"


def test_ctrl_c_counts_when_nobody_reads(held: Held) -> None:
    with held.start(stdout=subprocess.PIPE) as process:
        held.begun()
        assert process.stdout is not None
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    assert held.state() == "CANCELED"


def test_streams_that_were_closed_before_are_no_matter(held: Held) -> None:
    closed = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *held.words()]
    with subprocess.Popen(closed, cwd=held.rig.folder, env=held.rig.environment()) as process:
        held.begun().close()
        assert process.wait(PATIENCE) == 0
    assert held.state() == "SUCCEEDED"


# --- a full home ------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(rig: Rig) -> Iterator[Path]:
    """A file system of the home's own, of 32 MiB."""
    rig.home.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(rig.home)]
    if os.geteuid() or subprocess.run(mounted, stderr=subprocess.DEVNULL, check=False).returncode:
        absent("a file system is mounted by root only; run the tests as root: sudo make test")
    yield rig.home
    subprocess.run(["umount", "--lazy", str(rig.home)], check=True)


def interrupted(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return 130


def timed_out(_: subprocess.Popen[bytes]) -> int:
    return 124


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


ends = pytest.mark.parametrize(("end", "flags"), [(interrupted, ()), (timed_out, ("--timeout", "1s"))])


@ends
def test_a_full_home_has_room_for_the_end_of_a_run(
    disk: Path, held: Held, end: Callable[..., int], flags: tuple[str, ...]
) -> None:
    with held.start(*flags, stdout=subprocess.DEVNULL) as process:
        held.begun()
        fill(disk)
        expected = end(process)
        assert process.wait(PATIENCE) == expected
    assert held.state() == "CANCELED"


@ends
def test_a_home_that_stores_nothing_is_left(
    disk: Path, held: Held, tmp_path: Path, end: Callable[..., int], flags: tuple[str, ...]
) -> None:
    faults = Faults(tmp_path, disk)
    faults.arm(Calls.WRITE, 0, 0)
    with held.start(*flags, env=faults.env, stdout=subprocess.PIPE) as process:
        step = held.begun()
        assert process.stdout is not None
        while b"Running" not in process.stdout.readline():
            pass
        faults.arm(Calls.WRITE, -1, errno.ENOSPC)
        expected = end(process)
        said = process.stdout.read().decode()
        assert process.wait(PATIENCE) == expected
    assert "It is left as it is" in said
    step.close()
    held.rig.file("other.yaml", HELD.replace("read -r _ <&3", ":"))
    port = f"port={held.gate.getsockname()[1]}"
    assert held.rig.call("run", "other.yaml", "--images", "images.toml", "-p", port).returncode == 0
    held.rig.wait(lambda: held.rig.call("runs", "get", "held").stdout.count("Succeeded") > 0)
