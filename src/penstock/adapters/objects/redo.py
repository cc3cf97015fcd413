"""Small objects, durable at once: written one behind another into a file that is synced, before each gets a file of its
own that need not be.

To make a file of its own durable takes a wait for its content and one for each new folder above it; a file that grows
takes one wait for all that was written since. What a machine that loses its power forgets is laid again from here.
"""

from __future__ import annotations

import os
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.adapters.objects import disk
from penstock.errors import PenstockError

__all__ = ["Redo", "contents_of", "inherit"]

_NAME = "redo."
_SYNCS, _QUICK = 8, 0.001
"""How many of the last waits for the disk say how long one takes, and below how many seconds each that is quick."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class _Head(msgspec.Struct, frozen=True):
    """The line before an object's bytes."""

    key: str
    size: int
    check: int


class _Pile:
    """One file, that of a former process or one that grows, and the keys of the objects in it."""

    def __init__(self, path: Path, keys: Iterable[str]) -> None:
        self.path = path
        self.keys = dict.fromkeys(keys)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._length = self._synced = 0
        self._syncing = threading.Lock()

    def begin(self) -> None:
        """Write the first line: in which of the machine's lives this is. Raises OSError, DiskFailed."""
        try:
            disk.write(self._file, _boot())
            disk.sync(self.path.parent)
        except BaseException:
            self.close()
            self.path.unlink(missing_ok=True)
            raise
        self._length = len(_boot())

    def append(self, contents: Mapping[str, bytes]) -> int:
        """Write records, whole or not at all; how long the file is by then. Raises OSError."""
        records = b"".join(part for key, data in contents.items() for part in (_head(key, data), data))
        try:
            disk.write(self._file, records)
        except OSError:
            os.ftruncate(self._file, self._length)
            raise
        self._length += len(records)
        self.keys.update(dict.fromkeys(contents))
        return self._length

    def sync(self, length: int) -> None:
        """Make that much durable. Who had to wait for another's sync finds its own records synced with them."""
        with self._syncing:
            if self._synced < length:
                reached = self._length
                disk.sync_file(self._file, self.path)
                self._synced = reached

    def close(self) -> None:
        os.close(self._file)


class Redo:
    """What was piled up in `folder` and is not durable in files of its own yet. From any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._took: deque[float] = deque(maxlen=_SYNCS)
        self._piles = [_Pile(path, contents_of(path)) for path in folder.glob(f"{_NAME}*")]
        self._growing = False
        self._changing, self._settling = threading.Lock(), threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._piles)

    def holds(self, prefix: str) -> bool:
        """Whether something is here whose key is `prefix`, or lies below it."""
        with self._changing:
            return any(f"{key}/".startswith(f"{prefix}/") for pile in self._piles for key in pile.keys)

    def add(self, contents: Mapping[str, bytes]) -> None:
        """Make these objects durable. Raises OSError, DiskFailed."""
        with self._changing:
            pile = self._current()
            length = pile.append(contents)
        began = time.perf_counter()
        try:
            pile.sync(length)
        except PenstockError:
            self._leave(pile)
            raise
        self._took.append(time.perf_counter() - began)

    @property
    def quick(self) -> bool:
        """Whether `add` has been quick of late."""
        return len(self._took) == _SYNCS and max(self._took) < _QUICK

    def _current(self) -> _Pile:
        if not self._growing:
            pile = _Pile(_new(self._folder), ())
            pile.begin()
            self._piles.append(pile)
            self._growing = True
        return self._piles[-1]

    def _leave(self, pile: _Pile) -> None:
        """What the kernel has forgotten once, the next sync of the same file would not miss."""
        with self._changing:
            if self._piles[-1:] == [pile]:
                self._growing = False

    def settle(self, keep: Callable[[Path, Sequence[str]], None]) -> None:
        """Have `keep` make their own files durable of all that was added so far; then it need not be here any more.

        `keep` is given a file for `contents_of`, and the keys in it. What it raises leaves the file as it is.
        """
        with self._settling:
            with self._changing:
                piles = list(self._piles)
                self._growing = False
            for pile in piles:
                keep(pile.path, list(pile.keys))
                pile.path.unlink(missing_ok=True)
                disk.sync(self._folder)
                with self._changing:
                    self._piles.remove(pile)
                pile.close()


def inherit(theirs: Path, ours: Path, lay: Callable[[Path], None]) -> None:
    """Take over what a process that is gone has piled up in its folder. Raises OSError, and what `lay` raises.

    What was written before the machine last started may be lost as files of its own: `lay` makes these again.
    """
    for path in sorted(theirs.glob(f"{_NAME}*")):
        if not path.read_bytes().startswith(_boot()):
            lay(path)
        os.replace(path, _new(ours))
    disk.sync(ours)


def contents_of(path: Path) -> Mapping[str, bytes]:
    """The objects in a file by their keys. A record that is torn was never added."""
    found: dict[str, bytes] = {}
    with path.open("rb") as file, suppress(msgspec.MsgspecError):
        file.readline()
        while line := file.readline():
            head = msgspec.json.decode(line, type=_Head)
            data = file.read(head.size)
            if len(data) < head.size or zlib.crc32(data) != head.check:
                break
            found[head.key] = data
    return found


def _head(key: str, data: bytes) -> bytes:
    return msgspec.json.encode(_Head(key, len(data), zlib.crc32(data))) + b"\n"


def _new(folder: Path) -> Path:
    return folder / f"{_NAME}{os.urandom(8).hex()}"


def _boot() -> bytes:
    return _BOOT.read_bytes().strip() + b"\n"
