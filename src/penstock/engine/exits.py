"""Exit handlers of tasks and steps (`onExit`, `hooks.exit`), and hooks with an expression, the workflow's own too.

An exit handler runs when its task has Succeeded, Failed or is in Error, with the task's outputs; a hook with an
expression once, as soon as that is true in some phase of the task or the run. What waits for it waits for all of them.
(Argo: `workflow/controller/exit_handler.go`, `hooks.go`.)
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from penstock.engine import arguments, calls, parallelism
from penstock.engine.groups import item_of
from penstock.engine.places import (
    Kind,
    call_of,
    exit_hook,
    exit_name,
    hook_name,
    place_of,
    task_of,
    template_named,
)
from penstock.engine.plans import Given, given_arguments
from penstock.engine.protocol import Shutdown
from penstock.engine.state import Call, Fault, Turn
from penstock.engine.variables import TaskScope, globals_of, last_attempt
from penstock.workflow import gojson, tags
from penstock.workflow.document import Arguments, Hook, Task
from penstock.workflow.expressions import ExpressionError, Flat, evaluate
from penstock.workflow.status import Node, NodeFlag, Phase

__all__ = ["due", "hooks_open", "may_go_on", "start_hook", "start_waiting", "watch"]


def may_go_on(turn: Turn, exit: bool) -> bool:
    """True when nodes may still be started: always, but after a stop only below exit handlers."""
    return turn.shutdown is None or (exit and turn.shutdown is Shutdown.STOP)


def start_hook(turn: Turn, node: Node) -> bool:
    """Start the exit handler of `node`; False where there is none to wait for."""
    task = _hooked(turn, node)
    hook = exit_hook(turn, task)
    if hook is None or task is None or not node.phase.fulfilled or not may_go_on(turn, True):
        return False
    if node.phase in (Phase.SKIPPED, Phase.OMITTED):
        return False
    boundary = turn.nodes[node.boundary_id]
    if boundary.phase.fulfilled or parallelism.failed_fast(turn, boundary):
        return False
    if turn.named(exit_name(node.name)) is not None:
        return False
    _start(turn, node, "", hook)
    return True


def _hooked(turn: Turn, node: Node) -> Task | None:
    """The task or step whose hooks `node` has. Those of a loop of steps have the item, those of a loop of tasks not."""
    kind = place_of(turn, node).kind
    task = task_of(turn, node) if kind in (Kind.TASK, Kind.ITEM, Kind.STEP) else None
    looped = task is not None and task.loops and task.hooks and kind is Kind.STEP
    return item_of(turn, node) if looped else task


def start_waiting(turn: Turn, node: Node, name: str) -> None:
    """Start the hook `name` of `node`, or its exit handler where that is "", which had to wait for room."""
    hook = _lifecycle_hooks(turn, node).get(name)
    if hook is None:
        start_hook(turn, node)
    else:
        _start(turn, node, name, hook)


def _start(turn: Turn, node: Node, hook: str, declared: Hook) -> None:
    name = hook_name(node.name, hook)
    try:
        given = _given(turn, node, declared)
        made = calls.begin(turn, _call(turn, node, hook, declared), given, ("hook", node.id, hook))
    except Fault as error:
        _failed(turn, node, hook, declared, str(error))
        made = True
    if made:
        turn.add_child(node.id, turn.id(name))


def _given(turn: Turn, node: Node, hook: Hook) -> Given:
    text = msgspec.json.encode(hook.arguments).decode()
    if not node.boundary_id:
        return given_arguments(msgspec.json.decode(tags.replace(text, globals_of(turn)), type=Arguments))
    task = _hooked(turn, node)
    assert task is not None
    own = {task.name: last_attempt(turn, node)}
    scope = TaskScope(turn, node.boundary_id, exit=call_of(turn, node.boundary_id).exit, own=own)
    try:
        replaced = msgspec.json.decode(tags.replace(text, scope), type=Arguments)
    except tags.AbsentOptional as error:
        raise Fault(str(error)) from None
    return arguments.given_of(scope, replaced)


def _call(turn: Turn, node: Node, hook: str, declared: Hook) -> Call:
    name, outer = hook_name(node.name, hook), call_of(turn, node.boundary_id or node.id)
    template, text = template_named(turn, declared.template, outer.template.scope if node.boundary_id else "")
    return Call(
        id=turn.id(name),
        name=name,
        boundary=node.boundary_id,
        owner=node.id,
        template_name=declared.template,
        template=template,
        text=text,
        exit=not hook or outer.exit,
        depth=outer.depth + 1,
        flag=NodeFlag(hooked=True),
    )


def _failed(turn: Turn, node: Node, hook: str, declared: Hook, message: str) -> None:
    if turn.named(hook_name(node.name, hook)) is None:
        calls.failed_node(turn, _call(turn, node, hook, declared), message)


# --- hooks with an expression -----------------------------------------------------------------------------------


def watch(turn: Turn, id: str) -> None:
    """A node is in another phase: start the hooks that are wanted now, let go of those that waited in vain."""
    node = turn.nodes[id]
    for name, hook in _lifecycle_hooks(turn, node).items():
        start = ("hook", id, name)
        waiting = start in turn.blocked.get(node.boundary_id, {})
        try:
            wanted = _due(turn, node, name, hook)
        except Fault as error:
            _unanswered(turn, node, str(error))
            return
        if wanted and not waiting:
            _start(turn, node, name, hook)
        elif waiting and not wanted:
            parallelism.forget(turn, node.boundary_id, start)


def _unanswered(turn: Turn, node: Node, message: str) -> None:
    """An expression without an answer ends what its node belongs to: a step's group, a task with its DAG, the run.

    (Argo: what `executeTmplLifeCycleHook` and `executeWfLifeCycleHook` return to `steps.go`, `dag.go`, `operator.go`.)
    """
    place = place_of(turn, node)
    ended = {Kind.STEP: [place.owner], Kind.TASK: [node.id, node.boundary_id]}.get(place.kind, [node.id])
    for id in ended:
        turn.mark(id, Phase.ERROR, message)


def due(turn: Turn, node: Node) -> list[str]:
    """Hooks of a node that should be there and are not: those that wait for room."""
    hooks = _lifecycle_hooks(turn, node)
    return [name for name, hook in hooks.items() if _due(turn, node, name, hook)]


def hooks_open(turn: Turn, node: Node) -> bool:
    """True while a hook of the node runs, waits for room, or has just ended."""
    waiting = turn.blocked.get(node.boundary_id, {})
    for name in _lifecycle_hooks(turn, node):
        made = turn.named(hook_name(node.name, name))
        if ("hook", node.id, name) in waiting:
            return True
        if made is not None and (not made.phase.fulfilled or made.id in turn.unsettled):
            return True
    return False


def _lifecycle_hooks(turn: Turn, node: Node) -> Mapping[str, Hook]:
    if not turn.memo.hooked:
        return {}
    kind = place_of(turn, node).kind
    if kind is Kind.ROOT:
        return turn.workflow.spec.lifecycle_hooks
    task = _hooked(turn, node) if kind in (Kind.TASK, Kind.STEP) else None
    return task.lifecycle_hooks if task is not None else {}


def _due(turn: Turn, node: Node, name: str, hook: Hook) -> bool:
    """True when a hook that was not made is wanted now. Raises Fault."""
    boundary = turn.nodes.get(node.boundary_id)
    if turn.named(hook_name(node.name, name)) is not None or (boundary is not None and boundary.phase.fulfilled):
        return False
    outer = call_of(turn, node.boundary_id or node.id)
    if not may_go_on(turn, outer.exit) or (boundary is not None and parallelism.fails_fast(turn, boundary.id)):
        return False
    try:
        seen = _Now(turn, node, outer.exit) if boundary is not None else Flat(globals_of(turn))
        wanted = evaluate(hook.expression, seen)
    except ExpressionError as error:
        raise Fault(f"unable to evaluate expression '{hook.expression}': {error}") from None
    if not isinstance(wanted, bool):
        raise Fault(f"unable to cast expression result '{gojson.shown(wanted)}' to bool")
    return wanted


class _Now:
    """What the expression of a hook of `node` sees: what its arguments do, and the phase of the node itself; of a step
    also those of its group, items of loops by the names of their nodes."""

    def __init__(self, turn: Turn, node: Node, exit: bool) -> None:
        place = place_of(turn, node)
        self._turn, self._node = turn, node
        self._scope = TaskScope(turn, node.boundary_id, exit=exit)
        self._task = f"tasks.{place.task}"
        self._group = turn.nodes[place.owner].name if place.kind is Kind.STEP else ""

    def _seen(self, name: str) -> Node | None:
        """The node whose phase is seen as `status` of `name`."""
        if self._group:
            return self._turn.named(f"{self._group}.{name[6:]}") if name.startswith("steps.") else None
        return self._node if name == self._task else None

    def within(self, name: str) -> Mapping[str, object] | None:
        """What lies below a name."""
        return {} if self._seen(name) is not None else self._scope.within(name)

    def __contains__(self, name: object) -> bool:
        return name in self._scope or (isinstance(name, str) and self._found(name) is not None)

    def __getitem__(self, name: str) -> str | None:
        node = self._found(name)
        return self._scope[name] if node is None else str(node.phase)

    def _found(self, name: str) -> Node | None:
        return self._seen(name.removesuffix(".status")) if name.endswith(".status") else None
