"""Artifacts: what a browser may show, ranges, directories."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import Path

import pytest
from server_room import API, Room, step
from starlette.testclient import TestClient

from penstock.server import artifacts
from penstock.server.files import attachment, kind_of
from penstock.workflow.status import Artifact, NodeOutputs

PNG = b"\x89PNG\r\n\x1a\n\0\0"


@pytest.fixture
def folder(room: Room, tmp_path: Path) -> str:
    """Address of an artifact that is a directory."""
    source = tmp_path / "made"
    (source / "deep").mkdir(parents=True)
    (source / "a.csv").write_text("1,2\n")
    (source / "deep" / "b <&> ü.html").write_text("<html></html>")
    (source / ("n" * 200)).write_bytes(b"x" * 1000)
    run = room.run()
    room.objects.put("artifacts/folder", source)
    artifact = Artifact(name="folder", key="artifacts/folder", directory=True)
    room.commit(run, step(outputs=NodeOutputs(artifacts=(artifact,))))
    return f"{API}/runs/{run}/nodes/n1/artifacts/folder"


@pytest.mark.parametrize(
    ("content", "kind", "shown"),
    [
        (b"plain", "text/plain; charset=utf-8", True),
        (b"", "text/plain; charset=utf-8", True),
        ("ü".encode() * 2048 + "ü".encode(), "text/plain; charset=utf-8", True),
        (b"x" + "ü".encode() * 3000, "text/plain; charset=utf-8", True),
        (b'{"a": 1}', "text/plain; charset=utf-8", True),
        (PNG, "image/png", True),
        (b"\xff\xd8\xff\xe0", "image/jpeg", True),
        (b"<!DOCTYPE html><script>alert(1)</script>", "text/html; charset=utf-8", False),
        (b"  \n<svg onload=alert(1)>", "text/html; charset=utf-8", False),
        (b"<?xml version='1.0'?>", "text/html; charset=utf-8", False),
        (b"<SCRIPT>alert(1)</SCRIPT>", "text/html; charset=utf-8", False),
        (b"PK\x03\x04\0\0", "application/octet-stream", False),
        (b"\xff\xfe<\0h\0", "application/octet-stream", False),
    ],
)
def test_what_a_browser_is_told(room: Room, client: TestClient, content: bytes, kind: str, shown: bool) -> None:
    run, node = room.step_with({"made": content})
    answer = client.get(f"{API}/runs/{run}/nodes/{node}/artifacts/made")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, kind)
    assert ("content-disposition" not in answer.headers) is shown
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_kinds_are_told_by_the_beginning_alone() -> None:
    assert kind_of(b"\xc3") == ("text/plain; charset=utf-8", "txt", True)
    assert kind_of(b"\xc3a")[2] is False


def test_an_artifact_to_keep_and_a_part_of_it(room: Room, client: TestClient) -> None:
    run, node = room.step_with({"made": b"0123456789"})
    address = f"{API}/runs/{run}/nodes/{node}/artifacts/made"
    assert 'filename="made.txt"' in client.get(f"{address}?download=1").headers["content-disposition"]
    part = client.get(address, headers={"Range": "bytes=2-3"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"23", "bytes 2-3/10")
    assert client.get(address, headers={"Range": "bytes=10-"}).status_code == 416
    assert client.head(address).headers["content-length"] == "10"


def test_names_cannot_break_out_of_their_header() -> None:
    assert attachment('a"\r\nX: ü') == "attachment; filename=\"a___X_ _\"; filename*=UTF-8''a%22%0D%0AX%3A%20%C3%BC"


def test_base64_as_kubeflow_pipelines_has_it(room: Room, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    run, node = room.step_with({"made": PNG})
    address = f"{API}/runs/{run}/nodes/{node}/artifacts/made:read"
    assert base64.b64decode(client.get(address).json()["data"]) == PNG
    monkeypatch.setattr(artifacts, "READ_LIMIT", 3)
    assert client.get(address).status_code == 413


def test_what_there_is_is_named_where_an_artifact_is_not(room: Room, client: TestClient) -> None:
    run, node = room.step_with({"made": b"x"})
    answer = client.get(f"{API}/runs/{run}/nodes/{node}/artifacts/other")
    assert (answer.status_code, "it has: made" in answer.json()["message"]) == (404, True)
    assert client.get(f"{API}/runs/{run}/nodes/{node}/artifacts/made?path=x").status_code == 404


# --- directories ------------------------------------------------------------------------------------------------


def test_a_directory_is_a_list(folder: str, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = client.get(folder).json()
    assert [member["path"] for member in listed["members"]] == ["a.csv", "deep/b <&> ü.html", "n" * 200]
    assert listed["members"][0]["size"] == 4
    assert listed["total_size"] == 3
    monkeypatch.setattr(artifacts, "LISTED", 1)
    short = client.get(folder).json()
    assert (len(short["members"]), short["total_size"]) == (1, 3)


def test_a_browser_gets_the_list_as_a_page_of_links(folder: str, client: TestClient) -> None:
    page = client.get(folder, headers={"Accept": "text/html,*/*"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "deep/b &lt;&amp;&gt; ü.html" in page.text
    assert 'href="?path=deep%2Fb%20%3C%26%3E%20%C3%BC.html"' in page.text
    assert "script" not in page.headers["content-security-policy"]


def test_a_file_of_a_directory(folder: str, client: TestClient) -> None:
    assert client.get(f"{folder}?path=a.csv").text == "1,2\n"
    html = client.get(folder, params={"path": "deep/b <&> ü.html"})
    assert html.headers["content-disposition"].startswith('attachment; filename="b ___ _.html"')
    assert client.get(f"{folder}:read").status_code == 400


@pytest.mark.parametrize(
    "path", ["..", "../folder/a.csv", "/etc/passwd", "deep/../../x", "a.csv/", "deep", "none", "\0"]
)
def test_nothing_but_its_files_is_reached(folder: str, client: TestClient, path: str) -> None:
    assert client.get(folder, params={"path": path}).status_code in (400, 404)


@pytest.mark.parametrize("name", ["..%2Ffolder", "%2e%2e", "folder%2F.."])
def test_nor_by_the_name_of_an_artifact(folder: str, client: TestClient, name: str) -> None:
    assert client.get(folder.replace("artifacts/folder", f"artifacts/{name}")).status_code == 404


def test_a_directory_to_keep_is_a_tar_archive(folder: str, client: TestClient) -> None:
    answer = client.get(f"{folder}?download=1")
    assert answer.headers["content-type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        names = {member.name: member.size for member in archive.getmembers()}
        assert names == {"folder/a.csv": 4, "folder/deep/b <&> ü.html": 13, "folder/" + "n" * 200: 1000}
        file = archive.extractfile("folder/a.csv")
        assert file is not None
        assert file.read() == b"1,2\n"
