"""Where a file system puts new folders.

ext4 without a journal does not give away an inode that was freed within the last minute, and looks past each of them,
one by one, wherever it makes a file. Next to folders that come and go that takes longer than the work they are for
(measured: 10 ms for a folder of 17 names, where 0.3 ms are enough). Folders that lie apart do not meet each other's.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress

__all__ = ["spread"]

# <linux/fs.h>; the size in the request's number is that of a long, the value is an int.
_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
_TOP_FOLDER = 0x00020000


def spread(folder: str | os.PathLike[str]) -> None:
    """Let the folders that are made in `folder` lie apart from one another, where its file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            (flags,) = struct.unpack("ixxxx", fcntl.ioctl(descriptor, _GET_FLAGS, bytes(8)))
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("ixxxx", flags | _TOP_FOLDER))
    finally:
        os.close(descriptor)
