"""`penstock up` in a process of its own, and clients that speak to it over HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2

__all__ = ["API", "PATIENCE", "Gate", "Up", "document", "finished", "sse"]

API = "/apis/v2beta1"
PATIENCE = 60.0
"""Seconds that a busy machine may take for anything."""
COMMAND = [str(Path(sys.executable).parent / "penstock"), "up", "--port"]


class Up:
    """A served home. `said` is what it printed until the page was served."""

    def __init__(self, home: Path, port: int = 0) -> None:
        self.home = home
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
        self.errors = home.with_suffix(".errors")
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, str(port), "--home", str(home)],
                stdout=subprocess.PIPE, stderr=errors, text=True, env=clean, cwd=home.parent,
            )  # fmt: skip
        assert self.process.stdout is not None
        self.said = [self.process.stdout.readline() for _ in range(2)]
        self.url, self.login = (re.findall(r"http://\S+", line)[0] for line in self.said)
        self.token = (home / "token").read_text()

    def client(self, **headers: str) -> httpx2.Client:
        """A client with the home's token."""
        sent = {"Authorization": f"Bearer {self.token}"} | headers
        return httpx2.Client(base_url=self.url, headers=sent, timeout=PATIENCE)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end; its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


class Gate:
    """A door on loopback that steps wait at until a test opens it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port = self._listener.getsockname()[1]

    def open(self) -> None:
        """Let one step through; waits for it to come."""
        connection, _ = self._listener.accept()
        with connection:
            connection.sendall(b"go\n")

    def close(self) -> None:
        self._listener.close()


def document(script: str, port: int = 0) -> dict[str, Any]:
    """A run of one shell step; `wait` in it waits at the gate."""
    wait = f"wait_() {{ exec 3<>/dev/tcp/127.0.0.1/{port}; read -r _ <&3; }}\n"
    step = {"image": "python:3.11", "command": ["bash", "-c"], "args": [wait + script]}
    outputs = {"artifacts": [{"name": "made", "path": "/tmp/made", "optional": True}]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "served-"},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": step, "outputs": outputs}]},
    }


def finished(client: httpx2.Client, run: str) -> dict[str, Any]:
    """The run, when it has ended."""
    return until(lambda: client.get(f"{API}/runs/{run}").json(), lambda read: "finished_at" in read)


def until(read: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """What is read, as soon as it is good."""
    deadline = time.monotonic() + PATIENCE
    while not good(found := read()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def sse(answer: httpx2.Response) -> Iterator[dict[str, Any]]:
    """Server-sent events of a stream, as they come."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and "event" in fields:
            yield {"id": int(fields.get("id", 0)), "event": fields["event"], "data": json.loads(fields["data"])}
            fields = {}
