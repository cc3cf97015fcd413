"""Components by name, and images made of folders."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.main import cli
from penstock.components import ComponentStore, build_image_from_working_dir
from penstock.errors import Final, InvalidDocument, InvalidInput, NotFound, Unavailable

TEXT = "{name: %s, implementation: {container: {image: x}}}"
DIGEST = hashlib.sha256((TEXT % "old").encode()).hexdigest()


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> ComponentStore:
    files = {
        "train/component.yaml": TEXT % "new",
        f"train/versions/sha256/{DIGEST}": TEXT % "old",
        "train/versions/tags/v1": TEXT % "first",
        "team/Judge/component.yaml": TEXT % "judge",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return ComponentStore([tmp_path])


def test_components_are_found_by_name_digest_and_tag(store: ComponentStore) -> None:
    assert store.load_component("train").spec.name == "new"
    assert store.load_component("train", digest=DIGEST).spec.name == "old"
    assert store.load_component("train", tag="v1").spec.name == "first"
    assert store.load_component("team/Judge").spec.name == "judge"
    assert store.list() == ["team/Judge", "train"]
    assert store.search("judge") == ["team/Judge"]


def test_what_is_not_there_is_told_with_where_was_looked(store: ComponentStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=rf"no component 'x': looked for {tmp_path}/x/component.yaml"):
        store.load_component("x")
    store.url_search_prefixes.append("http://127.0.0.1:1/components/")
    with pytest.raises(
        NotFound, match=r"x/component.yaml; http://127.0.0.1:1/components/x/component.yaml: component ca"
    ):
        store.load_component("x")


@pytest.mark.parametrize("name", ["", "../train", "/train", "a//b", "a/./b", "a\\b"])
def test_a_name_is_a_path_below_a_folder(store: ComponentStore, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"expected names of folders with / between them"):
        store.load_component(name)


def test_versions_are_named_by_one_thing_that_is_right(store: ComponentStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"by a digest or by a tag, not by both"):
        store.load_component("train", DIGEST, "v1")
    with pytest.raises(InvalidInput, match=r"digest: expected 64 hexadecimal digits, got '../x'"):
        store.load_component("train", "../x")
    other = "0" * 64
    (tmp_path / "train" / "versions" / "sha256" / other).write_text(TEXT % "other")
    with pytest.raises(InvalidDocument, match=f"expected the digest {other}, got "):
        store.load_component("train", other)


# --- images -----------------------------------------------------------------------------------------------------

BUILDER = """#!/bin/sh
PATH=/usr/bin:/bin
echo "$@" >> {log}
if [ "$1" = build ]; then (cd "$4" && find . -type f | sort && cat Dockerfile) >> {log}; fi
{end}
"""


@pytest.fixture(name="builder")
def _builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, all of PATH, for a builder of ours; its log is what it was told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def command(folder: Path, name: str, end: str = "") -> Path:
    """A command that writes down what it is told; gives the log."""
    log = folder / "log"
    program = folder / name
    program.write_text(BUILDER.format(log=log, end=end))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return log


@pytest.fixture(name="sources")
def _sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    (folder / "lib").mkdir(parents=True)
    for name in ("main.py", "lib/part.py", "secret.txt", "requirements.txt"):
        (folder / name).write_text("")
    return folder


def test_an_image_holds_the_files_of_a_folder(builder: Path, sources: Path) -> None:
    log = command(builder, "docker")
    assert build_image_from_working_dir("reg/x:1", sources, base_image="python:3.12") == "reg/x:1"
    words, *rest, pushed = log.read_text().splitlines()
    assert words.startswith("build --tag reg/x:1 /")
    assert rest[:4] == ["./Dockerfile", "./lib/part.py", "./main.py", "./requirements.txt"]
    assert rest[4:] == [
        "FROM python:3.12",
        "WORKDIR /app",
        "COPY requirements.txt ./",
        "RUN python3 -m pip install --no-cache-dir -r requirements.txt",
        "COPY . .",
    ]
    assert pushed == "push reg/x:1"


def test_podman_stands_in_and_a_dockerfile_is_kept(builder: Path, sources: Path) -> None:
    log = command(builder, "podman")
    (sources / "Dockerfile").write_text("FROM scratch\n")
    done = CliRunner().invoke(
        cli, ["component", "build", str(sources), "--image", "x", "--files", "main.*", "--no-push"]
    )
    assert done.exit_code == 0, done.output
    assert log.read_text().splitlines()[1:] == ["./Dockerfile", "./main.py", "./requirements.txt", "FROM scratch"]


def test_what_fails_is_told(builder: Path, sources: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no such folder"):
        build_image_from_working_dir("x", sources / "none")
    with pytest.raises(Unavailable, match=r"no docker and no podman on PATH"):
        build_image_from_working_dir("x", sources)
    command(builder, "docker", "echo 'no space left'; exit 3")
    with pytest.raises(InvalidInput, match=r"file_filter_re: '\('"):
        build_image_from_working_dir("x", sources, "(")
    with pytest.raises(Final, match=r"docker build: exit code 3\nno space left"):
        build_image_from_working_dir("x", sources)
    command(builder, "docker", "exec sleep 60")
    with pytest.raises(Final, match=r"docker build: not done after 0.2 s"):
        build_image_from_working_dir("x", sources, timeout=0.2)
