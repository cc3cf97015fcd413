"""Templates made ready to run: tags of globals, of the place and of inputs replaced, tasks and their conditions parsed.

(Argo: `ProcessArgs` and `SubstituteParams` in `workflow/common/util.go`.)
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from penstock.engine.places import call_of
from penstock.engine.state import Call, Fault, Turn
from penstock.engine.variables import globals_of
from penstock.workflow import gojson, tags, when
from penstock.workflow.configuration import CONFIG_MAP
from penstock.workflow.depends import Condition, condition
from penstock.workflow.document import Arguments, ArtifactSpec, KeyRef, ParameterSpec, Task, Template
from penstock.workflow.nodes import pod_name
from penstock.workflow.status import Artifact, NodeInputs, NodeType, Parameter

__all__ = [
    "Given",
    "Plan",
    "bound_inputs",
    "given_arguments",
    "own_artifact",
    "plan_of",
    "processed",
    "retry_scope",
    "type_of",
]


class Given(NamedTuple):
    """Arguments of a call, tags replaced. A parameter that is None stands for an absent output."""

    parameters: Mapping[str, str | None] = {}
    artifacts: Mapping[str, Artifact] = {}


def given_arguments(arguments: Arguments) -> Given:
    """Arguments of the workflow or of a hook of its own: there are no outputs that could be passed on."""
    artifacts = {a.name: own_artifact(a) for a in arguments.artifacts if a.raw is not None or a.own_key}
    return Given({p.name: p.value for p in arguments.parameters if p.value is not None}, artifacts)


def own_artifact(declared: ArtifactSpec) -> Artifact:
    """An artifact that comes from no node."""
    raw = declared.raw.data if declared.raw is not None else None
    key = "" if raw is not None else declared.own_key
    return Artifact(name=declared.name, raw=raw, key=key, optional=declared.optional, archive=declared.archive)


# --- inputs -----------------------------------------------------------------------------------------------------


def bound_inputs(turn: Turn, template: Template, given: Given) -> NodeInputs:
    """The inputs of a template: arguments, else the template's own values. Raises Fault for what is missing."""
    return NodeInputs(
        parameters=tuple(_parameter(turn, parameter, given) for parameter in template.inputs.parameters),
        artifacts=tuple(_artifact(artifact, given) for artifact in template.inputs.artifacts),
    )


def _parameter(turn: Turn, declared: ParameterSpec, given: Given) -> Parameter:
    own = declared.value if declared.value is not None else _configured(turn, declared)
    own = own if own is not None else declared.default
    value = given.parameters.get(declared.name, own)
    if value is None and declared.name in given.parameters:
        value = own
        if value is None:
            raise Fault(
                f"inputs.parameters.{declared.name}: argument references an absent optional "
                "(skipped/omitted node output with no default)"
            )
    if value is None:
        raise Fault(f"inputs.parameters.{declared.name} was not supplied")
    return Parameter(name=declared.name, value=value)


def _configured(turn: Turn, declared: ParameterSpec) -> str | None:
    """The value that stands in a config map, None where none is named or it has none."""
    source = declared.value_from
    if source is None or source.config_map_key_ref is None:
        return None
    text = tags.replace(msgspec.json.encode(source.config_map_key_ref).decode(), globals_of(turn))
    ref = msgspec.json.decode(text, type=KeyRef)
    found = turn.run.config.text(CONFIG_MAP, ref.name, ref.key)
    return source.default if found is None else found


def _artifact(declared: ArtifactSpec, given: Given) -> Artifact:
    argument = given.artifacts.get(declared.name)
    if not declared.optional and declared.raw is None and not declared.own_key:
        if argument is None:
            raise Fault(f"inputs.artifacts.{declared.name} was not supplied")
        if not argument.given:
            raise Fault(f"inputs.artifacts.{declared.name} missing location information")
    return msgspec.structs.replace(
        argument or own_artifact(declared),
        name=declared.name,
        path=declared.path,
        mode=declared.mode,
        recurse_mode=declared.recurse_mode,
        global_name="",
    )


# --- templates --------------------------------------------------------------------------------------------------


def processed(turn: Turn, call: Call, inputs: NodeInputs, extra: Mapping[str, str | None] = {}) -> Template:
    """The template of a call with `inputs`. Its own `inputs.parameters` hold the final values. Raises Fault."""
    if "{{" not in call.text and not any("{{" in (parameter.value or "") for parameter in inputs.parameters):
        return _with_inputs(call.template, inputs)
    # What a group's tasks say of the run as it goes on is known when each of them begins.
    group = call.template.dag is not None or call.template.steps is not None
    scope = globals_of(turn, call.exit, lasting=group).new_child({**_local_scope(turn, call), **extra})
    try:
        made = _replaced(call, inputs, scope)
        for written, task in zip(call.template.tasks(), made.tasks(), strict=True):
            when.refuse_changed(written.when, task.when)
    except (tags.Unresolved, tags.AbsentOptional, when.WhenError) as error:
        raise Fault(str(error)) from None
    return made


def _with_inputs(template: Template, inputs: NodeInputs) -> Template:
    parameters = tuple(ParameterSpec(name=p.name, value=p.value) for p in inputs.parameters)
    return msgspec.structs.replace(template, inputs=msgspec.structs.replace(template.inputs, parameters=parameters))


