"""Finding the processes of a step whose supervisor was killed, where no PID namespace took them along."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

__all__ = ["MARK", "kill_marked", "marked"]

MARK = "PENSTOCK_STEP"
"""The variable that names its step's folder to each process of a step that no namespace holds."""


def marked(mark: str) -> list[int]:
    """Ids of the processes whose environment has the entry `mark` (`NAME=value`)."""
    entry = mark.encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if entry in file.read(1 << 21).split(b"\0"):
                    found.append(int(name))
    return found


def kill_marked(mark: str) -> None:
    """Kill them until none is left: each may start others until it is dead."""
    while pids := marked(mark):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
