"""What is laid into a step's layers before it starts: its inputs, its volumes, what its root hides and shows."""

from __future__ import annotations

import functools
import os
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import penstock
from penstock.adapters.local.process.folders import StepFolder, remove_tree
from penstock.adapters.local.process.isolation import Isolation
from penstock.adapters.local.process.layers import make_opaque, place
from penstock.errors import InvalidInput
from penstock.ports import ImageRule, Input, Step
from penstock.workflow.pods import Mount, Volume

__all__ = [
    "Laid",
    "Shown",
    "canonical",
    "lay_out",
    "made_below",
    "made_volume",
    "plain_below",
    "seen_at",
    "shown_paths",
]

_KERNEL = ("proc", "sys", "dev")
_EVERYWHERE = ("/tmp", "/run", "/dev/shm")  # noqa: S108 - of the step
"""Folders that every root has of its own: nothing can be laid there, but a volume can be mounted."""


class Shown(NamedTuple):
    """A folder that a step sees at `spot`: what lies `below` in `folder`. `own`: it ends with the step."""

    spot: str
    folder: str
    below: str
    read_only: bool
    own: bool


@dataclass(frozen=True, slots=True)
class Laid:
    """What was laid. `skel`: there is a layer of hard links. `own_tops`: top-level folders that must be writable.

    `mounts` are the volumes to be shown in the root, outer ones first.
    """

    skel: bool
    own_tops: tuple[str, ...]
    mounts: tuple[Shown, ...]


def lay_out(
    folder: StepFolder, step: Step, base: str, isolation: Isolation, shared: Mapping[str, str] | None = None
) -> Laid:
    """Lay inputs and folders of `step` into its layers. `base` is the lower root, "/" for the host's; `shared` are the
    folders of volumes that it shares with other containers, by name.

    Raises InvalidInput for a path that cannot be laid, FileNotFoundError for an input that is gone, OSError.
    """
    linked = isolation.links and any(item.source for item in step.inputs)
    if linked:
        os.mkdir(folder.file("skel"), 0o755)
        os.mkdir(folder.file("stage"), 0o755)
    layout = _Layout(folder, base, isolation, linked, shared or {})
    if isolation.way != "rewrite":
        layout.private("tmp", 0o1777)
        if base == "/":
            layout.private("run", 0o755)
        elif isolation.way == "overlay":
            layout.names()
    else:
        os.makedirs(folder.file("upper/tmp"), exist_ok=True)
    for mount in step.mounts:
        layout.mount(mount, step.volume(mount.volume))
    for item in step.inputs:
        layout.lay(item)
    return Laid(linked, tuple(sorted(layout.own_tops)), tuple(sorted(layout.mounts)))


_HOSTS = b"127.0.0.1 localhost\n::1 localhost\n"


def _host_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def made_volume(folder: str, volume: Volume) -> str:
    """Make `folder`, which stands for a volume that ends with its step."""
    os.makedirs(folder)
    os.chmod(folder, 0o777)  # noqa: S103 - a volume of the step's own, whoever the step becomes
    for path, content in volume.files:
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        with open(f"{folder}/{path}", "wb") as file:
            file.write(content)
    return folder


