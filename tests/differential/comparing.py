"""What of two documents is compared: everything but the version's stamp of time and the texts of programs."""

from __future__ import annotations

import copy
import json
from typing import Any

__all__ = ["differing", "normal"]

_ANNOTATION = "pipelines.kubeflow.org/"


def differing(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """The places where two values differ, with ours and theirs."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            line
            for key in sorted({*ours, *theirs})
            for line in differing(ours.get(key, ABSENT), theirs.get(key, ABSENT), f"{path}.{key}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            line
            for index, (one, other) in enumerate(zip(ours, theirs, strict=True))
            for line in differing(one, other, f"{path}[{_named(index, one)}]")
        ]
    return [] if ours == theirs and type(ours) is type(theirs) else [f"{path}: ours {ours!r}, theirs {theirs!r}"]


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


def _named(index: int, value: Any) -> str:
    return str(value["name"]) if isinstance(value, dict) and "name" in value else str(index)


def normal(document: dict[str, Any]) -> dict[str, Any]:
    """A document without what may differ: time of compilation, texts of programs, what they are made to stand in."""
    found = copy.deepcopy(document)
    found["metadata"]["annotations"].pop(_ANNOTATION + "pipeline_compilation_time", None)
    _read_json(found["metadata"])
    for template in found["spec"]["templates"]:
        _read_json(template.get("metadata", {}))
        command = template.get("container", {}).get("command", [])
        if "-ec" in command:
            command[-1] = "the program"
    return found


def _read_json(metadata: dict[str, Any]) -> None:
    """Annotations that hold JSON are compared by what they say; the text of a component only has to be there."""
    annotations = metadata.get("annotations", {})
    if _ANNOTATION + "component_spec" in annotations:
        annotations[_ANNOTATION + "component_spec"] = "the component"
    for name in ("pipeline_spec", "component_ref", "arguments.parameters"):
        if _ANNOTATION + name in annotations:
            annotations[_ANNOTATION + name] = json.loads(annotations[_ANNOTATION + name])


def normal_of_old(document: dict[str, Any]) -> dict[str, Any]:
    """The same of kfp 0.1: without metadata, the store of the conventional outputs, and quotes in conditions.

    Where a condition reads something from outside of its group, kfp 0.1 writes the output of a task `None`, which no
    cluster finds.
    """
    found = copy.deepcopy(document)
    found.pop("metadata")
    for template in found["spec"]["templates"]:
        template.pop("metadata", None)
        command = template.get("container", {}).get("command", [])
        if "-ec" in command or ("-c" in command[:-1] and "python" in command[0]):
            command[-1] = "the program"
        for artifact in template.get("outputs", {}).get("artifacts", ()):
            artifact.pop("s3", None)
            artifact.pop("optional", None)
        for task in template.get("dag", {}).get("tasks", ()):
            if "when" in task:
                plain = task["when"].replace('"', "")
                task["when"] = plain.replace("{{tasks.None.outputs.parameters.", "{{inputs.parameters.")
    return found
