"""How much may run at once, and `failFast`.

`spec.parallelism` bounds the active pods of the run (0 lets nothing start), a template's own bounds the active
children of its node (0: no bound). (Argo: `checkParallelism` in `workflow/controller/operator.go`.)
"""

from __future__ import annotations

from penstock.engine.places import call_of, count_keys
from penstock.engine.state import Start, Turn
from penstock.workflow.status import Node, NodeType, Phase

__all__ = ["failed_fast", "fails_fast", "forget", "may_start", "resume", "wait"]

_MESSAGE = "template has failed or errored children and failFast enabled"


def may_start(turn: Turn, boundary: str) -> bool:
    """True when there is room for one more child of `boundary` ("" for the root and the workflow's exit handler)."""
    limit = turn.workflow.spec.parallelism
    if limit is not None and turn.active_pods >= limit:
        return False
    if not boundary:
        return True
    if fails_fast(turn, boundary):
        return False
    template = call_of(turn, boundary).template
    return not template.parallelism or turn.children.get(boundary, 0) < template.parallelism


def wait(turn: Turn, boundary: str, start: Start) -> None:
    """Keep a start until there is room."""
    turn.block(boundary, start, _keys(turn, boundary, start))


def _keys(turn: Turn, boundary: str, start: Start) -> tuple[str, ...]:
    """Ids of the nodes for which a start counts as open: those for which its node will."""
    kind, id, _ = start
    if kind == "lock":
        return ()  # the node is there, and counts as open itself
    if kind == "hook":
        return count_keys(turn, turn.nodes[id])
    return (boundary, id) if kind in ("item", "step") else (boundary,)


def resume(turn: Turn) -> bool:
    """Start what has found room. True when something was started, so that there is more to look at."""
    before = len(turn.changed), len(turn.todo)
    for boundary in list(turn.blocked):
        while boundary in turn.blocked and _alive(turn, boundary) and may_start(turn, boundary):
            _start(turn, boundary, next(iter(turn.blocked[boundary])))
    return (len(turn.changed), len(turn.todo)) != before and bool(turn.todo)


def _alive(turn: Turn, boundary: str) -> bool:
    if not boundary or not (turn.nodes[boundary].phase.fulfilled or fails_fast(turn, boundary)):
        return True
    _forget_all(turn, boundary)
    return False


def fails_fast(turn: Turn, boundary: str) -> bool:
    """True when nothing more may start in a template, since a child of it has failed."""
    return bool(turn.bad.get(boundary)) and call_of(turn, boundary).template.fail_fast


def forget(turn: Turn, boundary: str, start: Start) -> None:
    """A start that waits will not be made."""
    turn.unblock(boundary, start, _keys(turn, boundary, start))


def _forget_all(turn: Turn, boundary: str) -> None:
    for start in list(turn.blocked.get(boundary, ())):
        forget(turn, boundary, start)
        kind, id, _ = start
        if kind == "lock" and not turn.nodes[id].phase.fulfilled:  # its node is there already, and nothing starts it
            turn.mark(id, Phase.FAILED, _MESSAGE)


def _start(turn: Turn, boundary: str, start: Start) -> None:
    from penstock.engine import dag, exits, outcome, steps, synchronization

    forget(turn, boundary, start)
    kind, id, key = start
    if kind == "task":
        dag.start_task(turn, id, key)
    elif kind == "item":
        dag.start_item(turn, id, int(key))
    elif kind == "step":
        steps.start_step(turn, id, int(key))
    elif kind == "lock":
        synchronization.again(turn, id)
    elif kind == "hook":
        exits.start_waiting(turn, turn.nodes[id], key)
    else:
        outcome.start_blocked(turn, kind)


def failed_fast(turn: Turn, boundary: Node) -> bool:
    """End a template with `failFast` of which a child has failed; True when nothing more may start in it."""
    if boundary.phase.fulfilled or not fails_fast(turn, boundary.id):
        return False
    _forget_all(turn, boundary.id)
    inside = [node for node in turn.nodes.values() if node.boundary_id == boundary.id]
    if turn.children.get(boundary.id, 0) <= sum(node.daemoned and node.type is NodeType.POD for node in inside):
        # Groups and retries that wait have nothing to wait for any more.
        for node in inside:
            if not node.fulfilled:
                turn.mark(node.id, Phase.FAILED, _MESSAGE)
        turn.mark(boundary.id, Phase.FAILED, _MESSAGE)
    return True
