"""The nodes of a group of steps: one for each step, and one for each item of a loop."""

from __future__ import annotations

import msgspec

from penstock.engine import arguments
from penstock.engine.arguments import Resolved
from penstock.engine.places import call_of, place_of
from penstock.engine.plans import plan_of
from penstock.engine.state import Fault, Turn
from penstock.engine.variables import TaskScope
from penstock.workflow.document import Task
from penstock.workflow.nodes import item_name
from penstock.workflow.status import Node

__all__ = ["expanded_group", "item_of"]


def expanded_group(turn: Turn, group: Node) -> list[tuple[str, Resolved]]:
    """(node name, step) of all nodes of a group; an empty loop has the name "". Raises Fault."""
    kept: list[tuple[str, Resolved]] | None = turn.memo.plans.get(group.id)
    if kept is None:
        kept = turn.memo.plans[group.id] = _expand(turn, group)
    return kept


def _expand(turn: Turn, group: Node) -> list[tuple[str, Resolved]]:
    plan, number = plan_of(turn, group.boundary_id), place_of(turn, group).group
    scope = TaskScope(turn, group.boundary_id, exit=call_of(turn, group.boundary_id).exit)
    found: list[tuple[str, Resolved]] = []
    for step in (plan.template.steps or ())[number]:
        try:
            resolved = arguments.resolve(scope, plan, step.name)
        except Fault as error:
            raise Fault(f"failed to resolve references: {error}") from None
        name = f"{group.name}.{step.name}"
        if not step.loops:
            found.append((name, resolved))
            continue
        loop = arguments.expand(resolved, turn.run.max_iterations)
        found += [(item_name(name, index, item), one) for index, (item, one) in enumerate(loop)]
        found += [] if loop else [("", resolved)]
    return found


def item_of(turn: Turn, node: Node) -> Task:
    """The step that the node of one item of a loop stands for: its hooks have the item, its name is the node's own."""
    group = turn.nodes[place_of(turn, node).owner]
    expanded = expanded_group(turn, group)
    index = int(node.display_name.partition("(")[2].partition(":")[0])
    # Other steps of the group may stand before the loop.
    found = next(i for i in range(index, len(expanded)) if expanded[i][0] == node.name)
    return msgspec.structs.replace(expanded[found][1].task, name=node.display_name)
