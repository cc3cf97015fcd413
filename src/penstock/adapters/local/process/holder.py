"""A process that holds a network, for steps of one run to join. Standard library only."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Any, NoReturn

from penstock.adapters.local.process import kernel, records, roots

__all__ = ["run"]


def run(spec: dict[str, Any], descriptors: Sequence[int]) -> NoReturn:
    """Hold the network that this process was forked into, until somebody kills it.

    `descriptors` are the lock of its folder, held meanwhile, and one that is closed when others can join.
    """
    _, ready = descriptors
    try:
        if spec["user"]:
            roots.map_user(*spec["user"])
        kernel.loopback()
        kernel.set_title(spec["title"])
        records.introduce(os.open(spec["dir"], os.O_RDONLY | os.O_DIRECTORY), records.identity())
        os.close(ready)
        while True:
            signal.pause()
    finally:
        os._exit(1)
