"""The pipelines of `pipelines_0_1/`, compiled by kfp 0.1.11 and by us: the same documents, or a known difference.

kfp 0.1.11 is the oldest release that can be had; `--as-kfp 0.1` means 0.1.3, to whose own documents it is held by the
conformance tests.
"""

from __future__ import annotations

import ast
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from comparing import differing, normal_of_old
from official_kfp import python_with

from penstock.compat import kfp

HERE = Path(__file__).parent

_T = ".spec.templates"
DIFFERENT: dict[str, tuple[str, set[str]]] = {
    "steps.a_function": (
        "0.1.11 has a step write each output into a folder of its own, 0.1.3 does not",
        {
            f"{_T}[{name}].{place}"
            for name in ("add", "add-2")
            for place in ("container.args[2]", f"outputs.parameters[{name}-output].valueFrom.path")
        },
    ),
    "steps.a_secret": (
        "0.1.11 names the secret's file in a second variable, 0.1.3 does not",
        {f"{_T}[asks].container.env"},
    ),
    "steps.equal_names": (
        "0.1.11 makes the third of three equal names from the second one",
        {f"{_T}[equal-names].dag.tasks[twin-3].{field}" for field in ("name", "template")} | {f"{_T}[twin-3].name"},
    ),
    "steps.image_by_parameter": (
        "kfp 0.1 leaves its own mark for a parameter in the name of an image, which no cluster finds",
        {f"{_T}[an-image-by-parameter].{place}" for place in ("inputs", "dag.tasks[tagged].arguments")}
        | {f"{_T}[tagged].{place}" for place in ("inputs", "container.image")},
    ),
    "steps.loaded": (
        "0.1.11 has a step write each output into a folder of its own, 0.1.3 does not",
        {f"{_T}[train].container.args[5]", f"{_T}[train].outputs.parameters[train-model-path].valueFrom.path"},
    ),
}
"""What differs, by pipeline: why, and where."""

CASES = [
    pytest.param(path, node.name, id=f"{path.stem}.{node.name}")
    for path in sorted((HERE / "pipelines_0_1").glob("*.py"))
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.decorator_list
]


@cache
def official(path: Path) -> dict[str, Any]:
    """What kfp 0.1.11 makes of the pipelines of a file."""
    names = [str(case.values[1]) for case in CASES if case.values[0] == path]
    command = [str(python_with("kfp-0.1")), str(HERE / "kfp_server_0_1.py"), str(path), *names]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[-2000:]
    documents: dict[str, Any] = json.loads(made.stdout)
    return documents


def test_what_is_known_to_differ_is_there() -> None:
    assert set(DIFFERENT) <= {str(case.id) for case in CASES}


@pytest.mark.parametrize(("path", "function"), CASES)
def test_the_documents_are_the_same(path: Path, function: str) -> None:
    ours = kfp.compiled(path, function, "0.1", lambda _warning: None)
    _, expected = DIFFERENT.get(f"{path.stem}.{function}", ("", set()))
    theirs = official(path)[function]
    assert isinstance(theirs, dict), theirs
    found = differing(normal_of_old(ours), normal_of_old(theirs))
    assert {line.partition(": ")[0] for line in found} == expected, "\n".join(found)
