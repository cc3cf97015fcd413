"""Objects in a folder of this machine.

An object lies at its key below the root, as what it is: a file, or a folder. `.store` in the root holds the store's
own: `notes`, and `work/<process>`, where files are written and removed ones wait for their end. Putting takes the
source by renaming it; on another file system it is copied.

The order of a put: content durable, note durable (folders), rename, parent durable. A crash before the rename leaves no
object and, where nothing had to be copied, the source; one after it leaves the whole object. Small objects that are
written together are durable before they have files of their own (`redo`).
"""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from penstock.adapters.objects import disk
from penstock.adapters.objects.digests import DigestWorker, digest_of
from penstock.adapters.objects.disk import Entry, translated
from penstock.adapters.objects.notes import Note, Notes
from penstock.adapters.objects.redo import Redo, contents_of, inherit
from penstock.adapters.objects.work import Work
from penstock.errors import DiskFailed, HomeError, InvalidInput, NotFound, PenstockError
from penstock.failpoints import passing
from penstock.keys import RESERVED, checked_key
from penstock.ports import ObjectInfo
from penstock.spreading import spread

__all__ = ["LocalObjects"]


class LocalObjects:
    """`ports.Objects` in a folder. Several processes may use one folder at once.

    `background` False leaves digests to who asks for them; nobody asks for those of keys that begin with one of
    `plain`. Raises HomeError where the folder cannot be written.
    """

    def __init__(self, root: Path, *, background: bool = True, plain: tuple[str, ...] = ()) -> None:
        self._root = root.absolute()
        self._front = f"{self._root}/"
        own = self._root / RESERVED
        self._notes = Notes(own / "notes")
        try:
            (own / "notes").mkdir(parents=True, exist_ok=True)
            spread(self._root)
            spread(own / "notes")
            self._work = Work(own / "work", self._inherit)
        except OSError as error:
            reason = error.strerror or str(error)
            raise HomeError(
                f"{root}: cannot be written ({reason}); give its user the right, or choose --home"
            ) from None
        self._plain = plain
        self._redo = Redo(self._work.path)
        self._failed: set[Path] = set()
        self._digests = DigestWorker(self._digest, self._work.journal, before=self._settle, working=background)
        if self._work.inherited or self._redo:
            self._digests.add(*self._work.inherited)

    def close(self) -> None:
        """Stop the background pass, with which the next process goes on, and let go of the folder."""
        self._digests.close()
        unsettled = True
        with suppress(PenstockError):
            self._settle()
            unsettled = False
        self._work.close(keep=unsettled)

    # --- ports.Objects --------------------------------------------------------------------------------------------

    def put(self, key: str, source: Path) -> ObjectInfo:
        """As the port says. Raises NotFound where there is no source, InvalidInput where it cannot be stored."""
        path = self._place(key)
        self._settle_below(key)
        with translated(key):
            entries = disk.survey(source)
            self._make_room(key, path)
            # What has another name elsewhere could be written through it.
            if any(e.links > 1 and not e.directory for e in entries):
                self._copy_in(key, source, entries)
            else:
                self._take(key, source, entries)
        return self._stored(key, entries)

    def write(self, key: str, data: bytes) -> ObjectInfo:
        """As the port says."""
        path = self._place(key)
        self._settle_below(key)
        with translated(key), self._work.temporary() as temporary:
            self._make_room(key, path)
            disk.written(temporary, data)
            entries = disk.survey(temporary)
            self._move_in(key, temporary, entries)
        return self._stored(key, entries)

    def build(self, key: str, make: Callable[[Path], None]) -> ObjectInfo:
        """As the port says."""
        self._place(key)
        with self._work.temporary() as temporary:
            with translated(key):
                make(temporary)
            return self.put(key, temporary)

    def write_all(self, contents: Mapping[str, bytes], files: Mapping[str, Path] = {}) -> Sequence[ObjectInfo]:
        """As the port says: a file that has no other name gets one more, which takes less than to make one."""
        new = {key: data for key, data in contents.items() if not os.path.lexists(self._place(key))}
        if new:
            passing("store.before")
            with translated(", ".join(new)):
                self._redo.add(new)
                for key, data in new.items():
                    self._lay(key, data, files.get(key))
            passing("store.after")
            self._digests.add(*(key for key in new if not key.startswith(self._plain)))
        return [
            ObjectInfo(key=key, size=len(data)) if key in new else self.write(key, data)
            for key, data in contents.items()
        ]

    @property
    def quick(self) -> bool:
        """As the port says, by how long the disk took of late."""
        return self._redo.quick

    def link(self, source: str, key: str) -> ObjectInfo:
        """As the port says: its files get further names. Nobody writes to what is stored."""
        path, _ = self._existing(source)
        target = self._place(key)
        self._settle_below(source)
        self._settle_below(key)
        with translated(key), self._work.temporary() as temporary:
            entries = disk.survey(path)
            self._make_room(key, target)
            try:
                disk.linked(path, entries, temporary)
            except OSError as error:
                if error.errno not in (errno.EMLINK, errno.EPERM):
                    raise
                disk.remove(temporary)
                disk.copied(path, entries, temporary)
                disk.seal(temporary, entries)
            self._move_in(key, temporary, entries)
        return self._stored(key, entries)

    def stat(self, key: str) -> ObjectInfo | None:
        """As the port says."""
        path = self._path(key)
        if not os.path.lexists(path) or path.is_symlink() or self._inside_object(key):
            return None
        if path.is_file():
            return ObjectInfo(key=key, size=path.stat().st_size)
        note = self._notes.get(key) if path.is_dir() else None
        if note is None or not note.directory:
            return None
        # A crash may leave the note of a folder that did not come to replace this one.
        size = note.size if note.changed == path.stat().st_mtime_ns else _size(disk.survey(path))
        return ObjectInfo(key=key, size=size, directory=True)

    def open(self, key: str, member: str = "") -> BinaryIO:
        """As the port says."""
        path, _ = self._existing(key)
        checked_key(f"{key}/{member}" if member else key)
        inside = path / member
        real = inside.resolve()
        if not real.is_relative_to(path.resolve()) or not real.is_file():
            raise NotFound(f"object {key!r} has no file {member!r}" if member else f"object {key!r} is a folder")
        with translated(key):
            return real.open("rb")

    def members(self, key: str) -> Sequence[ObjectInfo]:
        """As the port says. A link to a file inside is a file; links to folders are left out."""
        path, _ = self._existing(key)
        with translated(key):
            found = [e for e in (disk.survey(path) if path.is_dir() else ()) if not e.directory]
        infos = [
            ObjectInfo(key=e.path, size=(path / e.path).stat().st_size) for e in found if (path / e.path).is_file()
        ]
        return sorted(infos, key=lambda info: info.key)

    def local(self, key: str) -> Path | None:
        """As the port says."""
        return self._path(key) if self.stat(key) else None

    def reach(self, key: str) -> Path | None:
        """As the port says."""
        path = self._path(key)
        # A link that a step has left in its folder leads nowhere else.
        inside = path.resolve().is_relative_to(self._root.resolve())
        return path if inside and path.exists() else None

    def digest(self, key: str) -> str:
        """As the port says."""
        return self._digest(key)

    def undigested(self) -> Sequence[str]:
        """As the port says."""
        return list(dict.fromkeys(self._work.journals()))

    def below(self, prefix: str) -> Mapping[str, float]:
        """As the port says."""
        path = self._path(prefix)
        if self._inside_object(f"{prefix}/x") or not path.is_dir():
            return {}
        with translated(prefix), os.scandir(path) as found:
            return {entry.name: entry.stat(follow_symlinks=False).st_mtime for entry in found}

    def size(self, prefix: str) -> int:
        """As the port says: files that have another name stay with that."""
        path = self._path(prefix)
        with translated(prefix):
            found = disk.survey(path) if os.path.lexists(path) else []
        return sum(entry.size for entry in found if entry.links == 1)

    def delete(self, prefix: str) -> None:
        """As the port says. What is inside an object is no object, and stays."""
        path = self._path(prefix)
        if self._inside_object(prefix) or not os.path.lexists(path):
            return
        self._settle_below(prefix)
        with translated(prefix):
            self._work.discard(path)
            disk.sync(path.parent)
            self._notes.remove(prefix)
            self._work.empty()

    # --- parts ----------------------------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        return Path(self._front + checked_key(key))

    def _existing(self, key: str) -> tuple[Path, ObjectInfo]:
        info = self.stat(key)
        if info is None:
            raise NotFound(f"no object has the key {key!r}")
        return self._path(key), info

    def _inside_object(self, key: str) -> bool:
        return self._above(key) is not None

    def _above(self, key: str) -> str | None:
        """The key of the object in which `key` would lie."""
        end = key.find("/")
        while end > 0:
            prefix = key[:end]
            try:
                mode = os.lstat(self._front + prefix).st_mode
            except FileNotFoundError:
                return None
            if not stat.S_ISDIR(mode):
                return prefix
            note = self._notes.get(prefix)
            if note and note.directory:
                return prefix
            end = key.find("/", end + 1)
        return None

    def _place(self, key: str) -> Path:
        """Where an object of this key goes. Raises InvalidInput where others are in the way."""
        path = self._path(key)
        above = self._above(key)
        if above is None and path.is_dir() and self.stat(key) is None and any(path.iterdir()):
            above = f"{key}/{next(path.iterdir()).name}"
        if above is not None:
            raise InvalidInput(f"object key: got {key!r}, but an object stands at {above!r}; choose another key")
        return path

    def _lay(self, key: str, data: bytes, file: Path | None) -> None:
        """The file of an object that is durable already."""
        path = self._path(key)
        self._make_room(key, path, durable=False)
        if file is not None and disk.named(file, path):
            return
        with self._work.temporary() as temporary:
            disk.written(temporary, data, durable=False)
            os.replace(temporary, path)

    def _settle(self) -> None:
        """Make the files durable that were laid. Raises NoSpace, Unavailable, DiskFailed."""
        with translated(self._root):
            self._redo.settle(self._keep)

    def _keep(self, pile: Path, keys: Sequence[str]) -> None:
        """The files of these objects; what is gone was deleted meanwhile."""
        paths = [self._path(key) for key in keys]
        folders = {folder: None for path in paths for folder in path.parents if folder.is_relative_to(self._root)}
        try:
            for path in (*paths, *folders):
                if path not in self._failed:
                    with suppress(FileNotFoundError):
                        disk.sync(path)
        except DiskFailed:
            self._failed.update(paths)
        if self._failed:
            self._lay_again(pile)
            self._failed.difference_update(paths)

    def _settle_below(self, prefix: str) -> None:
        """What is about to change must not be laid again from before the change, nor what gets another name be lost."""
        if self._redo.holds(prefix):
            self._settle()

    def _lay_again(self, pile: Path, *, missing: bool = False) -> None:
        """Durable files of what lies in a pile, also those that are `missing`."""
        for key, data in contents_of(pile).items():
            path = self._path(key)
            if missing or path.is_file():
                temporary = pile.with_name(uuid.uuid4().hex)
                disk.written(temporary, data)
                disk.made(path.parent, self._root)
                os.replace(temporary, path)
                disk.sync(path.parent)

    def _inherit(self, theirs: Path, ours: Path) -> None:
        with translated(theirs):
            inherit(theirs, ours, lambda pile: self._lay_again(pile, missing=True))

    def _make_room(self, key: str, path: Path, *, durable: bool = True) -> None:
        """The folders above the object. Notes of folders that are gone must not make them objects."""
        if path.parent.is_dir():
            return
        folder, prefix = path.parent, key
        while not folder.exists():
            folder, prefix = folder.parent, prefix.rpartition("/")[0]
            self._notes.remove(prefix)
        disk.made(path.parent, self._root, durable=durable)

    def _take(self, key: str, source: Path, entries: Sequence[Entry]) -> None:
        """By reference, or as a copy where the source is on another file system."""
        disk.seal(source, entries)
        try:
            self._move_in(key, source, entries)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy_in(key, source, entries)

    def _copy_in(self, key: str, source: Path, entries: Sequence[Entry]) -> None:
        with self._work.temporary() as temporary:
            disk.copied(source, entries, temporary)
            disk.seal(temporary, entries)
            self._move_in(key, temporary, entries)
        disk.remove(source)

    def _move_in(self, key: str, sealed: Path, entries: Sequence[Entry]) -> None:
        """Let what is sealed become the object, in place of what is there."""
        passing("store.before")
        path, directory = self._root / key, entries[0].directory
        there = os.path.lexists(path)
        if directory:
            changed = sealed.stat().st_mtime_ns
            self._notes.put(key, Note(directory=True, size=_size(entries), changed=changed))
        if directory or (there and path.is_dir()):
            with self._work.aside(path):
                os.replace(sealed, path)
            os.chmod(path, 0o555 if directory else 0o444)
        else:
            os.replace(sealed, path)
        disk.sync(path.parent)
        if there and not directory:
            self._notes.remove(key)
        self._work.empty()
        passing("store.after")

    def _stored(self, key: str, entries: Sequence[Entry]) -> ObjectInfo:
        if not key.startswith(self._plain):
            self._digests.add(key)
        return ObjectInfo(key=key, size=_size(entries), directory=entries[0].directory)

    def _digest(self, key: str, going: Callable[[], bool] = lambda: True) -> str:
        path, info = self._existing(key)
        with translated(key):
            changed = path.stat().st_mtime_ns
            note = self._notes.get(key)
            if note and note.digest and (note.changed, note.size) == (changed, info.size):
                return note.digest
            digest = digest_of(path, going)
            if digest:
                note = Note(directory=info.directory, size=info.size, changed=changed, digest=digest)
                self._notes.put(key, note)
            return digest


def _size(entries: Sequence[Entry]) -> int:
    return sum(entry.size for entry in entries)
