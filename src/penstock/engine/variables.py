"""What tags stand for: globals of the workflow, outputs of tasks and steps, aggregates of loops.

Values are looked up when they are asked for: a task sees its ancestors, and in a chain of ten thousand these are too
many to lay out for each. (Argo: `workflow/controller/scope.go`, `setGlobalParameters` in `operator.go`.)
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from penstock.engine.state import Fault, Turn
from penstock.workflow import gojson, loops
from penstock.workflow.document import Task, Template
from penstock.workflow.expressions import ExpressionError, Flat, evaluate
from penstock.workflow.nodes import pod_name
from penstock.workflow.running import timestamp
from penstock.workflow.status import Artifact, Node, NodeType, Phase

__all__ = ["TaskScope", "artifact_of", "globals_of", "last_attempt", "reference"]

_REFERENCE = re.compile(r"(tasks|steps)\.([^.]+)\.(.+)\Z", re.DOTALL)
_FORMATS = "aAwdbBmyYHIlMpsSfzZjUWcxX"


def reference(text: str) -> str:
    """The tag that `text` consists of, "" where there is more or less in it."""
    if not (text.startswith("{{") and text.endswith("}}")):
        return ""
    key = text[2:-2].strip()
    return "" if "{{" in key or "}}" in key else key


# --- globals ----------------------------------------------------------------------------------------------------


def globals_of(turn: Turn, exit: bool = False, *, lasting: bool = False) -> ChainMap[str, str | None]:
    """`workflow.*` of a run; below an exit handler also its failures. `lasting`: without what changes as it goes on."""
    if not turn.memo.globals:
        turn.memo.globals.update(_static(turn))
    outputs = turn.outputs.parameters if turn.outputs is not None else ()
    changing: dict[str, str | None] = {f"workflow.outputs.parameters.{p.name}": p.value for p in outputs}
    if exit:
        changing |= _ending(turn)
    elif not lasting:
        changing |= _so_far(turn)
    return ChainMap(changing, turn.memo.globals)


def _static(turn: Turn) -> dict[str, str | None]:
    run, workflow = turn.run, turn.workflow
    values = _values(turn)
    listing = gojson.dumps([{"name": name, "value": value} for name, value in values.items()])
    scope: dict[str, str | None] = {
        "workflow.name": run.name,
        "workflow.namespace": workflow.namespace,
        "workflow.uid": run.uid,
        "workflow.mainEntrypoint": workflow.spec.entrypoint,
        "workflow.serviceAccountName": workflow.spec.service_account_name,
        "workflow.priority": str(workflow.spec.priority),
        "workflow.parameters": listing,
        "workflow.parameters.json": listing,
        **{f"workflow.parameters.{name}": value for name, value in values.items()},
    }
    for kind, found in (("labels", workflow.labels), ("annotations", workflow.annotations)):
        text = gojson.dumps(dict(found))
        scope |= {f"workflow.{kind}": text, f"workflow.{kind}.json": text}
        scope |= {f"workflow.{kind}.{name}": value for name, value in found.items()}
    scheduled = workflow.annotations.get("workflows.argoproj.io/scheduled-time")
    return scope | _creation(run.created_at) | ({"workflow.scheduledTime": scheduled} if scheduled else {})


def _values(turn: Turn) -> dict[str, str]:
    declared = {p.name: p.value for p in turn.workflow.spec.arguments.parameters if p.value is not None}
    return {**declared, **turn.run.parameters}


def _creation(at: float) -> dict[str, str | None]:
    moment, name = datetime.fromtimestamp(int(at), UTC), "workflow.creationTimestamp"
    scope: dict[str, str | None] = {f"{name}.{letter}": moment.strftime(f"%{letter}") for letter in _FORMATS}
    return scope | {name: timestamp(at), f"{name}.RFC3339": timestamp(at), f"{name}.s": str(int(at))}


def _status(turn: Turn) -> str:
    root = turn.nodes.get(turn.run.name)
    if root is None or not root.phase.fulfilled:
        return "Running"
    return str(Phase.SUCCEEDED if root.phase in (Phase.SKIPPED, Phase.OMITTED) else root.phase)


def _ending(turn: Turn) -> dict[str, str | None]:
    failures = [_failure(turn, node) for node in turn.nodes.values() if node.phase in (Phase.FAILED, Phase.ERROR)]
    return {
        "workflow.failures": gojson.quote(gojson.dumps(failures) if failures else "null"),
        "workflow.status": _status(turn),
        "workflow.duration": _duration(turn),
    }


def _so_far(turn: Turn) -> dict[str, str | None]:
    # Argo's controller sees the phase that it stored: none, the first time that it looks at a run.
    first = turn.now == turn.started_at and not turn.workflow.spec.lifecycle_hooks
    return {"workflow.status": "" if first else _status(turn), "workflow.duration": _duration(turn)}


def _duration(turn: Turn) -> str:
    return f"{turn.now - (turn.started_at or turn.now):f}"


def _failure(turn: Turn, node: Node) -> dict[str, str]:
    return {
        "displayName": node.display_name,
        "message": node.message,
        "templateName": node.template_name,
        "phase": str(node.phase),
        "podName": pod_name(turn.run.name, node.name, node.called),
        "finishedAt": timestamp(node.finished_at) if node.finished_at is not None else "",
    }


# --- tasks and steps --------------------------------------------------------------------------------------------


def last_attempt(turn: Turn, node: Node) -> Node:
    """The newest attempt of a Retry node that has one; any other node itself."""
    if node.type is not NodeType.RETRY:
        return node
    for child in reversed(node.children):
        attempt = turn.nodes.get(child)
        if attempt is not None and attempt.node_flag is not None and attempt.node_flag.retried:
            return attempt
    return node


class TaskScope:
    """What a task or step may refer to: its ancestors by `tasks.A.` or `steps.A.`, its template's inputs, the globals.

    `own` gives nodes for names that stand for something else than the task's node (in a loop's exit hook).
    """

    def __init__(self, turn: Turn, boundary: str, *, exit: bool = False, own: Mapping[str, Node] | None = None) -> None:
        from penstock.engine.plans import plan_of

        self.turn = turn
        self.boundary = turn.nodes[boundary]
        self.plan = plan_of(turn, boundary)
        self.own = own or {}
        self.globals = globals_of(turn, exit)
        inputs = self.boundary.inputs
        self.inputs = {f"inputs.parameters.{p.name}": p.value for p in inputs.parameters} if inputs is not None else {}

    def __contains__(self, name: object) -> bool:
        known = name in self.globals or name in self.inputs
        return known or (isinstance(name, str) and self._find(name) is not _MISSING)

    def __getitem__(self, name: str) -> str | None:
        if name in self.globals:
            return self.globals[name]
        if name in self.inputs:
            return self.inputs[name]
        found = self._find(name)
        if isinstance(found, _Missing):
            raise KeyError(name)
        return found

    def within(self, name: str) -> Mapping[str, object] | None:
        """What lies below a name, as expressions see it; outputs of tasks are looked up one by one."""
        root, _, rest = name.partition(".")
        if root == "inputs":
            return Flat(self.inputs).within(name)
        if root != ("tasks" if self.plan.template.dag is not None else "steps"):
            return Flat(self.globals).within(name)
        own = next((task for task in self.own if f"{rest}.".startswith(f"{task}.")), "")
        task, below = (own, rest[len(own) + 1 :]) if own else (rest.partition(".")[0], rest.partition(".")[2])
        if not own and rest and (task not in self.plan.tasks or isinstance(self._value(task, "status"), _Missing)):
            return None
        return {} if below in ("", "outputs", "outputs.parameters", "outputs.artifacts") else None

    def _find(self, name: str) -> str | _Missing | None:
        for task, node in self.own.items():
            if name.startswith((f"tasks.{task}.", f"steps.{task}.")):
                what = name[len(task) + 7 :]
                found = _of_node(self.turn, node, what)
                return "" if isinstance(found, _Missing) and _is_declared(self.turn, node, what) else found
        match = _REFERENCE.match(name)
        if match is None or match[2] not in self.plan.tasks:
            return _MISSING
        return self._value(match[2], match[3])

    def _value(self, task: str, what: str) -> str | _Missing | None:
        node = self._node(task)
        if node is None:
            return self._of_looped_step(task, what)
        if node.type is NodeType.TASK_GROUP and what.startswith("outputs."):
            return _of_children(self._children(node.children), what)
        found = _of_node(self.turn, node, what)
        if isinstance(found, _Missing) and node.phase in (Phase.SKIPPED, Phase.OMITTED):
            return _of_skipped(self._template(self.plan.tasks[task]), what)
        return found

    def _name(self, task: str) -> str:
        if self.plan.template.dag is not None:
            return f"{self.boundary.name}.{task}"
        return f"{self.boundary.name}[{self.plan.group_of[task]}].{task}"

    def _node(self, task: str) -> Node | None:
        return self.turn.named(self._name(task))

    def _template(self, task: Task) -> Template | None:
        from penstock.engine.places import template_of

        try:
            return template_of(self.turn, task, self.plan.template.scope)[0]
        except Fault:
            return None

    def _of_looped_step(self, step: str, what: str) -> str | _Missing | None:
        if self.plan.template.dag is not None:
            return _MISSING
        name = self._name(step)
        group = self.turn.named(name.removesuffix(f".{step}"))
        if group is None:
            return _MISSING
        if not what.startswith("outputs."):
            return _of_node(self.turn, group, what)
        children = [child for child in self._children(group.children) if child.name.startswith(f"{name}(")]
        ran = [child for child in children if child.type is not NodeType.SKIPPED]
        return _of_children(ran, what) if ran else _MISSING

    def _children(self, ids: Iterable[str]) -> list[Node]:
        found = [self.turn.nodes[id] for id in ids if id in self.turn.nodes]
        return [node for node in found if node.node_flag is None or not node.node_flag.hooked]

    def artifact(self, tag: str) -> Artifact | None:
        """The artifact that a tag stands for, None where there is none.

        An optional input that nobody gave is one without a key and without content.
        """
        if tag.startswith("inputs.artifacts."):
            inputs = self.boundary.inputs
            return next((each for each in (inputs.artifacts if inputs else ()) if each.name == tag[17:]), None)
        if tag.startswith("workflow.outputs.artifacts."):
            outputs = self.turn.outputs
            return _artifact_named(outputs.artifacts if outputs is not None else (), tag[27:])
        name, _, artifact = tag.partition(".outputs.artifacts.")
        task = name.removeprefix("tasks.").removeprefix("steps.")
        if task == name or task not in (*self.own, *self.plan.tasks):
            return None
        node = self.own.get(task) or self._node(task)
        made = last_attempt(self.turn, node).outputs if node is not None else None
        return _artifact_named(made.artifacts if made is not None else (), artifact)


class _Artifacts:
    """The same names, those of artifacts with the artifacts themselves."""

    def __init__(self, scope: TaskScope) -> None:
        self.scope = scope
        self.within = scope.within

    def __contains__(self, name: object) -> bool:
        return name in self.scope or (isinstance(name, str) and self.scope.artifact(name) is not None)

    def __getitem__(self, name: str) -> object:
        return self.scope[name] if name in self.scope else self.scope.artifact(name)


def artifact_of(scope: TaskScope, expression: str) -> Artifact | None:
    """The artifact that an expression picks, None where it picks nothing. Raises Fault."""
    try:
        found = evaluate(expression, _Artifacts(scope))
    except ExpressionError as error:
        raise Fault(f"failed to evaluate expression: {error}") from None
    if found is not None and not isinstance(found, Artifact):
        raise Fault(f"{expression!r} is not an artifact")
    return found


class _Missing:
    pass


_MISSING = _Missing()


def _artifact_named(artifacts: Iterable[Artifact], name: str) -> Artifact | None:
    return next((artifact for artifact in artifacts if artifact.name == name and artifact.given), None)


def _is_declared(turn: Turn, node: Node, what: str) -> bool:
    """Whether `what` is an output parameter that the node was to have: to its hooks it is "", as on Argo."""
    outputs = last_attempt(turn, node).outputs
    return outputs is not None and any(what == f"outputs.parameters.{each.name}" for each in outputs.parameters)


def _of_node(turn: Turn, node: Node, what: str) -> str | _Missing | None:
    ip = node.pod_ip  # while another attempt of a daemon begins, that of the one before
    node = last_attempt(turn, node)
    simple = {
        "id": node.id,
        "status": str(node.phase),
        "ip": ip or None,
        "hostNodeName": node.host_node_name or None,
        "startedAt": timestamp(node.started_at) if node.started_at is not None else None,
        "finishedAt": timestamp(node.finished_at) if node.finished_at is not None else None,
    }
    if what in simple:
        return simple[what] if simple[what] is not None else _MISSING
    outputs = node.outputs
    if outputs is None:
        return _MISSING
    if what.startswith("outputs.parameters."):
        name = what[19:]
        found = (p.value for p in outputs.parameters if p.name == name and p.value is not None)
        return next(found, _MISSING)
    value = {"outputs.result": outputs.result, "exitCode": outputs.exit_code}.get(what)
    return _MISSING if value is None else value


def _of_skipped(template: Template | None, what: str) -> str | _Missing | None:
    if template is None or not what.startswith("outputs.parameters."):
        return _MISSING
    for parameter in template.outputs.parameters:
        if parameter.name == what[19:]:
            return parameter.value_from.default if parameter.value_from is not None else None
    return _MISSING


def _of_children(children: Iterable[Node], what: str) -> str | _Missing:
    """Aggregates of a loop: the outputs of those that succeeded, in the order of their indices."""
    made = [node.outputs for node in _ordered(children) if node.outputs is not None]
    if what == "outputs.result":
        return gojson.dumps([_result(outputs.result) for outputs in made if outputs.result is not None])
    if what == "outputs.parameters":
        return gojson.dumps([{p.name: p.value for p in outputs.parameters} for outputs in made if outputs.parameters])
    if not what.startswith("outputs.parameters."):
        return _MISSING
    name = what[19:]
    values = [p.value or "" for outputs in made for p in outputs.parameters if p.name == name]
    return loops.aggregate(values) if values else _MISSING


def _ordered(children: Iterable[Node]) -> Iterator[Node]:
    done = [node for node in children if node.phase is Phase.SUCCEEDED]
    return iter(sorted(done, key=_index))


def _index(node: Node) -> int:
    return int(node.name[node.name.rfind("(") + 1 :].partition(":")[0])


def _result(text: str) -> object:
    try:
        return gojson.loads(text)
    except ValueError as error:
        raise Fault(f"outputs.result is not JSON: {text[:80]!r} ({error})") from None
