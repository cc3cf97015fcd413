"""Nodes of one run as those of another: what a new run takes over from one that has ended.

(Argo: the second half of `FormulateResubmitWorkflow`.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from penstock.engine.state import Run
from penstock.workflow.nodes import artifact_key, is_own_key, log_key, node_id, pod_name
from penstock.workflow.status import STARTED, Artifact, Node, NodeInputs, NodeOutputs, NodeType, Phase

__all__ = ["Taken", "taken_over"]


class Taken(NamedTuple):
    """`nodes` are the new run's, `objects` the stored objects that they need: the old run's key → the new one's."""

    nodes: tuple[Node, ...]
    objects: Mapping[str, str]


def taken_over(run: Run, nodes: Iterable[Node], name: str, shown: Callable[[Node], Node]) -> Taken:
    """`nodes` of the ended `run` as those of a run called `name`. `shown` says how a step that went well appears."""
    kept = list(nodes)
    steps = [node for node in kept if node.type in STARTED and node.phase is Phase.SUCCEEDED]
    renamed = {node.id: name + node.name.removeprefix(run.name) for node in kept}
    ids = {old: node_id(name, new) for old, new in renamed.items()}
    objects = {
        artifact.key: artifact_key(name, pod_name(name, renamed[node.id], node.called), artifact.name)
        for node in kept
        if node.type is NodeType.POD and node.outputs is not None
        for artifact in node.outputs.artifacts
        if is_own_key(artifact.key, run.name)
    }
    logs = {log_key(run.name, node.id): log_key(name, ids[node.id]) for node in kept if node.type is NodeType.POD}
    well = {node.id for node in steps}
    return Taken(
        tuple(
            msgspec.structs.replace(
                shown(node) if node.id in well else node,
                id=ids[node.id],
                name=renamed[node.id],
                display_name=name if node.id == run.name else node.display_name,
                template_scope=_scope(node.template_scope, run.name, name),
                boundary_id=ids.get(node.boundary_id, ""),
                children=tuple(ids[id] for id in node.children if id in ids),
                outbound_nodes=tuple(ids[id] for id in node.outbound_nodes if id in ids),
                inputs=_inputs(node.inputs, objects),
                outputs=_outputs(node.outputs, objects),
            )
            for node in kept
        ),
        objects | logs,
    )


def _scope(scope: str, old: str, new: str) -> str:
    return f"local/{new}" if scope == f"local/{old}" else scope


def _inputs(inputs: NodeInputs | None, objects: Mapping[str, str]) -> NodeInputs | None:
    return inputs and msgspec.structs.replace(inputs, artifacts=_artifacts(inputs.artifacts, objects))


def _outputs(outputs: NodeOutputs | None, objects: Mapping[str, str]) -> NodeOutputs | None:
    return outputs and msgspec.structs.replace(outputs, artifacts=_artifacts(outputs.artifacts, objects))


def _artifacts(artifacts: tuple[Artifact, ...], objects: Mapping[str, str]) -> tuple[Artifact, ...]:
    return tuple(msgspec.structs.replace(a, key=_moved(a.key, objects)) for a in artifacts)


def _moved(key: str, objects: Mapping[str, str]) -> str:
    """The new key of an object, or of a part of one; that of an object which stays is its own."""
    whole = key if key in objects else next((old for old in objects if key.startswith(f"{old}/")), key)
    return objects.get(whole, whole) + key[len(whole) :]
