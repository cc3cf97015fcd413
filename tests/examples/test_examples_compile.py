"""Every example compiles to the checked-in document, and there is one for each."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import EXAMPLES, penstock

GOLDEN = Path(__file__).with_name("golden")
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/pipeline.py"))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_compiles_to_its_document(name: str, tmp_path: Path) -> None:
    golden, made = GOLDEN / f"{name}.yaml", tmp_path / f"{name}.yaml"
    command = ["compile", EXAMPLES / name / "pipeline.py", "-o"]
    done = penstock(*command, made)
    assert done.returncode == 0, done.stderr
    assert made.read_text() == golden.read_text(), (
        f"if this change is meant: penstock compile examples/{name}/pipeline.py -o tests/examples/golden/{name}.yaml"
    )


def test_no_document_is_left_of_an_example_that_is_gone() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == NAMES


def test_the_list_of_examples_names_each() -> None:
    listed = [
        line.split("`")[1] for line in (EXAMPLES / "README.md").read_text().splitlines() if line.startswith("| `")
    ]
    assert sorted(listed) == sorted([*NAMES, *(path.name for path in EXAMPLES.glob("*.ipynb"))])
