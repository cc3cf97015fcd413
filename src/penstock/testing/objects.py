"""Objects in memory."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from penstock.errors import InvalidInput, NotFound
from penstock.keys import checked_key, tree_digest
from penstock.ports import ObjectInfo

__all__ = ["MemoryObjects"]


@dataclass(frozen=True)
class _Folder:
    """Files by relative path, those that links lead to among them; and the links' targets."""

    files: Mapping[str, bytes]
    links: Mapping[str, str]


class MemoryObjects:
    """`ports.Objects` without a disk."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes | _Folder] = {}

    def put(self, key: str, source: Path) -> ObjectInfo:
        """As the port says."""
        self._free(key)
        if not os.path.lexists(source):
            raise NotFound(f"{source}: nothing there to store")
        _refuse(source, source)
        content = _folder(source) if source.is_dir() else source.read_bytes()
        shutil.rmtree(source) if source.is_dir() else source.unlink()
        return self._keep(key, content)

    def write(self, key: str, data: bytes) -> ObjectInfo:
        """As the port says."""
        self._free(key)
        return self._keep(key, bytes(data))

    def build(self, key: str, make: Callable[[Path], None]) -> ObjectInfo:
        """As the port says."""
        self._free(key)
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder) / "made")
            return self.put(key, Path(folder) / "made")

    def write_all(self, contents: Mapping[str, bytes], files: Mapping[str, Path] = {}) -> Sequence[ObjectInfo]:
        """As the port says."""
        for key in (*contents, *files):
            self._free(key)
        return [self.write(key, data) for key, data in contents.items()]

    quick = True

    def link(self, source: str, key: str) -> ObjectInfo:
        """As the port says."""
        self._free(key)
        return self._keep(key, self._existing(source))

    def stat(self, key: str) -> ObjectInfo | None:
        """As the port says."""
        content = self._objects.get(checked_key(key))
        return None if content is None else _info(key, content)

    def open(self, key: str, member: str = "") -> BinaryIO:
        """As the port says."""
        content = self._existing(key)
        found = content.files.get(member) if isinstance(content, _Folder) else None if member else content
        if found is None:
            raise NotFound(f"object {key!r} has no file {member!r}")
        return io.BytesIO(found)

    def members(self, key: str) -> Sequence[ObjectInfo]:
        """As the port says."""
        content = self._existing(key)
        files = content.files if isinstance(content, _Folder) else {}
        return [ObjectInfo(key=name, size=len(data)) for name, data in sorted(files.items())]

    def local(self, key: str) -> Path | None:
        """There is never a path."""
        checked_key(key)
        return None

    def reach(self, key: str) -> Path | None:
        """There is never a path."""
        return self.local(key)

    def digest(self, key: str) -> str:
        """As the port says."""
        content = self._existing(key)
        if isinstance(content, bytes):
            return _sha256(content)
        files = ((name, _sha256(data)) for name, data in content.files.items() if name not in content.links)
        return tree_digest((*files, *content.links.items()))

    def undigested(self) -> Sequence[str]:
        """As the port says; there is no background pass."""
        return []

    def below(self, prefix: str) -> Mapping[str, float]:
        """As the port says; nothing is ever young."""
        front = checked_key(prefix) + "/"
        return {key.removeprefix(front).partition("/")[0]: 0.0 for key in self._objects if key.startswith(front)}

    def size(self, prefix: str) -> int:
        """As the port says."""
        front = checked_key(prefix) + "/"
        return sum(_info(k, v).size for k, v in self._objects.items() if k == prefix or k.startswith(front))

    def delete(self, prefix: str) -> None:
        """As the port says."""
        checked_key(prefix)
        self._objects = {k: v for k, v in self._objects.items() if k != prefix and not k.startswith(prefix + "/")}

    def _free(self, key: str) -> None:
        checked_key(key)
        for other in self._objects:
            if key.startswith(other + "/") or other.startswith(key + "/"):
                raise InvalidInput(f"object key: got {key!r}, but an object stands at {other!r}; choose another key")

    def _keep(self, key: str, content: bytes | _Folder) -> ObjectInfo:
        self._objects[key] = content
        return _info(key, content)

    def _existing(self, key: str) -> bytes | _Folder:
        content = self._objects.get(checked_key(key))
        if content is None:
            raise NotFound(f"no object has the key {key!r}")
        return content


def _folder(source: Path) -> _Folder:
    found = list(source.rglob("*"))
    for path in found:
        _refuse(path, source)
    names = {path: path.relative_to(source).as_posix() for path in found}
    return _Folder(
        files={names[path]: path.read_bytes() for path in found if path.is_file()},
        links={names[path]: str(path.readlink()) for path in found if path.is_symlink()},
    )


def _refuse(path: Path, top: Path) -> None:
    """Links that lead out and special files are refused, as a real store does."""
    inside = path.resolve().is_relative_to(top.resolve()) and not (path == top and path.is_symlink())
    if not inside or (path.exists() and not (path.is_file() or path.is_dir())):
        raise InvalidInput(f"{path}: neither a file nor a folder of its own; it cannot be stored")


def _info(key: str, content: bytes | _Folder) -> ObjectInfo:
    if isinstance(content, bytes):
        return ObjectInfo(key=key, size=len(content))
    size = sum(len(data) for name, data in content.files.items() if name not in content.links)
    return ObjectInfo(key=key, size=size, directory=True)


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
