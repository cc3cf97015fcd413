"""Documents as files."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from authoring import document, step
from penstock import dsl
from penstock.compiler import Compiler
from penstock.compiler.packages import package
from penstock.errors import InvalidInput, InvalidPipeline
from penstock.workflow import load_yaml


@dsl.pipeline(name="p", description="Größe: \"'{{x}}'\" \U0001f600")
def pipeline(x: str = "yes") -> None:
    """A pipeline with texts that are easily read wrongly."""
    step("a", x, "1e3", "no", "0o14", "\n", "a\nb", "-", "{{workflow.uid}}")


def unpacked(data: bytes, ending: str) -> object:
    if ending == ".zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.namelist() == ["pipeline.yaml"]
            data = archive.read("pipeline.yaml")
    if ending in (".tar.gz", ".tgz"):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            assert archive.getnames() == ["pipeline.yaml"]
            member = archive.extractfile("pipeline.yaml")
            assert member is not None
            data = member.read()
    return json.loads(data) if ending == ".json" else load_yaml(data)


@pytest.mark.parametrize("ending", [".yaml", ".yml", ".json", ".tar.gz", ".tgz", ".zip"])
def test_each_form_holds_the_same_document(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"made{ending}"
    Compiler().compile(pipeline, path)
    assert unpacked(path.read_bytes(), ending) == document(pipeline)
    assert path.read_bytes() == package(document(pipeline), path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["made.txt", "made", "made.tar", "yaml"])
def test_another_ending_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"expected a file that ends in one of \.yaml, \.yml, \.json"):
        Compiler().compile(pipeline, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_is_not_touched_by_a_pipeline_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "made.yaml"
    path.write_text("before")
    with pytest.raises(InvalidPipeline):
        Compiler().compile(lambda: None, path)
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["made.yaml"]


@pytest.mark.parametrize("place", ["missing/made.yaml", "folder.yaml"])
def test_a_place_that_cannot_be_written(place: str, tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(InvalidInput, match=r"made\.yaml|folder\.yaml: cannot be written: "):
        Compiler().compile(pipeline, tmp_path / place)
    assert [each.name for each in tmp_path.iterdir()] == ["folder.yaml"]


def test_a_function_is_taken_for_a_pipeline(tmp_path: Path) -> None:
    Compiler().compile(pipeline.func, tmp_path / "made.json", name="Named here")
    made = json.loads((tmp_path / "made.json").read_text())
    assert made["metadata"]["generateName"] == "named-here-"


def test_settings_of_the_whole_stand_in_for_the_pipelines_own(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    Compiler().compile(pipeline, file, pipeline_conf=dsl.PipelineConf().set_parallelism(3))
    assert json.loads(file.read_text())["spec"]["parallelism"] == 3
