"""What tests of pipelines share: compile a function, check the document, and find things in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from penstock import dsl
from penstock.compiler import compile_pipeline
from penstock.errors import UnsupportedField
from penstock.workflow import load

__all__ = ["container", "document", "parameters", "step", "task", "tasks", "template", "templates"]


def document(pipeline: Callable[..., Any]) -> dict[str, Any]:
    """The document of a pipeline, or of a function taken for one named `p`; it is held to the rules of documents.

    Some fields are for Kubernetes alone; the engine of one machine refuses them.
    """
    made = compile_pipeline(pipeline if isinstance(pipeline, dsl.Pipeline) else dsl.pipeline(name="p")(pipeline))
    with suppress(UnsupportedField):
        load(json.dumps(made))
    return made


def templates(pipeline: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    """The templates of its document by name."""
    return {template["name"]: template for template in document(pipeline)["spec"]["templates"]}


def template(pipeline: Callable[..., Any], name: str) -> dict[str, Any]:
    """One template of its document."""
    return templates(pipeline)[name]


def container(pipeline: Callable[..., Any], name: str = "a") -> dict[str, Any]:
    """The container of one step."""
    found: dict[str, Any] = template(pipeline, name)["container"]
    return found


def tasks(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tasks of a DAG template by name."""
    return {each["name"]: each for each in found["dag"]["tasks"]}


def task(pipeline: Callable[..., Any], dag: str, name: str) -> dict[str, Any]:
    """One task of one DAG."""
    return tasks(template(pipeline, dag))[name]


def parameters(found: dict[str, Any]) -> dict[str, str]:
    """What a task hands in as parameters."""
    return {each["name"]: each["value"] for each in found.get("arguments", {}).get("parameters", [])}


def step(name: str, *arguments: Any, **settings: Any) -> dsl.ContainerOp:
    """A step with one output, `out`."""
    return dsl.ContainerOp(name, "alpine", ["echo"], list(arguments), file_outputs={"out": "/out"}, **settings)
