"""The few Linux calls that Python does not offer, through ctypes, for the processes that start steps.

Standard library only: the zygote and every supervisor load this module. Every function raises OSError with the
call's name. Numbers are of the kernel's interface (asm-generic numbers, the same on x86_64 and aarch64).
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # typeshed does not know it
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys

__all__ = [
    "CLONE_NEWNET",
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "CLONE_NEWUSER",
    "MS_BIND",
    "MS_NODEV",
    "MS_NOEXEC",
    "MS_NOSUID",
    "MS_PRIVATE",
    "MS_RDONLY",
    "MS_REC",
    "adopt_orphans",
    "bind",
    "bound_capabilities",
    "clone",
    "close_from",
    "die_with_parent",
    "drop_capabilities",
    "fork",
    "loopback",
    "mount",
    "pivot",
    "set_dumpable",
    "set_title",
    "setns",
    "settle_signals",
    "unshare",
]

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
_CLONE_PIDFD = 0x00001000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
_MNT_DETACH = 2

_SYS_CLONE3, _SYS_CLOSE_RANGE, _SYS_MOUNT_SETATTR = 435, 436, 442
_SYS_PIVOT_ROOT = {"x86_64": 155}.get(os.uname().machine, 41)
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_READ_ONLY = struct.pack("4Q", 1, 0, 0, 0)
"""The attributes of `mount_setattr`."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NAME, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER = 1, 4, 15, 24, 36
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1

_OF_PYTHON = (_signal.SIGTERM, _signal.SIGCHLD, _signal.SIGINT, _signal.SIGHUP, _signal.SIGPIPE)

# What container engines leave to a process, without MKNOD (a device node of a disk would be the whole machine):
# CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT,
# AUDIT_WRITE, SETFCAP.
_KEPT = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31)
_LOW = sum(1 << number for number in _KEPT)
_CAPABILITY_HEADER, _CAPABILITIES = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", _LOW, _LOW, 0, 0, 0, 0)

# PyDLL keeps the GIL: after clone() the child must not have to ask another thread for it.
_libc = ctypes.PyDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
# Looked up here, once: ctypes makes something of a name when it is first asked for, which no child has to do.
for _name in ("capset", "fork", "setns", "syscall", "umount2", "unshare"):
    getattr(_libc, _name)


def _checked(result: int, what: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _prctl(option: int, value: int) -> int:
    return int(_libc.prctl(option, value, 0, 0, 0))


def fork() -> int:
    """fork(2): the id of the child, 0 in it.

    `os.fork` does more: in the child it makes the interpreter's locks and its `threading` anew, as if there had been
    other threads. Nearly a millisecond goes on that, most of it on memory that a fork shares until it is written. So
    this is for a process of one thread, in which signals that have handlers are blocked.
    """
    return _checked(int(_libc.fork()), "fork")


def clone(flags: int) -> tuple[int, int]:
    """The same into new namespaces. Returns (pid, pidfd) in the parent and (0, -1) in the child."""
    pidfd = ctypes.c_int(-1)
    arguments = struct.pack("8Q", flags | _CLONE_PIDFD, ctypes.addressof(pidfd), 0, 0, signal.SIGCHLD, 0, 0, 0)
    buffer = ctypes.create_string_buffer(arguments, len(arguments))
    pid = int(_libc.syscall(ctypes.c_long(_SYS_CLONE3), buffer, ctypes.c_size_t(len(arguments))))
    return (_checked(pid, "clone3"), pidfd.value) if pid else (0, -1)


def setns(namespace: int, kind: int) -> None:
    """Enter the namespace of that descriptor, which is of the `CLONE_NEW…` kind."""
    _checked(_libc.setns(ctypes.c_int(namespace), ctypes.c_int(kind)), "setns")


def unshare(flags: int) -> None:
    """unshare(2): namespaces of this process's own."""
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    if _libc.mount(_bytes(source), _bytes(target), kind.encode() or None, flags, _bytes(data)) == -1:
        _checked(-1, f"mount {kind or 'bind'} {source} on {target}")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def bind(source: str, target: str, *, writable: bool = False) -> None:
    """Show `source`, with all that is mounted below it, at `target`; read-only unless said otherwise."""
    mount(source, target, "", MS_BIND | MS_REC)
    if not writable:
        path = _bytes(target)
        if _libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, path, _AT_RECURSIVE, _READ_ONLY, len(_READ_ONLY)) == -1:
            _checked(-1, f"mount_setattr {target}")


def pivot(root: str) -> None:
    """Make `root` (a mount) this mount namespace's root and let go of the former one."""
    os.chdir(root)
    _checked(_libc.syscall(ctypes.c_long(_SYS_PIVOT_ROOT), b".", b"."), f"pivot_root {root}")
    _checked(_libc.umount2(b".", _MNT_DETACH), "umount of the former root")
    os.chdir("/")


def loopback() -> None:
    """Let the loopback of this network namespace be up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def bound_capabilities() -> None:
    """No program that this process or a descendant executes shall have more than the harmless capabilities.

    What this process itself holds it keeps. Does nothing for an unprivileged process.
    """
    last = int(_first_line("/proc/sys/kernel/cap_last_cap") or 40)
    for number in range(last + 1):
        if number not in _KEPT:
            _prctl(_PR_CAPBSET_DROP, number)


def drop_capabilities(*, bounding: bool) -> None:
    """Keep only the harmless capabilities; `bounding`: also set the bound, which a new user namespace has lost."""
    if bounding:
        bound_capabilities()
    _checked(_libc.capset(_CAPABILITY_HEADER, _CAPABILITIES), "capset")


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.readline().strip()
    except OSError:
        return ""


def settle_signals() -> None:
    """Let the signals that a supervisor handles, and those that Python does, do what they do to any program; let none
    be blocked. (`signal` makes enumerations of all that it is given and gives back, which costs a child dearly.)
    """
    _signal.set_wakeup_fd(-1)
    for number in _OF_PYTHON:
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def close_from(first: int) -> None:
    """Close every descriptor from `first` on."""
    if _libc.syscall(ctypes.c_long(_SYS_CLOSE_RANGE), ctypes.c_uint(first), ctypes.c_uint(0xFFFFFFFF), 0) == -1:
        os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def set_dumpable(value: bool) -> None:
    """Whether processes of the same user may look into this one (its open files, its root, its memory)."""
    _checked(_prctl(_PR_SET_DUMPABLE, int(value)), "prctl dumpable")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _checked(_prctl(_PR_SET_CHILD_SUBREAPER, 1), "prctl subreaper")


def die_with_parent() -> None:
    """Be killed when the parent ends."""
    _checked(_prctl(_PR_SET_PDEATHSIG, signal.SIGKILL), "prctl parent death signal")


def set_title(title: str) -> None:
    """Show `title` as this process's command line, as far as there is room for it."""
    name = ctypes.create_string_buffer(os.fsencode(title)[:15])
    _libc.prctl(_PR_SET_NAME, ctypes.addressof(name), 0, 0, 0)
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b") ")[2].split()
    start, end = int(fields[45]), int(fields[46])
    if sys.platform == "linux" and end > start:
        room = end - start
        ctypes.memmove(start, os.fsencode(title)[: room - 1].ljust(room, b"\0"), room)
