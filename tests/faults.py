"""A file system of which any write, fsync or rename can be made to fail, in a server and in its steps' supervisors."""

from __future__ import annotations

import mmap
import struct
import subprocess
from enum import IntFlag
from pathlib import Path

from needs import require

__all__ = ["Calls", "Faults"]

_FIELDS = struct.Struct("6l464s")


class Calls(IntFlag):
    """Kinds of calls."""

    WRITE = 1
    FSYNC = 2
    RENAME = 4
    ALL = 7


class Faults:
    """The state that the processes share; see `faulty_disk.c`. `env` is for those that are to take part."""

    def __init__(self, folder: Path, disk: Path) -> None:
        compiler = require("cc", "apt-get install gcc libc6-dev")
        library, shared = folder / "faulty_disk.so", folder / "faults"
        source = Path(__file__).with_name("faulty_disk.c")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        shared.write_bytes(bytes(_FIELDS.size))
        with shared.open("r+b") as file:
            self._state = mmap.mmap(file.fileno(), _FIELDS.size)
        self._device = disk.stat().st_dev
        self.env = {"LD_PRELOAD": str(library), "PENSTOCK_FAULTS": str(shared)}

    def arm(self, kinds: Calls, at: int, error: int) -> None:
        """Count calls from now on; the one of that number fails with that errno. 0: none does, -1: all do."""
        self._state[:] = _FIELDS.pack(self._device, kinds, at, error, 0, 0, b"")

    @property
    def count(self) -> int:
        """How many calls there were."""
        return int(_FIELDS.unpack(self._state)[4])

    @property
    def failed(self) -> Calls:
        """The kind of the call that failed, 0 when none has."""
        return Calls(_FIELDS.unpack(self._state)[5])

    @property
    def file(self) -> str:
        """The name of the file at which that was."""
        return _FIELDS.unpack(self._state)[6].rstrip(b"\0").decode()
