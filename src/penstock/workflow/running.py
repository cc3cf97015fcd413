"""The document of a run: with its name and values before it, with its status after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from penstock.workflow import gojson
from penstock.workflow.document import KEYED
from penstock.workflow.library import STORED
from penstock.workflow.status import Artifact, Node, NodeInputs, NodeOutputs, NodeType, Parameter, Phase

__all__ = ["exports", "global_outputs", "named", "node_document", "progress", "status_document", "timestamp"]


def timestamp(seconds: float) -> str:
    """RFC 3339 text in UTC with whole seconds, as Kubernetes writes times. `seconds` since the epoch."""
    return f"{datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None).isoformat()}Z"


def named(
    raw: Mapping[str, Any],
    *,
    name: str,
    uid: str,
    parameters: Mapping[str, str],
    created_at: float,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    stored: Mapping[str, Any] = {},
) -> dict[str, Any]:
    """A copy of the document for one run: metadata name, uid and creationTimestamp set, values of parameters set.

    `labels` and `annotations` are added. A parameter that the document does not declare is added to its arguments.
    `stored` is all that the document's status holds.
    """
    metadata = {key: value for key, value in (raw.get("metadata") or {}).items() if key != "generateName"}
    metadata |= {"name": name, "uid": uid, "creationTimestamp": timestamp(created_at)}
    for key, more in (("labels", labels), ("annotations", annotations)):
        if more:
            metadata[key] = {**(metadata.get(key) or {}), **more}
    spec = dict(raw.get("spec") or {})
    if parameters:
        spec["arguments"] = _with_values(spec.get("arguments") or {}, parameters)
    rest = {key: value for key, value in raw.items() if key != "status"}
    return {**rest, "metadata": metadata, "spec": spec, **({"status": dict(stored)} if stored else {})}


def _with_values(arguments: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    given = arguments.get("parameters") or []
    names = [name if isinstance(name := parameter.get("name"), str) else gojson.dumps(name) for parameter in given]
    known = [
        {**parameter, "name": name, "value": values[name]} if name in values else parameter
        for name, parameter in zip(names, given, strict=True)
    ]
    more = [{"name": name, "value": value} for name, value in values.items() if name not in names]
    return {**arguments, "parameters": [*known, *more]}


def status_document(
    raw: Mapping[str, Any],
    *,
    nodes: Iterable[Node],
    phase: str,
    message: str = "",
    started_at: float | None = None,
    finished_at: float | None = None,
) -> dict[str, Any]:
    """The document with `status` as Argo writes it: phase, message, times, progress, outputs, nodes by id."""
    found = list(nodes)
    before = raw.get("status")
    status: dict[str, Any] = {
        **{key: before[key] for key in STORED if isinstance(before, dict) and key in before},
        "phase": phase,
        "startedAt": None if started_at is None else timestamp(started_at),
        "finishedAt": None if finished_at is None else timestamp(finished_at),
        "progress": progress(found),
        "message": message,
        "outputs": _outputs(global_outputs(found)),
        "nodes": {node.id: node_document(node) for node in found},
    }
    return {**raw, "status": {key: value for key, value in status.items() if value not in (None, "", {})}}


def exports(node: Node) -> bool:
    """True for a node with an output that is an output of the workflow, too. (Argo: `addOutputsToGlobalScope`.)"""
    if node.outputs is None or not node.phase.fulfilled or (node.type is NodeType.DAG and not node.boundary_id):
        return False
    named = [p.global_name for p in node.outputs.parameters] + [a.global_name for a in node.outputs.artifacts]
    return any(named)


def global_outputs(nodes: Iterable[Node]) -> NodeOutputs | None:
    """The outputs of the workflow: those of its nodes that have a `globalName`; what was made later counts."""
    parameters: dict[str, Parameter] = {}
    artifacts: dict[str, Artifact] = {}
    for node in sorted(filter(exports, nodes), key=lambda node: node.finished_at or 0.0):
        assert node.outputs is not None
        made = [p for p in node.outputs.parameters if p.global_name and p.value is not None]
        parameters |= {p.global_name: Parameter(name=p.global_name, value=p.value) for p in made}
        artifacts |= {a.global_name: _global_artifact(a) for a in node.outputs.artifacts if a.global_name}
    if not parameters and not artifacts:
        return None
    return NodeOutputs(parameters=tuple(parameters.values()), artifacts=tuple(artifacts.values()))


def _global_artifact(artifact: Artifact) -> Artifact:
    return msgspec.structs.replace(artifact, name=artifact.global_name, path="", optional=False, global_name="")


def progress(nodes: Iterable[Node]) -> str:
    """`succeeded/all` over the nodes of type Pod."""
    pods = [node.phase for node in nodes if node.type is NodeType.POD]
    return f"{sum(phase is Phase.SUCCEEDED for phase in pods)}/{len(pods)}"


def node_document(node: Node) -> dict[str, Any]:
    """A node as it stands in `status.nodes`. Empty fields are absent."""
    document: dict[str, Any] = msgspec.to_builtins(node)
    document["inputs"] = _inputs(node.inputs)
    document["outputs"] = _outputs(node.outputs)
    document["startedAt"] = None if node.started_at is None else timestamp(node.started_at)
    document["finishedAt"] = None if node.finished_at is None else timestamp(node.finished_at)
    document["phase"] = str(node.phase)
    document.pop("cachedFrom", None)  # not Argo's
    if node.type is NodeType.POD and not node.progress:
        document["progress"] = f"{int(node.phase is Phase.SUCCEEDED)}/1"
    return {key: value for key, value in document.items() if value not in (None, "", {}, [], ())}


def _inputs(inputs: NodeInputs | None) -> dict[str, Any]:
    if inputs is None:
        return {}
    return _present(parameters=_parameters(inputs.parameters), artifacts=_artifacts(inputs.artifacts))


def _outputs(outputs: NodeOutputs | None) -> dict[str, Any]:
    if outputs is None:
        return {}
    return _present(
        parameters=_parameters(outputs.parameters),
        artifacts=_artifacts(outputs.artifacts),
        result=outputs.result,
        exitCode=outputs.exit_code,
    )


def _present(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, [])}


def _parameters(parameters: tuple[Parameter, ...]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(parameter) for parameter in parameters]


def _artifacts(artifacts: tuple[Artifact, ...]) -> list[dict[str, Any]]:
    return [_artifact(artifact) for artifact in artifacts]


def _artifact(artifact: Artifact) -> dict[str, Any]:
    document: dict[str, Any] = {"name": artifact.name}
    if artifact.path:
        document["path"] = artifact.path
    if artifact.key:
        document["s3"] = {"key": artifact.key.removeprefix(f"{KEYED}/")}
    if artifact.raw is not None:
        document["raw"] = {"data": artifact.raw}
    if artifact.optional:
        document["optional"] = True
    if artifact.global_name:
        document["globalName"] = artifact.global_name
    if artifact.archive is not None:
        document["archive"] = msgspec.to_builtins(artifact.archive)
    return document
