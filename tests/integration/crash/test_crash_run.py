"""A killed `penstock run` is gone on with by the next `penstock run` or `penstock up` on that home."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.bootstrap import Home, open_home
from penstock.ports import Page, Run
from penstock.settings import Settings

IMAGES = '[images]\nshell = "host"\n'

DOCUMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: {name}-}}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {{name: first, template: step}}
      - {{name: second, template: step, dependencies: [first]}}
  - name: step
    container: {{image: shell, command: [bash, -c], args: ['{script}']}}
"""

HELD = "exec 3<>/dev/tcp/127.0.0.1/{port}; read -r _ <&3; true"


@pytest.fixture
def gate() -> Iterator[socket.socket]:
    """Where a held step knocks; it goes on when its connection is closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "penstock.toml").write_text(IMAGES)
    home = open_home(Settings(home=folder, images={"shell": "host"}))
    yield home
    home.close()


def penstock(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "penstock.cli.main", *map(str, arguments)]


def document(folder: Path, name: str, script: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(DOCUMENT.format(name=name, script=script))
    return path


def killed_run(home: Home, folder: Path, gate: socket.socket) -> tuple[Run, socket.socket]:
    """A run whose `penstock run` was killed while its first step was held, and the step's connection."""
    file = document(folder, "killed", HELD.format(port=gate.getsockname()[1]))
    process = subprocess.Popen(
        penstock("run", file, "--home", home.settings.home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    step, _ = gate.accept()
    process.kill()
    assert process.wait() == -signal.SIGKILL
    (run,) = home.services.runs.list(Page()).items
    assert not run.state.terminal
    return run, step


def ended(home: Home, id: str) -> Run:
    deadline = time.monotonic() + 60
    while not (run := home.services.runs.get(id)).state.terminal:
        assert time.monotonic() < deadline, home.services.runs.nodes(id)
        time.sleep(0.02)
    return run


def test_the_next_run_goes_on_with_it(home: Home, tmp_path: Path, gate: socket.socket) -> None:
    run, step = killed_run(home, tmp_path, gate)
    step.close()
    # It is driven while the other one is: that one waits until the first one's second step has knocked.
    other = document(tmp_path, "other", HELD.format(port=gate.getsockname()[1]))
    process = subprocess.Popen(penstock("run", other, "--home", home.settings.home), stdout=subprocess.DEVNULL)
    knocks = [gate.accept()[0] for _ in range(2)]
    for knock in knocks:
        knock.close()
    gate.accept()[0].close()
    assert process.wait(60) == 0
    again = subprocess.run(
        penstock("run", document(tmp_path, "last", "true"), "--home", home.settings.home), stdout=subprocess.DEVNULL
    )
    assert again.returncode == 0
    assert ended(home, run.id).state == "SUCCEEDED"


def test_the_next_server_goes_on_with_it(home: Home, tmp_path: Path, gate: socket.socket) -> None:
    run, step = killed_run(home, tmp_path, gate)
    server = subprocess.Popen(
        penstock("up", "--home", home.settings.home, "--port", 0), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        step.close()
        gate.accept()[0].close()
        assert ended(home, run.id).state == "SUCCEEDED"
        starts = [node for node in home.services.runs.nodes(run.id)[0] if node.type == "Pod"]
        assert [node.phase for node in starts] == ["Succeeded", "Succeeded"]
    finally:
        server.terminate()
        _, errors = server.communicate(timeout=60)
    assert server.returncode == 0, errors.decode()


def test_a_step_that_ended_meanwhile_is_not_repeated(home: Home, tmp_path: Path, gate: socket.socket) -> None:
    run, step = killed_run(home, tmp_path, gate)
    step.close()
    launcher = home.launcher
    deadline = time.monotonic() + 60
    while any(launcher.state(id) == "running" for id in launcher.known()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process = subprocess.Popen(
        penstock("up", "--home", home.settings.home, "--port", 0), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        gate.accept()[0].close()
        assert ended(home, run.id).state == "SUCCEEDED"
    finally:
        process.terminate()
        process.wait(60)
    gate.setblocking(False)
    with pytest.raises(BlockingIOError):
        gate.accept()


def test_a_server_that_was_stopped_for_long_goes_on_alone(home: Home, tmp_path: Path, gate: socket.socket) -> None:
    """It holds the home all the while, so nobody else writes, and what it writes afterwards is not stale."""
    server = subprocess.Popen(
        penstock("up", "--home", home.settings.home, "--port", 0), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert server.stdout is not None
    server.stdout.readline()
    other: subprocess.Popen[bytes] | None = None
    try:
        held = HELD.format(port=gate.getsockname()[1])
        run = home.services.runs.create(document(tmp_path, "stopped", held).read_text())
        step, _ = gate.accept()
        until(
            lambda: any(node.phase == "Running" for node in home.services.runs.nodes(run.id)[0] if node.type == "Pod")
        )
        home.records.write(lambda _: None).result()  # it is not in the midst of a transaction
        server.send_signal(signal.SIGSTOP)
        step.close()  # the step ends while nobody looks
        exits(home, run.id)
        other = subprocess.Popen(
            penstock("run", document(tmp_path, "other", "true"), "--home", home.settings.home),
            stdout=subprocess.PIPE,
        )
        assert other.stdout is not None
        until(lambda: home.records.read(lambda store: store.runs(Page()).total) == 2)
        assert not home.hold()
        assert not any(node.phase.fulfilled for node in home.services.runs.nodes(run.id)[0])
        server.send_signal(signal.SIGCONT)
        gate.accept()[0].close()
        assert ended(home, run.id).state == "SUCCEEDED"
        other.communicate(timeout=60)
        assert other.returncode == 0
        gate.setblocking(False)
        with pytest.raises(BlockingIOError):
            gate.accept()
    finally:
        server.send_signal(signal.SIGCONT)
        server.terminate()
        server.communicate(timeout=60)
        if other is not None:
            other.kill()
            other.communicate()


def exits(home: Home, run_id: str) -> None:
    """Until the first step of the run has left its exit record."""
    until(lambda: any((home.settings.home / "steps" / run_id).glob("*/exit.json")))


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
