"""The root of an ended step, read from its layers without mounting anything.

A path is resolved as the step would have resolved it: link by link, `..` never above the root, an absolute link from
the root again. Upper layers hide lower ones as the kernel's overlay has it: a whiteout (a character device 0:0) is
no file, an opaque folder hides the folders below it. Only for ended steps: nobody changes the layers meanwhile.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from penstock.adapters.local.process.folders import remove_tree

__all__ = ["Layers", "make_opaque", "place"]

_OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")
_MOST_LINKS = 40
_FICLONE = 0x40049409


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at a path: the real paths of all layers that take part in it, uppermost first.

    `depth` is the index of the uppermost one's layer. More than one only for folders that are merged.
    """

    paths: tuple[str, ...]
    depth: int

    @property
    def path(self) -> str:
        return self.paths[0]

    @property
    def folder(self) -> bool:
        return stat.S_ISDIR(os.lstat(self.path).st_mode)


class Layers:
    """Layers of a root, uppermost first. `own` of them belong to the step; the others must never be written.

    `hidden` are whole paths in the lower layers that the step did not see.
    """

    def __init__(self, layers: Sequence[str], own: int, hidden: Iterable[str] = ()) -> None:
        self._layers = [layer.rstrip("/") for layer in layers]
        self._own = own
        self._hidden = frozenset(hidden)

    def find(self, path: str) -> Found | None:
        """What the step would have found at `path`, links followed; None where there is nothing."""
        links = 0
        rest = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        done: list[str] = []
        here = self._root()
        while rest:
            part = rest.pop()
            if part == "..":
                done = done[:-1]
                here = self._again(done)
                continue
            found = self._child(here, part)
            if found is None:
                return None
            target = self._link(found)
            if target is None:
                done.append(part)
                here = found
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            rest += [p for p in reversed(target.split("/")) if p not in ("", ".")]
            if target.startswith("/"):
                done, here = [], self._root()
        return here

    def owns(self, found: Found) -> bool:
        """Whether it lies in a layer of the step's own."""
        return found.depth < self._own

    def names(self, path: str) -> list[str]:
        """Names in the folder at `path`, sorted; none where it is no folder."""
        found = self.find(path)
        return sorted(self._entries(found)) if found is not None and found.folder else []

    def take(self, path: str, target: Path) -> bool:
        """Move (or link, or copy: what a lower layer holds stays there) what lies at `path` to `target`.

        `target` is there whole or not at all, whatever crashes.
        """
        found = self.find(path)
        if found is None:
            return False
        if found.depth == 0 and self.owns(found) and self._pure(found):
            try:
                os.rename(found.path, target)
                return True
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
        part = Path(f"{target}.part")
        remove_tree(part)
        self._copy(found, str(part))
        os.rename(part, target)
        return True

    # --- walking ----------------------------------------------------------------------------------------------------

    def _root(self) -> Found:
        return Found(tuple(layer or "/" for layer in self._layers), 0)

    def _again(self, parts: Sequence[str]) -> Found:
        here = self._root()
        for part in parts:
            here = self._child(here, part) or here
        return here

    def _child(self, parent: Found, name: str) -> Found | None:
        """The entry `name` of a folder, merged over its layers."""
        paths: list[str] = []
        depth = 0
        for index, folder in enumerate(parent.paths):
            path = f"{folder.rstrip('/')}/{name}"
            if path in self._hidden:
                continue
            try:
                info = os.lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            if stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
                break
            if paths and not stat.S_ISDIR(info.st_mode):
                break
            depth = depth if paths else parent.depth + index
            paths.append(path)
            if not stat.S_ISDIR(info.st_mode) or _opaque(path):
                break
        return Found(tuple(paths), depth) if paths else None

    def _link(self, found: Found) -> str | None:
        if not stat.S_ISLNK(os.lstat(found.path).st_mode):
            return None
        target = os.readlink(found.path)
        # Without a root of its own a step writes its links with the whole path of its folder.
        top = self._layers[0]
        return target[len(top) :] or "/" if target == top or target.startswith(top + "/") else target

    def _entries(self, found: Found) -> set[str]:
        names = {name for path in found.paths for name in os.listdir(path)}
        return {name for name in names if self._child(found, name) is not None}

    # --- taking -----------------------------------------------------------------------------------------------------

    def _pure(self, found: Found) -> bool:
        return len(found.paths) == 1

    def _copy(self, found: Found, target: str) -> None:
        mode = os.lstat(found.path).st_mode
        if stat.S_ISDIR(mode):
            os.mkdir(target)
            for name in self._entries(found):
                child = self._child(found, name)
                assert child is not None
                self._copy(child, f"{target}/{name}")
            os.chmod(target, stat.S_IMODE(mode) | stat.S_IRWXU)
        elif stat.S_ISLNK(mode):
            os.symlink(os.readlink(found.path), target)
        elif stat.S_ISREG(mode):
            place(found.path, target, linked=self.owns(found))


def _opaque(path: str) -> bool:
    for name in _OPAQUE:
        with suppress(OSError):
            if os.getxattr(path, name, follow_symlinks=False) == b"y":
                return True
    return False


def make_opaque(path: str, *, privileged: bool) -> None:
    """Let the folder at `path` of a layer hide what lower layers have there."""
    os.setxattr(path, _OPAQUE[0] if privileged else _OPAQUE[1], b"y", follow_symlinks=False)


def place(source: str, target: str, *, linked: bool) -> None:
    """Put the file or folder `source` at `target`, as cheaply as can be: hard links, else shared extents, else a copy.

    `linked` False forbids hard links: `target` will be written. Links inside a folder stay links.
    """
    if os.path.isdir(source) and not os.path.islink(source):
        os.mkdir(target)
        for name in os.listdir(source):
            place(f"{source}/{name}", f"{target}/{name}", linked=linked)
        shutil.copystat(source, target)
        return
    if linked:
        try:
            os.link(source, target, follow_symlinks=False)
            return
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    else:
        _duplicate(source, target)


def _duplicate(source: str, target: str) -> None:
    import fcntl

    with open(source, "rb") as old, open(target, "xb") as new:
        try:
            fcntl.ioctl(new, _FICLONE, old.fileno())
        except OSError:
            shutil.copyfileobj(old, new, 1 << 20)
    shutil.copymode(source, target)


def tidy(path: str, note: Callable[[str], None]) -> None:
    """Make a taken file or folder readable for us, and drop what is neither file, folder nor link."""
    info = os.lstat(path)
    if stat.S_ISDIR(info.st_mode):
        if info.st_mode & stat.S_IRWXU != stat.S_IRWXU:
            os.chmod(path, stat.S_IMODE(info.st_mode) | stat.S_IRWXU)
        for name in os.listdir(path):
            tidy(f"{path}/{name}", note)
    elif stat.S_ISREG(info.st_mode):
        if not info.st_mode & stat.S_IRUSR:
            os.chmod(path, stat.S_IMODE(info.st_mode) | stat.S_IRUSR)
    elif not stat.S_ISLNK(info.st_mode):
        note(f"{path} is neither file nor folder; it is left out")
        os.unlink(path)
