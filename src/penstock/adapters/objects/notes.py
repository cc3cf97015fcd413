"""What a local store knows of its objects beside their content: which folders are objects, sizes, digests.

A note lies outside of the objects, under `.store/notes`. A folder is an object when it has a note, and else a part of
longer keys; so the note is durable before the folder is. A digest counts only for the content that it was made of,
known by the time of its last change and its size.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import msgspec

from penstock.adapters.objects import disk

__all__ = ["Note", "Notes"]


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One object's note. `changed` is the content's time of last change in nanoseconds."""

    directory: bool = False
    size: int = 0
    changed: int = 0
    digest: str = ""


class Notes:
    """Notes by key, in files of their own. Folders in their paths end in .d and notes in .n, so no two keys clash."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._front = f"{root}/"

    def get(self, key: str) -> Note | None:
        """The note; None where there is none that can be read."""
        try:
            with open(self._name(key), "rb") as file:
                return msgspec.json.decode(file.read(), type=Note)
        except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
            return None

    def put(self, key: str, note: Note) -> None:
        """Store a note. That of a folder is durable when this returns; that of a file can be made again."""
        path = self._path(key)
        disk.made(path.parent, self._root)
        temporary = path.with_name(uuid.uuid4().hex)
        try:
            disk.written(temporary, msgspec.json.encode(note), durable=note.directory)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if note.directory:
            disk.sync(path.parent)

    def remove(self, prefix: str) -> None:
        """Forget the note of a key and of all below it."""
        path = self._path(prefix)
        disk.remove(path)
        disk.remove(path.with_name(path.name[:-2] + ".d"))

    def _path(self, key: str) -> Path:
        return Path(self._name(key))

    def _name(self, key: str) -> str:
        return f"{self._front}{key.replace('/', '.d/')}.n"
