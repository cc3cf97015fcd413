"""Points at which a test ends this process: before and after each commit, and each effect on the world outside it.

`PENSTOCK_CRASH_AT=commit.after:3` kills the process (SIGKILL) when it passes that point for the third time.
"""

from __future__ import annotations

import os
import signal

__all__ = ["EFFECTS", "LATER", "POINTS", "passing"]

EFFECTS = ("commit", "report", "launch", "store", "link", "keep", "remove")
"""The database's commit, a turn handed to it, a step's launch, an object stored, one linked, what a step made kept for
equal ones, a step's removal."""

LATER = ("reset", "forget", "sweep")
"""Effects on what has ended: a retry takes back what runs again, a delete removes objects, gc removes one thing."""

POINTS = tuple(f"{effect}.{moment}" for effect in EFFECTS for moment in ("before", "after"))
"""The points that every run passes."""

_name, _, _count = os.environ.get("PENSTOCK_CRASH_AT", "").partition(":")
_left = int(_count or "1")


def passing(point: str) -> None:
    """The process passes `point`."""
    global _left
    if point == _name:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
