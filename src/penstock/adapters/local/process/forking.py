"""How the first process of a step comes to be: by clone3 into namespaces, or by fork where those are forbidden.

Standard library only.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

from penstock.adapters.local.process import kernel

__all__ = ["fork", "wanted"]


def wanted(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What `fork` has to know of what `spec` describes."""
    return {
        "title": spec.get("title"),
        "way": spec["way"],
        "user": bool(spec["user"]),
        "processes": not spec.get("holder"),
        "network": bool(spec.get("network") or spec.get("holder")),
        "join": spec.get("join"),
    }


def fork(wanted: Mapping[str, Any]) -> tuple[int, int]:
    """Fork with the namespaces that are wanted: (pid, pidfd) in the parent, (0, -1) in the child. Raises OSError.

    Mounts of its own are for each process that enters a root.
    """
    if wanted["way"] == "rewrite":
        pid = kernel.fork()
        return pid, os.pidfd_open(pid) if pid else -1
    return _joined(wanted) if wanted["join"] else kernel.clone(_flags(wanted))


def _flags(wanted: Mapping[str, Any]) -> int:
    kinds = {"processes": kernel.CLONE_NEWPID, "network": kernel.CLONE_NEWNET, "user": kernel.CLONE_NEWUSER}
    return sum(flag for kind, flag in kinds.items() if wanted[kind])


def _joined(wanted: Mapping[str, Any]) -> tuple[int, int]:
    """The same inside the network, and the user namespace around it, of the process `join`.

    A process that has entered a user namespace cannot come back: one in between does, and stays until its child ends.
    """
    pid = kernel.fork()
    if pid:
        return pid, os.pidfd_open(pid)
    try:
        kinds = [("user", kernel.CLONE_NEWUSER)] if wanted["user"] else []
        for kind, flag in (*kinds, ("net", kernel.CLONE_NEWNET)):
            entered = os.open(f"/proc/{wanted['join']}/ns/{kind}", os.O_RDONLY)
            kernel.setns(entered, flag)
            os.close(entered)
        child, _ = kernel.clone(_flags(wanted))
    except OSError:
        os._exit(1)
    if child == 0:
        return 0, -1
    kernel.close_from(3)
    kernel.set_title(wanted["title"])
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)
    os._exit(0)
