"""What stays of an ended run that is tried again, and what is taken back. (Argo: `FormulateRetryWorkflow`.)

Taken back are failed steps, those that were chosen, all that came after them, and exit handlers. The groups around
them go on as if they had not ended; all else stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import msgspec

from penstock.engine import arguments, calls
from penstock.engine.places import Kind, call_of, place_of, workflow_arguments
from penstock.engine.plans import Given, given_arguments, plan_of
from penstock.engine.state import Fault, Memo, Run, Turn
from penstock.engine.variables import TaskScope, last_attempt
from penstock.workflow.status import STARTED, Node, NodeInputs, NodeType, Phase

__all__ = ["Kept", "reset"]

_BAD = (Phase.FAILED, Phase.ERROR)
_GROUPS = (NodeType.TASK_GROUP, NodeType.STEP_GROUP)


class Kept(NamedTuple):
    """`nodes` are all that stay, in their order; `changed` and `removed` hold ids."""

    nodes: tuple[Node, ...]
    changed: frozenset[str]
    removed: frozenset[str]


def reset(run: Run, now: float, chosen: Collection[str] = (), *, expand: bool = False) -> Kept:
    """What stays of `run` when its failed steps and the nodes `chosen` (ids) are to run again from `now` on.

    `expand`: loops around them are laid out anew, since parameters of the run have changed.
    """
    tree = _Tree(run, now)
    gone, open = set[str](), set[str]()
    for id in (*(id for id in chosen if id in run.nodes), *tree.failed(chosen)):
        unit = tree.unit(id)
        gone |= tree.below(unit)
        (open if tree.nodes[unit].type is NodeType.STEP_GROUP else gone).add(unit)
        open.update(tree.around(unit))
    handlers = [id for id in tree.nodes if tree.handles(id, open)]
    groups = [id for id in open if expand and tree.nodes[id].type in _GROUPS]
    gone.update(handlers, *map(tree.below, (*handlers, *groups)))
    open -= gone
    kept = [_kept(node, gone, now if node.id in open else None) for node in tree.nodes.values() if node.id not in gone]
    if expand:
        kept = _given_anew(replace(run, nodes={node.id: node for node in kept}, memo=Memo()), now, open)
    changed = frozenset(node.id for node in kept if node != tree.nodes[node.id])
    return Kept(tuple(kept), changed, frozenset(gone))


class _Tree:
    """The nodes of an ended run, and how they lie around and behind one another."""

    def __init__(self, run: Run, now: float) -> None:
        self._turn = Turn(run, now)
        self.nodes = run.nodes
        self._parents: dict[str, list[str]] = defaultdict(list)
        for node in run.nodes.values():
            for child in node.children:
                self._parents[child].append(node.id)

    def failed(self, chosen: Collection[str]) -> list[str]:
        """Pods that failed, unless something behind them went well, or another attempt was made instead."""
        well = [
            node.id
            for node in self.nodes.values()
            if node.phase is Phase.SUCCEEDED
            and node.type is not NodeType.CONTAINER
            and node.id not in chosen
            and not self._below_handler(node.id)
        ]
        fruitful = _closure(well, lambda id: self._parents[id])
        return [
            node.id
            for node in self.nodes.values()
            if node.type in STARTED
            and node.phase in _BAD
            and self.unit(node.id) not in fruitful
            and not self._superseded(node.id)
        ]

    def unit(self, id: str) -> str:
        """What is taken back as a whole with a node: an attempt's Retry node, else the node itself."""
        place = place_of(self._turn, self.nodes[id])
        return self.unit(place.owner) if place.kind is Kind.ATTEMPT else id

    def around(self, id: str) -> Iterator[str]:
        """Ids of the groups around a node, inner ones first."""
        place = place_of(self._turn, self.nodes[id])
        while place.owner:
            if place.kind is not Kind.HOOK:
                yield place.owner
            place = place_of(self._turn, self.nodes[place.owner])

    def below(self, id: str) -> set[str]:
        """Ids of all that came after a node, and of what is inside it."""
        return _closure(self.nodes[id].children, lambda id: self.nodes[id].children if id in self.nodes else ())

    def handles(self, id: str, open: Collection[str]) -> bool:
        """Whether a node handles the end of the run, or of a node in `open`."""
        place = place_of(self._turn, self.nodes[id])
        return place.kind is Kind.EXIT or (place.kind is Kind.HOOK and place.owner in open)

    def _below_handler(self, id: str) -> bool:
        places = (place_of(self._turn, self.nodes[each]) for each in (id, *self._owners(id)))
        return any(place.kind in (Kind.HOOK, Kind.EXIT) for place in places)

    def _superseded(self, id: str) -> bool:
        return any(
            place.kind is Kind.ATTEMPT and last_attempt(self._turn, self.nodes[place.owner]).id != each
            for each in (id, *self._owners(id))
            for place in (place_of(self._turn, self.nodes[each]),)
        )

    def _owners(self, id: str) -> Iterator[str]:
        while owner := place_of(self._turn, self.nodes[id]).owner:
            yield owner
            id = owner


def _given_anew(run: Run, now: float, open: Collection[str]) -> list[Node]:
    """The nodes of `run`, those in `open` with the inputs that they get now, outer ones first."""
    turn = calls.ready(Turn(run, now))
    for id in sorted(open, key=lambda id: call_of(turn, id).depth if turn.nodes[id].template_name else 0):
        with suppress(Fault):
            given = _given(turn, turn.nodes[id])
            if given is not None:
                inputs, _ = calls.inputs_of(turn, call_of(turn, id), given)
                turn.nodes[id] = msgspec.structs.replace(
                    turn.nodes[id], inputs=inputs if inputs != NodeInputs() else None
                )
    return list(turn.nodes.values())


def _given(turn: Turn, node: Node) -> Given | None:
    """The arguments of a node that goes on; None for one whose arguments are those of the node around it."""
    place = place_of(turn, node)
    if place.kind is Kind.ROOT:
        return given_arguments(workflow_arguments(turn))
    if place.kind is not Kind.TASK or node.type is NodeType.TASK_GROUP:
        return None
    scope = TaskScope(turn, node.boundary_id, exit=call_of(turn, node.boundary_id).exit)
    return arguments.resolve(scope, plan_of(turn, node.boundary_id), place.task).given


def _closure(start: Iterable[str], onward: Callable[[str], Iterable[str]]) -> set[str]:
    found, todo = set(start), list(start)
    while todo:
        more = set(onward(todo.pop())) - found
        found |= more
        todo += more
    return found


def _kept(node: Node, gone: Collection[str], again: float | None) -> Node:
    """A node without what is gone behind it; where it goes on (from `again`), as if it had not ended."""
    trimmed = msgspec.structs.replace(
        node,
        children=tuple(id for id in node.children if id not in gone),
        outbound_nodes=tuple(id for id in node.outbound_nodes if id not in gone),
    )
    if again is None:
        return trimmed
    return msgspec.structs.replace(
        trimmed,
        phase=Phase.RUNNING,
        message="",
        started_at=again,
        finished_at=None,
        outputs=None,
        outbound_nodes=(),
        memoization_status=None,
        synchronization_status=None,
    )
