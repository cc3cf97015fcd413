"""A real server in a home of its own, spoken to as any client does."""

from __future__ import annotations

import http.client
import json
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

__all__ = ["Server"]

LIMIT = 900.0
"""Seconds of silence after which a measurement is given up."""


class Server:
    """`penstock up` in a home that goes with this object; `began` is the moment just before its last start (of
    `time.perf_counter`).

    `user` is whom it runs as, and `python` in whose environment: this process's own by default. `environment` is added.
    """

    def __init__(self, *, user: str = "", environment: Mapping[str, str] = {}, python: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="penstock-bench-", ignore_cleanup_errors=True)
        self.home = Path(self._folder.name) / "home"
        self._user = user
        self._program = str((python or Path(sys.executable)).with_name("penstock"))
        self._environment = {**os.environ, **environment}
        if user:
            self._environment["HOME"] = self._folder.name
            os.chown(self._folder.name, pwd.getpwnam(user).pw_uid, -1)
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    # --- its life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, and return when it says where it listens."""
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            [self._program, "up", "--port", "0", "--home", str(self.home)],
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment,
            **(
                {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []} if self._user else {}
            ),
        )
        assert self._process.stdout is not None
        words = self._process.stdout.readline().split()
        self._address = urlsplit(next(word for word in words if word.startswith("http")))
        self._token = (self.home / "token").read_text().strip()

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash does; its steps go on."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.communicate(timeout=LIMIT)
            self._process = None

    # --- what is asked of it ----------------------------------------------------------------------------------------

    def get(self, path: str) -> bytes:
        """The body of an answer that must be good."""
        with self.stream(path) as answer:
            return answer.read()

    def read(self, path: str) -> Any:
        """The same, of JSON."""
        return json.loads(self.get(path))

    def begin(self, document: str, *, cache: bool = False) -> str:
        """Start a run of a document; its path."""
        body = json.dumps({"display_name": "bench", "pipeline_spec": json.loads(document), "no_cache": not cache})
        with self.stream("/apis/v2beta1/runs", "POST", body) as answer:
            created = json.loads(answer.read())
        return f"/apis/v2beta1/runs/{created['run_id']}"

    def end(self, path: str) -> dict[str, Any]:
        """Wait for the end of a run; the finished run. Raises RuntimeError where it does not succeed."""
        # The stream ends with the run. Asking again and again would be a load of its own.
        with self.stream(f"{path}/events") as answer:
            while answer.read1(1 << 20):
                pass
        run: dict[str, Any] = self.read(path)
        if run["state"] != "SUCCEEDED":
            raise RuntimeError(f"the run ended as {run['state']}: {run.get('message')}")
        return run

    def run(self, document: str, *, cache: bool = False) -> dict[str, Any]:
        """Run a document to its end; the finished run. Raises RuntimeError where it does not succeed."""
        return self.end(self.begin(document, cache=cache))

    @contextmanager
    def stream(self, path: str, method: str = "GET", body: str | None = None) -> Iterator[http.client.HTTPResponse]:
        """An answer while it comes in, on a connection of its own; RuntimeError for one that is not good."""
        client = http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=LIMIT)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            client.request(method, path, body, headers)
            answer = client.getresponse()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {answer.read()[:500]!r}")
            yield answer
        finally:
            client.close()

    # --- what it takes ----------------------------------------------------------------------------------------------

    def memory(self) -> float:
        """MB that all its processes take together: their proportional share (PSS), so shared pages count once."""
        kilobytes = 0
        for process in _family(self._pid):
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return kilobytes * 1024 / 1e6

    def peak(self) -> float:
        """The most MB that the server itself, in which the engine is, has held until now."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6

    def busy(self) -> float:
        """Seconds of processor time that all its processes took until now."""
        ticks = 0
        for process in _family(self._pid):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    @property
    def _pid(self) -> int:
        assert self._process is not None, "it does not run"
        return self._process.pid


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found = [pid]
    for each in found:
        found.extend(parents.get(each, []))
    return found