def _replaced(call: Call, inputs: NodeInputs, scope: ChainMap[str, str | None]) -> Template:
    document = msgspec.json.decode(call.text)
    if inputs.parameters:
        document["inputs"]["parameters"] = [{"name": p.name, "value": p.value} for p in inputs.parameters]
    raw = {artifact.name: artifact.raw for artifact in inputs.artifacts if artifact.raw is not None}
    for artifact in document.get("inputs", {}).get("artifacts", ()):
        if artifact["name"] in raw:
            artifact["raw"] = {"data": raw[artifact["name"]]}
    # Globals first, since they may sit in the values of inputs.
    text = tags.replace(_json(document), scope)
    document = msgspec.json.decode(text)
    text = tags.replace(text, scope.new_child(_own_scope(document)))
    return msgspec.json.decode(text, type=Template)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _own_scope(document: Mapping[str, Any]) -> dict[str, str | None]:
    inputs, outputs = document.get("inputs", {}), document.get("outputs", {})
    parameters = inputs.get("parameters", [])
    scope: dict[str, str | None] = {f"inputs.parameters.{p['name']}": p["value"] for p in parameters}
    scope["inputs.parameters"] = gojson.dumps(parameters)
    for prefix, artifacts in (("inputs", inputs.get("artifacts", [])), ("outputs", outputs.get("artifacts", []))):
        scope |= {f"{prefix}.artifacts.{a['name']}.path": a["path"] for a in artifacts if a.get("path")}
    for parameter in outputs.get("parameters", []):
        path = (parameter.get("valueFrom") or {}).get("path")
        if path:
            scope[f"outputs.parameters.{parameter['name']}.path"] = path
    return scope


def _local_scope(turn: Turn, call: Call) -> dict[str, str | None]:
    # To Argo an entrypoint, an exit handler and a hook are steps without a name.
    called = call.task.name if call.prefix and call.task is not None else ""
    scope: dict[str, str | None] = {"node.name": call.name, f"{call.prefix or 'steps'}.name": called}
    if call.template.makes_pod and (call.template.retry_strategy is None or call.attempt is not None):
        scope["pod.name"] = pod_name(turn.run.name, call.name, call.template.name)
    return scope


def retry_scope(turn: Turn, call: Call) -> dict[str, str | None]:
    """`retries` and `lastRetry.*` for an attempt; what there was before the first one is "0" or empty."""
    if call.attempt is None:
        return {}
    last = turn.named(f"{call.name[: call.name.rfind('(')]}({call.attempt - 1})") if call.attempt else None
    code = last.outputs.exit_code if last is not None and last.outputs is not None else None
    return {
        "retries": str(call.attempt),
        "lastRetry.exitCode": code or "0",
        "lastRetry.status": str(last.phase) if last is not None else "",
        "lastRetry.message": last.message if last is not None else "",
        "lastRetry.duration": _duration(last.started_at, last.finished_at) if last is not None else "0",
    }


def _duration(start: float | None, end: float | None) -> str:
    return gojson.number(float(int(end) - int(start))) if start is not None and end is not None else "0"


# --- plans ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A DAG or steps template of one node, ready to run.

    `tasks` are all tasks or steps by name. For a DAG: `conditions`, `dependents` (by task), `needed` (tasks on the way
    to a target) and `targets`. For steps: `group_of`, the number of the group of each step.
    """

    template: Template
    tasks: Mapping[str, Task]
    texts: dict[str, str] = field(default_factory=dict)
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    dependents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needed: frozenset[str] = frozenset()
    targets: tuple[str, ...] = ()
    group_of: Mapping[str, int] = field(default_factory=dict)


def plan_of(turn: Turn, id: str) -> Plan:
    """The plan of the DAG or Steps node `id`."""
    inputs = turn.nodes[id].inputs
    kept: tuple[NodeInputs | None, Plan] | None = turn.memo.plans.get(id)
    if kept is not None and kept[0] == inputs:
        return kept[1]
    call = call_of(turn, id)
    plan = _plan(processed(turn, call, inputs or NodeInputs(), retry_scope(turn, call)))
    turn.memo.plans[id] = (inputs, plan)
    return plan


def keep_plan(turn: Turn, id: str, template: Template) -> None:
    """Remember the plan of a node that was made just now."""
    turn.memo.plans[id] = (turn.nodes[id].inputs, _plan(template))


def _plan(template: Template) -> Plan:
    tasks = {task.name: task for task in template.tasks()}
    if template.dag is None:
        groups = {step.name: index for index, group in enumerate(template.steps or ()) for step in group}
        return Plan(template=template, tasks=tasks, group_of=groups)
    continues = {t.name: (t.continue_on.error, t.continue_on.failed) for t in tasks.values() if t.continue_on}
    conditions = {task.name: condition(task.depends, task.dependencies, continues) for task in tasks.values()}
    dependents: dict[str, list[str]] = {name: [] for name in tasks}
    for name, parsed in conditions.items():
        for other in parsed.tasks:
            dependents[other].append(name)
    leaves = tuple(sorted(name for name in tasks if not dependents[name]))
    targets = tuple(template.dag.target.split()) or leaves
    return Plan(
        template=template,
        tasks=tasks,
        conditions=conditions,
        dependents={name: tuple(others) for name, others in dependents.items()},
        needed=_needed(targets, conditions),
        targets=targets,
    )


def _needed(targets: tuple[str, ...], conditions: Mapping[str, Condition]) -> frozenset[str]:
    found, todo = set(targets), list(targets)
    while todo:
        for name in conditions[todo.pop()].tasks:
            if name not in found:
                found.add(name)
                todo.append(name)
    return frozenset(found)


def type_of(template: Template) -> NodeType:
    """The type of a node that runs `template`."""
    if template.retry_strategy is not None:
        return NodeType.RETRY
    kinds = {"dag": NodeType.DAG, "steps": NodeType.STEPS, "suspend": NodeType.SUSPEND, "http": NodeType.HTTP}
    return next((type for name, type in kinds.items() if getattr(template, name) is not None), NodeType.POD)


def is_composite(type: NodeType) -> bool:
    """True for nodes that have a plan."""
    return type in (NodeType.DAG, NodeType.STEPS)
