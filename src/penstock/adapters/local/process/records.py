"""What the first process of a step leaves in its folder: who it is, and how the step ended. Standard library only."""

from __future__ import annotations

import errno
import json
import os
import select
import time
from collections.abc import Mapping
from typing import Any

__all__ = ["correct_exit", "identity", "introduce", "not_kept", "write_exit"]

_TRIES, _PAUSE = 60, 1.0
"""How often the exit record is tried again on a disk that fails, and after how many seconds."""


def identity() -> bytes:
    """This process's id, start time and boot as the host sees them: to be asked before `/proc` is the step's own."""
    with open("/proc/self/stat", "rb") as file:
        text = file.read()
    pid, started = text.split(b" ", 1)[0], text.rpartition(b") ")[2].split()[19]
    with open("/proc/sys/kernel/random/boot_id", "rb") as file:
        boot = file.read().strip()
    return b"%b %b %b\n" % (pid, started, boot)


def introduce(folder: int, own: bytes) -> None:
    """Leave this process's `identity`, so that a later server can adopt it. Before any process of the step exists.

    Where that fails this process ends: nothing has begun, and the step is started again.
    """
    try:
        descriptor = os.open("pid.new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600, dir_fd=folder)
        os.write(descriptor, own)
        os.close(descriptor)
        os.rename("pid.new", "pid", src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os._exit(1)


def write_exit(folder: int, reserved: int, done: int, exit: Mapping[str, Any]) -> bool:
    """Write the exit record, whole or not at all, into space that was `reserved` for it; then close `done`.

    Whether somebody listens there. A disk that fails is given some time; after that this process ends, and the step
    counts as interrupted.
    """
    data = json.dumps(exit).encode() + b"\n"
    for last in (*[False] * _TRIES, True):
        try:
            os.pwrite(reserved, data, 0)
            os.ftruncate(reserved, len(data))
            os.rename("reserve", "exit.json", src_dir_fd=folder, dst_dir_fd=folder)
            break
        except OSError as error:
            if last or error.errno == errno.ENOENT:  # somebody has removed the step
                os._exit(1)
            time.sleep(_PAUSE)
    poll = select.poll()
    poll.register(done, 0)
    heard = not poll.poll(0)  # a pipe that nobody reads is in error
    os.close(done)
    return heard


def not_kept(error: OSError) -> Mapping[str, Any]:
    """The exit record of a step whose log or record the disk failed to keep: an error, whatever its exit code was."""
    reason = f"the disk failed to keep the step's log or exit record ({error.strerror}); look at the disk"
    return {"code": None, "error": reason}


def correct_exit(written: int, exit: Mapping[str, Any]) -> None:
    """Write another exit record in the place of the one that was `written`."""
    os.pwrite(written, json.dumps(exit).encode().ljust(os.fstat(written).st_size), 0)
