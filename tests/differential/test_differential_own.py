"""The pipelines of `pipelines/`, compiled by kfp 1.8.22 and by us: the same documents, or a known difference."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from comparing import differing, normal

from penstock.compat import kfp

if TYPE_CHECKING:
    from official_kfp import Official

FOLDER = Path(__file__).parent / "pipelines"

DIFFERENT: dict[str, tuple[str, set[str]]] = {
    "conditions.both_sides": (
        "kfp writes a condition's name into those of templates as it is given; Argo takes no comma there",
        {"both-sides", "condition-heads-1", "condition-tails-it-is-2"},
    ),
    "conditions.read_from_branch": (
        "kfp reads an output that it has taken away from its step; Argo refuses",
        {"inner"},
    ),
    "conditions.between_branches": ("kfp reads an output that it has taken away from its step; Argo refuses", {"one"}),
    "containers.amounts_by_parameter": (
        "kfp asks for the resource 'nvidia' where the number of graphics processors is a parameter; no cluster has it",
        {"two"},
    ),
    "functions.file_and_value": (
        "kfp calls two input artifacts alike when they hold the same output; Argo refuses",
        {"a-file-and-a-value", "read"},
    ),
    "loaded.value_and_file": (
        "kfp hands in no file where the command line reads an input's value, too, though it names the file",
        {"a-value-and-a-file", "both", "both-2"},
    ),
    "parameters.parameter_defaults": (
        "kfp loses the value of a PipelineParam that stands as a default; a run without it would be refused",
        {"a", "b", "c"},
    ),
}
"""What differs, by pipeline: why, and the templates or parameters."""

CASES = [
    pytest.param(path, node.name, id=f"{path.stem}.{node.name}")
    for path in sorted(FOLDER.glob("*.py"))
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and any("dsl.pipeline" in ast.unparse(each) for each in node.decorator_list)
]


def test_there_are_many() -> None:
    assert len(CASES) >= 120
    assert set(DIFFERENT) <= {str(case.id) for case in CASES}


@pytest.mark.parametrize(("path", "function"), CASES)
def test_the_documents_are_the_same(path: Path, function: str, official: Official) -> None:
    theirs = official.compiled(path, function, written=True)
    ours = kfp.compiled(path, function, "1.8", lambda _warning: None)
    _, expected = DIFFERENT.get(f"{path.stem}.{function}", ("", set()))
    found = differing(normal(ours), normal(theirs))
    assert {_named(line) for line in found} == expected, "\n".join(found)


def _named(line: str) -> str:
    """The template, or the pipeline's parameter, in which a difference is."""
    return line.partition(": ")[0].partition("[")[2].partition("]")[0]
