"""Archive forms: what a step is given of what another one stored under a key of the document."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stage import Stage, pod, staged, workflow

from archives import tarball
from penstock.adapters.local.forms import given_key, store
from penstock.adapters.objects import LocalObjects
from penstock.engine.protocol import ArtifactOutput
from penstock.errors import InvalidInput
from penstock.testing import Act
from penstock.workflow.status import Archive, Artifact

FORMS: Mapping[str, Archive | None] = {
    "": None,
    "none": Archive(none={}),
    "tar": Archive(tar={}),
    "zip": Archive(zip={}),
}
KEY = "keyed/k"


@pytest.fixture
def objects(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "objects", background=False)


def zipped(files: Mapping[str, bytes]) -> bytes:
    with io.BytesIO() as data:
        with zipfile.ZipFile(data, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return data.getvalue()


def like(name: str, kind: bytes, goal: str = "") -> tarfile.TarInfo:
    about = tarfile.TarInfo(name)
    about.type, about.linkname = kind, goal
    return about


def lay(objects: LocalObjects, tmp_path: Path, content: bytes | Mapping[str, bytes], form: str) -> None:
    """Store what a step made at /out/made."""
    made = tmp_path / "made"
    if isinstance(content, bytes):
        made.write_bytes(content)
    else:
        for name, data in content.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(data)
    store(objects, ArtifactOutput(name="o", path="/out/made", key=KEY, archive=FORMS[form]), made)


def take(objects: LocalObjects, form: str, key: str = KEY) -> Path:
    """Where that is which a step is given."""
    artifact = Artifact(name="i", path="/in", key=key, archive=FORMS[form])
    found = objects.reach(given_key(objects, artifact, "artifacts/run/step@inputs/i"))
    assert found is not None
    return found


def named(value: object) -> str | None:
    """Archives hold the time of their making, which is no name of a test."""
    return "bytes" if isinstance(value, bytes) else None


def shown(path: Path) -> bytes | dict[str, bytes]:
    if path.is_file():
        return path.read_bytes()
    return {each.relative_to(path).as_posix(): each.read_bytes() for each in path.rglob("*") if each.is_file()}


ONE, TWO = {"a": b"first"}, {"a": b"first", "sub/b": b"second"}
GIVEN: list[tuple[str, bytes | Mapping[str, bytes], str, bytes | Mapping[str, bytes]]] = [
    # Packed when it was stored, unpacked when it is read: as it was, whatever it is.
    *[(form, content, form, content) for form in FORMS for content in (b"text", tarball(ONE), zipped(TWO))],
    *[(form, TWO, form, TWO) for form in ("", "none", "tar", "zip")],
    ("", tarball(ONE), "tar", tarball(ONE)),
    ("tar", tarball(TWO), "", tarball(TWO)),
    # Not packed: the reader looks itself, of a zip archive only where it is told to.
    ("none", b"text", "", b"text"),
    ("none", gzip.compress(b"text"), "", gzip.compress(b"text")),
    ("none", tarball({}), "", tarball({})),
    ("none", TWO, "", TWO),
    ("none", tarball(ONE), "", b"first"),
    ("none", tarball(TWO), "", TWO),
    ("none", tarball({"top/a": b"x", "top/b": b"y"}), "tar", {"a": b"x", "b": b"y"}),
    ("none", tarball({"./a": b"x", "./b": b"y"}, like("./", tarfile.DIRTYPE)), "", {"a": b"x", "b": b"y"}),
    ("none", tarball({}), "tar", {}),
    ("none", zipped(TWO), "", zipped(TWO)),
    ("none", zipped(ONE), "zip", b"first"),
    ("none", zipped(TWO), "zip", TWO),
]


@pytest.mark.parametrize(("form", "content", "wanted", "expected"), GIVEN, ids=named)
def test_what_is_given(
    objects: LocalObjects,
    tmp_path: Path,
    form: str,
    content: bytes | Mapping[str, bytes],
    wanted: str,
    expected: bytes | Mapping[str, bytes],
) -> None:
    lay(objects, tmp_path, content, form)
    assert shown(take(objects, wanted)) == expected


@pytest.mark.parametrize("content", [b"text", TWO])
def test_who_wants_no_unpacking_gets_the_archive_that_would_lie_on_argo(
    objects: LocalObjects, tmp_path: Path, content: bytes | Mapping[str, bytes]
) -> None:
    lay(objects, tmp_path, content, "")
    with tarfile.open(take(objects, "none")) as archive:
        archive.extractall(tmp_path / "tar", filter="data")
    assert shown(tmp_path / "tar" / "made") == content
    for wanted in ("", "none"):
        lay(objects, tmp_path, content, "zip")
        with zipfile.ZipFile(take(objects, wanted)) as zip:
            zip.extractall(tmp_path / "zip")
        assert shown(tmp_path / "zip" / "made") == content


@pytest.mark.parametrize(
    ("form", "content", "wanted", "reason"),
    [
        ("none", b"text", "tar", "no tar archive that can be read"),
        ("none", b"text", "zip", "no zip archive that can be read"),
        ("none", tarball(ONE)[:-40], "tar", "no tar archive that can be read"),
        ("none", zipped(ONE)[:-10], "zip", "no zip archive that can be read"),
        ("none", ONE, "tar", "a folder"),
        ("", b"text", "zip", "stored as a tar archive, and asked for as zip"),
        ("zip", b"text", "tar", "stored as a zip archive, and asked for as tar"),
        ("none", tarball({"../out": b""}), "", "leads out of it"),
        ("none", tarball({"a": b"", "a/b": b""}), "", "two things of one name"),
        ("none", tarball({}, like("a", tarfile.SYMTYPE, "/etc"), like("b", tarfile.DIRTYPE)), "", "leads out"),
        ("none", tarball({}, like("a", tarfile.LNKTYPE, "b")), "", "which is no file of it"),
        ("none", zipped({"a/../../out": b""}), "zip", "leads out of it"),
        ("none", zipped({"a": b"", "a/b": b""}), "zip", "two things of one name"),
    ],
    ids=named,
)
def test_what_is_refused(
    objects: LocalObjects,
    tmp_path: Path,
    form: str,
    content: bytes | Mapping[str, bytes],
    wanted: str,
    reason: str,
) -> None:
    lay(objects, tmp_path, content, form)
    with pytest.raises(InvalidInput, match=reason):
        take(objects, wanted)
    assert objects.below("artifacts") == {}


def test_a_file_of_a_folder_is_looked_at_where_the_folder_was_not_packed(objects: LocalObjects, tmp_path: Path) -> None:
    for form, expected in (("none", b"first"), ("", tarball(ONE))):
        lay(objects, tmp_path, {"sub/t": tarball(ONE), "b": b""}, form)
        assert shown(take(objects, "", f"{KEY}/sub/t")) == expected


def test_what_nobody_noted_was_not_packed(objects: LocalObjects) -> None:
    objects.write("keyed/by/hand", tarball(ONE))
    assert shown(take(objects, "", "keyed/by/hand")) == b"first"
    assert shown(take(objects, "", "keyed/by")) == {"hand": tarball(ONE)}
    objects.write("artifacts/run/step/o", tarball(ONE))
    assert shown(take(objects, "", "artifacts/run/step/o")) == tarball(ONE)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["tar", "zip"]), st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=8))
def test_a_damaged_archive_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, form: str, changes: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    objects = LocalObjects(folder / "objects", background=False)
    data = bytearray(tarball(TWO) if form == "tar" else zipped(TWO))
    for at, value in changes:
        data[at % len(data)] = value
    lay(objects, folder, bytes(data), "none")
    for wanted in (form, ""):
        # Anything else would be tried again, for ever.
        with suppress(InvalidInput):
            take(objects, wanted)


NONE = {"archive": {"none": {}}}
SEED = {"name": "s", "path": "/s", "s3": {"key": "seed"}, "optional": True, **NONE}


def steps(stores: Mapping[str, Any], reads: Mapping[str, Any]) -> dict[str, Any]:
    """A run of two steps that share a key of the document."""
    return workflow(
        {"name": "main", "dag": {"tasks": [task("one"), task("two", "one")]}},
        pod(
            "one",
            inputs={"artifacts": [SEED]},
            outputs={"artifacts": [{"name": "o", "path": "/o", "s3": {"key": "k"}, **stores}]},
        ),
        pod("two", inputs={"artifacts": [{"name": "i", "path": "/i", "s3": {"key": "k"}, **reads}]}),
    )


def task(name: str, *before: str) -> dict[str, Any]:
    return {"name": name, "template": name, "dependencies": list(before)}


@staged
async def test_a_step_is_given_what_another_stored_packed_itself(stage: Stage) -> None:
    stage.objects.write("keyed/seed", tarball(ONE))
    stage.acts = {"one": [Act(copies={"/s": "/o"})]}
    run = stage.create(steps(NONE, {}))
    assert (await stage.end(run)).state == "SUCCEEDED"
    (item,) = stage.launcher.launched[-1].inputs
    assert item.source is not None
    assert Path(item.source).read_bytes() == b"first"
    assert Path(item.source).is_relative_to(stage.folder / "objects" / "artifacts")
    outputs = {node.display_name: node.outputs for node in stage.nodes(run).values()}["one"]
    assert outputs is not None
    assert outputs.artifacts[0].archive == Archive(none={})
    stage.runs.delete(run)
    await stage.until(lambda: not stage.objects.below("artifacts"), "what was unpacked is gone")


@staged
async def test_an_input_of_another_form_is_an_error_of_its_step(stage: Stage) -> None:
    stage.acts = {"one": [Act(files={"/o": "text"})]}
    run = stage.create(steps(NONE, {"archive": {"tar": {"compressionLevel": 1}}}))
    assert (await stage.end(run)).state == "FAILED"
    (node,) = [node for node in stage.nodes(run).values() if node.display_name == "two"]
    assert node.phase == "Error"
    assert node.message.startswith("input artifact 'i': no tar archive that can be read")
    assert stage.starts() == ["one"]


@staged
async def test_an_optional_input_of_which_nothing_is_stored_is_left_out(stage: Stage) -> None:
    reads = {"artifacts": [{"name": "i", "path": "/i", "s3": {"key": "k"}, "optional": True}]}
    assert (await stage.end(stage.create(workflow(pod("one", inputs=reads), entrypoint="one")))).state == "SUCCEEDED"
    assert stage.launcher.launched[-1].inputs == ()


@staged
async def test_raw_content_is_no_archive(stage: Stage) -> None:
    reads = {"artifacts": [{"name": "i", "path": "/i", "raw": {"data": "x"}, "archive": {"zip": {}}}]}
    run = stage.create(workflow(pod("one", inputs=reads), entrypoint="one"))
    assert (await stage.end(run)).state == "FAILED"
    (node,) = stage.nodes(run).values()
    assert node.phase == "Error"
    assert node.message == "input artifact 'i': raw content is no archive; take its `archive` away"