class _Layout:
    def __init__(
        self, folder: StepFolder, base: str, isolation: Isolation, linked: bool, shared: Mapping[str, str]
    ) -> None:
        self._folder = folder
        self._base = base.rstrip("/")
        self._isolation = isolation
        self._layer = "skel" if linked else "upper"
        self._volumes = dict(shared)
        self.own_tops: set[str] = set()
        self.mounts: list[Shown] = []

    def private(self, name: str, mode: int) -> None:
        """A top-level folder of the step's own; the host's is not seen, an image's is."""
        exists = os.path.isdir(f"{self._base}/{name}") and not os.path.islink(f"{self._base}/{name}")
        path = self._folder.file(f"{self._layer}/{name}")
        if exists or not os.path.lexists(f"{self._base}/{name}"):
            os.mkdir(path)
            os.chmod(path, mode)
        if exists and self._isolation.way == "overlay" and not self._base:
            make_opaque(path, privileged=True)

    def names(self) -> None:
        """The files by which names are resolved, as every container has them, where an image lacks them."""
        for path, content in (("/etc/hosts", _HOSTS), ("/etc/resolv.conf", _host_file("/etc/resolv.conf"))):
            if not os.path.lexists(self._base + path):
                self.input(path, "", content)

    def mount(self, mount: Mount, volume: Volume) -> None:
        """A volume, or what lies at the mount's `sub_path` in it, at the mount's path."""
        below = plain_below(mount.sub_path)
        single = next((content for path, content in volume.files if path == below), None)
        if single is not None:
            self.input(mount.path, "", single)
            return
        folder = volume.folder or self._own_volume(volume)
        source = made_below(folder, below) if below else folder
        spot = self._place_for(mount.path, source)
        read_only = mount.read_only or bool(volume.files)
        self.mounts.append(Shown(spot, folder, below, read_only, not volume.folder))

    def _own_volume(self, volume: Volume) -> str:
        """The folder of a volume that ends with the step; the same for all its mounts."""
        if volume.name not in self._volumes:
            self._volumes[volume.name] = made_volume(self._folder.file(f"volumes/{len(self._volumes)}"), volume)
        return self._volumes[volume.name]

    def _place_for(self, path: str, source: str) -> str:
        """Make where `source` is to be seen; its canonical path."""
        plain = path.rstrip("/")
        if plain in _EVERYWHERE:
            if self._isolation.way == "rewrite":
                target = self._folder.file(f"upper{plain}")
                remove_tree(Path(target))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.symlink(source, target)
            return plain
        layer, spot = self._spot(path, linked=False)
        target = self._parents(layer, spot) + "/" + spot.rpartition("/")[2]
        if self._isolation.way == "rewrite":
            os.symlink(source, target)
        elif os.path.isfile(source):
            open(target, "xb").close()
        else:
            with suppress(FileExistsError):
                os.mkdir(target)
            make_opaque(target, privileged=self._isolation.user is None)
        return spot

    def lay(self, item: Input) -> None:
        """An input, with its mode."""
        # A file that has two names has one mode: the store's own keeps its.
        copied = item.mode is not None and (item.recurse or not os.path.isdir(item.source))
        target = self.input(item.path, item.source, item.content, copied=copied)
        if item.mode is not None:
            _give_mode(target, item.mode, item.recurse)

    def input(self, path: str, source: str, content: bytes | None, *, copied: bool = False) -> str:
        """A stored object or bytes at `path`; what lies on a volume is the volume's. Where it lies now."""
        layer, spot = self._spot(path, linked=bool(source))
        on = seen_at(self.mounts, spot)
        if on is not None:
            layer, target = "", made_below(on.folder, plain_below(f"{on.below}{spot[len(on.spot) :]}"), file=True)
        else:
            target = self._parents(layer, spot) + "/" + spot.rpartition("/")[2]
        remove_tree(Path(target))
        if source:
            place(source, target, linked=layer == "skel" and not copied)
        else:
            with open(target, "xb") as file:
                file.write(content or b"")
        return target

    def _spot(self, path: str, *, linked: bool) -> tuple[str, str]:
        """Layer and canonical path for something to be laid at `path`."""
        if not path.startswith("/") or "\0" in path or path.rstrip("/") in ("", "/tmp", "/run"):  # noqa: S108
            raise InvalidInput(f"path {path!r}: expected an absolute path inside the step, below its top folders")
        spot = canonical("" if self._isolation.way == "rewrite" else self._base, path, self._hidden(path))
        top = spot.split("/")[1]
        if top in _KERNEL:
            raise InvalidInput(f"path {path!r}: {'/' + top} belongs to the kernel; choose another folder")
        if self._isolation.way == "bind" and top not in ("tmp", "run") and os.path.isdir(f"{self._base}/{top}"):
            self.own_tops.add(top)
            return "upper", spot
        # What is laid by hand goes to the same layer as what is linked: one layer decides what is hidden.
        return (self._layer if linked or self._isolation.way == "overlay" else "upper"), spot

    def _hidden(self, path: str) -> bool:
        return self._isolation.way == "rewrite" or path.startswith("/tmp/")  # noqa: S108

    def _parents(self, layer: str, spot: str) -> str:
        """Make the folders above `spot` in `layer`, each looking like the lower root's own where that has it."""
        path, made = "", self._folder.file(layer)
        for name in spot.split("/")[1:-1]:
            path, made = f"{path}/{name}", f"{made}/{name}"
            # Unless it is a volume's it is an artifact's, and may lead anywhere on this machine.
            if os.path.islink(made) and not any(mount.spot == path for mount in self.mounts):
                raise InvalidInput(f"path {spot!r}: {path!r} is a symbolic link in an input; choose another path")
            if os.path.lexists(made):
                continue
            os.mkdir(made, 0o755)
            with suppress(OSError):
                info = os.stat(self._base + path)
                if stat.S_ISDIR(info.st_mode) and not self._hidden(path + "/"):
                    os.chown(made, info.st_uid, info.st_gid)
                    os.chmod(made, stat.S_IMODE(info.st_mode))
        return made


