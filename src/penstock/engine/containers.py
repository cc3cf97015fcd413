"""Container sets: a pod of several containers, each with a node below the pod's.

(Argo: `executeContainerSet` in `container_set_template.go`, `assessNodeStatus` in `operator.go`.)
"""

from __future__ import annotations

from penstock.engine.protocol import Exited
from penstock.engine.state import Turn
from penstock.workflow.document import ContainerSet
from penstock.workflow.pods import ContainerExit
from penstock.workflow.status import Node, NodeType, Phase

__all__ = ["create", "ended", "failure", "launched"]

_NEVER_BEGAN = 64
"""Exit code of a container that was not begun, since another that it depends on has failed."""


def create(turn: Turn, pod: Node, given: ContainerSet) -> None:
    """Make the nodes of a pod's containers, each below those that it depends on."""
    for each in given.containers:
        turn.create(
            f"{pod.name}.{each.name}",
            NodeType.CONTAINER,
            Phase.PENDING,
            boundary=pod.id,
            template=pod.template_name,
            flag=pod.node_flag,
        )
    for each in given.containers:
        for parent in [f"{pod.name}.{other}" for other in each.dependencies] or [pod.name]:
            turn.add_child(turn.id(parent), turn.id(f"{pod.name}.{each.name}"))


def launched(turn: Turn, pod: str) -> None:
    """A pod has started, and with it all its containers."""
    for node in _of(turn, pod):
        turn.mark(node.id, Phase.RUNNING)


def ended(turn: Turn, pod: Node, event: Exited) -> None:
    """A pod has ended: so have its containers, those of which nothing is known as the pod has."""
    known = {each.name: each for each in event.containers}
    for node in _of(turn, pod.id):
        exit = known.get(node.name.rpartition(".")[2])
        if exit is None or exit.code is None:
            turn.mark(node.id, Phase.FAILED, pod.message or "Pod Failed whilst container running")
        elif exit.code:
            phase = Phase.ERROR if exit.code == _NEVER_BEGAN else Phase.FAILED
            turn.mark(node.id, phase, f"{exit.name}: Error (exit code {exit.code}): {exit.message}")
        else:
            turn.mark(node.id, Phase.SUCCEEDED)


def failure(exits: tuple[ContainerExit, ...]) -> str:
    """Why a set has failed: the first of its failed containers by name; "" where none has."""
    for exit in sorted(exits, key=lambda exit: exit.name):
        if exit.code:
            reason = f"{exit.name}: Error (exit code {exit.code})"
            return f"{reason}: {exit.message}" if exit.message else reason
    return ""


def _of(turn: Turn, pod: str) -> list[Node]:
    children = [turn.nodes[pod]]
    found: dict[str, Node] = {}
    while children:
        for id in children.pop().children:
            node = turn.nodes.get(id)
            if node is not None and node.type is NodeType.CONTAINER and id not in found:
                found[id] = node
                children.append(node)
    return list(found.values())
