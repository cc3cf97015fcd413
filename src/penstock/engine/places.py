"""Where a node stands in the tree, read from its name, and how it was called.

Names say all: `P.task`, `P.task(0:item)`, `P[0]`, `P[0].step`, `N(1)` for an attempt, `N.onExit`, `N.hooks.h`. So
a run that is rebuilt from its rows finds its way without anything else being stored.
"""

from __future__ import annotations

import re
from dataclasses import replace
from enum import Enum
from typing import NamedTuple

import msgspec

from penstock.engine.state import Call, Fault, Turn
from penstock.workflow.document import Arguments, Hook, ParameterSpec, Task, Template
from penstock.workflow.nodes import node_id
from penstock.workflow.status import Node, NodeType

__all__ = [
    "Kind",
    "Place",
    "call_of",
    "count_keys",
    "exit_hook",
    "exit_name",
    "hook_name",
    "hook_of",
    "place_of",
    "scope_of",
    "task_of",
    "template_named",
]


class Kind(Enum):
    """What a node is to the node that waits for it."""

    ROOT = "root"
    EXIT = "exit"
    ATTEMPT = "attempt"
    HOOK = "hook"
    TASK = "task"
    ITEM = "item"
    GROUP = "group"
    STEP = "step"
    CONTAINER = "container"


class Place(NamedTuple):
    """`owner` is the id of the node that waits; `task` the task's or step's name in the boundary's template."""

    kind: Kind
    owner: str
    task: str = ""
    group: int = 0


_STEP = re.compile(r"\[(\d+)\](?:\.([^(]+)(?:\(.*)?)?\Z", re.DOTALL)


def exit_name(name: str) -> str:
    """Name of the exit handler's node of the node `name`."""
    return f"{name}.onExit"


def hook_name(name: str, hook: str) -> str:
    """Name of the node of the hook `hook` of the node `name`; that of the exit handler where `hook` is ""."""
    return f"{name}.hooks.{hook}" if hook else exit_name(name)


_HOOK = ".hooks."


def place_of(turn: Turn, node: Node) -> Place:
    """Where `node` stands."""
    place: Place | None = turn.memo.places.get(node.id)
    if place is None:
        place = turn.memo.places[node.id] = _place(turn, node)
    return place


def _place(turn: Turn, node: Node) -> Place:
    name, run = node.name, turn.run.name
    if name == run:
        return Place(Kind.ROOT, "")
    flag = node.node_flag
    if node.type is NodeType.CONTAINER:
        return Place(Kind.CONTAINER, node.boundary_id)
    if flag is not None and flag.retried:
        return Place(Kind.ATTEMPT, node_id(run, name[: name.rfind("(")]))
    if name == exit_name(run):
        return Place(Kind.EXIT, "")
    if flag is not None and flag.hooked:
        return Place(Kind.HOOK, node_id(run, _hooked(name)))
    boundary = turn.nodes[node.boundary_id]
    rest = name[len(boundary.name) :]
    return _task_place(run, boundary, rest) if boundary.type is NodeType.DAG else _step_place(run, boundary, rest)


def _hooked(name: str) -> str:
    return name.removesuffix(".onExit") if name.endswith(".onExit") else name.rpartition(_HOOK)[0]


def _task_place(run: str, boundary: Node, rest: str) -> Place:
    task, loop, _ = rest[1:].partition("(")
    if not loop:
        return Place(Kind.TASK, boundary.id, task)
    return Place(Kind.ITEM, node_id(run, f"{boundary.name}.{task}"), task)


def _step_place(run: str, boundary: Node, rest: str) -> Place:
    match = _STEP.match(rest)
    assert match is not None, rest
    group = int(match[1])
    if match[2] is None:
        return Place(Kind.GROUP, boundary.id, "", group)
    return Place(Kind.STEP, node_id(run, f"{boundary.name}[{group}]"), match[2], group)


def count_keys(turn: Turn, node: Node) -> tuple[str, ...]:
    """Ids of the nodes for which `node` counts as open: its boundary and, in a loop or a group of steps, that."""
    container = _container(turn, node)
    return (node.boundary_id, container) if container else (node.boundary_id,)


def _container(turn: Turn, node: Node) -> str:
    place = place_of(turn, node)
    if place.kind in (Kind.HOOK, Kind.ATTEMPT):
        owner = turn.nodes.get(place.owner)
        return _container(turn, owner) if owner is not None else ""
    return place.owner if place.kind in (Kind.ITEM, Kind.STEP) else ""


# --- calls ------------------------------------------------------------------------------------------------------


def template_named(turn: Turn, name: str, scope: str = "") -> tuple[Template, str]:
    """The template that `name` means in `scope` (a `Template`'s), and its JSON text. Raises Fault."""
    name = f"{scope}/{name}" if scope and "/" not in name else name
    found = turn.memo.templates.get(name)
    if found is None:
        raw = turn.workflow.templates.get(name)
        if raw is None:
            raise Fault(f"template {name} not found")
        text = msgspec.json.encode(raw).decode()
        found = turn.memo.templates[name] = (msgspec.json.decode(text, type=Template), text)
    return found


