"""Archives (tar streams) that carry inputs into a container and outputs out of it.

What comes out was made by strangers: `Unpacking` says what that means.
"""

from __future__ import annotations

import errno
import io
import os
import tarfile
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from penstock.adapters.local.unpacking import Unpacking
from penstock.errors import InvalidInput, NoSpace, Unavailable
from penstock.ports import Input

__all__ = ["first_file", "names", "unpack", "write_inputs"]

_MOST_LOOKED_AT = 10_000
"""Entries of a folder's archive that are read to find names in it."""
_CHUNK = 1 << 20


# --- into a container -------------------------------------------------------------------------------------------


def write_inputs(stream: BinaryIO, inputs: Iterable[Input], empty_dirs: Iterable[str]) -> None:
    """An archive of a step's inputs, at their paths from the root. All may be written, whoever the step's user is,
    unless an input says its mode.

    Folders above them are not named: what the image has keeps its mode, what is missing is made. Raises InvalidInput.
    """

    def writable(item: Input, about: tarfile.TarInfo) -> tarfile.TarInfo:
        # What is stored once is two files for the step: a write to one must not reach the other.
        archive.inodes.clear()  # type: ignore[attr-defined] # typeshed does not know it
        about = _writable(about)
        if item.mode is not None and (item.recurse or about.name == _inside(item.path)):
            about.mode = item.mode
        return about

    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path in empty_dirs:
            archive.addfile(_about(path, tarfile.DIRTYPE, 0o777))
        for item in inputs:
            if item.source:
                archive.add(os.path.realpath(item.source), _inside(item.path), filter=partial(writable, item))
            else:
                about = _about(item.path, tarfile.REGTYPE, 0o666 if item.mode is None else item.mode)
                about.size = len(item.content or b"")
                archive.addfile(about, io.BytesIO(item.content or b""))


def _about(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    about = tarfile.TarInfo(_inside(path))
    about.type, about.mode, about.mtime = kind, mode, int(time.time())
    return about


def _writable(about: tarfile.TarInfo) -> tarfile.TarInfo:
    """Owners are this machine's own affair."""
    about.mode |= 0o777 if about.isdir() else 0o666
    about.uid = about.gid = 0
    about.uname = about.gname = ""
    return about


def _inside(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in path:
        raise InvalidInput(f"path {path!r} of an input: expected an absolute path below /")
    return "/".join(parts)


# --- out of a container -----------------------------------------------------------------------------------------


def unpack(stream: BinaryIO, target: Path) -> bool:
    """Make the file or folder of an archive at `target`; False where it is neither. Reads the stream to its end.

    The archive's first entry is what `target` becomes, the others lie below it. Links are kept as they are, made when
    all else is there. Raises TooLarge, NoSpace, InvalidInput (a name that leads astray), Unavailable (a torn archive);
    what was made until then stays.
    """
    try:
        with _opened(stream) as archive:
            _OfContainer(target, "an output's archive").tar(archive)
        while stream.read(_CHUNK):
            pass
        return os.path.lexists(target)
    except tarfile.TarError as error:
        raise Unavailable(f"what the container engine sent of {target.name!r} is torn: {error}") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"{target}: no space left") from None
        raise Unavailable(f"{target}: {error.strerror or error}") from error


class _OfContainer(Unpacking):
    """An archive whose first entry is what is made, with the others below it."""

    dropped = ("/proc/", "/sys/", "/dev/")
    """They mean something to the step alone: /etc/mtab, which Docker lays."""

    _first = ""

    def place(self, name: str) -> Path:
        parts = name.rstrip("/").split("/")
        self._first = self._first or parts[0]
        if parts[0] != self._first or any(part in ("", ".", "..") for part in parts[1:]):
            raise self.astray(name)
        return self.top.joinpath(*parts[1:])


def first_file(stream: BinaryIO, limit: int) -> bytes | None:
    """At most `limit` + 1 bytes of an archive's first entry, None where that is no file. Raises Unavailable."""
    with _opened(stream) as archive:
        entry = archive.next()
        file = archive.extractfile(entry) if entry is not None and entry.isreg() else None
        return file.read(limit + 1) if file is not None else None


def names(stream: BinaryIO, most: int) -> list[str]:
    """Names of what lies in the folder that an archive is of: the first `most`, sorted. Raises Unavailable."""
    found: dict[str, None] = {}
    with _opened(stream) as archive:
        for entry in _some(archive):
            parts = entry.name.rstrip("/").split("/")
            if len(parts) > 1:
                found[parts[1]] = None
            if len(found) == most:
                break
    return sorted(found)


def _some(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for count, entry in enumerate(archive):
        if count == _MOST_LOOKED_AT:
            return
        yield entry


def _opened(stream: BinaryIO) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=stream, mode="r|")
    except tarfile.TarError as error:
        raise Unavailable(f"what the container engine sent is no archive: {error}") from None
