"""DAG templates: which task starts when, loops over a task, and what becomes of the whole.

A task is looked at when one that it depends on has ended, never otherwise. (Argo: `workflow/controller/dag.go`.)
"""

from __future__ import annotations

from penstock.engine import arguments, calls, exits
from penstock.engine.arguments import Resolved
from penstock.engine.outbound import outbound_of
from penstock.engine.outputs import outputs_from_scope
from penstock.engine.places import call_of, exit_name, place_of, template_of
from penstock.engine.plans import Given, Plan, plan_of
from penstock.engine.state import Call, Fault, Turn
from penstock.engine.variables import TaskScope
from penstock.workflow import when
from penstock.workflow.document import Task
from penstock.workflow.nodes import item_name
from penstock.workflow.status import Node, NodeType, Phase

__all__ = ["dag_ended", "item_ended", "item_names", "open_dag", "ready_tasks", "start_item", "start_task", "task_ended"]


def open_dag(turn: Turn, id: str) -> None:
    """Start the tasks that depend on nothing."""
    plan = plan_of(turn, id)
    for name in plan.tasks:
        if name in plan.needed and not plan.conditions[name].tasks:
            start_task(turn, id, name)
    dag_ended(turn, id)


def task_ended(turn: Turn, id: str, name: str) -> None:
    """A task and its exit handler are done: look at those that depend on it, and at the whole."""
    plan = plan_of(turn, id)
    if exits.may_go_on(turn, call_of(turn, id).exit):
        for other in plan.dependents.get(name, ()):
            if other in plan.needed:
                _consider(turn, id, plan, other)
    dag_ended(turn, id)


def _consider(turn: Turn, id: str, plan: Plan, name: str) -> None:
    boundary = turn.nodes[id]
    if turn.named(f"{boundary.name}.{name}") is not None or not _all_settled(turn, boundary, plan, name):
        return

    def known(task: str, result: str) -> bool:
        return _result(turn, boundary, task, result)

    if plan.conditions[name].test(known):
        start_task(turn, id, name)
    else:
        message = "omitted: depends condition not met"
        _skipped(turn, boundary, plan, name, Phase.OMITTED, message)


def _all_settled(turn: Turn, boundary: Node, plan: Plan, name: str) -> bool:
    """True when all that the task depends on has ended. Those before the cursor are known to have."""
    tasks = plan.conditions[name].tasks
    position = turn.cursors.get((boundary.id, name), 0)
    while position < len(tasks) and _settled(turn, boundary, plan, tasks[position]):
        position += 1
    if len(tasks) > 1:
        turn.cursors[boundary.id, name] = position
    return position == len(tasks)


def _settled(turn: Turn, boundary: Node, plan: Plan, task: str) -> bool:
    node = turn.named(f"{boundary.name}.{task}")
    if node is None or not node.fulfilled or node.id in turn.unsettled:
        return False
    if exits.hooks_open(turn, node):
        return False
    if plan.tasks[task].exit_hook is None:
        return True
    hook = turn.named(exit_name(node.name))
    return (hook is None or hook.phase.fulfilled) and ("hook", node.id, "") not in turn.blocked.get(boundary.id, {})


_RESULTS = {
    "Succeeded": Phase.SUCCEEDED,
    "Failed": Phase.FAILED,
    "Errored": Phase.ERROR,
    "Skipped": Phase.SKIPPED,
    "Omitted": Phase.OMITTED,
}


def _result(turn: Turn, boundary: Node, task: str, result: str) -> bool:
    node = turn.named(f"{boundary.name}.{task}")
    assert node is not None
    if result in _RESULTS:
        return node.phase is _RESULTS[result]
    if result == "Daemoned":
        return node.daemoned and node.fulfilled
    if node.type is not NodeType.TASK_GROUP:
        return False
    phases = [turn.nodes[child].phase for child in node.children if child in turn.nodes]
    if result == "AnySucceeded":
        return Phase.SUCCEEDED in phases
    return bool(phases) and all(phase is Phase.FAILED for phase in phases)


def ready_tasks(turn: Turn, boundary: Node) -> list[str]:
    """Tasks of a running DAG whose turn has come and that have no node: those that wait for room."""
    plan = plan_of(turn, boundary.id)

    def known(task: str, result: str) -> bool:
        return _result(turn, boundary, task, result)

    return [
        name
        for name in plan.tasks
        if name in plan.needed
        and turn.named(f"{boundary.name}.{name}") is None
        and _all_settled(turn, boundary, plan, name)
        and plan.conditions[name].test(known)
    ]


# --- one task ---------------------------------------------------------------------------------------------------


