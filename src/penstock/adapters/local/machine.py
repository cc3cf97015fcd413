"""What a cluster would say of this machine if it were its node."""

from __future__ import annotations

import os
import platform
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from penstock.workflow import Machine
from penstock.workflow.quantities import Needs

__all__ = ["capacity", "this_machine"]

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_DEVICES = {"nvidia.com/gpu": re.compile(r"nvidia\d+\Z"), "amd.com/gpu": re.compile(r"renderD\d+\Z")}


def this_machine(devices: Path = Path("/dev")) -> Machine:
    """The labels that every node of a cluster has, and the devices that plugins of a cluster would count."""
    machine = platform.machine()
    labels = {"arch": _ARCHITECTURES.get(machine, machine), "os": platform.system().lower()}
    # Clusters set both by their former names, too.
    named = {f"{prefix}kubernetes.io/{name}": value for prefix in ("", "beta.") for name, value in labels.items()}
    return Machine({**named, "kubernetes.io/hostname": socket.gethostname()}, _counted(devices))


def capacity() -> Needs:
    """What steps can request of this machine together."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Needs(float(os.cpu_count() or 1), float(memory))


def _counted(devices: Path) -> Mapping[str, int]:
    # A graphics card is AMD's where the kernel has their compute interface.
    folders = {"nvidia.com/gpu": devices, "amd.com/gpu": devices / "dri" if (devices / "kfd").exists() else devices}
    return {
        name: sum(bool(pattern.match(entry.name)) for entry in folders[name].iterdir()) if folders[name].is_dir() else 0
        for name, pattern in _DEVICES.items()
    }
