"""A task's or step's own text made ready: `when`, arguments, artifacts, and one copy for each item of a loop.

(Argo: `resolveDependencyReferences`, `resolveReferences`, `processItem`.)
"""

from __future__ import annotations

from collections import ChainMap
from typing import Any, NamedTuple

import msgspec

from penstock.engine.plans import Given, Plan, own_artifact
from penstock.engine.state import Fault
from penstock.engine.variables import TaskScope, artifact_of, reference
from penstock.workflow import loops, tags, when
from penstock.workflow.document import Arguments, ArtifactSpec, Hook, Task, Template
from penstock.workflow.status import Artifact

__all__ = ["Resolved", "expand", "given_of", "part_of", "resolve", "unresolvable"]

_STRICT = ("tasks", "steps")


class Resolved(NamedTuple):
    """A task with its tags replaced, and the arguments that it gives. `absent` are parameters without a value."""

    task: Task
    given: Given = Given()
    absent: frozenset[str] = frozenset()


def resolve(scope: TaskScope, plan: Plan, name: str) -> Resolved:
    """The task `name` with tags of outputs replaced; `item` stays. A task that will not run stays as it is.

    Raises Fault.
    """
    task = plan.tasks[name]
    try:
        condition = _when(scope, task)
        if condition is None:
            return Resolved(msgspec.structs.replace(task, when=_text(scope, task.when)))
        absent = _absent(scope, task.arguments)
        replaced = _replaced(scope, plan, task, absent)
        return Resolved(replaced, given_of(scope, replaced.arguments, absent), absent)
    except (tags.Unresolved, tags.AbsentOptional) as error:
        raise Fault(str(error)) from None


def _when(scope: TaskScope, task: Task) -> str | None:
    """`when` of a task with its tags replaced, None where it says no. Raises Fault."""
    if not task.when:
        return ""
    text = _text(scope, task.when)
    try:
        proceed = when.should_execute(text)
        when.refuse_changed(task.when, text)
        return text if proceed else None
    except when.WhenError as error:
        # `{{item}}` may still stand in it.
        if task.loops:
            return text
        raise Fault(str(error)) from None


def _text(scope: TaskScope, text: str) -> str:
    if "{{" not in text:
        return text
    encoded = msgspec.json.encode(text).decode()
    return msgspec.json.decode(tags.replace(encoded, scope, strict=_STRICT), type=str)


def _absent(scope: TaskScope, arguments: Arguments) -> frozenset[str]:
    """Parameters that are nothing but a reference to an output that was never made."""
    names = set()
    for parameter in arguments.parameters:
        tag = reference(parameter.value or "")
        if tag and tag in scope and scope[tag] is None:
            names.add(parameter.name)
    return frozenset(names)


def _replaced(scope: TaskScope, plan: Plan, task: Task, absent: frozenset[str]) -> Task:
    text = plan.texts.get(task.name)
    if text is None:
        bare = msgspec.structs.replace(task, hooks={}, inline=None)
        text = plan.texts[task.name] = msgspec.json.encode(bare).decode()
    inline = _inline(scope, task.inline)
    if "{{" not in text:
        return task if inline is task.inline else msgspec.structs.replace(task, inline=inline)
    if absent:
        text = msgspec.json.encode(_without(msgspec.json.decode(text), absent)).decode()
    replaced = msgspec.json.decode(tags.replace(text, scope, strict=_STRICT), type=Task)
    return msgspec.structs.replace(replaced, hooks=task.hooks, inline=inline)


def _inline(scope: TaskScope, template: Template | None) -> Template | None:
    if template is None:
        return None
    text = msgspec.json.encode(template).decode()
    # The template's own tasks are not known yet.
    return msgspec.json.decode(tags.replace(text, scope), type=Template) if "{{" in text else template


def _without(document: dict[str, Any], absent: frozenset[str]) -> dict[str, Any]:
    for parameter in document["arguments"]["parameters"]:
        if parameter["name"] in absent:
            parameter["value"] = ""
    return document


# --- arguments --------------------------------------------------------------------------------------------------


