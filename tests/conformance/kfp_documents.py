"""What of two documents is compared, and how a source of ours is compiled: by the command, as a user does."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from material import MATERIAL

from penstock.cli.main import main
from penstock.workflow.loading import parse

__all__ = ["differing", "expected", "made_by_command", "names_of"]

_CONVENTIONAL = ("mlpipeline-ui-metadata", "mlpipeline-metrics")


def names_of(kind: str) -> list[str]:
    """The documents of a kind, by their names."""
    return sorted(path.stem for path in (MATERIAL / kind).glob("*.yaml"))


def expected(kind: str, name: str) -> dict[str, Any]:
    """The official document."""
    (document,) = parse((MATERIAL / kind / f"{name}.yaml").read_text(encoding="utf-8"))
    return document


def made_by_command(source: Path, version: str, folder: Path) -> dict[str, Any]:
    """What `penstock compile --as-kfp` makes of a source."""
    target = folder / "made.json"
    with pytest.raises(SystemExit) as left:
        main(["compile", str(source), "--as-kfp", version, "-o", str(target)])
    assert left.value.code == 0
    made: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return made


def differing(made: dict[str, Any], wanted: dict[str, Any], *, whole: bool = True, old: bool = False) -> dict[str, Any]:
    """What differs, by the name of the template or of the spec's field: ours and the official one.

    All `metadata` and the programs of function components are left aside; of `old` documents, too, the store of the
    conventional artifacts and quotes in `when`. Of a document that is not `whole`, only what it has is looked at.
    """
    ours, theirs = _fields(made, old), _fields(wanted, old)
    names = {*theirs, *ours} if whole else {name for name in theirs if name.startswith("template ")}
    return {name: (ours.get(name), theirs.get(name)) for name in names if ours.get(name) != theirs.get(name)}


def _fields(document: dict[str, Any], old: bool) -> dict[str, Any]:
    spec = copy.deepcopy(document["spec"])
    templates = spec.pop("templates")
    for template in templates:
        template.pop("metadata", None)
        _without_program(template.get("container", {}).get("command", []))
        if old:
            _without_choices(template)
    return {**spec, **{f"template {template['name']}": template for template in templates}}


def _without_choices(template: dict[str, Any]) -> None:
    for artifact in template.get("outputs", {}).get("artifacts", ()):
        if artifact["name"] in _CONVENTIONAL:
            artifact.pop("s3", None)
            artifact.pop("optional", None)
    for task in template.get("dag", {}).get("tasks", ()):
        if "when" in task:
            task["when"] = task["when"].replace('"', "")


def _without_program(command: list[str]) -> None:
    if command[:2] == ["sh", "-ec"]:
        command[-1] = "the program"
