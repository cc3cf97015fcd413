"""Runs that have ended, once more: which may be tried again, which nodes of theirs, what a new run takes over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from penstock import engine, workflow
from penstock.errors import Conflict, InvalidInput, NotFound
from penstock.ports import NodeRow, Run, RunOptions
from penstock.workflow.status import Node, NodeType, Origin, Phase

__all__ = [
    "PREVIOUS",
    "chosen_by_selector",
    "chosen_by_step",
    "document_again",
    "memoized",
    "rebuilt",
    "reused",
    "with_parameters",
    "without_cache",
]

PREVIOUS = "workflows.argoproj.io/resubmitted-from-workflow"
"""Label that names the run of which one is a repetition."""


def chosen_by_selector(run: Run, nodes: Sequence[Node], restart_successful: bool, selector: str) -> Sequence[str]:
    """Ids of the nodes that are to run again beside those that failed.

    Raises Conflict for a run that cannot be tried again like that, InvalidInput for a wrong selector.
    """
    if selector and not restart_successful:
        raise InvalidInput(
            "selector of nodes: it says which steps run again that succeeded; restart_successful is missing"
        )
    if run.phase == "Succeeded" and not selector:
        raise Conflict(
            f"run {run.name!r} has succeeded; to try some of it again, say which with restart_successful and a "
            "selector of nodes"
        )
    if run.phase not in ("Succeeded", "Failed", "Error"):
        raise Conflict(f"run {run.name!r} cannot be tried again: it has not ended ({run.phase or 'Pending'})")
    selects = workflow.node_selector(selector)
    chosen = [node.id for node in nodes if selector and selects(node)]
    if selector and not chosen:
        raise InvalidInput(f"selector of nodes: {selector!r:.200} fits none of the {len(nodes)} nodes of {run.name!r}")
    return chosen


def chosen_by_step(run: Run, nodes: Sequence[Node], step: str) -> Sequence[str]:
    """Ids of the nodes of that shown name, name or id. Raises Conflict, NotFound."""
    if not run.state.terminal:
        raise Conflict(f"run {run.name!r} has not ended; stop it, or wait for its end")
    chosen = [node.id for node in nodes if step in (node.display_name, node.name, node.id)]
    if not chosen:
        names = ", ".join(sorted({repr(node.display_name) for node in nodes if node.type is NodeType.POD})[:20])
        raise NotFound(f"run {run.name!r} has no step {step!r}; its steps: {names or 'none'}")
    return chosen


def rebuilt(run: Run, document: str, nodes: Sequence[NodeRow]) -> engine.Run:
    """The run as the engine has it. Raises InvalidDocument where this version cannot run it."""
    return engine.restore(
        workflow.load(document),
        name=run.workflow_name,
        uid=run.id,
        parameters=run.parameters,
        created_at=run.created_at,
        nodes=[row.node for row in nodes],
        phase=run.phase,
        message=run.message,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def document_again(run: Run, document: str) -> str:
    """The document for a repetition of the run: without its name and id, labelled with whom it repeats."""
    raw: dict[str, Any] = json.loads(document)
    metadata = {key: value for key, value in raw["metadata"].items() if key not in ("name", "uid", "creationTimestamp")}
    labels = {**(metadata.get("labels") or {}), PREVIOUS: run.workflow_name}
    front = run.workflow_name[:-5]
    # Whether the name was made, and of what, shows in the name.
    made = workflow.run_name(front, run.id) == run.workflow_name
    metadata |= {"generateName": front if made else f"{run.workflow_name}-", "labels": labels}
    return json.dumps({**raw, "metadata": metadata})


def with_parameters(run: Run, document: str) -> str:
    """The run's document with the values that its parameters have now."""
    raw: dict[str, Any] = json.loads(document)
    return json.dumps(
        workflow.named(
            raw,
            name=run.workflow_name,
            uid=run.id,
            parameters=run.parameters,
            created_at=run.created_at,
            stored=raw.get("status") or {},
        )
    )


def without_cache(options: str) -> str:
    """Options of a run (JSON) that takes nothing over from equal steps."""
    decoded = msgspec.json.decode(options, type=RunOptions)
    return msgspec.json.encode(msgspec.structs.replace(decoded, cache=False)).decode()


def memoized(node: Node, now: float) -> Node:
    """A step that went well, in a resubmitted run: as Argo shows it."""
    return msgspec.structs.replace(
        node,
        type=NodeType.SKIPPED,
        phase=Phase.SKIPPED,
        message=f"original pod: {node.id}",
        started_at=now,
        finished_at=now,
    )


def reused(node: Node, run: Run, now: float) -> Node:
    """A step that went well, in a run that goes on behind it: a hit."""
    origin = Origin(run_id=run.id, run=run.name, node_id=node.id, step=node.display_name)
    return msgspec.structs.replace(node, cached_from=node.cached_from or origin, started_at=now, finished_at=now)
