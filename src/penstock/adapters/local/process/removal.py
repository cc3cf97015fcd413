"""Removing what steps leave, also what they left unwritable. Standard library only."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from typing import Any, NoReturn

__all__ = ["remove", "run"]

_LAST = 19
"""The lowest priority: what runs goes first."""


def run(spec: dict[str, Any]) -> NoReturn:
    """Remove the `paths` of `spec` and end. What cannot be removed stays, for the launcher to find out why."""
    os.nice(_LAST)
    for path in spec["paths"]:
        with contextlib.suppress(OSError):
            remove(path)
    os._exit(0)


def remove(path: str) -> None:
    """Delete a file or folder. Nothing there is no error. Raises OSError."""
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            return
        try:
            shutil.rmtree(path)
        except PermissionError:
            _open_up(path)
            shutil.rmtree(path)
    except FileNotFoundError:
        return


def _open_up(path: str) -> None:
    """Let us into every folder below `path`: a step may have closed them, and the kernel closes an overlay's work."""
    os.chmod(path, 0o700)
    for folder, names, _ in os.walk(path):
        for name in names:
            if not os.path.islink(f"{folder}/{name}"):
                os.chmod(f"{folder}/{name}", 0o700)
