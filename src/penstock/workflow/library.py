"""WorkflowTemplates and ClusterWorkflowTemplates: what documents may refer to beside their own templates.

Inside Penstock a template of another object is called `SCOPE/NAME/TEMPLATE`, scope being `namespaced` or `cluster`, as
Argo calls it in `status.storedTemplates`. (Argo: `workflow/templateresolution`, `workflow/util/merge.go`.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock.errors import InvalidDocument
from penstock.workflow.objects import kubernetes_objects, name_of
from penstock.workflow.yaml import load_documents

__all__ = ["EMPTY", "STORED", "WAY_OUT", "Library", "read_templates", "stored_library"]

KINDS = {"WorkflowTemplate": "namespaced", "ClusterWorkflowTemplate": "cluster"}

STORED = ("storedTemplates", "storedWorkflowTemplateSpec")
"""Fields of `status` that hold what a run was made of, beside its own document."""

WAY_OUT = "give it in a file of the folder that --templates names, or of the folder `templates` of the home"


class Library:
    """Specs of WorkflowTemplates (as given, not to be changed) by scope and name."""

    def __init__(self, specs: Mapping[tuple[str, str], Mapping[str, Any]] = {}) -> None:
        self.specs = specs

    def __or__(self, other: Library) -> Library:
        """Both; of objects of the same kind and name, those of `other`."""
        return Library({**self.specs, **other.specs})

    def templates(self, scope: str, name: str) -> Mapping[str, Mapping[str, Any]]:
        """The templates of an object by name; none where there is no such object."""
        found = self.specs.get((scope, name), {}).get("templates") or ()
        return {str(each.get("name") or ""): each for each in found if isinstance(each, dict)}


EMPTY = Library()
"""Where nobody gave any."""


def read_templates(text: str | bytes, source: str) -> Library:
    """The WorkflowTemplates that a file holds; objects of other kinds are left aside. Raises InvalidDocument."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for each in kubernetes_objects(load_documents(text, source=source), source):
        scope, name = KINDS.get(str(each["kind"])), name_of(each, source)
        if scope is None:
            continue
        if not isinstance(each.get("spec"), dict):
            raise InvalidDocument(f"{source}: {each['kind']} '{name}' without a spec")
        if (scope, name) in found:
            raise InvalidDocument(f"{source}: {each['kind']} '{name}' stands there twice")
        found[scope, name] = each["spec"]
    return Library(found)


# --- one run ----------------------------------------------------------------------------------------------------


def stored_library(raw: Mapping[str, Any]) -> Library:
    """What a run was made of, from the `status` of its stored document."""
    specs: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for key, template in ((raw.get("status") or {}).get("storedTemplates") or {}).items():
        scope, _, rest = key.partition("/")
        specs.setdefault((scope, rest.partition("/")[0]), {"templates": []})["templates"].append(template)
    return Library(specs)


def merged_spec(raw: Mapping[str, Any], library: Library) -> Mapping[str, Any]:
    """The spec of a document; where it names a WorkflowTemplate, over the spec of that. Raises InvalidDocument."""
    spec: Mapping[str, Any] = raw.get("spec") or {}
    ref = spec.get("workflowTemplateRef") if isinstance(spec, dict) else None
    if not isinstance(ref, dict):
        return spec
    name, scope = str(ref.get("name") or ""), scope_of(ref)
    base = library.specs.get((scope, name))
    stored = (raw.get("status") or {}).get("storedWorkflowTemplateSpec")
    if base is None and isinstance(stored, dict):
        base = stored
    kind = next(kind for kind, each in KINDS.items() if each == scope)
    if base is None:
        raise InvalidDocument(f"invalid spec: spec.workflowTemplateRef {kind} '{name}' not found; {WAY_OUT}")
    if spec.get("templates"):
        raise InvalidDocument(
            "invalid spec: spec.templates is invalid field in spec if workflow referred WorkflowTemplate reference"
        )
    merged: Mapping[str, Any] = _merged(base, spec)
    return {key: value for key, value in merged.items() if key != "workflowTemplateRef"}


def scope_of(ref: Mapping[str, Any]) -> str:
    """The scope of a reference."""
    return "cluster" if ref.get("clusterScope") else "namespaced"


def _merged(base: Any, own: Any) -> Any:
    """`own` over `base`: maps by key, lists of named things by name. (Kubernetes' strategic merge.)"""
    if isinstance(base, dict) and isinstance(own, dict):
        return {**base, **{key: _merged(base.get(key), value) for key, value in own.items() if value is not None}}
    if _named(base) and _named(own):
        mine = {item["name"]: item for item in own}
        kept = [_merged(item, mine.pop(item["name"])) if item["name"] in mine else item for item in base]
        return [*kept, *mine.values()]
    return own


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(i, dict) and "name" in i for i in value)


def calls(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All that calls a template: tasks, steps and hooks, those of templates inside too."""
    tasks = list((template.get("dag") or {}).get("tasks") or ())
    tasks += [step for group in template.get("steps") or () for step in group]
    for task in tasks:
        yield task
        yield from (task.get("hooks") or {}).values()
        if "inline" in task:
            yield from calls(task["inline"])


def qualify(call: dict[str, Any]) -> None:
    """Let a call name its template as Penstock does, by `template` alone."""
    ref = call.pop("templateRef", None)
    if ref and "template" not in call:
        call["template"] = f"{scope_of(ref)}/{ref.get('name', '')}/{ref.get('template', '')}"


def referenced(called: Iterable[str], library: Library) -> dict[str, Mapping[str, Any]]:
    """The templates of the library that a document needs, by their qualified names, as they were given."""
    found: dict[str, Mapping[str, Any]] = {}
    todo = list(called)
    while todo:
        for key, template in _of(todo.pop(), library):
            if key not in found:
                found[key] = template
                todo += [_qualified(call, key) for call in calls(template)]
    return found


def _of(name: str, library: Library) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The templates that a qualified name may mean. One with tags is known at run time only: all may be meant."""
    scope, _, rest = name.partition("/")
    object_name, _, template = rest.partition("/")
    if "{{" in object_name:
        for key in library.specs:
            yield from _of("/".join([*key, "{{any}}"]), library)
        return
    for each, content in library.templates(scope, object_name).items():
        if each == template or "{{" in template:
            yield f"{scope}/{object_name}/{each}", content


def _qualified(call: Mapping[str, Any], caller: str) -> str:
    ref = call.get("templateRef")
    if isinstance(ref, dict):
        return f"{scope_of(ref)}/{ref.get('name', '')}/{ref.get('template', '')}"
    return f"{caller.rpartition('/')[0]}/{call.get('template') or ''}"