def _give_mode(path: str, mode: int, recurse: bool) -> None:
    """Give a file or folder, and all that lies in it where `recurse` is set, these permissions; links are left."""
    for folder, folders, files in os.walk(path, topdown=False) if recurse else ():
        for name in (*folders, *files):
            if not os.path.islink(f"{folder}/{name}"):
                os.chmod(f"{folder}/{name}", mode)
    if not os.path.islink(path):
        os.chmod(path, mode)


def seen_at(mounts: Iterable[Shown], spot: str) -> Shown | None:
    """The volume on which the canonical path `spot` lies, the innermost of several."""
    found = [each for each in mounts if spot == each.spot or spot.startswith(f"{each.spot}/")]
    return max(found, key=lambda each: len(each.spot), default=None)


def plain_below(path: str) -> str:
    """A path below a volume, without `.` and ends. Raises InvalidInput for one that leads out of it."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in path:
        raise InvalidInput(f"subPath {path!r:.200}: expected a path inside the volume")
    return "/".join(parts)


def made_below(folder: str, path: str, *, file: bool = False) -> str:
    """The folder at `path` below `folder`, made where it is missing; with `file` the one that a file is to lie in.

    Whoever writes to a volume may leave links there: none is followed. Raises InvalidInput. Returns the whole path.
    """
    here, parts = folder, path.split("/")
    for part in parts[:-1] if file else parts:
        here = f"{here}/{part}"
        with suppress(FileExistsError):
            os.mkdir(here)
            os.chmod(here, 0o777)  # noqa: S103 - whoever the step becomes
        if os.path.islink(here) or (part is not parts[-1] and not os.path.isdir(here)):
            raise InvalidInput(f"volume: {path!r:.200} leads through a link or a file")
    return f"{folder}/{path}"


def canonical(base: str, path: str, hidden: bool = False) -> str:
    """`path` with `.`, `..` and, unless `hidden`, the lower root's links in its folders resolved."""
    rest = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    done: list[str] = []
    for _ in range(1000):
        if not rest:
            break
        part = rest.pop()
        whole = base + "/" + "/".join([*done, part])
        if part == "..":
            done = done[:-1]
        elif rest and not hidden and os.path.islink(whole):
            target = os.readlink(whole)
            done = [] if target.startswith("/") else done
            rest += [p for p in reversed(target.split("/")) if p not in ("", ".")]
        else:
            done.append(part)
    if not done or rest:
        raise InvalidInput(f"path {path!r}: expected the path of a file or folder inside the step")
    return "/" + "/".join(done)


def shown_paths(home: Path, rule: ImageRule, environment: Mapping[str, object] | None) -> list[str]:
    """Paths of the host that a step on the host's root needs although they lie in folders that are its own.

    This interpreter, Penstock itself, what the image's rule names, the step's environment, the resolver's settings.
    """
    needed = {sys.prefix, sys.base_prefix, str(Path(penstock.__file__).parent.parent), *_links(sys.executable)}
    words = (*rule.entrypoint, *rule.cmd, *rule.env.values())
    needed |= {os.path.dirname(word) for word in words if word.startswith("/") and os.path.isfile(word)}
    needed |= {word for word in words if word.startswith("/") and os.path.isdir(word)}
    hidden = ("/tmp/", "/run/", f"{home}/")  # noqa: S108
    shown = [path for path in needed if path.startswith(hidden) and not f"{home}/".startswith(path + "/")]
    resolver = os.path.dirname(os.path.realpath("/etc/resolv.conf"))
    if resolver.startswith("/run/"):
        shown.append(resolver)
    if environment is not None:
        shown.append(str(environment["dir"]))
    return sorted(shown)


@functools.cache
def _links(path: str) -> Sequence[str]:
    """The folders through which a link leads to its file."""
    found: list[str] = []
    while os.path.islink(path):
        path = os.path.join(os.path.dirname(path), os.readlink(path))
        found.append(os.path.dirname(path))
    return found
