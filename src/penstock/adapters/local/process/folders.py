"""The folder of a step on disk: where its files lie, and what they say about its state.

Of a process, `<home>/steps/<run>/<node>.<incarnation>/` holds `step.json` (what the launcher needs later), `lock` (held
by the supervisor while it lives), `pid` (its id, start time and the machine's boot), `stop` (grace of a stop), `log`,
`reserve` (space kept for the exit record), `exit.json`, and the layers of its root: `upper`, `skel`, `work`.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from penstock.adapters.local.process.removal import remove
from penstock.errors import InvalidInput, NoSpace, Unavailable
from penstock.ports import StepExit, StepId, StepState
from penstock.spreading import spread
from penstock.workflow.pods import ContainerExit

__all__ = ["StepFolder", "make_folder", "make_parent", "remove_tree", "step_ids", "told_errors"]

_RESERVED = 4096
_LOCK = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


class StepFolder:
    """One step's folder. Making this object touches nothing."""

    def __init__(self, path: Path | str) -> None:
        # A path of text is made in a tenth of the time, and is made several times for each step.
        self._path = str(path)

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self._path)

    @classmethod
    def of(cls, home: Path, id: StepId, kind: str = "steps") -> Self:
        """The folder of the step `id` below `kind` of the home. Raises InvalidInput."""
        for name in (id.run_id, id.node_id):
            if not name or "/" in name or name.startswith(".") or "\0" in name or len(name.encode()) > 200:
                raise InvalidInput(f"step id: got {name!r}, expected a plain name of at most 200 bytes")
        return cls(f"{home}/{kind}/{id.run_id}/{id.node_id}.{id.incarnation}")

    def file(self, name: str) -> str:
        """Path of a file in this folder, as text."""
        return f"{self._path}/{name}"

    def exists(self) -> bool:
        """Whether something is there."""
        return os.path.exists(self._path)

    # --- state ------------------------------------------------------------------------------------------------------

    def state(self) -> StepState:
        """What the files say. Any process may ask at any time."""
        if not self.exists():
            return StepState.ABSENT
        if self.exit() is not None:
            return StepState.EXITED
        alive = self.locked() or self._process() is not None
        if self.exit() is not None:  # it ended between the two looks
            return StepState.EXITED
        if alive:
            return StepState.RUNNING
        return StepState.INTERRUPTED if os.path.exists(self.file("pid")) else StepState.ABSENT

    def exit(self) -> StepExit | None:
        """The exit record, None where there is none (yet). A torn one, after a power cut, is none."""
        try:
            with open(self.file("exit.json"), "rb") as file:
                fields = json.loads(file.read(_RESERVED))
                inner = tuple(ContainerExit(**each) for each in fields.pop("containers", ()))
                return StepExit(**fields, containers=inner)
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, AttributeError):
            return None

    def locked(self) -> bool:
        """Whether a supervisor, or a launcher that is about to start one, holds the lock."""
        try:
            descriptor = os.open(self.file("lock"), os.O_RDWR)
        except (FileNotFoundError, NotADirectoryError):
            return False
        try:
            answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _LOCK)
        finally:
            os.close(descriptor)
        return bool(struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK)

    def lock(self) -> int | None:
        """Take the lock and return its descriptor; None while a supervisor (or another launcher) holds it."""
        descriptor = os.open(self.file("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _LOCK)
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return None
            raise
        return descriptor

    def wait_unlocked(self) -> None:
        """Block until nobody holds the lock. For the moment in which a supervisor has not written its id yet."""
        descriptor = os.open(self.file("lock"), os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, _LOCK)
        finally:
            os.close(descriptor)

    # --- the supervisor's process -----------------------------------------------------------------------------------

    def pidfd(self) -> int | None:
        """A descriptor of the living supervisor, None where there is none. Never that of another process."""
        before = self._process()
        if before is None:
            return None
        try:
            descriptor = os.pidfd_open(before)
        except ProcessLookupError:
            return None
        if self._process() == before:  # the id was not given to somebody else in between
            return descriptor
        os.close(descriptor)
        return None

    def _process(self) -> int | None:
        try:
            with open(self.file("pid"), encoding="ascii") as file:
                pid, started, boot = file.read().split()
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                if file.read().strip() != boot:
                    return None
            with open(f"/proc/{pid}/stat", "rb") as stat_file:
                fields = stat_file.read().rpartition(b") ")[2].split()
        except (OSError, ValueError):
            return None
        return int(pid) if fields[19] == started.encode() and fields[0] not in (b"Z", b"X") else None

    # --- making -----------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """The folder, empty but for its lock: what an unfinished launch left is removed. Raises OSError."""
        for name in os.listdir(self._path):
            if name != "lock":
                remove(self.file(name))
        for name in ("upper", "work", "root"):
            os.mkdir(self.file(name), 0o755)
        descriptor = os.open(self.file("reserve"), os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _RESERVED)
        finally:
            os.close(descriptor)

    def take_over(self, other: StepFolder) -> None:
        """Become what `other` is, where nothing may be. Raises OSError."""
        make_parent(self._path)
        os.rename(other._path, self._path)

    def write(self, name: str, data: bytes) -> None:
        """Write a small file whole or not at all."""
        temporary = self.file(name + ".new")
        with open(temporary, "wb") as file:
            file.write(data)
        os.rename(temporary, self.file(name))

    def text(self, name: str) -> str:
        """What a small file says, "" where it is not there."""
        try:
            with open(self.file(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return ""

    def about(self) -> dict[str, Any]:
        """What `step.json` says, {} where there is none."""
        try:
            with open(self.file("step.json"), "rb") as file:
                about: dict[str, Any] = json.loads(file.read())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return {}
        return about

    def remove(self) -> None:
        """Delete everything, the run's folder too when it was the last."""
        remove(self._path)
        try:
            self.path.parent.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                raise


def make_folder(path: Path) -> None:
    """Make a folder that only this user may look into, and those above it, though others remove them meanwhile."""
    while True:
        with suppress(FileExistsError, FileNotFoundError):
            make_parent(path)
            path.mkdir(mode=0o700)
        if path.is_dir():
            return


def make_parent(path: str | os.PathLike[str]) -> None:
    """Make the folder above `path`, whose folders lie apart from one another. Raises OSError."""
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        with suppress(FileExistsError):
            os.makedirs(parent)
            spread(parent)


def step_ids(home: Path, kind: str = "steps") -> Iterator[StepId]:
    """Every step that has a folder below `kind` of `home`."""
    try:
        runs = sorted(os.listdir(home / kind))
    except FileNotFoundError:
        return
    for run in runs:
        try:
            names = sorted(os.listdir(home / kind / run))
        except (NotADirectoryError, FileNotFoundError):
            continue
        for name in names:
            node, _, incarnation = name.rpartition(".")
            if node and incarnation.isdigit():
                yield StepId(run_id=run, node_id=node, incarnation=int(incarnation))


@contextmanager
def told_errors() -> Iterator[None]:
    """Inside, errors of the operating system are told in Penstock's words. Raises NoSpace, Unavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"{error.filename or 'the disk'}: no space left") from None
        raise Unavailable(f"a step's files: {error}") from error


def remove_tree(path: Path) -> None:
    """Delete a file or folder, also what a step left unwritable. Nothing there is no error."""
    remove(str(path))
