"""A process's own folder in a store: for files that are being written, removed objects on their way out, a journal.

A process holds a lock on its folder while it lives. Who comes next removes the folders that nobody holds, and goes on
with what their journals have left to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from penstock.adapters.objects import disk
from penstock.errors import PenstockError

__all__ = ["Work"]

log = logging.getLogger(__name__)

_JOURNAL = "journal"


class Work:
    """The folder of this process below `base`. Raises OSError where it cannot be made.

    `inherited` are the lines of the journals that other processes left. What else their folders have that must not be
    lost, `heir` takes over into this process's own (its second argument). A folder of which it cannot stays.
    """

    def __init__(self, base: Path, heir: Callable[[Path, Path], None]) -> None:
        base.mkdir(parents=True, exist_ok=True)
        self._base = base
        self._path = base / uuid.uuid4().hex
        self._removed: deque[Path] = deque()
        # Nobody sweeps between the making of a folder and the locking of it.
        with _locked(base) as alone:
            if alone is not None:
                self._path.mkdir()
                self._lock = _lock(self._path)
                self.inherited = _sweep(base, lambda folder: heir(folder, self._path))

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    @property
    def journal(self) -> Path:
        """A file of this process's own: one line for each thing that is left to do."""
        return self._path / _JOURNAL

    def journals(self) -> Sequence[str]:
        """The lines of the journals of all processes."""
        return [line for folder in self._base.iterdir() for line in _lines(folder)]

    def close(self, *, keep: bool) -> None:
        """Remove the folder, unless it is to be kept, or its journal has something left."""
        with contextlib.suppress(OSError):
            if not keep and not _lines(self._path):
                disk.remove(self._path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        """A path to write at; what lies there at the end is removed."""
        path = self._path / uuid.uuid4().hex
        try:
            yield path
        finally:
            with contextlib.suppress(OSError):
                disk.remove(path)

    @contextmanager
    def aside(self, path: Path) -> Iterator[None]:
        """Take away what is at `path` while the caller puts something else there; bring it back where that fails."""
        old = self._take(path)
        try:
            yield
        except BaseException:
            if old is not None:
                os.replace(old, path)
            raise
        if old is not None:
            self._removed.append(old)

    def discard(self, path: Path) -> None:
        """Take away what is at `path`, all of it at one instant."""
        old = self._take(path)
        if old is not None:
            self._removed.append(old)

    def empty(self) -> None:
        """Free the space of what was taken away."""
        with contextlib.suppress(IndexError):
            while True:
                disk.remove(self._removed.popleft())

    def _take(self, path: Path) -> Path | None:
        if not os.path.lexists(path):
            return None
        if path.is_dir() and not path.is_symlink():
            # A folder is moved to another one only by who may write into it.
            os.chmod(path, 0o700)
        old = self._path / uuid.uuid4().hex
        os.replace(path, old)
        return old


def _sweep(base: Path, heir: Callable[[Path], None]) -> Sequence[str]:
    """Remove what nobody holds; the lines of the journals that lay there."""
    lines: list[str] = []
    for folder in base.iterdir():
        lock = _lock(folder)
        if lock is None:
            continue
        try:
            heir(folder)
            lines += _lines(folder)
            disk.remove(folder)
        except PenstockError as error:
            log.warning("%s stays: %s", folder, error)
        finally:
            os.close(lock)
    return lines


def _lines(folder: Path) -> Sequence[str]:
    """The journal's lines; the last one may be torn."""
    with contextlib.suppress(OSError):
        return (folder / _JOURNAL).read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    return []


def _lock(folder: Path, *, wait: bool = False) -> int | None:
    """A descriptor that holds the folder's lock, None where another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def _locked(folder: Path) -> Iterator[int | None]:
    descriptor = _lock(folder, wait=True)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)
