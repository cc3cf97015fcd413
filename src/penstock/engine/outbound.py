"""The nodes at which a node ends: those that the next ones hang from. (Argo: `getOutboundNodes`.)"""

from __future__ import annotations

from penstock.engine.state import Turn
from penstock.workflow.status import NodeType

__all__ = ["outbound_of"]


def outbound_of(turn: Turn, id: str) -> list[str]:
    """Ids of the ends of the node `id`, in order."""
    node = turn.nodes[id]
    if node.type in (NodeType.POD, NodeType.CONTAINER):
        inside = [child for child in node.children if _is_container(turn, child)]
        return list(dict.fromkeys(out for child in inside for out in outbound_of(turn, child))) or [id]
    if node.type in (NodeType.SKIPPED, NodeType.SUSPEND, NodeType.HTTP, NodeType.PLUGIN):
        return [id]
    if node.type is NodeType.RETRY and node.children:
        return [node.children[-1]]
    if node.type is NodeType.TASK_GROUP:
        return [out for child in node.children for out in outbound_of(turn, child)] or [id]
    inner = node.type in (NodeType.STEPS, NodeType.DAG)
    if inner and node.memoization_status is not None and node.memoization_status.hit:
        return [id]  # nothing of it has run
    return [out for end in node.outbound_nodes for out in outbound_of(turn, end)]


def _is_container(turn: Turn, id: str) -> bool:
    return id in turn.nodes and turn.nodes[id].type is NodeType.CONTAINER
