"""Stop and terminate: pods are killed; after a stop exit handlers still run. (Argo: `exec_control.go`.)"""

from __future__ import annotations

from penstock.engine import calls, dag, outcome, parallelism, retry, steps, suspend, synchronization, timeout
from penstock.engine.exits import may_go_on
from penstock.engine.places import call_of
from penstock.engine.protocol import Shutdown
from penstock.engine.state import Turn
from penstock.workflow.status import STARTED, Node, NodeType, Phase

__all__ = ["stop"]


def stop(turn: Turn, strategy: Shutdown) -> None:
    """Bring the run to its end. A terminate after a stop wins; the reverse changes nothing."""
    if turn.shutdown in (Shutdown.TERMINATE, strategy):
        return
    turn.shutdown = strategy
    _drop_blocked(turn)
    for node in list(turn.nodes.values()):
        if not node.fulfilled and not may_go_on(turn, _exit(turn, node)):
            _end(turn, node)
    outcome.conclude(turn)


def _exit(turn: Turn, node: Node) -> bool:
    if node.type in (NodeType.STEP_GROUP, NodeType.TASK_GROUP, NodeType.CONTAINER):
        return call_of(turn, node.boundary_id).exit
    return call_of(turn, node.id).exit


def _drop_blocked(turn: Turn) -> None:
    for boundary, starts in list(turn.blocked.items()):
        below_exit = bool(boundary) and call_of(turn, boundary).exit
        for start in list(starts):
            kind, id, key = start
            if not may_go_on(turn, below_exit or kind == "exit" or (kind == "hook" and not key)):
                parallelism.forget(turn, boundary, start)
                if kind == "hook" and key:
                    turn.todo.append((calls.hooks_done, id))


def _end(turn: Turn, node: Node) -> None:
    text = f"workflow shutdown with strategy:  {turn.shutdown}"
    if synchronization.waits(node):
        turn.timers.pop(node.id, None)
        turn.mark(node.id, Phase.FAILED, text)
    elif node.type in STARTED:
        timeout.kill(turn, node, text)
    elif node.type is NodeType.SUSPEND:
        suspend.failed(turn, node, f"Stopped with strategy '{turn.shutdown}'")
    elif node.type is NodeType.RETRY:
        # One that waits for its next attempt has nothing that could be killed.
        if turn.timers.pop(node.id, None) is not None:
            retry.attempt_ended(turn, node.id)
    elif node.type is NodeType.DAG:
        turn.todo.append((dag.dag_ended, node.id))
    elif node.type is NodeType.STEP_GROUP:
        turn.todo.append((steps.step_ended, node.id))
    elif node.type is NodeType.TASK_GROUP:
        turn.todo.append((dag.item_ended, node.id))
