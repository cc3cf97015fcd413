"""Checks of a whole document before a run: what Argo's own validation refuses, in its words and with its paths.

References are checked against what can be known: templates, tasks, inputs and outputs that do not exist, cycles,
names given twice. Recursion through templates is allowed. (Argo: `workflow/validate/validate.go`.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any

from penstock.errors import InvalidDocument, UnsupportedField
from penstock.workflow import when
from penstock.workflow.depends import Condition, DependsError, condition
from penstock.workflow.document import (
    ArtifactSpec,
    ContainerSet,
    ParameterSpec,
    Resource,
    Spec,
    Synchronization,
    Task,
    Template,
    Workflow,
)
from penstock.workflow.expressions.syntax import MAX_BYTES as MAX_EXPRESSION
from penstock.workflow.library import WAY_OUT
from penstock.workflow.metrics import fault_of
from penstock.workflow.objectpaths import is_path
from penstock.workflow.tags import MAX_NESTING, known, nesting, strings, tags

__all__ = ["invalid", "validate"]

_NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*\Z")
_PARAMETER_NAME = re.compile(r"[-a-zA-Z0-9_]+\Z")
_TAG = re.compile(r"\{\{.*?\}\}")
_REFERENCE = re.compile(r"(tasks|steps)\.([a-zA-Z0-9][-a-zA-Z0-9]*)\.(.+)\Z")
_SIMPLE = frozenset(
    [
        "id",
        "status",
        "exitCode",
        "startedAt",
        "finishedAt",
        "ip",
        "hostNodeName",
        "outputs.result",
        "outputs.parameters",
    ]
)
_ACTIONS = ("create", "apply", "get", "delete")
_KIND = re.compile(r"""^(?:\s*\{.*?)?["']?kind["']?\s*:\s*["']?(\w+)""", re.MULTILINE)
_RESERVED = frozenset(("wait", "supervisor", "init"))
_POLICIES = ("", "Always", "OnFailure", "OnError", "OnTransientError")
_WORKFLOW = frozenset(
    [
        "workflow.name",
        "workflow.namespace",
        "workflow.uid",
        "workflow.mainEntrypoint",
        "workflow.serviceAccountName",
        "workflow.parameters",
        "workflow.parameters.json",
        "workflow.labels",
        "workflow.labels.json",
        "workflow.annotations",
        "workflow.annotations.json",
        "workflow.creationTimestamp",
        "workflow.status",
        "workflow.failures",
        "workflow.duration",
        "workflow.priority",
        "workflow.scheduledTime",
        "workflow.creationTimestamp.RFC3339",
    ]
)


def invalid(path: str, text: str) -> InvalidDocument:
    """An error in Argo's form: `invalid spec: PATH TEXT`."""
    error = InvalidDocument(f"invalid spec: {path} {text}" if path else f"invalid spec: {text}")
    error.path = path
    return error


def validate(workflow: Workflow) -> None:
    """Raise InvalidDocument for the first fault of the document."""
    spec = workflow.spec
    _unique("spec.templates", [template.name for template in spec.templates], _NAME)
    _unique("spec.arguments.parameters", [p.name for p in spec.arguments.parameters], _PARAMETER_NAME)
    if not spec.entrypoint:
        raise invalid("", "spec.entrypoint is required")
    _locks(spec.synchronization, "spec.synchronization")
    checker = _Checker(workflow)
    checker.reference("", Task(template=spec.entrypoint, arguments=spec.arguments), "spec.entrypoint")
    _hooks(checker, "hooks", spec.hooks)
    if spec.on_exit:
        checker.reference("", Task(template=spec.on_exit, arguments=spec.arguments), "spec.onExit")
    for template in spec.templates:
        checker.template(template, f"templates.{template.name}")
    for key, template in workflow.referenced.items():
        checker.scope = template.scope
        checker.template(template, f"templates.{key}")


def _given_artifact(artifact: ArtifactSpec, where: str) -> None:
    """An artifact that a task is given comes from somewhere. (Argo: `validateArgumentsValues`.)"""
    if artifact.from_ and artifact.from_expression:
        raise invalid(where, "shouldn't have both `from` and `fromExpression` in Artifact")
    stored = artifact.s3 is not None and artifact.s3.key
    if not artifact.from_ and not stored and artifact.raw is None:
        raise invalid(f"{where}.from", "artifact location, or key is required")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _unique(path: str, names: Iterable[str], pattern: re.Pattern[str]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if not name:
            raise invalid(f"{path}[{index}].name", "is required")
        if not pattern.match(_TAG.sub("x", name)) or len(name) > 128:
            raise invalid(f"{path}[{index}].name", f"'{name}' is invalid: letters, digits and '-' may stand in it")
        if name in seen:
            raise invalid(f"{path}[{index}].name", f"'{name}' is not unique")
        seen.add(name)


def _hooks(checker: _Checker, path: str, hooks: Mapping[str, Any]) -> None:
    for name, hook in hooks.items():
        if name != "exit" and not hook.expression:
            raise invalid(f"{path}.{name}", "Expression required")
        checker.reference(path, Task(template=hook.template, arguments=hook.arguments), f"{path}.{name}")


class _Checker:
    """Walks templates with what is known of all of them."""

    def __init__(self, workflow: Workflow) -> None:
        self.spec: Spec = workflow.spec
        self.templates = {template.name: template for template in workflow.spec.templates}
        self.templates |= workflow.referenced
        self.scope = ""
        self.globals = _globals(workflow)

    # --- one template -------------------------------------------------------------------------------------------

    def template(self, template: Template, path: str) -> None:
        """Check a template and what is inlined in it."""
        _one_kind(template, path)
        _unique(f"{path}.inputs.parameters", [p.name for p in template.inputs.parameters], _PARAMETER_NAME)
        _unique(f"{path}.inputs.artifacts", [a.name for a in template.inputs.artifacts], _PARAMETER_NAME)
        _unique(f"{path}.outputs.parameters", [p.name for p in template.outputs.parameters], _PARAMETER_NAME)
        _unique(f"{path}.outputs.artifacts", [a.name for a in template.outputs.artifacts], _PARAMETER_NAME)
        _locks(template.synchronization, f"{path}.synchronization")
        if template.memoize is not None and not template.memoize.cache.config_map.name:
            raise invalid(f"{path}.memoize.cache.configMap.name", "is required")
        if template.retry_strategy and template.retry_strategy.retry_policy not in _POLICIES:
            raise invalid(path, f"{template.retry_strategy.retry_policy} is not a valid RetryPolicy")
        for fault in filter(None, map(fault_of, template.metrics.prometheus)):
            raise invalid(path, fault)
        if template.main is not None:
            self._leaf(template, path)
        elif template.suspend is not None:
            self._suspend(template, path)
        elif template.resource is not None:
            self._resource(template, template.resource, path)
        elif template.http is not None or template.data is not None:
            self._asked(template, path)
        elif template.dag is not None:
            self._dag(template, path)
        else:
            self._steps(template, path)

    def _leaf(self, template: Template, path: str) -> None:
        kind = "container" if template.container else "script" if template.script else "containerSet"
        if template.container_set is not None:
            _container_set(template, template.container_set, f"{path}.containerSet")
        if not template.main or not template.main.image:
            raise invalid(f"{path}.{kind}.image", "may not be empty")
        if template.parallelism:
            raise invalid(f"{path}.parallelism", "is only valid for steps and dag templates")
        _deadlines(template, path)
        claims = {claim.metadata.name for claim in self.spec.volume_claim_templates}
        _mounts(template, path, {volume.name for volume in self.spec.volumes} | claims)
        for parameter in template.outputs.parameters:
            if parameter.value is None and (parameter.value_from is None or not parameter.value_from.path):
                raise invalid(
                    f"{path}.outputs.parameters.{parameter.name}.path", f"must be specified for {kind} templates"
                )
        for artifact in template.inputs.artifacts:
            if not artifact.path:
                raise invalid(f"{path}.inputs.artifacts.{artifact.name}.path", "is required")
        self._tags(_plain(template), path, _Scope(template, self.globals))

    def _suspend(self, template: Template, path: str) -> None:
        if template.parallelism:
            raise invalid(f"{path}.parallelism", "is only valid for steps and dag templates")
        for name, value in (("activeDeadlineSeconds", template.active_deadline_seconds), ("timeout", template.timeout)):
            if value:
                raise UnsupportedField("a wait is not ended by it; use `suspend.duration`", path=f"{path}.{name}")
        for parameter in template.outputs.parameters:
            if parameter.value_from is None or parameter.value_from.supplied is None:
                where = f"{path}.outputs.parameters.{parameter.name}.valueFrom.supplied"
                raise invalid(where, "must be specified for suspend templates")
        if template.outputs.artifacts:
            raise invalid(f"{path}.outputs.artifacts", "cannot be made by suspend templates")
        self._tags(_plain(template), path, _Scope(template, self.globals))

    def _asked(self, template: Template, path: str) -> None:
        _deadlines(template, path)
        if template.http is not None and not template.http.url:
            raise invalid(f"{path}.http.url", "is required")
        source = template.data.source.artifact_paths if template.data is not None else None
        if template.data is not None and (source is None or not source.own_key):
            raise invalid(f"{path}.data.source.artifactPaths.s3.key", "is required")
        self._tags(_plain(template), path, _Scope(template, self.globals))

    def _resource(self, template: Template, resource: Resource, path: str) -> None:
        _deadlines(template, path)
        where = f"{path}.resource"
        if resource.action not in _ACTIONS and "{{" not in resource.action:
            if resource.action not in ("patch", "replace"):
                raise invalid(f"{where}.action", f"must be one of: {', '.join(_ACTIONS)}")
            raise UnsupportedField("claims are made and deleted here, not changed", path=f"{where}.action")
        kind = _KIND.search(resource.manifest)
        if kind is not None and kind[1] != "PersistentVolumeClaim":
            raise UnsupportedField(
                f"a {kind[1]} needs a cluster; run the document on Kubernetes. Here a PersistentVolumeClaim can be "
                "made or deleted",
                path=f"{where}.manifest",
            )
        if kind is None and not (resource.flags and not resource.manifest) and "{{" not in resource.manifest:
            raise invalid(where, "either one of flags or manifest must be specified")
        for parameter in template.outputs.parameters:
            source = parameter.value_from
            place = f"{path}.outputs.parameters.{parameter.name}.valueFrom"
            if source is None or not (source.json_path or source.jq_filter):
                raise invalid(place, "must specify jsonPath or jqFilter for resource templates")
            if not is_path(source.json_path or source.jq_filter):
                field = "jsonPath" if source.json_path else "jqFilter"
                raise UnsupportedField(
                    "a path by names and indices is read here, such as {.metadata.name}", path=f"{place}.{field}"
                )
        self._tags(_plain(template), path, _Scope(template, self.globals))

    def _steps(self, template: Template, path: str) -> None:
        groups = template.steps or ()
        _unique(f"{path}.steps", [step.name for group in groups for step in group], _NAME)
        scope = _Scope(template, self.globals)
        self._own(template, path, scope)
        for index, group in enumerate(groups):
            for step in group:
                self._task(step, f"{path}.steps[{index}].{step.name}", scope)
            for step in group:
                scope.add("steps", step, self._of(step))
            for step in group:
                self._exit(step, f"{path}.steps[{index}].{step.name}", scope)
        self._outputs(template, path, scope)

    def _dag(self, template: Template, path: str) -> None:
        assert template.dag is not None
        tasks = {task.name: task for task in template.dag.tasks}
        if not tasks:
            raise invalid(path, "must have at least one task")
        _unique(f"{path}.tasks", [task.name for task in template.dag.tasks], _NAME)
        before = _Ancestors(tasks, path)
        everything = _Scope(template, self.globals)
        self._own(template, path, everything)
        for task in template.dag.tasks:
            everything.add("tasks", task, self._of(task))
        for task in template.dag.tasks:
            where = f"{path}.tasks.{task.name}"
            self._task(task, where, everything.only(before.of(task.name)))
            self._exit(task, where, everything.only(before.of(task.name, itself=True)))
        for target in template.dag.target.split():
            if target not in tasks and "{{" not in target:
                raise invalid(f"{path}.targets:", f"target '{target}' is not defined")
        self._outputs(template, path, everything)

    def _own(self, template: Template, path: str, scope: _Scope) -> None:
        if template.active_deadline_seconds:
            raise invalid(f"{path}.activeDeadlineSeconds", "is only valid for leaf templates")
        if template.timeout:
            kind = "DAG" if template.dag else "Steps"
            raise invalid(f"{path}.timeout", f"{kind} template doesn't support timeout field")
        self._tags(_plain(template.retry_strategy), path, scope)

    # --- tasks --------------------------------------------------------------------------------------------------

    def _of(self, task: Task) -> Template | None:
        return task.inline or self.templates.get(self._called(task.template))

    def _called(self, name: str) -> str:
        return f"{self.scope}/{name}" if self.scope and "/" not in name else name

    def reference(self, path: str, task: Task, where: str) -> None:
        """Check that the template that `task` names exists and gets the inputs that it needs."""
        if task.inline is None and not task.template:
            raise invalid(path or where, "template name is required")
        target = self._of(task)
        if target is None:
            # A name with a tag is known at run time only.
            if "{{" not in task.template:
                raise invalid(path, self._undefined(task.template))
            return
        given = {parameter.name for parameter in task.arguments.parameters}
        for parameter in target.inputs.parameters:
            if parameter.name not in given and not _has_value(parameter):
                raise invalid(path, f"templates.{target.name} inputs.parameters.{parameter.name} was not supplied")
        artifacts = {artifact.name for artifact in task.arguments.artifacts}
        for artifact in target.inputs.artifacts:
            own = artifact.optional or artifact.raw is not None or artifact.own_key
            if artifact.name not in artifacts and not own:
                raise invalid(path, f"templates.{target.name} inputs.artifacts.{artifact.name} was not supplied")

    def _undefined(self, name: str) -> str:
        if "/" not in name:
            return f"template name '{name}' undefined"
        return f"template reference {name.partition('/')[2].replace('/', '.')} not found; {WAY_OUT}"

    def _task(self, task: Task, path: str, scope: _Scope) -> None:
        _loop(task, path)
        _static_when(task, path)
        self.reference(path, task, path)
        for parameter in task.arguments.parameters:
            if parameter.value is None:
                raise invalid(f"{path}.arguments.parameters.{parameter.name}.value", "is required")
        for artifact in task.arguments.artifacts:
            _given_artifact(artifact, f"{path}.arguments.artifacts.{artifact.name}")
        if task.inline is not None:
            self.template(task.inline, f"{path}.inline")
        self._tags(_plain(task, without=("inline", "hooks")), path, scope.looping(task))

    def _exit(self, task: Task, path: str, scope: _Scope) -> None:
        _hooks(self, f"{path}.hooks", task.hooks)
        if task.on_exit:
            self.reference(path, Task(template=task.on_exit), f"{path}.onExit")
        self._tags(_plain(task.hooks), f"{path}.hooks", scope.looping(task))

    def _outputs(self, template: Template, path: str, scope: _Scope) -> None:
        for parameter in template.outputs.parameters:
            source = parameter.value_from
            if parameter.value is None and (source is None or not (source.parameter or source.expression)):
                where = f"{path}.outputs.parameters.{parameter.name}.valueFrom.parameter"
                raise invalid(where, "or expression must be specified for this template")
        self._tags(_plain(template.outputs), f"{path}.outputs", scope)

    def _tags(self, value: Any, path: str, scope: _Scope) -> None:
        for _, text in strings(value):
            depth = nesting(text)
            if depth > MAX_NESTING:
                raise invalid(path, f"has tags nested {depth} deep; at most {MAX_NESTING} are looked into")
            for _, tag in tags(text):
                if tag.startswith("=") and len(tag) > MAX_EXPRESSION:
                    raise invalid(path, f"has an expression of {len(tag):,} characters; limit {MAX_EXPRESSION:,}")
                fault = "" if "{{" in tag else scope.fault(tag.strip())
                if fault:
                    raise invalid(path, f"failed to resolve {{{{{tag}}}}}{fault}")


class _Scope:
    """What may be referred to at a place."""

    def __init__(self, template: Template, globals_: frozenset[str]) -> None:
        self.template = template
        self.globals = globals_
        self.parameters = {parameter.name for parameter in template.inputs.parameters}
        self.artifacts = {artifact.name for artifact in template.inputs.artifacts}
        self.tasks: dict[tuple[str, str], Template | None] = {}
        self.visible: Callable[[str], bool] = lambda _: True
        self.item = False

    def add(self, prefix: str, task: Task, template: Template | None) -> None:
        """From here on the outputs of `task` may be referred to."""
        self.tasks[prefix, task.name] = template

    def only(self, visible: Callable[[str], bool]) -> _Scope:
        """The same, for a task that sees those of which `visible` is true."""
        scope = copy(self)
        scope.visible = visible
        return scope

    def looping(self, task: Task) -> _Scope:
        """The same, with `item` where `task` is a loop."""
        scope = copy(self)
        scope.item = task.loops or task.with_items is not None
        return scope

    def fault(self, tag: str) -> str:
        """What is wrong with a tag, "" where nothing is; the text goes behind Argo's `failed to resolve`."""
        if not known(tag):
            return ""
        root = tag.partition(".")[0]
        check = {"workflow": self._global, "inputs": self._input, "tasks": self._task, "steps": self._task}.get(root)
        if root == "item":
            return "" if self.item else ": there is no loop here"
        return check(tag) if check else ""

    def _global(self, tag: str) -> str:
        if tag in _WORKFLOW or tag in self.globals or tag.startswith("workflow.creationTimestamp."):
            return ""
        if any(_TAG.search(name) and tag.startswith(name.partition("{{")[0]) for name in self.globals):
            return ""  # a `globalName` that only the run knows (Argo: `validateTemplate`)
        near = sorted(name for name in self.globals if name.rpartition(".")[0] == tag.rpartition(".")[0])
        return f": there are {', '.join(near)}" if near else ": there is no such value"

    def _input(self, tag: str) -> str:
        kind, _, name = tag.removeprefix("inputs.").partition(".")
        names = self.parameters if kind == "parameters" else self.artifacts
        bare = name.removesuffix(".path") if kind == "artifacts" else name
        if not name or bare in names:
            return ""
        return f": template '{self.template.name}' has inputs {_listed(names)}"

    def _task(self, tag: str) -> str:
        match = _REFERENCE.match(tag)
        if match is None:
            return ""
        prefix, name, what = match.groups()
        if (prefix, name) not in self.tasks or not self.visible(name):
            others = [task for kind, task in self.tasks if kind == prefix and self.visible(task)]
            return f": no {prefix[:-1]} '{name}' before this one; there are {_listed(others)}"
        template = self.tasks[prefix, name]
        if what == "ip" and template is not None and not template.daemon:
            return f": template '{template.name}' is no daemon"
        if template is None or what in _SIMPLE:
            return ""
        return _output_fault(template, what)


def _output_fault(template: Template, what: str) -> str:
    kind, _, name = what.removeprefix("outputs.").partition(".")
    known_names = {
        "parameters": [parameter.name for parameter in template.outputs.parameters],
        "artifacts": [artifact.name for artifact in template.outputs.artifacts],
    }.get(kind if what.startswith("outputs.") else "")
    if known_names is None:
        return ": there is no such value"
    return "" if name in known_names else f": template '{template.name}' has outputs {_listed(known_names)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)) or "none"


def _has_value(parameter: ParameterSpec) -> bool:
    configured = parameter.value_from is not None and parameter.value_from.config_map_key_ref is not None
    return configured or parameter.value is not None or parameter.default is not None


def _globals(workflow: Workflow) -> frozenset[str]:
    return frozenset(_global_names(workflow))


def _global_names(workflow: Workflow) -> Iterator[str]:
    yield from (f"workflow.parameters.{p.name}" for p in workflow.spec.arguments.parameters)
    yield from (f"workflow.labels.{name}" for name in workflow.labels)
    yield from (f"workflow.annotations.{name}" for name in workflow.annotations)
    yield from (f"workflow.labels.{name}" for name in workflow.spec.workflow_metadata.labels_from)
    for template in (*workflow.spec.templates, *workflow.referenced.values()):
        for parameter in template.outputs.parameters:
            yield f"workflow.outputs.parameters.{parameter.global_name}"
        for artifact in template.outputs.artifacts:
            yield f"workflow.outputs.artifacts.{artifact.global_name}"


def _plain(value: Any, without: tuple[str, ...] = ()) -> Any:
    import msgspec

    plain = msgspec.to_builtins(value)
    return {key: item for key, item in plain.items() if key not in without} if isinstance(plain, dict) else plain


# --- parts of a template ----------------------------------------------------------------------------------------


def _one_kind(template: Template, path: str) -> None:
    kinds = (
        template.container,
        template.script,
        template.container_set,
        template.dag,
        template.steps,
        template.suspend,
        template.resource,
        template.http,
        template.data,
    )
    choice = "choose one of: container, script, steps, dag, suspend, resource, http, data, containerSet"
    if all(kind is None for kind in kinds):
        raise invalid(path, f"template type unspecified. {choice}")
    if sum(kind is not None for kind in kinds) > 1:
        raise invalid(path, f"multiple template types specified. {choice}")


def _locks(wanted: Synchronization | None, path: str) -> None:
    for index, semaphore in enumerate(wanted.semaphores if wanted is not None else ()):
        ref = semaphore.config_map_key_ref
        if not ref.name or not ref.key:
            raise invalid(f"{path}.semaphores[{index}].configMapKeyRef", "must name a config map and its key")


def _deadlines(template: Template, path: str) -> None:
    deadline = template.active_deadline_seconds
    if deadline and "{{" not in deadline and not (deadline.isdigit() and int(deadline) > 0):
        raise invalid(f"{path}.activeDeadlineSeconds", "must be a positive integer > 0 or an argo variable")
    if template.timeout.isdigit():
        raise invalid(f"{path}.timeout", f"{template.name} has invalid duration format in timeout")


def _mounts(template: Template, path: str, shared: set[str]) -> None:
    seen: dict[str, str] = {}
    volumes = shared | {volume.name for volume in template.volumes}
    assert template.main is not None
    kind, of = "container", template.main.volume_mounts
    if template.container_set is not None:
        kind, of = "containerSet", template.container_set.volume_mounts
    for index, mount in enumerate(of):
        where = f"{path}.{kind}.volumeMounts[{index}]"
        if mount.name not in volumes and "{{" not in mount.name:
            raise invalid(where, f"volume '{mount.name}' not found in workflow spec")
        if mount.mount_path in seen:
            raise invalid(where, f"mountPath '{mount.mount_path}' already mounted in {seen[mount.mount_path]}")
        seen[mount.mount_path] = f"{kind}.volumeMounts.{mount.name}"
    for index, artifact in enumerate(template.inputs.artifacts):
        if artifact.path and artifact.path in seen:
            where = f"{path}.inputs.artifacts[{index}].path"
            raise invalid(where, f"'{artifact.path}' already mounted in {seen[artifact.path]}")
        seen[artifact.path] = f"inputs.artifacts.{artifact.name}"


def _container_set(template: Template, given: ContainerSet, path: str) -> None:
    if not given.containers:
        raise invalid(path, "containers must have at least one container")
    names = [each.name for each in given.containers]
    _unique(f"{path}.containers", names, _NAME)
    for each in given.containers:
        if not each.image:
            raise invalid(f"{path}.containers.{each.name}.image", "may not be empty")
        if each.name in _RESERVED:
            raise invalid(f"{path}.containers: '{each.name}'", "is a reserved Argo container name")
        for other in each.dependencies:
            if other not in names:
                raise invalid(f"{path}.containers.{each.name}", f"dependency '{other}' not defined")
    _in_order({each.name: each.dependencies for each in given.containers}, f"{path}.containers")
    artifacts = template.inputs.artifacts or template.outputs.artifacts
    if (artifacts or template.outputs.parameters) and "main" not in names:
        raise invalid(f"{path}.containers", 'must have a container named "main" for input or output')


def _loop(task: Task, path: str) -> None:
    ways = (task.with_items is not None, bool(task.with_param), task.with_sequence is not None)
    if sum(ways) > 1:
        raise invalid(path, "only one of withItems, withParam, withSequence can be specified")
    if task.with_param and "{{" not in task.with_param:
        _json_list(task.with_param, f"{path}.withParam")
    sequence = task.with_sequence
    if sequence is not None and (sequence.count is None) == (sequence.end is None):
        text = "only one of count or end can be defined in withSequence" if sequence.count else "must have count or end"
        raise invalid(path, text)


def _json_list(text: str, path: str) -> None:
    import json

    try:
        value = json.loads(text)
    except ValueError:
        raise invalid(path, f"items: expected list, got {_short(text)!r}") from None
    if not isinstance(value, list):
        raise invalid(path, f"items: expected list, got {type(value).__name__}")


def _static_when(task: Task, path: str) -> None:
    if not task.when or "{{" in task.when:
        return
    try:
        when.should_execute(task.when)
    except when.WhenError as error:
        raise invalid(f"{path}.when", str(error)) from None


class _Ancestors:
    """All tasks before each task, a bit for each: in a chain of ten thousand, sets of names would fill the memory."""

    def __init__(self, tasks: Mapping[str, Task], path: str) -> None:
        """Raises for unknown dependencies and cycles."""
        parsed = _conditions(tasks, path)
        self._bits = {name: 1 << index for index, name in enumerate(tasks)}
        self._before: dict[str, int] = {}
        for name in _in_order({name: each.tasks for name, each in parsed.items()}, path):
            self._before[name] = 0
            for other in parsed[name].tasks:
                self._before[name] |= self._before[other] | self._bits[other]

    def of(self, task: str, *, itself: bool = False) -> Callable[[str], bool]:
        """Whether a name is that of a task before `task`, or of `task` where `itself` is true."""
        before = self._before[task] | (self._bits[task] if itself else 0)
        return lambda name: bool(before & self._bits.get(name, 0))


def _conditions(tasks: Mapping[str, Task], path: str) -> dict[str, Condition]:
    if any(t.depends for t in tasks.values()) and any(t.dependencies for t in tasks.values()):
        raise invalid(path, "cannot use both 'depends' and 'dependencies' in the same DAG template")
    continues = {t.name: (t.continue_on.error, t.continue_on.failed) for t in tasks.values() if t.continue_on}
    if continues and any(t.depends for t in tasks.values()):
        raise invalid(
            path, "cannot use 'continueOn' when using 'depends'. Instead use 'dep-task.Failed'/'dep-task.Errored'"
        )
    parsed = {}
    for task in tasks.values():
        where = f"{path}.tasks.{task.name}"
        try:
            parsed[task.name] = condition(task.depends, task.dependencies, continues)
        except DependsError as error:
            raise invalid(where, str(error)) from None
        _asked(parsed[task.name], tasks, where)
    return parsed


def _asked(parsed: Condition, tasks: Mapping[str, Task], where: str) -> None:
    for name, result in parsed.asked:
        if name not in tasks:
            raise invalid(where, f"dependency '{name}' not defined; there are {_listed(tasks)}")
        if result in ("AnySucceeded", "AllFailed") and not tasks[name].loops and tasks[name].with_items is None:
            raise invalid(where, f"dependency '{name}' uses an items-based condition such as .{result} without a loop")


def _in_order(before: Mapping[str, Sequence[str]], path: str) -> list[str]:
    """Names, dependencies first. Raises for a cycle, naming its tasks."""
    order: list[str] = []
    state: dict[str, int] = {}
    for start in before:
        stack = [(start, iter(before[start]))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[name] = 2
                order.append(name)
                stack.pop()
            elif state.get(following) == 1:
                cycle = [entry for entry, _ in stack]
                cycle = [*cycle[cycle.index(following) :], following]
                raise invalid(path, f"sorting failed: cycle {' -> '.join(cycle)}")
            elif following not in state:
                state[following] = 1
                stack.append((following, iter(before[following])))
    return order
