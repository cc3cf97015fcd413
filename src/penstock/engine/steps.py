"""Steps templates: groups one after the other, the steps of a group beside each other.

(Argo: `workflow/controller/steps.go`.)
"""

from __future__ import annotations

from penstock.engine import calls, exits
from penstock.engine.arguments import Resolved
from penstock.engine.groups import expanded_group
from penstock.engine.outbound import outbound_of
from penstock.engine.outputs import outputs_from_scope
from penstock.engine.places import call_of, task_of, template_of
from penstock.engine.plans import plan_of
from penstock.engine.state import Call, Fault, Turn
from penstock.engine.variables import TaskScope
from penstock.workflow import when
from penstock.workflow.status import Node, NodeType, Phase

__all__ = ["group_ended", "missing_steps", "open_steps", "start_step", "step_ended"]


def open_steps(turn: Turn, id: str) -> None:
    """Start the first group."""
    _open_group(turn, id, 0)


def _open_group(turn: Turn, id: str, number: int) -> None:
    boundary, plan = turn.nodes[id], plan_of(turn, id)
    if number >= len(plan.template.steps or ()):
        _steps_succeeded(turn, id)
        return
    name = f"{boundary.name}[{number}]"
    group = turn.create(name, NodeType.STEP_GROUP, Phase.RUNNING, boundary=id)
    _connect(turn, boundary, number, group.id)
    try:
        expanded = expanded_group(turn, group)
    except Fault as error:
        turn.mark(group.id, Phase.ERROR, str(error))
        return
    for step in _emptied(expanded):
        _add(turn, group, f"{name}.{step.task.name}", step, Phase.SKIPPED, "Skipped, empty params")
    for index in range(len(expanded)):
        if turn.nodes[group.id].phase.fulfilled:
            return
        start_step(turn, group.id, index)
    step_ended(turn, group.id)


def _connect(turn: Turn, boundary: Node, number: int, id: str) -> None:
    """Put a group below the ends of the one before, or below the Steps node."""
    before = turn.named(f"{boundary.name}[{number - 1}]") if number else None
    if before is None:
        turn.add_child(boundary.id, id)
        return
    ends = [end for child in before.children for end in outbound_of(turn, child)]
    for end in dict.fromkeys(ends or [before.id]):
        turn.add_child(end, id)


def _emptied(expanded: list[tuple[str, Resolved]]) -> list[Resolved]:
    return [resolved for name, resolved in expanded if not name]


def _add(turn: Turn, group: Node, name: str, step: Resolved, phase: Phase, message: str) -> None:
    boundary, template = group.boundary_id, step.task.template
    node = turn.create(name, NodeType.SKIPPED, phase, boundary=boundary, template=template, message=message)
    turn.add_child(group.id, node.id)


def start_step(turn: Turn, id: str, index: int) -> None:
    """Start one node of the group `id`, or say why it does not run."""
    group = turn.nodes[id]
    name, resolved = expanded_group(turn, group)[index]
    if not name:
        return
    try:
        proceed = when.should_execute(resolved.task.when)
    except when.WhenError as error:
        _add(turn, group, name, resolved, Phase.ERROR, str(error))
        turn.mark(id, Phase.ERROR, str(error))
        return
    if not proceed:
        _add(turn, group, name, resolved, Phase.SKIPPED, f"when '{resolved.task.when}' evaluated false")
        return
    try:
        if _begin(turn, group, name, resolved, index):
            turn.add_child(id, turn.id(name))
    except Fault as error:
        if turn.named(name) is None:
            _add(turn, group, name, resolved, Phase.ERROR, str(error))
        else:
            turn.add_child(id, turn.id(name))
        _deemed(turn, id, name, str(error))


def _deemed(turn: Turn, id: str, name: str, error: str) -> None:
    """End a group whose step could not be begun, or resumed."""
    turn.mark(id, Phase.ERROR, f"step group deemed errored due to child {name} error: {error}")


def _begin(turn: Turn, group: Node, name: str, resolved: Resolved, index: int) -> bool:
    outer, plan = call_of(turn, group.boundary_id), plan_of(turn, group.boundary_id)
    template, text = template_of(turn, resolved.task, outer.template.scope)
    call = Call(
        id=turn.id(name),
        name=name,
        boundary=group.boundary_id,
        owner=group.id,
        template_name=resolved.task.template,
        template=template,
        text=text,
        task=plan.tasks[resolved.task.name],
        prefix="steps",
        exit=outer.exit,
        depth=outer.depth + 1,
    )
    return calls.begin(turn, call, resolved.given, ("step", group.id, str(index)))


# --- ends -------------------------------------------------------------------------------------------------------


def step_ended(turn: Turn, id: str) -> None:
    """A step and its exit handler are done: the group is when all are."""
    group = turn.nodes[id]
    if group.phase.fulfilled or not turn.quiet(id):
        return
    for child in group.children:
        node = turn.nodes[child]
        if node.type is NodeType.SUSPEND and node.phase is Phase.ERROR:
            _deemed(turn, id, node.name, node.message)
            return
        if node.phase in (Phase.FAILED, Phase.ERROR) and not _continues(turn, node):
            turn.mark(id, Phase.FAILED, f"child '{child}' failed")
            return
    if not exits.may_go_on(turn, call_of(turn, group.boundary_id).exit) and _missing(turn, group):
        turn.mark(id, Phase.FAILED, f"Stopped with strategy '{turn.shutdown}'")
        return
    turn.mark(id, Phase.SUCCEEDED)


def _missing(turn: Turn, group: Node) -> bool:
    return bool(missing_steps(turn, group))


def _continues(turn: Turn, node: Node) -> bool:
    step = task_of(turn, node)
    return step is not None and step.continues(node.phase)


def group_ended(turn: Turn, id: str, number: int) -> None:
    """A group is done: the next one starts, or the whole ends."""
    boundary = turn.nodes[id]
    group = turn.named(f"{boundary.name}[{number}]")
    assert group is not None
    if boundary.phase.fulfilled:
        return
    if group.phase is Phase.SUCCEEDED:
        _open_group(turn, id, number + 1)
    else:
        turn.mark(id, Phase.FAILED, group.message, outbound_nodes=_outbound(turn, group))


def _outbound(turn: Turn, group: Node | None) -> tuple[str, ...]:
    children = group.children if group is not None else ()
    return tuple(out for child in children for out in outbound_of(turn, child))


def _steps_succeeded(turn: Turn, id: str) -> None:
    boundary, plan = turn.nodes[id], plan_of(turn, id)
    last = turn.named(f"{boundary.name}[{len(plan.template.steps or ()) - 1}]")
    outbound = _outbound(turn, last)
    try:
        outputs = outputs_from_scope(TaskScope(turn, id, exit=call_of(turn, id).exit), plan.template)
    except Fault as error:
        turn.mark(id, Phase.ERROR, str(error), outbound_nodes=outbound)
        return
    turn.mark(id, Phase.SUCCEEDED, outbound_nodes=outbound, outputs=outputs)


def missing_steps(turn: Turn, group: Node) -> list[int]:
    """Indices of the nodes of a running group that have not been made."""
    return [i for i, (name, _) in enumerate(expanded_group(turn, group)) if name and turn.named(name) is None]
