"""What a folder as a store promises beyond the contract: by reference, read-only, several processes, bad sources."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.adapters.objects import LocalObjects
from penstock.adapters.objects.notes import Notes
from penstock.errors import HomeError, InvalidInput, NoSpace
from penstock.testing.objects_contract import a_folder

GIB = 1 << 30


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def objects(root: Path) -> Iterator[LocalObjects]:
    store = LocalObjects(root, background=False)
    yield store
    store.close()


def a_file(path: Path, data: bytes = b"data") -> Path:
    path.write_bytes(data)
    return path


# --- by reference ---------------------------------------------------------------------------------------------------


def test_a_gibibyte_is_written_once(objects: LocalObjects, root: Path, tmp_path: Path) -> None:
    source = a_file(tmp_path / "model")
    os.truncate(source, GIB)
    before = source.stat()
    assert objects.put("a/model", source).size == GIB
    after = (root / "a" / "model").stat()
    # The same file under another name, with as many blocks as before: nothing was copied.
    assert (after.st_ino, after.st_nlink, after.st_blocks) == (before.st_ino, 1, before.st_blocks)
    assert not source.exists()


def test_a_folder_is_taken_as_it_is(objects: LocalObjects, root: Path, tmp_path: Path) -> None:
    source = a_folder(tmp_path / "source")
    inodes = {path.relative_to(source): path.lstat().st_ino for path in source.rglob("*")}
    objects.put("a/b", source)
    stored = root / "a" / "b"
    assert {path.relative_to(stored): path.lstat().st_ino for path in stored.rglob("*")} == inodes


def test_an_object_is_read_where_it_lies(objects: LocalObjects, root: Path, tmp_path: Path) -> None:
    objects.put("a/b", a_file(tmp_path / "source"))
    assert objects.local("a/b") == root / "a" / "b"


# --- nobody writes into it ------------------------------------------------------------------------------------------


def test_everything_stored_is_read_only(objects: LocalObjects, root: Path, tmp_path: Path) -> None:
    source = a_folder(tmp_path / "source")
    (source / "a.txt").chmod(0o4777)
    (source / "sub").chmod(0)
    objects.put("folder", source)
    objects.put("file", a_file(tmp_path / "file"))
    objects.write("bytes", b"x")
    found = [path for path in root.rglob("*") if not path.is_relative_to(root / ".store") and not path.is_symlink()]
    assert len(found) == 9
    for path in found:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode in ((0o555,) if path.is_dir() else (0o444, 0o555)), path


def test_a_file_with_another_name_is_copied_so_that_name_changes_nothing(objects: LocalObjects, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    source = a_file(tmp_path / "source" / "x")
    (tmp_path / "other").hardlink_to(source)
    objects.put("folder", tmp_path / "source")
    (tmp_path / "other").write_bytes(b"evil")
    with objects.open("folder", "x") as stored:
        assert stored.read() == b"data"
    assert not (tmp_path / "source").exists()


def test_a_tree_too_deep_for_the_disk_is_bad_input(objects: LocalObjects, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    subprocess.run(["sh", "-c", "for i in $(seq 30); do n=$(printf %0200d 0); mkdir $n; cd $n; done"], cwd=source)
    with pytest.raises(InvalidInput, match="the path is too long for this disk"):
        objects.put("deep", source)
    assert objects.stat("deep") is None


# --- another file system, a full one --------------------------------------------------------------------------------


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A path on a file system that is not the test's."""
    path = Path("/dev/shm") / f"penstock-{os.getpid()}"
    yield path
    subprocess.run(["rm", "-rf", str(path)], check=True)


def test_what_lies_on_another_file_system_is_copied(small_disk: Path, elsewhere: Path) -> None:
    objects = LocalObjects(small_disk / "objects")
    assert objects.put("x", a_folder(elsewhere)).size == 261
    assert [m.key for m in objects.members("x")] == ["a.txt", "sub/b.bin", "sub/deep/ünï 🜁", "sub/link"]
    assert not elsewhere.exists()
    objects.close()