def start_task(turn: Turn, id: str, name: str) -> None:
    """Start a task whose turn has come, or say why it does not run."""
    boundary, plan = turn.nodes[id], plan_of(turn, id)
    scope = TaskScope(turn, id, exit=call_of(turn, id).exit)
    try:
        resolved = arguments.resolve(scope, plan, name)
        if plan.tasks[name].loops:
            _start_loop(turn, boundary, plan, resolved)
            return
        if not when.should_execute(resolved.task.when):
            _skipped(turn, boundary, plan, name, Phase.SKIPPED, f"when '{resolved.task.when}' evaluated false")
            return
    except (Fault, when.WhenError) as error:
        _skipped(turn, boundary, plan, name, Phase.ERROR, str(error))
        return
    node_name = f"{boundary.name}.{name}"
    if _begin(turn, boundary, plan, resolved.task, node_name, resolved.given, ("task", id, name)):
        _connect(turn, boundary, plan, name, turn.id(node_name))


def _begin(
    turn: Turn, boundary: Node, plan: Plan, task: Task, name: str, given: Given, start: tuple[str, str, str]
) -> bool:
    outer = call_of(turn, boundary.id)
    try:
        template, text = template_of(turn, task, outer.template.scope)
    except Fault as error:
        message = f"task '{name}' errored: {error}"
        turn.create(name, NodeType.SKIPPED, Phase.ERROR, boundary=boundary.id, template=task.template, message=message)
        return True
    original = plan.tasks[start[2]] if start[0] == "task" else task
    call = Call(
        id=turn.id(name),
        name=name,
        boundary=boundary.id,
        owner=boundary.id if start[0] == "task" else start[1],
        template_name=task.template,
        template=template,
        text=text,
        task=original,
        prefix="tasks",
        exit=outer.exit,
        depth=outer.depth + 1,
    )
    try:
        return calls.begin(turn, call, given, start)
    except Fault as error:
        calls.failed_node(turn, call, f"task '{name}' errored: {error}")
        return True


def _skipped(turn: Turn, boundary: Node, plan: Plan, name: str, phase: Phase, message: str) -> None:
    node = turn.create(
        f"{boundary.name}.{name}",
        NodeType.SKIPPED,
        phase,
        boundary=boundary.id,
        template=plan.tasks[name].template,
        message=message,
    )
    _connect(turn, boundary, plan, name, node.id)


def _connect(turn: Turn, boundary: Node, plan: Plan, name: str, id: str) -> None:
    """Put a new node below the ends of the tasks that it depends on, or below the DAG."""
    before = plan.conditions[name].tasks
    if not before:
        turn.add_child(boundary.id, id)
    ends = [out for other in before for out in outbound_of(turn, turn.id(f"{boundary.name}.{other}"))]
    for end in dict.fromkeys(ends):
        turn.add_child(end, id)


# --- loops ------------------------------------------------------------------------------------------------------


def _start_loop(turn: Turn, boundary: Node, plan: Plan, resolved: Resolved) -> None:
    name = resolved.task.name
    expanded = arguments.expand(resolved, turn.run.max_iterations)
    if not expanded:
        _skipped(turn, boundary, plan, name, Phase.SKIPPED, "Skipped, empty params")
        return
    group = turn.create(
        f"{boundary.name}.{name}",
        NodeType.TASK_GROUP,
        Phase.RUNNING,
        boundary=boundary.id,
        template=resolved.task.template,
    )
    _connect(turn, boundary, plan, name, group.id)
    turn.memo.plans[group.id] = expanded
    for index in range(len(expanded)):
        start_item(turn, group.id, index)


def _expanded(turn: Turn, group: Node) -> list[tuple[object, Resolved]]:
    """The items of a running loop, remembered or expanded again."""
    kept: list[tuple[object, Resolved]] | None = turn.memo.plans.get(group.id)
    if kept is None:
        plan = plan_of(turn, group.boundary_id)
        scope = TaskScope(turn, group.boundary_id, exit=call_of(turn, group.boundary_id).exit)
        resolved = arguments.resolve(scope, plan, place_of(turn, group).task)
        kept = turn.memo.plans[group.id] = arguments.expand(resolved, turn.run.max_iterations)
    return kept


def item_names(turn: Turn, group: Node) -> list[str]:
    """Names of the nodes of a loop, in order."""
    return [item_name(group.name, index, item) for index, (item, _) in enumerate(_expanded(turn, group))]


