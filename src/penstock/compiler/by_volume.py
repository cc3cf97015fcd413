"""A document whose steps hand files on as artifacts → one whose steps share a volume and hand on paths."""

from __future__ import annotations

from posixpath import dirname
from typing import TYPE_CHECKING, Any

from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.dsl.data_passing_methods import KubernetesVolume

__all__ = ["passed_by_volume"]

_VOLUME = "data-storage"
_SUFFIX = "-subpath"
_READ_BY_PAGES = ("mlpipeline-ui-metadata", "mlpipeline-metrics")


def passed_by_volume(document: Mapping[str, Any], method: KubernetesVolume) -> dict[str, Any]:
    """The document with its files on the volume of `method`.

    What pages and metrics read stays an artifact, too. Raises InvalidPipeline for what a volume cannot hand on:
    constants as files, and files that do not lie in a folder of their own.
    """
    spec = document["spec"]
    if spec["arguments"].get("artifacts"):
        names = ", ".join(f"'{each['name']}'" for each in spec["arguments"]["artifacts"])
        raise InvalidPipeline(f"data_passing_method: {names}: a parameter cannot be read as a file from a volume")
    folder = f"{method.path_prefix}{{{{workflow.uid}}}}_{{{{pod.name}}}}/"
    templates = [_rewritten(template, folder) for template in spec["templates"]]
    volumes = [*spec.get("volumes", ()), {**method.volume, "name": _VOLUME}]
    return {**document, "spec": {**spec, "volumes": volumes, "templates": templates}}


def _rewritten(template: dict[str, Any], folder: str) -> dict[str, Any]:
    if "container" in template:
        return _container(template, folder)
    return _dag(template) if "dag" in template else template


def _container(template: dict[str, Any], folder: str) -> dict[str, Any]:
    inputs, outputs = template.get("inputs", {}), template.get("outputs", {})
    read, written = inputs.get("artifacts", ()), outputs.get("artifacts", ())
    # An optional one need not be written, so nothing is mounted for it.
    stored = [artifact for artifact in written if not artifact.get("optional")]
    mounts = [
        *(_mount(each, template, f"{{{{inputs.parameters.{each['name']}{_SUFFIX}}}}}", readOnly=True) for each in read),
        *(_mount(each, template, folder + each["name"]) for each in stored),
    ]
    given = [{"name": each["name"] + _SUFFIX, "value": folder + each["name"]} for each in stored]
    container = template["container"]
    if mounts:
        container = {**container, "volumeMounts": [*container.get("volumeMounts", ()), *mounts]}
    found = {
        **template,
        "container": container,
        "inputs": _with(inputs, [{"name": each["name"] + _SUFFIX} for each in read], []),
        "outputs": _with(outputs, given, [each for each in written if each["name"] in _READ_BY_PAGES]),
    }
    return {key: value for key, value in found.items() if value != {}}


def _mount(artifact: Mapping[str, Any], template: Mapping[str, Any], path: str, **more: Any) -> dict[str, Any]:
    if "raw" in artifact:
        raise InvalidPipeline(
            f"data_passing_method: step '{template['name']}' reads a constant as the file {artifact['path']}; "
            "from a volume, only files of other steps can be read"
        )
    if dirname(artifact["path"]) in ("", "/"):
        raise InvalidPipeline(
            f"data_passing_method: '{artifact['name']}' of step '{template['name']}' is the file {artifact['path']}; "
            "on a volume it must lie in a folder of its own"
        )
    return {"mountPath": dirname(artifact["path"]), "name": _VOLUME, "subPath": path, **more}


def _dag(template: dict[str, Any]) -> dict[str, Any]:
    inputs, outputs = template.get("inputs", {}), template.get("outputs", {})
    taken = [{"name": each["name"] + _SUFFIX} for each in inputs.get("artifacts", ())]
    given = [
        {"name": each["name"] + _SUFFIX, "valueFrom": {"parameter": _path_of(each)}}
        for each in outputs.get("artifacts", ())
    ]
    tasks = [_task(task) for task in template["dag"]["tasks"]]
    found = {
        **template,
        "inputs": _with(inputs, taken, []),
        "outputs": _with(outputs, given, []),
        "dag": {**template["dag"], "tasks": tasks},
    }
    return {key: value for key, value in found.items() if value != {}}


def _task(task: dict[str, Any]) -> dict[str, Any]:
    arguments = task.get("arguments", {})
    handed = [{"name": each["name"] + _SUFFIX, "value": _path_of(each)} for each in arguments.get("artifacts", ())]
    return {**task, "arguments": _with(arguments, handed, [])} if handed else task


def _with(
    ports: Mapping[str, Any], parameters: list[dict[str, Any]], artifacts: list[dict[str, Any]]
) -> dict[str, Any]:
    found = {"parameters": [*ports.get("parameters", ()), *parameters], "artifacts": artifacts}
    return {key: value for key, value in found.items() if value}


def _path_of(artifact: Mapping[str, Any]) -> str:
    """The reference to an artifact's path instead of the artifact."""
    if "from" not in artifact:
        raise InvalidPipeline(
            f"data_passing_method: '{artifact['name']}' is no file of one step; from a volume, only those can be read"
        )
    tag = artifact["from"]
    head, _, name = tag.removesuffix("}}").rpartition(".artifacts.")
    return f"{head}.parameters.{name}{_SUFFIX}}}}}"
