"""Space that is kept for the records of what happened, when steps have filled the disk.

What ended can be removed only after its end is stored, and storing takes space. So a file holds some; it is given up
when the store finds none, and made again when something was removed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["Reserve"]

SIZE = 4 << 20
"""Bytes: some thousand turns of a run."""


class Reserve:
    """The file at `path` that holds `size` bytes."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path = path
        self._size = size
        self._held = False

    def keep(self) -> None:
        """Hold the space, unless it is held or there is too little."""
        if self._held:
            return
        try:
            descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            self._held = True
            return
        except OSError:
            return
        try:
            os.posix_fallocate(descriptor, 0, self._size)
            self._held = True
        except OSError:
            self.give()
        finally:
            os.close(descriptor)

    def give(self) -> None:
        """Let others have it."""
        self._held = False
        with suppress(OSError):
            self._path.unlink()