def test_a_full_disk_is_told_and_leaves_source_and_store_whole(small_disk: Path, elsewhere: Path) -> None:
    objects = LocalObjects(small_disk / "objects")
    a_file(elsewhere, bytes(3 * 1024 * 1024))
    objects.write("old", b"kept")
    with pytest.raises(NoSpace, match=r"^new: the disk is full; free space and try again$"):
        objects.put("new", elsewhere)
    with pytest.raises(NoSpace, match=r"^old: the disk is full"):
        objects.write("old", bytes(3 * 1024 * 1024))
    assert objects.stat("new") is None
    with objects.open("old") as stored:
        assert stored.read() == b"kept"
    assert elsewhere.stat().st_size == 3 * 1024 * 1024
    os.truncate(elsewhere, 1000)
    assert objects.put("new", elsewhere).size == 1000
    objects.close()


def test_a_root_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=r"file/objects: cannot be written \(Not a directory\)"):
        LocalObjects(a_file(tmp_path / "file") / "objects")


# --- several processes ----------------------------------------------------------------------------------------------

WRITER = """
import sys, time
from pathlib import Path
from penstock.adapters.objects import LocalObjects

objects = LocalObjects(Path(sys.argv[1]), background=False)
with objects._work.temporary() as path:
    path.write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(600)
"""


def test_what_a_dead_process_left_is_swept_and_what_a_living_one_writes_is_not(root: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        LocalObjects(root, background=False).close()
        assert len(list((root / ".store" / "work").glob("*/*"))) == 1
        process.kill()
    LocalObjects(root, background=False).close()
    assert list((root / ".store" / "work").iterdir()) == []


def test_two_stores_on_one_folder_see_each_other(objects: LocalObjects, root: Path, tmp_path: Path) -> None:
    other = LocalObjects(root, background=False)
    other.put("x", a_folder(tmp_path / "source"))
    assert objects.stat("x") == other.stat("x")
    objects.delete("x")
    assert other.stat("x") is None
    other.close()


# --- digests --------------------------------------------------------------------------------------------------------


def test_digests_are_noted_behind_the_work(root: Path, tmp_path: Path) -> None:
    objects = LocalObjects(root)
    objects.put("x", a_file(tmp_path / "source"))
    notes, deadline = Notes(root / ".store" / "notes"), time.monotonic() + 60
    while not (note := notes.get("x")) or not note.digest:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert note.digest == objects.digest("x") == "sha256:" + hashlib.sha256(b"data").hexdigest()
    objects.close()


def test_no_digest_is_made_of_what_nobody_asks_for_one(root: Path, tmp_path: Path) -> None:
    objects = LocalObjects(root, plain=("logs/",))
    objects.put("logs/step", a_file(tmp_path / "log"))
    objects.put("x", a_file(tmp_path / "source"))
    notes, deadline = Notes(root / ".store" / "notes"), time.monotonic() + 60
    while notes.get("x") is None:  # which comes after the other
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert notes.get("logs/step") is None
    objects.close()


def test_the_next_process_goes_on_with_digests_that_were_not_made(root: Path) -> None:
    program = WRITER.replace('path.write_bytes(b"half")', 'objects.write("x", b"data")')
    with subprocess.Popen([sys.executable, "-c", program, str(root)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
    left = LocalObjects(root, background=False)  # has it now, and leaves it to the next one
    assert left.undigested() == ["x"]
    left.close()
    notes = Notes(root / ".store" / "notes")
    store = LocalObjects(root)
    deadline = time.monotonic() + 60
    while store.undigested():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    note = notes.get("x")
    assert note is not None
    assert note.digest == "sha256:" + hashlib.sha256(b"data").hexdigest()
    store.close()
    assert list((root / ".store" / "work").iterdir()) == []


def test_a_digest_of_former_content_does_not_count(objects: LocalObjects) -> None:
    for data in (b"one", b"two"):
        objects.write("x", data)
        assert objects.digest("x") == "sha256:" + hashlib.sha256(data).hexdigest()


def test_closing_does_not_wait_for_a_digest(root: Path, tmp_path: Path) -> None:
    objects = LocalObjects(root)
    os.truncate(a_file(tmp_path / "source"), 1 << 40)  # would take many minutes to read
    objects.put("x", tmp_path / "source")
    objects.close()
    assert Notes(root / ".store" / "notes").get("x") is None
