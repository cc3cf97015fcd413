"""Files and folders, made durable and read-only; links and special files, refused or kept.

All changes go through `os`, one call each, so that a test can let any of them fail.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from penstock.errors import DiskFailed, InvalidInput, NoSpace, NotFound, Unavailable

__all__ = [
    "Entry",
    "copied",
    "linked",
    "made",
    "named",
    "remove",
    "seal",
    "survey",
    "sync",
    "sync_file",
    "translated",
    "write",
    "written",
]

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder that is to be stored, or the folder itself (`path` ".")."""

    path: str
    mode: int
    size: int
    links: int
    target: str = ""

    @property
    def directory(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def link(self) -> bool:
        return stat.S_ISLNK(self.mode)


@contextmanager
def translated(what: object) -> Iterator[None]:
    """Errors of the disk as ours; `what` is named in them."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"{what}: the disk is full; free space and try again") from error
        if error.errno == errno.ENAMETOOLONG:
            raise InvalidInput(f"{what}: the path is too long for this disk; choose a shorter name") from error
        raise Unavailable(f"{what}: {reason}") from error


def survey(source: Path) -> list[Entry]:
    """What is at `source`, the folder itself first and each folder before what it holds. Follows no link.

    Raises NotFound where there is nothing, InvalidInput for a special file and for a link that leads out.
    """
    try:
        top = source.lstat()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"{source}: nothing there to store") from None
    entries = [_entry(source, ".", top)]
    if entries[0].link:
        raise InvalidInput(f"{source}: a symbolic link cannot be stored by itself; write the file it points to")
    pending = [source] if entries[0].directory else []
    while pending:
        folder = pending.pop()
        _open_up(folder)
        with os.scandir(folder) as found:
            for item in sorted(found, key=lambda item: item.name):
                path = folder / item.name
                entries.append(_entry(path, path.relative_to(source).as_posix(), item.stat(follow_symlinks=False)))
                if entries[-1].directory:
                    pending.append(path)
    return entries


def _open_up(folder: Path) -> None:
    """Make a folder readable, changeable and movable for its owner; a step may have left it otherwise."""
    mode = stat.S_IMODE(folder.lstat().st_mode)
    if mode & 0o700 != 0o700:
        os.chmod(folder, mode | 0o700)


def _entry(path: Path, relative: str, status: os.stat_result) -> Entry:
    mode = status.st_mode
    if stat.S_ISLNK(mode):
        target = os.readlink(path)
        if not _stays_inside(relative, target):
            raise InvalidInput(f"{path}: a link to {target!r} leads out of its folder; write the file itself")
        return Entry(relative, mode, 0, 1, target)
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InvalidInput(f"{path}: neither a file nor a folder (a pipe, socket or device); it cannot be stored")
    return Entry(relative, mode, status.st_size if stat.S_ISREG(mode) else 0, status.st_nlink)


def _stays_inside(link: str, target: str) -> bool:
    """Whether a link's target lies inside, whatever other links are on the way.

    `..` may only stand at the front, where it climbs from a folder that is real; further down it could climb from
    where another link leads to.
    """
    parts = target.split("/")
    climbs = next((i for i, part in enumerate(parts) if part != ".."), len(parts))
    return not target.startswith("/") and ".." not in parts[climbs:] and climbs < len(PurePosixPath(link).parts)


def seal(source: Path, entries: Sequence[Entry]) -> None:
    """Make everything read-only and durable, contents before the folders that name them.

    The uppermost folder stays writable: it could not be moved otherwise.
    """
    for entry in reversed(entries):
        path = source / entry.path
        if entry.link:
            continue
        top_folder = entry.directory and entry.path == "."
        readable = 0o555 if entry.directory else 0o444
        os.chmod(path, (stat.S_IMODE(entry.mode) & 0o555) | readable | (0o200 if top_folder else 0))
        sync(path)


def sync(path: Path) -> None:
    """Make a file's content, or a folder's names, durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        sync_file(descriptor, path)
    finally:
        os.close(descriptor)


def sync_file(descriptor: int, path: Path) -> None:
    """The same of an open file.

    Raises DiskFailed: the kernel forgets what it could not write, and the next call would find nothing wrong.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskFailed(f"{path}: the disk failed to keep what was written ({reason}); look at the disk") from error


def made(folder: Path, root: Path, *, durable: bool = True) -> None:
    """Make a folder below `root` and those above it."""
    if folder == root or folder.is_dir():
        return
    made(folder.parent, root, durable=durable)
    with suppress(FileExistsError):
        os.mkdir(folder)
    if durable:
        sync(folder.parent)


def written(path: Path, data: bytes, *, durable: bool = True) -> None:
    """A new file with these bytes, read-only."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write(descriptor, data)
        os.fchmod(descriptor, 0o444)
        if durable:
            sync_file(descriptor, path)
    finally:
        os.close(descriptor)


def linked(source: Path, entries: Sequence[Entry], target: Path) -> None:
    """Further names at `target` for what is stored at `source`, durable; folders are made anew."""
    for entry in entries:
        here, there = source / entry.path, target / entry.path
        if entry.directory:
            os.mkdir(there)
        else:
            os.link(here, there, follow_symlinks=False)
    for entry in reversed(entries):
        if entry.directory:
            os.chmod(target / entry.path, 0o755 if entry.path == "." else 0o555)
            sync(target / entry.path)


def named(file: Path, path: Path) -> bool:
    """Give a file a second name, and make it read-only. False where it has one already, or cannot have it."""
    with suppress(OSError):
        if os.lstat(file).st_nlink == 1:
            os.chmod(file, 0o444)
            os.link(file, path, follow_symlinks=False)
            return True
    return False


def copied(source: Path, entries: Sequence[Entry], target: Path) -> None:
    """A copy of what was surveyed, not yet sealed."""
    for entry in entries:
        here, there = source / entry.path, target / entry.path
        if entry.directory:
            os.mkdir(there)
        elif entry.link:
            os.symlink(entry.target, there)
        else:
            _copy_file(here, there)


def _copy_file(source: Path, target: Path) -> None:
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            while chunk := os.read(reading, _CHUNK):
                write(writing, chunk)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def write(descriptor: int, data: bytes) -> None:
    """All of `data`, in as many calls as it takes. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def remove(path: Path) -> None:
    """Remove a file or a whole folder, read-only parts too. Nothing there is no error."""
    if path.is_dir() and not path.is_symlink():
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o700)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
