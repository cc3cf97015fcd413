"""The private root of a step, made by its first process in a mount namespace of its own.

Two ways. `overlay` (as root): one overlay over the whole lower root; what the step writes lands in `upper`. `bind`
(unprivileged): `upper` itself is the root, and the lower root's top-level folders are laid over it, the system's
read-only, the others as overlays where the kernel lets us. Either way `upper` alone holds what the step wrote, and
a folder `skel`, where there is one, holds hard links to the step's inputs: a lower layer is never written.

The current folder is the step's own folder; the names used here are relative to it.
"""

from __future__ import annotations

import os
import select
import stat
from contextlib import suppress
from typing import Any

from penstock.adapters.local.process import kernel

__all__ = ["Seen", "enter", "map_user"]

_OPTIONS = "redirect_dir=off,metacopy=off,index=off"
_UPPER_OPTIONS = f"{_OPTIONS},volatile"
"""What a step writes becomes durable when it is stored. Without `volatile` its root's end would sync the whole disk."""
_API = frozenset({"proc", "sys", "dev", "tmp", "lost+found"})
_SYSTEM = frozenset({"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "boot"})
_NODES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICES = ("nvidia", "kfd", "fuse", "kvm")


def map_user(uid: int, gid: int) -> None:
    """Be root inside the new user namespace, which is `uid` and `gid` outside."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def enter(spec: dict[str, Any], seen: Seen) -> None:
    """Make the private root that `spec` describes and move this process into it, alone.

    Raises OSError naming the call.
    """
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    submounts = seen.submounts(spec["base"])
    if spec["way"] == "overlay":
        _overlay_root(spec)
    else:
        _bound_root(spec, submounts)
    _api_folders(spec, seen)
    if spec["way"] == "overlay":
        for path in submounts:
            _try_bind(path, "root" + path[len(spec["base"].rstrip("/")) :])
    for path in spec["masks"]:
        if os.path.isdir("root" + path):
            kernel.mount("none", "root" + path, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
    for path in spec["shown"]:
        _show(path)
    for spot, folder, below, read_only, _ in spec.get("mounts", ()):
        _show_volume(spot, folder, below, read_only=read_only)
    kernel.pivot("root")


def _overlay_root(spec: dict[str, Any]) -> None:
    lower = _escaped(spec["base"])
    if spec["skel"] and spec["base"] != "/":
        lower = f"skel:{lower}"
    elif spec["skel"]:
        # Two lower layers may not lie inside each other, and everything lies inside `/`. A read-only overlay over `/`
        # is another file system, in which our folder is no ancestor of anything.
        kernel.mount("none", "stage", "tmpfs", 0, "size=1m,mode=755")
        os.mkdir("stage/none")
        os.mkdir("stage/base")
        kernel.mount("none", "stage/base", "overlay", kernel.MS_RDONLY, f"lowerdir={lower}:stage/none,{_OPTIONS}")
        lower = "skel:stage/base"
    kernel.mount("none", "root", "overlay", 0, f"lowerdir={lower},upperdir=upper,workdir=work,{_UPPER_OPTIONS}")


def _bound_root(spec: dict[str, Any], submounts: list[str]) -> None:
    if spec["skel"]:
        data = f"lowerdir=skel,upperdir=upper,workdir=work,userxattr,{_UPPER_OPTIONS}"
        kernel.mount("none", "root", "overlay", 0, data)
    else:
        kernel.bind("upper", "root", writable=True)
    base = spec["base"].rstrip("/")
    for name in sorted(os.listdir(base or "/")):
        if name not in _API and not (name == "run" and not base):
            _lay_top(spec, name, f"{base}/{name}", any(path.startswith(f"{base}/{name}/") for path in submounts))


def _lay_top(spec: dict[str, Any], name: str, source: str, crowded: bool) -> None:
    """Show one top-level entry of the lower root. `crowded`: other file systems are mounted inside it."""
    target = f"root/{name}"
    mode = os.lstat(source).st_mode
    if stat.S_ISLNK(mode):
        if not os.path.lexists(target):
            os.symlink(os.readlink(source), target)
    elif stat.S_ISREG(mode):
        _show_file(source, target)
    elif stat.S_ISDIR(mode):
        os.makedirs(target, exist_ok=True)
        own = name in spec["own_tops"]
        if name not in _SYSTEM and _is_empty(source):
            os.chmod(target, stat.S_IMODE(mode) | stat.S_IRWXU)  # with nothing to show it is simply the step's
            return
        wants_overlay = own or (name not in _SYSTEM and not crowded and os.access(source, os.R_OK | os.X_OK))
        if not (wants_overlay and _top_overlay(spec, name, source, target, must=own)):
            kernel.bind(source, target)


def _is_empty(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def _top_overlay(spec: dict[str, Any], name: str, source: str, target: str, *, must: bool) -> bool:
    work = f"works/{name}"
    os.makedirs(work, exist_ok=True)
    os.makedirs(f"upper/{name}", exist_ok=True)
    options = f"userxattr,{_UPPER_OPTIONS}" if spec["user"] else _UPPER_OPTIONS
    data = f"lowerdir={_escaped(source)},upperdir=upper/{_escaped(name)},workdir={_escaped(work)},{options}"
    try:
        kernel.mount("none", target, "overlay", 0, data)
    except OSError:
        if must:
            raise
        return False
    return True


def _api_folders(spec: dict[str, Any], seen: Seen) -> None:
    for path in ("root/proc", "root/sys", "root/dev"):
        with suppress(FileExistsError):
            os.mkdir(path)
    safe = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    try:
        kernel.mount("proc", "root/proc", "proc", safe)
        if not spec["user"]:
            # Real root may write here by file mode alone.
            kernel.bind("root/proc/sys", "root/proc/sys")
            if os.path.exists("root/proc/sysrq-trigger"):
                kernel.bind("/dev/null", "root/proc/sysrq-trigger")
    except OSError:
        kernel.bind("/proc", "root/proc", writable=spec["user"])
    kernel.bind("/sys", "root/sys")
    if spec["user"]:
        kernel.bind("/dev", "root/dev", writable=True)
        if os.path.isdir("root/dev/shm"):
            kernel.mount("none", "root/dev/shm", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=1777")
    else:
        _own_devices(seen)


def _own_devices(seen: Seen) -> None:
    kernel.mount("none", "root/dev", "tmpfs", kernel.MS_NOSUID | kernel.MS_NOEXEC, "mode=755")
    former = os.umask(0)
    for name, mode, number in seen.devices():
        os.mknod(f"root/dev/{name}", mode, number)
    os.umask(former)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"root/dev/{name}")
    os.mkdir("root/dev/shm")
    os.chmod("root/dev/shm", 0o1777)  # noqa: S103 - as everywhere; nobody but the step sees it
    os.mkdir("root/dev/pts")
    kernel.mount("none", "root/dev/pts", "devpts", kernel.MS_NOSUID | kernel.MS_NOEXEC, "newinstance,ptmxmode=0666")
    os.symlink("pts/ptmx", "root/dev/ptmx")


class Seen:
    """What of this machine roots are made of. Who makes many looks once, and again where something has changed.

    To be asked by the parent of the process that enters a root: that finds here what was looked up before.
    """

    def __init__(self) -> None:
        self._table = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        self._changes = select.poll()
        # The kernel tells so that the table of mounts has changed since it was read or asked.
        self._changes.register(self._table, select.POLLPRI)
        self._submounts: dict[str, list[str]] = {}
        self._devices: list[tuple[str, int, int]] | None = None
        self._made = 0
        """When a name in /dev last came or went."""

    def look(self, spec: dict[str, Any]) -> None:
        """Look at what the root that `spec` describes is made of."""
        if self._changes.poll(0):
            self._submounts.clear()
        made = os.stat("/dev").st_mtime_ns
        if made != self._made:
            self._made, self._devices = made, None
        self.submounts(spec["base"])
        self.devices()

    def submounts(self, base: str) -> list[str]:
        """Mounts below the lower root that the overlay would not show, outermost only, kernel folders left out."""
        if base not in self._submounts:
            self._submounts[base] = _submounts(base)
        return self._submounts[base]

    def devices(self) -> list[tuple[str, int, int]]:
        """Name, mode and number of the devices that steps are given."""
        if self._devices is None:
            names = [name for name in os.listdir("/dev") if name in _NODES or name.startswith(_DEVICES)]
            found = [(name, os.lstat(f"/dev/{name}")) for name in names]
            self._devices = [(name, info.st_mode, info.st_rdev) for name, info in found if stat.S_ISCHR(info.st_mode)]
        return self._devices


def _submounts(base: str) -> list[str]:
    prefix = base.rstrip("/") + "/"
    found: list[str] = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            path = line.split(" ", 5)[4]
            if "\\" in path:
                path = path.encode("utf-8", "surrogateescape").decode("unicode_escape")
            top = path[len(prefix) :].partition("/")[0] if path.startswith(prefix) else ""
            hidden = not top or top in _API or (top == "run" and base == "/")
            if not hidden and not any(path == f or path.startswith(f + "/") for f in found):
                found.append(path)
    return found


def _try_bind(source: str, target: str) -> None:
    """Show what is mounted there, unless its folder is removed in this moment."""
    with suppress(FileNotFoundError):
        if os.path.isdir(target):
            kernel.bind(source, target)
        elif os.path.isfile(source):
            _show_file(source, target)


def _show(path: str) -> None:
    """Show a folder or file of the host at its own place in the root, read-only."""
    target = "root" + path
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
        kernel.bind(path, target)
    elif os.path.exists(path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _show_file(path, target)


def _show_volume(spot: str, folder: str, below: str, *, read_only: bool) -> None:
    """Show what lies `below` in a volume at `spot`.

    Other steps may change what is in it meanwhile, so no link is followed.
    """
    source = _opened(folder, below)
    try:
        # A place inside another volume may be missing there.
        os.close(_opened("root", spot, make=True))
        kernel.bind(f"/proc/self/fd/{source}", f"root{spot}", writable=not read_only)
    finally:
        os.close(source)


def _opened(folder: str, path: str, *, make: bool = False) -> int:
    here = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    for part in filter(None, path.split("/")):
        if make and not _there(part, here):
            os.mkdir(part, 0o777, dir_fd=here)
        further = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=here)
        os.close(here)
        here = further
    if stat.S_ISLNK(os.fstat(here).st_mode):
        raise OSError(f"{path}: a link stands there")
    return here


def _there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _show_file(source: str, target: str) -> None:
    if not os.path.lexists(target):
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    kernel.bind(source, target)


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