def given_of(scope: TaskScope, arguments: Arguments, absent: frozenset[str] = frozenset()) -> Given:
    """Arguments as they are given to a call. Raises Fault for an artifact that cannot be had."""
    parameters = {p.name: None if p.name in absent else (p.value or "") for p in arguments.parameters}
    artifacts = {}
    for declared in arguments.artifacts:
        artifact = _artifact(scope, declared)
        if artifact is not None:
            artifacts[declared.name] = artifact
    return Given(parameters, artifacts)


def _artifact(scope: TaskScope, declared: ArtifactSpec) -> Artifact | None:
    if declared.from_expression:
        return artifact_of(scope, declared.from_expression)
    if not declared.from_:
        return own_artifact(declared)
    tag = declared.from_.strip().removeprefix("{{").removesuffix("}}").strip()
    found = scope.artifact(tag)
    if found is None and not declared.optional:
        raise Fault(unresolvable(tag, scope))
    return part_of(found, declared.sub_path)


def part_of(artifact: Artifact | None, path: str) -> Artifact | None:
    """What lies at `path` in a directory artifact; all of it where that is ""."""
    below = path.strip("/")
    return (
        msgspec.structs.replace(artifact, key=f"{artifact.key}/{below}")
        if artifact and artifact.key and below
        else artifact
    )


def unresolvable(tag: str, scope: TaskScope) -> str:
    """Argo's words for an artifact that is not there; steps say it twice."""
    text = f'Unable to resolve: "{tag}"'
    return text if scope.plan.template.dag is not None else f"unable to resolve references: {text}"


# --- loops ------------------------------------------------------------------------------------------------------


def expand(resolved: Resolved, limit: int) -> list[tuple[Any, Resolved]]:
    """One (item, task) for each item of a loop. Raises Fault."""
    try:
        found = loops.items(resolved.task, limit)
    except loops.LoopError as error:
        if _says_no(resolved.task.when):
            return []
        raise Fault(str(error)) from None
    bare = msgspec.structs.replace(
        resolved.task, with_items=None, with_param="", with_sequence=None, hooks={}, inline=None
    )
    text = msgspec.json.encode(bare).decode()
    return [(item, _of_item(resolved, text, item)) for item in found]


def _says_no(condition: str) -> bool:
    try:
        return not when.should_execute(condition)
    except when.WhenError:
        return False


def _of_item(resolved: Resolved, text: str, item: Any) -> Resolved:
    task = resolved.task
    hooks = msgspec.json.encode(task.hooks).decode()
    if "{{" not in text and "{{" not in hooks:
        return resolved
    scope = ChainMap(loops.item_scope(item))
    one = msgspec.json.decode(tags.replace(text, scope), type=Task)
    try:
        when.refuse_changed(task.when, one.when)
    except when.WhenError as error:
        raise Fault(str(error)) from None
    inline = task.inline
    if inline is not None:
        inline = msgspec.json.decode(tags.replace(msgspec.json.encode(inline).decode(), scope), type=Template)
    # As on Argo an item may name another object's template, not one of the document's own.
    template = one.template if "/" in task.template else task.template
    hooked = msgspec.json.decode(tags.replace(hooks, scope), type=dict[str, Hook])
    one = msgspec.structs.replace(one, name=task.name, template=template, hooks=hooked, inline=inline)
    parameters = {p.name: None if p.name in resolved.absent else (p.value or "") for p in one.arguments.parameters}
    return Resolved(one, Given(parameters, _item_artifacts(resolved, one)), resolved.absent)


def _item_artifacts(resolved: Resolved, one: Task) -> dict[str, Artifact]:
    """The artifacts that a loop gives, for one item: `{{item}}` may stand in their content, key or part."""
    found = dict(resolved.given.artifacts)
    for before, declared in zip(resolved.task.arguments.artifacts, one.arguments.artifacts, strict=True):
        if not declared.from_ and not declared.from_expression:
            found[declared.name] = own_artifact(declared)
        elif before.sub_path != declared.sub_path and declared.name in found:
            whole = found[declared.name]
            key = whole.key.removesuffix(before.sub_path.strip("/")) + declared.sub_path.strip("/")
            found[declared.name] = msgspec.structs.replace(whole, key=key)
    return found
