"""A bell between the processes of a home: who has written a wish rings it, and the holder looks without being asked to
look all the time."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["Bell"]


class Bell:
    """A FIFO at `path`. Ringing is a hint: where it cannot be heard, one has to look now and then."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ring(self) -> None:
        """Let the process that listens look. Where none does, nothing happens."""
        with suppress(OSError):
            self._ring(os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC))

    def _ring(self, descriptor: int) -> None:
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"!")
        finally:
            os.close(descriptor)

    @contextmanager
    def heard(self, act: Callable[[], None]) -> Iterator[bool]:
        """While inside, `act` is called in the running loop after each ring. False where there can be no FIFO."""
        descriptor = self._opened()
        if descriptor is None:
            yield False
            return
        loop = asyncio.get_running_loop()

        def heard() -> None:
            with suppress(BlockingIOError):
                os.read(descriptor, 4096)
            act()

        loop.add_reader(descriptor, heard)
        try:
            yield True
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def _opened(self) -> int | None:
        try:
            with suppress(FileExistsError):
                os.mkfifo(self._path, 0o600)
            # Also for writing: a FIFO that nobody writes to is at its end all the time.
            descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        return None
