"""The command line as a user has it: real processes, on a home of each test's own."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

__all__ = ["PATIENCE", "WORKFLOW", "Rig", "Started", "rig", "up"]

COMMAND = [sys.executable, "-m", "penstock.cli.main"]

PATIENCE = 120.0
"""Seconds after which a process that should have said or done something is at fault."""

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: hello-}
spec:
  entrypoint: main
  onExit: bye
  arguments: {parameters: [{name: main, value: echo hello}, {name: bye, value: echo bye}]}
  templates:
  - name: main
    dag: {tasks: [{name: greet, template: greet}]}
  - name: greet
    container: {image: shell, command: [sh, -c], args: ["{{workflow.parameters.main}}"]}
  - name: bye
    container: {image: shell, command: [sh, -c], args: ["{{workflow.parameters.bye}}"]}
"""


@dataclass
class Started:
    """A process that goes on, and what it has said so far."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def until(self, text: str) -> str:
        """The first line, from here on, that holds `text`."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if text in line:
                return self.said[-1]
        raise AssertionError(f"{text!r} was never said; exit code {self.process.wait(PATIENCE)}:\n{self}")

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """The exit code; the rest of what was said is in `said`."""
        assert self.process.stdout
        self.said += [line.rstrip("\n") for line in self.process.stdout]
        return self.process.wait(PATIENCE)

    def __str__(self) -> str:
        return "\n".join(self.said)


@dataclass
class Rig:
    """A home, and commands that are called on it."""

    home: Path
    folder: Path

    def call(self, *arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """One command to its end. Whatever it does, it shows no traceback."""
        answer = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=self.environment(env),
        )
        assert "Traceback" not in answer.stderr, answer.stderr
        return answer

    @contextmanager
    def start(self, *arguments: str | Path) -> Iterator[Started]:
        """A command that goes on; killed where it has not ended by itself. Its errors go where its lines go."""
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=self.environment(),
        )
        try:
            yield Started(process)
        finally:
            process.kill()
            process.communicate()

    def on_terminal(self, *arguments: str | Path) -> tuple[int, str]:
        """One command on a terminal of 100 columns, to its end: exit code, and all that the terminal got."""
        terminal, own = pty.openpty()
        fcntl.ioctl(own, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=own,
            stdout=own,
            stderr=own,
            cwd=self.folder,
            env=self.environment({"TERM": "xterm-256color"}),
        )
        os.close(own)
        got = b"".join(_pieces(terminal))
        os.close(terminal)
        return process.wait(PATIENCE), got.decode()

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
        return {**own, "PENSTOCK_HOME": str(self.home), **(more or {})}

    def file(self, name: str, text: str | bytes) -> Path:
        """A file in the folder where the commands are called."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def wait(self, what: Callable[[], bool]) -> None:
        """Until `what` is true."""
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _pieces(terminal: int) -> Iterator[bytes]:
    with suppress(OSError):  # how Linux says that nobody holds the other end
        while piece := os.read(terminal, 1 << 16):
            yield piece


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A home that is not there yet, and a folder with a workflow and the rules of its image."""
    folder = tmp_path / "work"
    folder.mkdir()
    rig = Rig(tmp_path / "home", folder)
    rig.file("workflow.yaml", WORKFLOW)
    rig.file("images.toml", '[images]\nshell = "host"\n')
    return rig


@pytest.fixture
def up(rig: Rig) -> Iterator[Callable[..., Started]]:
    """Starts `penstock up` on any free port; what it returns has said where it listens."""
    with ExitStack() as stack:

        def start(*arguments: str | Path) -> Started:
            server = stack.enter_context(rig.start("up", "--port", "0", *arguments))
            server.until("Log in, once: ")
            return server

        yield start
