"""Images of functions, as files for kfp 0.1 make them: by a builder of this machine."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.compat import kfp
from penstock.errors import InvalidPipeline, Unavailable

BUILDER = """#!/bin/sh
PATH=/usr/bin:/bin
echo "$@" >> {log}
if [ "$1" = build ]; then cp -r "$4" {kept}; fi
"""
OLD = """
import kfp.compiler as compiler
import kfp.dsl as dsl

@dsl.python_component(name="Add two", description="Adds.", base_image="python:3.11")
def add(a: float, b: int, sure: bool) -> float:
    return a + b if sure else 0

add_op = compiler.build_python_component(
    component_func=add,
    staging_gcs_path="gs://bucket/somewhere",
    target_image="reg/add:1",
    dependency=[
        compiler.VersionedDependency("pandas", min_version="1", max_version="2"),
        compiler.VersionedDependency("numpy", version="1.5"),
        compiler.VersionedDependency("six"),
    ],
    target_component_file={file!r},
)

@dsl.pipeline(name="Sum", description="")
def total(a=1):
    add_op(add_op(a, 2, True).output, 3, "False")
"""


@pytest.fixture(name="builder")
def _builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a builder that writes down what it is told, in `log`, and keeps what it builds, in `kept`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "docker"
    program.write_text(BUILDER.format(log=folder / "log", kept=folder / "kept"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def compiled(tmp_path: Path, text: str) -> dict[str, Any]:
    path = tmp_path / "old.py"
    path.write_text(text)
    return kfp.compiled(path, None, "0.1")


def test_a_function_becomes_an_image_and_a_component(builder: Path, tmp_path: Path) -> None:
    file = tmp_path / "add.yaml"
    found = {each["name"]: each for each in compiled(tmp_path, OLD.format(file=str(file)))["spec"]["templates"]}
    assert [line.split()[0] for line in (builder / "log").read_text().splitlines()] == ["build", "push"]
    assert (builder / "kept" / "Dockerfile").read_text().splitlines() == [
        "FROM python:3.11",
        "COPY requirements.txt /ml/",
        "RUN python3 -m pip install -r /ml/requirements.txt",
        "COPY main.py /ml/main.py",
        'ENTRYPOINT ["python3", "/ml/main.py"]',
    ]
    assert (builder / "kept" / "requirements.txt").read_text() == "pandas>=1,<=2\nnumpy>=1.5,<=1.5\nsix\n"
    assert found["add-two"]["container"] == {
        "image": "reg/add:1",
        "args": ["{{inputs.parameters.a}}", "2", "True", "/outputs/output"],
    }
    assert found["add-two-2"]["container"]["args"][0] == "{{inputs.parameters.add-two-output}}"
    assert "name: Add two" in file.read_text()


def test_the_image_runs_the_function(builder: Path, tmp_path: Path) -> None:
    compiled(tmp_path, OLD.format(file=str(tmp_path / "add.yaml")))
    for sure, result in (("True", "3.5"), ("False", "0.0")):
        words = [sys.executable, str(builder / "kept" / "main.py"), "1.5", "2", sure, str(tmp_path / "out" / "output")]
        ended = subprocess.run(words, capture_output=True, text=True)
        assert (ended.returncode, (tmp_path / "out" / "output").read_text()) == (0, result), ended.stderr


def test_a_dockerfile_is_built_alone(builder: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.any").write_text("FROM scratch\n")
    with kfp.resolved("0.1"):
        from kfp.compiler import build_docker_image  # type: ignore[import-not-found]

        build_docker_image("gs://bucket/x", "reg/y:1", str(tmp_path / "Dockerfile.any"))
    assert (builder / "kept" / "Dockerfile").read_text() == "FROM scratch\n"
    assert (builder / "log").read_text().splitlines()[-1] == "push reg/y:1"


def test_an_image_that_is_there_is_not_built(builder: Path, tmp_path: Path) -> None:
    compiled(tmp_path, OLD.format(file="").replace("target_image", "build_image=False, target_image"))
    assert not (builder / "log").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("a: float", "a", "'add': a: expected a type of int, float, str, bool"),
        (") -> float", ")", "'add': the result: expected a type of int, float, str, bool"),
        (', base_image="python:3.11"', "", "'add': base_image is missing"),
    ],
)
def test_what_cannot_be_built_is_told(old: str, new: str, message: str, builder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidPipeline) as caught:
        compiled(tmp_path, OLD.format(file="").replace(old, new))
    assert str(caught.value).startswith(f"{tmp_path / 'old.py'}:")
    assert message in str(caught.value)
    assert not (builder / "log").exists()


def test_without_a_builder_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="no docker and no podman on PATH"):
        compiled(tmp_path, OLD.format(file=""))
