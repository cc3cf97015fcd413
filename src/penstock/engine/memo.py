"""Memoization: a node whose key is in a cache takes the outputs that are kept there, and does not run.

Caches span the runs of a home, so the host keeps them. (Argo: `executeTemplate` in `operator.go`, `controller/cache`.)
"""

from __future__ import annotations

from penstock.engine import calls
from penstock.engine.durations import seconds_of
from penstock.engine.places import call_of
from penstock.engine.plans import processed, type_of
from penstock.engine.protocol import Recall, Recalled, Remember
from penstock.engine.state import Call, Fault, Turn
from penstock.workflow.document import Memoize, Template
from penstock.workflow.status import MemoizationStatus, Node, NodeInputs, Phase

__all__ = ["ask_again", "asks", "look", "recalled", "remember"]

_ASKS = "Looking for a former result"


def asks(node: Node) -> bool:
    """True for a node of which it is not known yet whether a cache has its outputs."""
    return node.phase is Phase.PENDING and node.message == _ASKS


def look(turn: Turn, call: Call, template: Template, inputs: NodeInputs) -> None:
    """Make the node of a call, and ask for what a former one left."""
    memoize = template.memoize
    assert memoize is not None
    node = turn.begin(call, type_of(template), Phase.PENDING, template, inputs, _ASKS)
    turn.commands.append(_recall(node, memoize))


def _recall(node: Node, memoize: Memoize) -> Recall:
    return Recall(node_id=node.id, cache=memoize.cache.config_map.name, key=memoize.key)


def ask_again(turn: Turn, node: Node) -> Recall:
    """The question of a node, for a host that has lost it."""
    memoize = _memoize(turn, node)
    assert memoize is not None
    return _recall(node, memoize)


def recalled(turn: Turn, node: Node, event: Recalled) -> None:
    """What a cache has: the node takes its outputs, or runs."""
    memoize = _memoize(turn, node)
    assert memoize is not None
    try:
        longest = seconds_of(memoize.max_age) if memoize.max_age else float("inf")
    except Fault as error:
        turn.mark(node.id, Phase.ERROR, f"invalid maxAge: {error}")
        return
    hit = event.made_at is not None and turn.now - event.made_at < longest
    status = MemoizationStatus(hit=hit, key=memoize.key, cache_name=memoize.cache.config_map.name)
    if hit:
        turn.mark(node.id, Phase.SUCCEEDED, "", outputs=event.outputs, memoization_status=status)
        return
    turn.mark(node.id, Phase.PENDING, "", memoization_status=status)
    calls.go(turn, node.id)


def remember(turn: Turn, node: Node) -> None:
    """A node has ended: what it made is kept where it succeeded and was no hit."""
    status = node.memoization_status
    if status is not None and not status.hit and node.phase is Phase.SUCCEEDED:
        turn.commands.append(
            Remember(node_id=node.id, cache=status.cache_name, key=status.key, outputs=node.outputs, made_at=turn.now)
        )


def _memoize(turn: Turn, node: Node) -> Memoize | None:
    return processed(turn, call_of(turn, node.id), node.inputs or NodeInputs()).memoize