def inline_template(task: Task) -> tuple[Template, str]:
    """A template written into a task, and its JSON text."""
    assert task.inline is not None
    return task.inline, msgspec.json.encode(task.inline).decode()


def template_of(turn: Turn, task: Task, scope: str) -> tuple[Template, str]:
    """The template that a task of a template in `scope` runs, and its JSON text. Raises Fault."""
    return inline_template(task) if task.inline is not None else template_named(turn, task.template, scope)


def scope_of(turn: Turn, boundary: str) -> str:
    """The scope of what stands in the template of the node `boundary`: "" for the document's own."""
    return call_of(turn, boundary).template.scope if boundary in turn.nodes else ""


def task_of(turn: Turn, node: Node) -> Task | None:
    """The task or step that `node` stands for, tags of outputs and items not replaced."""
    from penstock.engine.plans import plan_of

    place = place_of(turn, node)
    if place.kind is Kind.ATTEMPT:
        return task_of(turn, turn.nodes[place.owner])
    return plan_of(turn, node.boundary_id).tasks.get(place.task) if place.task else None


def exit_hook(turn: Turn, task: Task | None) -> Hook | None:
    """What runs after a task: with the workflow's arguments where the hook has none."""
    hook = task.exit_hook if task is not None else None
    return None if hook is None else with_arguments(turn, hook)


def hook_of(turn: Turn, node: Node, name: str) -> Hook | None:
    """The hook `name` of the task or step of `node`, or of the run; its exit handler where `name` is ""."""
    if place_of(turn, node).kind is Kind.ROOT:
        return turn.workflow.spec.lifecycle_hooks.get(name)
    task = task_of(turn, node)
    return task.lifecycle_hooks.get(name) if task is not None and name else exit_hook(turn, task)


def with_arguments(turn: Turn, hook: Hook) -> Hook:
    """`hook` with the workflow's arguments where it has none of its own."""
    if hook.arguments.parameters or hook.arguments.artifacts:
        return hook
    return msgspec.structs.replace(hook, arguments=workflow_arguments(turn))


def workflow_arguments(turn: Turn) -> Arguments:
    """The arguments of the workflow with the values of this run."""
    given, values = turn.workflow.spec.arguments, turn.run.parameters
    known = [
        msgspec.structs.replace(parameter, value=values.get(parameter.name, parameter.value))
        for parameter in given.parameters
    ]
    names = {parameter.name for parameter in known}
    more = [ParameterSpec(name=name, value=value) for name, value in values.items() if name not in names]
    return msgspec.structs.replace(given, parameters=(*known, *more))


def call_of(turn: Turn, id: str) -> Call:
    """How the node `id` was called, remembered or worked out from its place."""
    call = turn.memo.calls.get(id)
    node = turn.nodes[id]
    if call is None or call.inputs != node.inputs:
        call = turn.memo.calls[id] = _call(turn, node)
    return call


def _call(turn: Turn, node: Node) -> Call:
    place = place_of(turn, node)
    if place.kind is Kind.ATTEMPT:
        attempt = int(node.name[node.name.rfind("(") + 1 : -1])
        return attempt_call(turn, call_of(turn, place.owner), attempt, node)
    outer = call_of(turn, node.boundary_id) if node.boundary_id else None
    task = task_of(turn, node)
    if place.kind is Kind.HOOK:
        hook = hook_of(turn, turn.nodes[place.owner], _own_name(node.name))
        assert hook is not None
        template, text = template_named(turn, hook.template, scope_of(turn, node.boundary_id))
        task = None
    elif task is not None:
        template, text = template_of(turn, task, scope_of(turn, node.boundary_id))
    else:
        template, text = template_named(turn, node.qualified)
    return Call(
        id=node.id,
        name=node.name,
        boundary=node.boundary_id,
        owner=place.owner,
        template_name=node.qualified,
        template=template,
        text=text,
        inputs=node.inputs,
        task=task,
        prefix={Kind.TASK: "tasks", Kind.ITEM: "tasks", Kind.STEP: "steps"}.get(place.kind, ""),
        exit=_exits(place, node) or (outer is not None and outer.exit),
        depth=outer.depth + 1 if outer is not None else 1,
        flag=node.node_flag,
    )


def _exits(place: Place, node: Node) -> bool:
    return place.kind is Kind.EXIT or (place.kind is Kind.HOOK and not _own_name(node.name))


def _own_name(name: str) -> str:
    """The name of the hook that a hook's node is of, "" for an exit handler."""
    return "" if name.endswith(".onExit") else name.rpartition(_HOOK)[2]


def attempt_call(turn: Turn, call: Call, attempt: int, node: Node | None = None) -> Call:
    """The call of one attempt below a Retry node's."""
    from penstock.workflow.status import NodeFlag

    name = f"{call.name}({attempt})"
    hooked = call.flag is not None and call.flag.hooked
    return replace(
        call,
        id=node_id(turn.run.name, name),
        name=name,
        owner=call.id,
        attempt=attempt,
        inputs=node.inputs if node is not None else call.inputs,
        flag=NodeFlag(hooked=hooked, retried=True),
    )
