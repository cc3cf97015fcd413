"""Files and folders out of archives that strangers made.

Names stay below the target, nothing is written through a link, devices are left out, count and size are bounded.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import IO

from penstock.errors import InvalidInput, TooLarge

__all__ = ["MOST_BYTES", "MOST_ENTRIES", "Unpacking"]

MOST_ENTRIES = 1_000_000
MOST_BYTES = 1 << 40
_CHUNK = 1 << 20


class Unpacking:
    """One archive on its way to `top`. `what` it is stands in messages.

    `tar` and `zip` raise InvalidInput for a name that leads astray or stands for two things, TooLarge, and what the
    libraries and the disk raise; what was made until then stays.
    """

    dropped: tuple[str, ...] = ()
    """Links to what begins so are left out."""

    def __init__(self, top: Path, what: str) -> None:
        self.top = top
        self.what = what
        self._entries = 0
        self._bytes = 0
        self._links: list[tuple[Path, str]] = []
        self._modes: list[tuple[Path, int]] = []

    def tar(self, archive: tarfile.TarFile) -> None:
        """All of `archive`. Links are kept as they are, made when all else is there."""
        try:
            for entry in archive:
                self._count(entry.size if entry.isreg() else 0)
                self._make(archive, entry, self.place(entry.name))
            self._finish()
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise InvalidInput(f"{self.what} has two things of one name: {error.filename!r:.200}") from None

    def zip(self, archive: zipfile.ZipFile) -> None:
        """All of `archive`. A link in it is a file that holds its goal's name."""
        try:
            for entry in archive.infolist():
                folder = entry.filename.endswith("/")
                self._count(0 if folder else entry.file_size)
                path, mode = self.place(entry.filename), entry.external_attr >> 16 & 0o777
                if folder:
                    self._folder(path, mode or 0o755)
                else:
                    with archive.open(entry) as source:
                        self._file(path, source, mode or 0o644)
            self._finish()
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise InvalidInput(f"{self.what} has two things of one name: {error.filename!r:.200}") from None

    def place(self, name: str) -> Path:
        """Where an entry goes."""
        inside = posixpath.normpath(f"./{name}")
        if inside.startswith("..") or "\0" in name:
            raise self.astray(name)
        return self.top / inside

    def astray(self, name: str) -> InvalidInput:
        """The error for a name that leads out."""
        return InvalidInput(f"{self.what} has the name {name!r:.200}, which leads out of it")

    def _count(self, size: int) -> None:
        self._entries += 1
        self._bytes += size
        if self._entries > MOST_ENTRIES:
            raise TooLarge(f"{self.what} has more than {MOST_ENTRIES:,} files; pack them into an archive")
        if self._bytes > MOST_BYTES:
            raise TooLarge(f"{self.what} is over {MOST_BYTES:,} bytes")

    def _make(self, archive: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
        if entry.isdir():
            self._folder(path, entry.mode)
        elif entry.issym():
            if not entry.linkname.startswith(self.dropped):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._links.append((path, entry.linkname))
        elif entry.islnk():
            self._again(self.place(entry.linkname), path)
        elif entry.isreg():
            source = archive.extractfile(entry)
            assert source is not None
            self._file(path, source, entry.mode)
        # A device, a pipe: nothing that could be stored.

    def _folder(self, path: Path, mode: int) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._modes.append((path, mode & 0o777 | 0o700))

    def _file(self, path: Path, source: IO[bytes], mode: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
            os.fchmod(file.fileno(), mode & 0o777 | 0o600)

    def _again(self, source: Path, path: Path) -> None:
        """A hard link's other name. No link is on disk yet, so no name leads through one."""
        if not source.is_file():
            raise InvalidInput(f"{self.what} links to {source.name!r:.200}, which is no file of it")
        os.link(source, path)

    def _finish(self) -> None:
        for path, goal in self._links:
            os.symlink(goal, path)
        for path, mode in reversed(self._modes):
            os.chmod(path, mode)
