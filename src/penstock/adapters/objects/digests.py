"""Digests, computed behind the work: a thread of the lowest priority takes new objects one by one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from penstock.adapters.objects.disk import survey
from penstock.errors import PenstockError
from penstock.keys import tree_digest

__all__ = ["DigestWorker", "digest_of"]

QUIET, LONGEST = 0.25, 5.0
"""Seconds without a new object after which a pass begins: steps that follow one another go first. Seconds after which
`before` is called though they go on."""
_CHUNK = 1024 * 1024


def digest_of(path: Path, going: Callable[[], bool] = lambda: True) -> str:
    """`sha256:<hex>` of a file or a folder; "" where `going` turned false on the way."""
    entries = survey(path)
    if not entries[0].directory:
        return _of_file(path, going)
    contents = [(e.path, e.target if e.link else _of_file(path / e.path, going)) for e in entries if not e.directory]
    return tree_digest(contents) if going() else ""


def _of_file(path: Path, going: Callable[[], bool]) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as data:
        while chunk := data.read(_CHUNK):
            if not going():
                return ""
            hashed.update(chunk)
    return "sha256:" + hashed.hexdigest()


class DigestWorker:
    """Calls `note(key, going)` for each key it is given, in a thread that starts with the first one, pass by pass; and
    `before` at the beginning of a pass, and now and then where there is none for long.

    The keys that are left to do stand in the file `journal`, one a line: who finds that of a process which is gone goes
    on with them. `working` False: they are only written down.
    """

    def __init__(
        self,
        note: Callable[[str, Callable[[], bool]], object],
        journal: Path,
        *,
        before: Callable[[], None] = lambda: None,
        working: bool = True,
    ) -> None:
        self._note = note
        self._journal = journal
        self._file: int | None = None
        self._working = working
        self._before = before
        self._keys: deque[str] = deque()
        self._count = 0
        self._news, self._closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._changing = threading.Lock()

    def add(self, *keys: str) -> None:
        """Note the digests of these objects some time; without any, a pass is made all the same. A digest that is asked
        for before that is computed at once.
        """
        with self._changing:
            self._count += 1
            if keys:
                self._write_down(keys)
                self._keys.extend(keys)
            if not self._news.is_set():  # else the thread knows, and need not be woken
                self._news.set()
            if self._working and self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._work, name="penstock-digests", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop soon, in the midst of a file if need be."""
        with self._changing:
            self._closing.set()
            self._news.set()
        if self._thread is not None:
            self._thread.join()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write_down(self, keys: Sequence[str]) -> None:
        # One that finds no room is computed when it is asked for.
        with contextlib.suppress(OSError):
            if self._file is None:
                self._file = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            os.write(self._file, "".join(f"{key}\n" for key in keys).encode())

    def _work(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        while self._going():
            self._news.wait()
            while not self._lull():
                self._prepare()
            self._news.clear()
            self._prepare()
            while self._keys and self._going():
                # An object may be gone or replaced by now; whoever asks for its digest will see.
                with contextlib.suppress(PenstockError, OSError):
                    self._note(self._keys.popleft(), self._going)
            self._settled()

    def _going(self) -> bool:
        return not self._closing.is_set()

    def _prepare(self) -> None:
        with contextlib.suppress(PenstockError):  # what is not done stays for the next pass
            self._before()

    def _lull(self) -> bool:
        """Wait for one. False where none has come for long."""
        seen, until = -1, time.monotonic() + LONGEST
        while seen != self._count and self._going():
            if time.monotonic() > until:
                return False
            seen = self._count
            self._closing.wait(QUIET)
        return True

    def _settled(self) -> None:
        """All that stands in the journal is done, unless there is more by now."""
        with self._changing:
            if self._going() and not self._keys and self._file is not None:
                os.ftruncate(self._file, 0)
