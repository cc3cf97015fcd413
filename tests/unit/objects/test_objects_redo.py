"""Small objects that are written together: durable at once, though their own files are not yet."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from penstock.adapters.objects import LocalObjects
from penstock.errors import DiskFailed, NoSpace

CONTENTS = {"a/one": b"1", "a/two": b"22\n", "b": b""}

PROCESS = """
import os, signal, sys
from pathlib import Path
from penstock.adapters.objects import LocalObjects

objects = LocalObjects(Path(sys.argv[1]), background=False)
{program}
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


def killed(root: Path, *program: str) -> None:
    """Run a program on the store in a process that is killed behind it."""
    written = f"objects.write_all({CONTENTS!r})"
    text = PROCESS.format(program="\n".join([written, *program]))
    assert subprocess.run([sys.executable, "-c", text, str(root)], check=False).returncode == -9


def piles(root: Path) -> list[Path]:
    return list((root / ".store" / "work").glob("*/redo.*"))


def power_cut(root: Path, *lost: str) -> None:
    """Let the machine have started anew, and forgotten the files of some objects."""
    for pile in piles(root):
        _, _, records = pile.read_bytes().partition(b"\n")
        pile.write_bytes(b"00000000-0000-0000-0000-000000000000\n" + records)
    for key in lost:
        (root / key).unlink()


def contents(root: Path) -> Mapping[str, bytes]:
    objects = LocalObjects(root, background=False)
    try:
        return {key: (root / key).read_bytes() for key in CONTENTS if objects.stat(key)}
    finally:
        objects.close()
        assert piles(root) == []


def test_a_killed_process_leaves_them_to_the_next_one(root: Path) -> None:
    killed(root)
    objects = LocalObjects(root)
    deadline = time.monotonic() + 60
    while piles(root):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    objects.close()
    assert contents(root) == CONTENTS


def test_what_the_machine_forgot_is_laid_again(root: Path) -> None:
    killed(root)
    (root / "a" / "two").chmod(0o600)
    (root / "a" / "two").write_bytes(b"")
    power_cut(root, "a/one")
    assert contents(root) == CONTENTS
    assert (root / "a" / "one").stat().st_mode & 0o777 == 0o444


def test_a_torn_record_is_none(root: Path) -> None:
    killed(root, "objects.write_all({'c': b'torn'})")
    (pile,) = piles(root)
    os.truncate(pile, pile.stat().st_size - 1)
    power_cut(root, *CONTENTS, "c")
    assert contents(root) == CONTENTS
    assert not (root / "c").exists()


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("objects.write('a/one', b'newer')", {**CONTENTS, "a/one": b"newer"}),
        ("objects.link('b', 'a/one')", {**CONTENTS, "a/one": b""}),
        ("objects.write_all({'a/one': b'newer'})", {**CONTENTS, "a/one": b"newer"}),
        ("objects.delete('a')", {"b": b""}),
    ],
)
def test_what_was_changed_since_is_not_changed_back(root: Path, program: str, found: Mapping[str, bytes]) -> None:
    killed(root, program)
    power_cut(root)
    assert contents(root) == found


def test_what_gets_another_name_is_durable_itself(root: Path) -> None:
    killed(root, "objects.link('a/one', 'c')")
    assert piles(root) == []


def test_nothing_is_left_behind_in_good_order(root: Path) -> None:
    objects = LocalObjects(root, background=False)
    objects.write_all(CONTENTS)
    assert len(piles(root)) == 1
    objects.close()
    assert contents(root) == CONTENTS


def failing(monkeypatch: pytest.MonkeyPatch, name: str, code: int, when: Callable[[int], bool]) -> None:
    """Let some calls fail, by the descriptor that is their first argument."""
    call = getattr(os, name)

    def fails(descriptor: int, *rest: object) -> object:
        if when(descriptor):
            raise OSError(code, os.strerror(code))
        return call(descriptor, *rest)

    monkeypatch.setattr(os, name, fails)


def of_pile(descriptor: int) -> bool:
    return "/redo." in os.readlink(f"/proc/self/fd/{descriptor}")


def test_a_disk_that_does_not_keep_them_is_told_of_and_the_next_go_elsewhere(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = LocalObjects(root, background=False)
    objects.write_all({"c": b""})
    with monkeypatch.context() as disk:
        failing(disk, "fsync", errno.EIO, of_pile)
        with pytest.raises(DiskFailed, match="failed to keep"):
            objects.write_all(CONTENTS)
    assert objects.stat("b") is None
    objects.write_all(CONTENTS)
    assert len(piles(root)) == 2
    objects.close()
    assert contents(root) == CONTENTS


def test_a_file_that_the_disk_does_not_keep_is_written_anew(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = LocalObjects(root, background=False)
    objects.write_all(CONTENTS)
    inode = (root / "a" / "one").stat().st_ino
    with monkeypatch.context() as disk:
        failing(disk, "fsync", errno.EIO, lambda fd: os.readlink(f"/proc/self/fd/{fd}").endswith("a/one"))
        objects.link("b", "c")  # for which they have to be durable
    assert piles(root) == []
    assert (root / "a" / "one").stat().st_ino != inode
    objects.close()
    assert contents(root) == CONTENTS


@pytest.mark.parametrize("written", [{}, {"c": b""}], ids=["first", "later"])
def test_a_full_disk_leaves_nothing_half_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, written: Mapping[str, bytes]
) -> None:
    objects = LocalObjects(root, background=False)
    objects.write_all(written)
    before = [pile.stat().st_size for pile in piles(root)]
    with monkeypatch.context() as disk:
        failing(disk, "write", errno.ENOSPC, of_pile)
        for _ in range(3):
            with pytest.raises(NoSpace):
                objects.write_all(CONTENTS)
    assert [pile.stat().st_size for pile in piles(root)] == before
    objects.write_all(CONTENTS)
    objects.close()
    assert contents(root) == CONTENTS
