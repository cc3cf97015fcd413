"""A store that is killed, or whose disk fails, at any call: each object is there whole, or as it was before."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from penstock.adapters.objects import LocalObjects
from penstock.errors import PenstockError
from penstock.testing.objects_contract import a_folder

# Children end without a look at what other threads of this process held.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

CALLS = ("open", "write", "fsync", "fchmod", "chmod", "replace", "mkdir", "unlink", "rmdir", "symlink")
"""What changes a disk; a fault comes before the call that is counted."""

Fault = Callable[[], None]


class Calls:
    """Counts the calls that change the disk, and has the n-th one fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails_at: int, fault: Fault) -> None:
        self.count = 0
        for name in CALLS:
            monkeypatch.setattr(os, name, self._counted(getattr(os, name), fails_at, fault))

    def _counted(self, call: Callable[..., Any], fails_at: int, fault: Fault) -> Callable[..., Any]:
        def counted(*args: Any, **more: Any) -> Any:
            self.count += 1
            if self.count == fails_at:
                fault()
            return call(*args, **more)

        return counted


@dataclass(frozen=True)
class Action:
    """A change of the object `k`, and the source that it needs."""

    act: Callable[[LocalObjects, Path], object]
    source: Callable[[Path], object] = lambda _: None


def settled(objects: LocalObjects, contents: Mapping[str, bytes]) -> None:
    """Write several objects, and have files of their own made durable."""
    objects.write_all(contents)
    for key in contents:
        objects.link(key, f"again/{key}")


ACTIONS = {
    "put a file": Action(lambda objects, source: objects.put("k", source), lambda path: path.write_bytes(b"new")),
    "put a folder": Action(lambda objects, source: objects.put("k", source), a_folder),
    "write": Action(lambda objects, _: objects.write("k", b"new")),
    "write several": Action(lambda objects, _: objects.write_all({"k": b"new", "a/b": b"other"})),
    "write several, and settle": Action(lambda objects, _: settled(objects, {"k": b"new", "a/b": b"other"})),
    "delete": Action(lambda objects, _: objects.delete("k")),
}
cases = pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
befores = pytest.mark.parametrize("before", ["nothing", "file", "folder"])


def prepared(folder: Path, before: str, action: Action) -> Path:
    """A new folder with a store that holds what was before, and with the source."""
    folder.mkdir()
    objects = LocalObjects(folder / "store", background=False)
    if before == "file":
        objects.write("k", b"old")
    if before == "folder":
        (folder / "old").mkdir()
        (folder / "old" / "member").write_bytes(b"old")
        objects.put("k", folder / "old")
    objects.close()
    action.source(folder / "source")
    return folder


def content(objects: LocalObjects) -> object:
    """What the object is."""
    info = objects.stat("k")
    if info is None:
        return None
    if not info.directory:
        with objects.open("k") as stored:
            return stored.read()
    assert info.size == sum(m.size for m in objects.members("k") if m.key != "sub/link")
    return [(m.key, m.size) for m in objects.members("k")]


@contextmanager
def opened(folder: Path) -> Iterator[LocalObjects]:
    objects = LocalObjects(folder / "store", background=False)
    yield objects
    objects.close()


def attempted(folder: Path, action: Action, fails_at: int, fault: Fault) -> int:
    """Perform the action with a fault at its n-th call; how many calls there were."""
    with opened(folder) as objects, pytest.MonkeyPatch.context() as monkeypatch:
        calls = Calls(monkeypatch, fails_at, fault)
        with suppress(PenstockError):
            action.act(objects, folder / "source")
        return calls.count


def killed(folder: Path, action: Action, fails_at: int) -> bool:
    """Perform the action in a process that dies at the n-th call; False where it came to its end before that."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            attempted(folder, action, fails_at, lambda: os._exit(9))
            code = 0
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9)
    return status == 9


def outcomes(folder: Path, before: str, action: Action) -> tuple[object, object]:
    """What the object is before the action and after it, where nothing fails."""
    with opened(prepared(folder, before, action)) as objects:
        old = content(objects)
        action.act(objects, folder / "source")
        return old, content(objects)


@befores
@cases
def test_killed_at_any_call(tmp_path: Path, action: Action, before: str) -> None:
    old, new = outcomes(tmp_path / "right", before, action)
    for n in count(1):
        folder = prepared(tmp_path / str(n), before, action)
        died = killed(folder, action, n)
        with opened(folder) as objects:
            # A folder takes another object's place in two steps: in between there is none.
            assert content(objects) in ((old, new, None) if died else (new,))
            assert len(list((folder / "store" / ".store" / "work").iterdir())) == 1
            # Whoever was killed does it again.
            if (folder / "source").exists() or content(objects) != new:
                action.act(objects, folder / "source")
            assert content(objects) == new
        if not died:
            break
    assert n > 2 or new == old


@befores
@cases
def test_a_disk_that_fails_at_any_call(tmp_path: Path, action: Action, before: str) -> None:
    def fault() -> None:
        raise OSError(errno.EIO, "Input/output error")

    old, new = outcomes(tmp_path / "right", before, action)
    for n in count(1):
        folder = prepared(tmp_path / str(n), before, action)
        calls = attempted(folder, action, n, fault)
        with opened(folder) as objects:
            assert content(objects) in (old, new)
        if calls < n:
            break
    assert n > 2 or new == old
