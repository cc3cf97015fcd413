"""Documents are the same for the same source: to the byte, wherever, whenever and in whatever order of hashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from authoring import document
from penstock import component, dsl
from penstock.compiler import compile_pipeline, load_pipelines
from penstock.compiler.packages import package
from penstock.errors import InvalidPipeline
from penstock.workflow import load

HERE = Path(__file__).parent
SOURCE = HERE / "pipelines" / "constructs.py"
GOLDEN = HERE / "golden" / "constructs.yaml"
EXAMPLES = HERE.parents[2] / "examples"
COMPILE = """
import sys
from pathlib import Path
from penstock.compiler import compile_pipeline, load_pipelines
from penstock.compiler.packages import package
for path in map(Path, sys.argv[1:]):
    sys.stdout.buffer.write(package(compile_pipeline(load_pipelines(path)), Path("x.yaml")))
"""


def test_each_construct_compiles_to_its_checked_in_document() -> None:
    made = package(compile_pipeline(load_pipelines(SOURCE)), Path("x.yaml"))
    if os.environ.get("PENSTOCK_WRITE_GOLDEN"):
        GOLDEN.write_bytes(made)
    assert made == GOLDEN.read_bytes(), "if this change is meant, run this test with PENSTOCK_WRITE_GOLDEN=1"


def test_the_document_keeps_the_rules_of_documents() -> None:
    assert load(GOLDEN.read_bytes()).inputs[0].name == "source"


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_hashes_and_folders_do_not_show(seed: str, tmp_path: Path) -> None:
    sources = [SOURCE, *sorted(EXAMPLES.glob("*/pipeline.py"))]
    here = b"".join(package(compile_pipeline(load_pipelines(path)), Path("x.yaml")) for path in sources)
    there = subprocess.run(
        [sys.executable, "-c", COMPILE, *map(str, sources)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": seed, "HOME": str(tmp_path), "LC_ALL": "C"},
        capture_output=True,
        check=True,
    ).stdout
    assert here == there


def test_a_file_at_another_place_gives_the_same(tmp_path: Path) -> None:
    other = tmp_path / "other_name.py"
    other.write_bytes(SOURCE.read_bytes())
    assert compile_pipeline(load_pipelines(other)) == compile_pipeline(load_pipelines(SOURCE))


def test_a_text_that_no_program_can_be_started_with_is_refused() -> None:
    @component
    def tell(text: str):
        """Print."""

    with pytest.raises(InvalidPipeline) as error:
        document(lambda: tell("ü" * 70_000))
    assert "step 'tell': 'text' is 140,000 bytes; limit 131,071. Pass it as an artifact." in str(error.value)
    assert str(error.value).startswith(f"{__file__}:")
    with pytest.raises(InvalidPipeline, match="'text' is 131,072 bytes; limit 131,071"):
        document(lambda: tell("x" * 131_072))
    with pytest.raises(InvalidPipeline, match="step 'a': an argument is 200,000 bytes; limit 131,071"):
        document(lambda: dsl.ContainerOp("a", "alpine", arguments=["x" * 200_000]))
    with pytest.raises(InvalidPipeline, match="step 'a': an argument is 200,000 bytes; limit 131,071"):
        document(lambda: dsl.ContainerOp("a", "alpine").set_env_variable("A", "x" * 200_000))
    assert document(lambda: tell("x" * 131_071))
