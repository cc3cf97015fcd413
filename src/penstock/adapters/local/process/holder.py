"""A process that holds a network, for steps of one run to join. Standard library only."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Sequence
from typing import Any, NoReturn

from penstock.adapters.local.process import kernel, records, roots

__all__ = ["opened", "run"]


_PATIENCE = 15.0
"""Seconds in which the launcher has answered, or there is none."""


def run(spec: dict[str, Any], descriptors: Sequence[int]) -> NoReturn:
    """Hold the network that this process was forked into, until somebody kills it.

    `descriptors` are the lock of its folder, held meanwhile, and the end of a socket (`opened`).
    """
    _, link = descriptors
    try:
        if spec["user"]:
            roots.map_user(*spec["user"])
        kernel.loopback()
        kernel.set_title(spec["title"])
        records.introduce(os.open(spec["dir"], os.O_RDONLY | os.O_DIRECTORY), records.identity())
        opened(link)
        while True:
            signal.pause()
    finally:
        os._exit(1)


def opened(link: int) -> None:
    """Tell the launcher that the network is there, and return when it has its way out, or is to have none.

    What leads out goes when the last process has closed `link`, so that nobody has to see to it.
    """
    with contextlib.suppress(OSError):
        os.write(link, b"r")
        # A launcher that was killed meanwhile never answers.
        select.select([link], [], [], _PATIENCE)
