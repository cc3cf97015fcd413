"""What every `ports.Objects` does. A test class inherits `ObjectsContract` and gives it a fixture `objects`."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest

from penstock.errors import InvalidInput, NotFound
from penstock.ports import ObjectInfo, Objects

__all__ = ["HOSTILE_KEYS", "ObjectsContract", "a_folder"]

HOSTILE_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "a//b",
    "a/",
    "/a",
    ".",
    "..",
    "a/../b",
    "a/./b",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a\x85b",
    "a" * 256,
    "a/" * 600 + "a",
    "\ud800",
    ".store/notes/x",
]


def a_folder(path: Path) -> Path:
    """A folder with files, an empty folder, and links that stay inside."""
    (path / "sub" / "deep").mkdir(parents=True)
    (path / "empty").mkdir()
    (path / "a.txt").write_bytes(b"alpha")
    (path / "sub" / "b.bin").write_bytes(bytes(range(256)))
    (path / "sub" / "deep" / "ünï 🜁").write_bytes(b"")
    (path / "sub" / "link").symlink_to("../a.txt")
    return path


class ObjectsContract:
    """The suite."""

    def test_bytes_come_back(self, objects: Objects) -> None:
        for data in (b"", b"x", bytes(range(256)) * 5000):
            assert objects.write("a/b/c", data) == ObjectInfo(key="a/b/c", size=len(data))
            assert objects.stat("a/b/c") == ObjectInfo(key="a/b/c", size=len(data))
            with objects.open("a/b/c") as stored:
                assert stored.read() == data
        assert objects.members("a/b/c") == []

    def test_several_are_written_together(self, objects: Objects) -> None:
        objects.write("a/b", b"old")
        contents = {"a/b": b"new", "a/c": b"", "d": bytes(range(256))}
        for _ in range(2):
            infos = objects.write_all(contents)
            assert infos == [ObjectInfo(key=key, size=len(data)) for key, data in contents.items()]
            for key, data in contents.items():
                assert objects.stat(key) == ObjectInfo(key=key, size=len(data))
                assert objects.digest(key) == "sha256:" + hashlib.sha256(data).hexdigest()
                with objects.open(key) as stored:
                    assert stored.read() == data
        assert objects.write_all({}) == []

    def test_of_several_none_is_written_where_one_has_no_place(self, objects: Objects) -> None:
        objects.write("a", b"")
        for wrong in (*HOSTILE_KEYS, "a/b"):
            with pytest.raises(InvalidInput):
                objects.write_all({"c": b"", wrong: b""})
        assert objects.stat("c") is None

    def test_an_open_object_is_seekable(self, objects: Objects) -> None:
        objects.write("a", b"0123456789")
        with objects.open("a") as stored:
            stored.seek(4)
            assert stored.read(3) == b"456"

    def test_a_file_is_taken(self, objects: Objects, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"data")
        assert objects.put("x/y", source) == ObjectInfo(key="x/y", size=4)
        assert not source.exists()
        with objects.open("x/y") as stored:
            assert stored.read() == b"data"

    def test_a_folder_is_taken(self, objects: Objects, tmp_path: Path) -> None:
        source = a_folder(tmp_path / "source")
        assert objects.put("x/y", source) == ObjectInfo(key="x/y", size=261, directory=True)
        assert not source.exists()
        assert objects.stat("x/y") == ObjectInfo(key="x/y", size=261, directory=True)
        assert [(m.key, m.size) for m in objects.members("x/y")] == [
            ("a.txt", 5),
            ("sub/b.bin", 256),
            ("sub/deep/ünï 🜁", 0),
            ("sub/link", 5),
        ]
        with objects.open("x/y", "sub/b.bin") as stored:
            assert stored.read() == bytes(range(256))
        with objects.open("x/y", "sub/link") as stored:
            assert stored.read() == b"alpha"

    def test_what_is_built_is_stored_whole_or_not_at_all(self, objects: Objects) -> None:
        def folder(path: Path) -> None:
            path.mkdir()
            (path / "a").write_bytes(b"ab")

        def file(path: Path) -> None:
            path.write_bytes(b"new")

        def torn(path: Path) -> None:
            folder(path)
            raise InvalidInput("torn")

        with pytest.raises(InvalidInput, match="torn"):
            objects.build("x/built", torn)
        assert objects.stat("x/built") is None
        assert objects.build("x/built", folder) == ObjectInfo(key="x/built", size=2, directory=True)
        assert objects.build("x/built", file) == ObjectInfo(key="x/built", size=3)
        with objects.open("x/built") as stored:
            assert stored.read() == b"new"
        with pytest.raises(InvalidInput):
            objects.build("x/built/inside", folder)

    def test_an_empty_folder_is_an_object(self, objects: Objects, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        objects.put("x", tmp_path / "empty")
        assert objects.stat("x") == ObjectInfo(key="x", size=0, directory=True)
        assert objects.members("x") == []

    def test_an_equal_key_replaces(self, objects: Objects, tmp_path: Path) -> None:
        objects.write("k", b"first")
        objects.put("k", a_folder(tmp_path / "one"))
        assert objects.stat("k") == ObjectInfo(key="k", size=261, directory=True)
        (tmp_path / "two").mkdir()
        (tmp_path / "two" / "only").write_bytes(b"1")
        objects.put("k", tmp_path / "two")
        assert [m.key for m in objects.members("k")] == ["only"]
        objects.write("k", b"last")
        assert objects.stat("k") == ObjectInfo(key="k", size=4)
        assert objects.digest("k") == "sha256:" + hashlib.sha256(b"last").hexdigest()

    def test_a_parent_of_objects_is_none(self, objects: Objects) -> None:
        objects.write("a/b", b"")
        assert objects.stat("a") is None
        assert objects.local("a") is None
        with pytest.raises(NotFound):
            objects.open("a")

    def test_what_is_inside_an_object_is_none(self, objects: Objects, tmp_path: Path) -> None:
        objects.put("a", a_folder(tmp_path / "source"))
        assert objects.stat("a/a.txt") is None
        objects.delete("a/a.txt")
        assert len(objects.members("a")) == 4

    def test_what_can_be_reached_on_this_machine(self, objects: Objects, tmp_path: Path) -> None:
        objects.put("a", a_folder(tmp_path / "source"))
        objects.write("p/q", b"content")
        if objects.local("a") is None:
            assert objects.reach("a") is None
            return
        for key in ("a", "a/sub", "p"):
            folder = objects.reach(key)
            assert folder is not None
            assert folder.is_dir()
        file = objects.reach("p/q")
        assert file is not None
        assert file.read_bytes() == b"content"
        assert objects.reach("a/no") is None
        with pytest.raises(InvalidInput):
            objects.reach("a/../p")

    def test_objects_do_not_lie_in_one_another(self, objects: Objects, tmp_path: Path) -> None:
        objects.put("a", a_folder(tmp_path / "source"))
        objects.write("f", b"")
        objects.write("p/q/r", b"")
        for key in ("a/x", "a/sub/x", "f/x", "p", "p/q"):
            with pytest.raises(InvalidInput):
                objects.write(key, b"")
        assert len(objects.members("a")) == 4

    def test_what_is_not_there(self, objects: Objects, tmp_path: Path) -> None:
        assert objects.stat("no") is None
        assert objects.local("no") is None
        objects.delete("no")
        objects.write("file", b"")
        objects.put("folder", a_folder(tmp_path / "source"))
        for missing in (
            lambda: objects.open("no"),
            lambda: objects.members("no"),
            lambda: objects.digest("no"),
            lambda: objects.open("folder"),
            lambda: objects.open("folder", "sub"),
            lambda: objects.open("folder", "nothing"),
            lambda: objects.open("file", "x"),
            lambda: objects.put("x", tmp_path / "nothing"),
        ):
            with pytest.raises(NotFound):
                missing()

    def test_deleting_takes_all_below(self, objects: Objects, tmp_path: Path) -> None:
        for key in ("a/b/c", "a/b/d", "a/bc", "z"):
            objects.write(key, b"")
        objects.put("a/b/folder", a_folder(tmp_path / "source"))
        objects.delete("a/b")
        assert [key for key in ("a/b/c", "a/b/d", "a/b/folder", "a/bc", "z") if objects.stat(key)] == ["a/bc", "z"]
        objects.write("a/b", b"a key that was a part of others")
        objects.delete("a/b")
        objects.write("a/b/folder/x", b"a key below one that was an object")
        assert objects.stat("a/b/folder") is None
        assert objects.stat("a/b/folder/x") is not None

    def test_a_link_is_an_object_of_its_own(self, objects: Objects, tmp_path: Path) -> None:
        folder = objects.put("a/folder", a_folder(tmp_path / "source"))
        objects.write("a/file", b"data")
        objects.write("b/there", b"old")
        assert objects.link("a/folder", "b/folder") == ObjectInfo(key="b/folder", size=folder.size, directory=True)
        assert objects.link("a/file", "b/there") == ObjectInfo(key="b/there", size=4)
        assert objects.digest("b/folder") == objects.digest("a/folder")
        objects.delete("a")
        assert [info.key for info in objects.members("b/folder")] == [
            "a.txt",
            "sub/b.bin",
            "sub/deep/ünï 🜁",
            "sub/link",
        ]
        with objects.open("b/there") as stored:
            assert stored.read() == b"data"
        with pytest.raises(NotFound):
            objects.link("a/file", "b/other")
        assert objects.stat("b/other") is None

    def test_what_lies_below(self, objects: Objects, tmp_path: Path) -> None:
        for key in ("a/b/c", "a/b/d", "a/x"):
            objects.write(key, b"12345")
        objects.put("a/folder", a_folder(tmp_path / "source"))
        assert sorted(objects.below("a")) == ["b", "folder", "x"]
        assert (objects.below("a/folder"), objects.below("a/x"), objects.below("none")) == ({}, {}, {})
        assert (objects.size("a/b"), objects.size("a/x"), objects.size("none")) == (10, 5, 0)

    def test_digests(self, objects: Objects, tmp_path: Path) -> None:
        objects.write("f", b"data")
        assert objects.digest("f") == "sha256:" + hashlib.sha256(b"data").hexdigest()
        assert objects.digest("f") == objects.digest("f")
        (tmp_path / "s").mkdir()
        (tmp_path / "s" / "x").write_bytes(b"1")
        objects.put("d", tmp_path / "s")
        line = f"sha256:{hashlib.sha256(b'1').hexdigest()}  x\n"
        assert objects.digest("d") == "sha256:" + hashlib.sha256(line.encode()).hexdigest()

    @pytest.mark.parametrize("key", HOSTILE_KEYS, ids=lambda key: repr(key)[:20])
    def test_hostile_keys_are_refused(self, objects: Objects, tmp_path: Path, key: str) -> None:
        (tmp_path / "source").write_bytes(b"kept")
        for use in (
            lambda: objects.write(key, b""),
            lambda: objects.put(key, tmp_path / "source"),
            lambda: objects.stat(key),
            lambda: objects.open(key),
            lambda: objects.members(key),
            lambda: objects.local(key),
            lambda: objects.digest(key),
            lambda: objects.delete(key),
        ):
            with pytest.raises(InvalidInput):
                use()
        assert (tmp_path / "source").read_bytes() == b"kept"

    @pytest.mark.parametrize("member", ["../other", "/etc/passwd", "sub/../../other", "a\0b"])
    def test_hostile_members_are_refused(self, objects: Objects, tmp_path: Path, member: str) -> None:
        objects.write("other", b"secret")
        objects.put("d", a_folder(tmp_path / "source"))
        with pytest.raises((InvalidInput, NotFound)):
            objects.open("d", member)

    @pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "sub/../../outside", "sub/up/../outside"])
    def test_links_that_lead_out_are_refused(self, objects: Objects, tmp_path: Path, target: str) -> None:
        (tmp_path / "outside").write_bytes(b"secret")
        source = a_folder(tmp_path / "source")
        (source / "sub" / "up").symlink_to("..")
        (source / "trap").symlink_to(target)
        with pytest.raises(InvalidInput, match="trap"):
            objects.put("d", source)
        assert objects.stat("d") is None
        assert (tmp_path / "outside").read_bytes() == b"secret"

    def test_special_files_are_refused(self, objects: Objects, tmp_path: Path) -> None:
        source = a_folder(tmp_path / "source")
        os.mkfifo(source / "pipe")
        with pytest.raises(InvalidInput, match="pipe"):
            objects.put("d", source)
        (source / "pipe").unlink()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(source / "sock"))
            with pytest.raises(InvalidInput, match="sock"):
                objects.put("d", source)
        with pytest.raises(InvalidInput):
            objects.put("d", source / "sock")
        assert objects.stat("d") is None