def start_item(turn: Turn, id: str, index: int) -> None:
    """Start one item of the loop `id`."""
    group = turn.nodes[id]
    boundary, plan = turn.nodes[group.boundary_id], plan_of(turn, group.boundary_id)
    item, resolved = _expanded(turn, group)[index]
    name = item_name(group.name, index, item)
    try:
        proceed = when.should_execute(resolved.task.when)
        message, phase = f"when '{resolved.task.when}' evaluated false", Phase.SKIPPED
    except when.WhenError as error:
        proceed, message, phase = False, str(error), Phase.ERROR
    if not proceed:
        template = resolved.task.template
        turn.create(name, NodeType.SKIPPED, phase, boundary=boundary.id, template=template, message=message)
        turn.add_child(id, turn.id(name))
    elif _begin(turn, boundary, plan, resolved.task, name, resolved.given, ("item", id, str(index))):
        turn.add_child(id, turn.id(name))


def item_ended(turn: Turn, id: str) -> None:
    """An item is done: the loop is when all are. Its phase is that of its last bad item."""
    group = turn.nodes[id]
    if group.phase.fulfilled or not turn.quiet(id):
        return
    phase = Phase.SUCCEEDED
    for child in map(turn.nodes.__getitem__, group.children):
        hooked = child.node_flag is not None and child.node_flag.hooked
        if child.phase in (Phase.FAILED, Phase.ERROR) and not hooked:
            phase = child.phase
    turn.mark(id, phase)


# --- the whole --------------------------------------------------------------------------------------------------


def dag_ended(turn: Turn, id: str) -> None:
    """End the DAG when nothing in it runs or can start any more."""
    if turn.nodes[id].phase.fulfilled or not turn.quiet(id):
        return
    plan = plan_of(turn, id)
    stopped = not exits.may_go_on(turn, call_of(turn, id).exit)
    phase = Phase.FAILED if stopped else _verdict(turn, id, plan)
    outbound = [out for name in plan.targets for out in _outbound_of_task(turn, id, name)]
    if phase is not Phase.SUCCEEDED:
        turn.mark(id, phase, outbound_nodes=tuple(outbound))
        return
    try:
        outputs = outputs_from_scope(TaskScope(turn, id, exit=call_of(turn, id).exit), plan.template)
    except Fault as error:
        turn.mark(id, Phase.ERROR, str(error))
        return
    turn.mark(id, Phase.SUCCEEDED, outbound_nodes=tuple(outbound), outputs=outputs)


def _outbound_of_task(turn: Turn, id: str, name: str) -> list[str]:
    node = turn.named(f"{turn.nodes[id].name}.{name}")
    return outbound_of(turn, node.id) if node is not None else []


def _verdict(turn: Turn, id: str, plan: Plan) -> Phase:
    """The worst phase of the targets; one that was left out has that of the branch before it."""
    phases = _branch_phases(turn, id, plan)
    fail_fast = plan.template.dag is not None and plan.template.dag.fail_fast
    result = Phase.SUCCEEDED
    for name in plan.targets:
        phase = phases[name]
        if phase not in (Phase.FAILED, Phase.ERROR) or plan.tasks[name].continues(phase):
            continue
        result = phase
        if fail_fast:
            break
    return result


def _branch_phases(turn: Turn, id: str, plan: Plan) -> dict[str, Phase]:
    """For each target the last completed phase on the ways to it, bad ones first (Argo's `assessDAGPhase`)."""
    boundary = turn.nodes[id]
    ids = {turn.id(f"{boundary.name}.{name}"): name for name in plan.targets}
    found = dict.fromkeys(plan.targets, Phase.SUCCEEDED)
    todo = [(child, Phase.SUCCEEDED) for child in boundary.children]
    seen = set(todo)
    while todo:
        child, phase = todo.pop()
        node = turn.nodes.get(child)
        if node is None:
            continue
        if node.phase not in (Phase.SKIPPED, Phase.OMITTED) and not node.daemoned:
            phase = node.phase
        if child in ids and found[ids[child]] not in (Phase.FAILED, Phase.ERROR):
            found[ids[child]] = phase
        more = {(grandchild, phase) for grandchild in _onward(turn, node)} - seen
        seen |= more
        todo += sorted(more)
    return found


def _onward(turn: Turn, node: Node) -> tuple[str, ...]:
    """Children of a node; of a Retry node its hooks and what comes behind its attempts, not these themselves."""
    if node.type is not NodeType.RETRY:
        return node.children
    found: list[str] = []
    for child in node.children:
        attempt = turn.nodes.get(child)
        if attempt is not None:
            hooked = attempt.node_flag is not None and attempt.node_flag.hooked and not attempt.node_flag.retried
            found += [child] if hooked else attempt.children
    return tuple(found)
