"""Documents inside archives."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock import workflow
from penstock.compiler.packages import package
from penstock.errors import InvalidDocument, TooLarge
from penstock.workflow.packages import unpacked

DOCUMENT = b"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: packed}
spec:
  entrypoint: main
  templates: [{name: main, container: {image: "python:3.11", command: ["true"]}}]
"""


def tar(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def zipped(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


both = pytest.mark.parametrize("pack", [tar, zipped])


@pytest.mark.parametrize("ending", [".yaml", ".json", ".tar.gz", ".tgz", ".zip"])
def test_what_the_compiler_packages_is_loaded(ending: str) -> None:
    raw = workflow.load(DOCUMENT).raw
    assert workflow.load(package(raw, Path(f"packed{ending}"))).raw == raw


@both
@pytest.mark.parametrize("name", ["pipeline.yaml", "./pipeline.yaml", "other.yml", "folder/other.json"])
def test_the_only_document_counts(pack, name: str) -> None:
    assert unpacked(pack({"README.md": b"read", name: DOCUMENT}), 10_000, "a") == DOCUMENT


@both
def test_pipeline_yaml_goes_before_others(pack) -> None:
    assert unpacked(pack({"a.yaml": b"x", "pipeline.yaml": DOCUMENT}), 10_000, "a") == DOCUMENT


def test_a_compressed_document_is_one() -> None:
    assert unpacked(gzip.compress(DOCUMENT), 10_000, "a") == DOCUMENT


@both
@pytest.mark.parametrize("members", [{}, {"a.txt": b"x"}, {"a.yaml": b"x", "b.yaml": b"x"}])
def test_none_and_several_are_refused(pack, members: Mapping[str, bytes]) -> None:
    with pytest.raises(InvalidDocument, match=r"up\.zip: expected pipeline\.yaml or one document in the archive, got"):
        unpacked(pack(members), 10_000, "up.zip")


@both
def test_a_bomb_is_not_unpacked(pack) -> None:
    with pytest.raises(TooLarge, match=r"a: over 10,000 bytes when unpacked"):
        unpacked(pack({"pipeline.yaml": b" " * 50_000_000}), 10_000, "a")


@both
def test_many_members_are_refused(pack) -> None:
    with pytest.raises(TooLarge, match=r"over 1,000 members"):
        unpacked(pack({f"{i}.txt": b"" for i in range(1100)}), 10_000, "a")


def test_a_link_is_no_document() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        link = tarfile.TarInfo("pipeline.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(InvalidDocument, match=r"got none"):
        unpacked(file.getvalue(), 10_000, "a")


@both
def test_an_archive_cut_off_is_refused_at_any_byte(pack) -> None:
    whole = pack({"pipeline.yaml": DOCUMENT})
    for size in range(4, len(whole) - 30, 7):
        with pytest.raises((InvalidDocument, TooLarge)):
            workflow.load(whole[:size])


def test_a_name_that_yaml_reads_as_no_text_keeps_its_value() -> None:
    loaded = workflow.load(
        DOCUMENT.replace(b"entrypoint", b"arguments: {parameters: [{name: n, value: 1}]}\n  entrypoint")
    )
    made = workflow.named(loaded.raw, name="r", uid="u", parameters={"false": "2"}, created_at=0)
    assert made["spec"]["arguments"]["parameters"] == [{"name": "false", "value": "2"}]
