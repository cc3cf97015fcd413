"""Daemons: steps that go on beside the steps after them, which reach them by `{{steps.x.ip}}` or `{{tasks.x.ip}}`.

A daemon is done, for what waits for it, as soon as it is ready. It is ended when the steps or the DAG that enclose it
end, and has then succeeded; one that ends by itself has failed, whatever its code. (Argo: `assessNodeStatus` in
`operator.go`, `killDaemonedChildren` in `exec_control.go`.)
"""

from __future__ import annotations

from penstock.engine.places import call_of
from penstock.engine.protocol import Kill
from penstock.engine.state import Turn
from penstock.workflow.status import Node, NodeType, Phase

__all__ = ["end", "stand"]


def stand(turn: Turn, id: str, ip: str) -> None:
    """A pod has started: one of a daemon's is ready, at `ip`."""
    if call_of(turn, id).template.daemon:
        turn.mark(id, Phase.RUNNING, daemoned=True, pod_ip=ip)


def end(turn: Turn, boundary: Node) -> None:
    """Steps or a DAG have ended: end the daemons in them."""
    if boundary.type not in (NodeType.DAG, NodeType.STEPS) or not turn.workflow.daemons:
        return
    for node in list(turn.nodes.values()):
        if node.boundary_id == boundary.id and node.daemoned:
            turn.timers.pop(node.id, None)
            turn.mark(node.id, Phase.SUCCEEDED, daemoned=False)
            if node.type is NodeType.POD:
                turn.commands.append(Kill(node_id=node.id))
