"""A home whose server is killed again and again, its ledger, and the processes of its runs."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penstock.bootstrap import Home

__all__ = ["PATIENCE", "Rig", "processes", "signal_quietly", "supervisors"]

PATIENCE = 60.0


@dataclass
class Rig:
    """A home, its ledger, and the server that is killed again and again."""

    home: Home
    ledger: Path
    port: int
    server: subprocess.Popen[bytes] | None = None
    runs: dict[str, str] = field(default_factory=dict)
    """Acknowledged runs: id → workflow name."""
    kills: list[tuple[float, float]] = field(default_factory=list)
    """When supervisors or their steps were killed: before the first and after the last of them."""

    def start(self, crash_at: str = "", env: Mapping[str, str] = {}) -> None:
        """Let a server serve the home; `crash_at` is a point and a count, as `PENSTOCK_CRASH_AT`."""
        if self.server is None or self.server.poll() is not None:
            with self.ledger.with_name("server.log").open("ab") as log:
                self.server = subprocess.Popen(
                    [sys.executable, Path(__file__).with_name("engine.py"), self.home.settings.home],
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **env, "PENSTOCK_CRASH_AT": crash_at},
                )

    def submit(self, document: str, **parameters: str) -> None:
        run = self.home.services.runs.create(document, parameters={"port": str(self.port), **parameters})
        self.runs[run.id] = run.workflow_name

    def kill(self, what: str) -> None:
        if "supervisor" in what or "step" in what:
            begin = time.time()
            found = supervisors(self.runs)
            killed = found if "supervisor" in what else [child for pid in found for child in _children(pid)]
            for pid in killed:
                signal_quietly(pid)
            for pid in killed:
                _gone(pid)  # what was killed may do something yet
            self.kills.append((begin, time.time()))
        if "server" in what and self.server is not None:
            self.server.kill()
            self.server.wait()

    def stop(self) -> None:
        """Let the server end in good order. The signal itself would end one that does not serve yet."""
        assert self.server is not None
        deadline = time.monotonic() + PATIENCE
        while self.home.holder() != str(self.server.pid):
            assert time.monotonic() < deadline, "the server never held the home"
            time.sleep(0.01)
        self.server.send_signal(signal.SIGTERM)
        assert self.server.wait(PATIENCE) == 0

    def settle(self) -> None:
        """Until every acknowledged run has ended."""
        deadline = time.monotonic() + PATIENCE
        while any(not self.home.services.runs.get(id).state.terminal for id in self.runs):
            assert time.monotonic() < deadline, self.standing()
            time.sleep(0.02)

    def standing(self) -> str:
        open_runs = [id for id in self.runs if not self.home.services.runs.get(id).state.terminal]
        return "\n".join(
            f"{id}: {[(n.name, n.phase) for n in self.home.services.runs.nodes(id)[0]]}" for id in open_runs
        )

    def entries(self) -> dict[tuple[str, str], dict[str, list[float]]]:
        """What the ledger holds: (workflow, step) → start and end times, the step's own where it told one.

        A killed step's last word may reach the ledger after the kill.
        """
        found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: {"start": [], "end": []})
        for line in self.ledger.read_text().splitlines():
            at, what, run, name, *sent = line.split()
            found[run, name][what].append(float(sent[0] if sent else at))
        return found


def processes(runs: dict[str, str]) -> list[int]:
    """Supervisors and steps of these runs: their command line or environment carries the run's id."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if any(id.encode() in text for id in runs):
                found.append(int(entry.name))
    return found


def supervisors(runs: dict[str, str]) -> list[int]:
    """Their supervisors alone: a step that is killed without its supervisor has failed, and that is recorded.

    What is found may be a step whose supervisor had not said yet whose it is.
    """
    found = [_supervisor(pid) for pid in processes(runs)]
    return sorted({pid for pid in found if pid is not None})


def _supervisor(pid: int) -> int | None:
    """The first process of its namespace of processes, None where it is gone."""
    while True:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return None
        status = dict(line.split(":", 1) for line in lines)
        if status["NSpid"].split()[-1] == "1":
            return pid
        pid = int(status["PPid"])
        if pid <= 1:
            return None


def _gone(pid: int) -> None:
    """Return when a process that was killed runs no more, and nothing in its namespace."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        select.select([descriptor], [], [], PATIENCE)
        os.close(descriptor)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def signal_quietly(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
