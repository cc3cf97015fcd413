"""From text to a checked Workflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.errors import InvalidDocument, TooLarge
from penstock.workflow.document import Spec, Template, Workflow
from penstock.workflow.fields import Notes, normalise
from penstock.workflow.inputs import input_specs
from penstock.workflow.library import (
    Library,
    calls,
    merged_spec,
    qualify,
    referenced,
    scope_of,
    stored_library,
)
from penstock.workflow.packages import unpacked
from penstock.workflow.validation import validate
from penstock.workflow.yaml import MAX_DEPTH, load_documents

__all__ = ["MAX_BYTES", "load", "parse"]

MAX_BYTES = 64 * 1024 * 1024
"""Largest document in bytes."""

# Two threads that are the first to convert to a type that holds itself crash msgspec; an import has one thread.
msgspec.json.Decoder(Spec)

_TYPES = ("container", "script", "dag", "steps", "suspend", "resource", "http", "data")


def load(text: str | bytes, *, source: str = "", library: Library | None = None) -> Workflow:
    """The Workflow that `text` holds: YAML, JSON where it starts with `{`, or the bytes of an archive of one of them.

    `source` names it in messages. `library` holds the WorkflowTemplates that it may refer to; None: those that are
    stored with the document of a run.

    Raises TooLarge, InvalidDocument (syntax, kind, unknown field, anything that Argo would refuse before a run) and
    UnsupportedField (a field outside the subset), each with the place.
    """
    raw = _document(text, source)
    notes = Notes()
    known = stored_library(raw) if library is None else library
    whole = merged_spec(raw, known)
    checked = normalise({**raw, "spec": whole} if "spec" in raw else raw, "Workflow", "", notes)
    spec = checked.get("spec") or {}
    given = _referenced(spec, known)
    templates = [_ready(template, spec) for template in spec.get("templates", [])]
    others = {key: _ready(normalise(each, "Template", key, notes), spec, key) for key, each in given.items()}
    for hook in (spec.get("hooks") or {}).values():
        qualify(hook)
    metadata = checked.get("metadata") or {}
    typed = _typed({**spec, "templates": templates})
    added = typed.workflow_metadata
    annotations = {**metadata.get("annotations", {}), **added.annotations}
    _check_patches(spec, templates, others, notes)
    workflow = Workflow(
        raw=raw,
        spec=msgspec.structs.replace(typed, service_account_name=_account(raw)),
        templates={template.get("name", ""): template for template in templates} | others,
        referenced={key: _template(each, key) for key, each in others.items()},
        stored=_stored(raw, whole, given),
        name=metadata.get("name", ""),
        generate_name=metadata.get("generateName", ""),
        labels={**metadata.get("labels", {}), **added.labels},
        annotations=annotations,
        notes=notes.texts(),
        inputs=input_specs(typed, annotations),
    )
    validate(workflow)
    return workflow


def _referenced(spec: Mapping[str, Any], library: Library) -> dict[str, Mapping[str, Any]]:
    """The templates of other objects that a spec needs, as they were given."""
    called = [call for template in spec.get("templates", []) for call in calls(template)]
    called += (spec.get("hooks") or {}).values()
    refs = [call["templateRef"] for call in called if "templateRef" in call]
    return referenced((f"{scope_of(ref)}/{ref.get('name', '')}/{ref.get('template', '')}" for ref in refs), library)


def _ready(template: dict[str, Any], spec: Mapping[str, Any], key: str = "") -> dict[str, Any]:
    """A template with its defaults, each call by a name. `key`: the qualified name of another object's."""
    made = _with_defaults(template, spec)
    for call in calls(made):
        qualify(call)
    if not key:
        return made
    scope = key.rpartition("/")[0]
    for call in calls(made):
        if "inline" in call:
            call["inline"]["scope"] = scope
    return {**made, "scope": scope}


def _check_patches(
    spec: Mapping[str, Any], templates: list[dict[str, Any]], others: Mapping[str, Mapping[str, Any]], notes: Notes
) -> None:
    from penstock.workflow.patches import check_patch

    named = [(f"spec.templates[{index}]", template) for index, template in enumerate(templates)]
    for path, holder in [("spec", spec), *named, *others.items()]:
        if holder.get("podSpecPatch"):
            check_patch(holder["podSpecPatch"], f"{path}.podSpecPatch", notes)


def _stored(raw: Mapping[str, Any], spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = "workflowTemplateRef" in (raw.get("spec") or {})
    return {
        **({"storedTemplates": dict(given)} if given else {}),
        **({"storedWorkflowTemplateSpec": dict(spec)} if merged else {}),
    }


def _template(template: Mapping[str, Any], key: str) -> Template:
    try:
        return msgspec.convert(template, Template)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        raise InvalidDocument(message, path=key + place.rstrip("`")) from None


def _account(raw: Mapping[str, Any]) -> str:
    return str((raw.get("spec") or {}).get("serviceAccountName") or "default")


def _typed(spec: dict[str, Any]) -> Spec:
    try:
        return msgspec.convert(spec, Spec)
    except msgspec.ValidationError as error:
        # The field table has checked all types; what is left is a required name.
        message, _, place = str(error).partition(" - at `$")
        raise InvalidDocument(message, path="spec" + place.rstrip("`")) from None


def _document(text: str | bytes, source: str) -> dict[str, Any]:
    name = source or "document"
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise TooLarge(f"{name}: {size:,} bytes; limit {MAX_BYTES:,}.")
    if isinstance(text, bytes):
        text = unpacked(text, MAX_BYTES, name)
    documents = parse(text, source=source)
    first = documents[0] if documents else None
    if not isinstance(first, dict):
        raise InvalidDocument(f"{name}: expected a Workflow (a map with apiVersion, kind and spec), got {_kind(first)}")
    _check_kind(first, documents, name)
    return first


def parse(text: str | bytes, *, source: str = "") -> list[Any]:
    """The documents in `text`: JSON where it starts with `{`, else YAML. Raises InvalidDocument with the place."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidDocument(f"{source or 'document'}: not UTF-8 text (byte {error.start})") from None
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] == "{":
        return [_json(text, source or "document")]
    return load_documents(text, source=source)


def _json(text: str, source: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise InvalidDocument(f"{source}:{error.lineno}:{error.colno}: {error.msg}") from None
    except RecursionError:
        raise InvalidDocument(f"{source}: nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise InvalidDocument(f"{source}: {error}") from None
    if _deeper_than(value, MAX_DEPTH):
        raise InvalidDocument(f"{source}: nested deeper than {MAX_DEPTH} levels")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"duplicate key {twice!r}")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} has no JSON value; quote it")


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [item for parent in level for item in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, (dict, list))]


def _check_kind(first: dict[str, Any], documents: list[Any], name: str) -> None:
    if "pipelineInfo" in first or "deploymentSpec" in first:
        made = f", made by {first['sdkVersion']}" if first.get("sdkVersion") else ""
        raise InvalidDocument(
            f"{name}: this is a PipelineSpec of Kubeflow Pipelines 2{made}, which cannot be run yet; "
            "expected kind Workflow. Compile the pipeline with `penstock compile`."
        )
    kind = first.get("kind")
    if kind != "Workflow":
        raise InvalidDocument(f"{name}: expected kind Workflow (argoproj.io/v1alpha1), got {_named_kind(first)}")
    version = first.get("apiVersion")
    if not isinstance(version, str) or not version.startswith("argoproj.io/"):
        raise InvalidDocument(f"{name}: expected apiVersion argoproj.io/v1alpha1, got {version!r}", path="apiVersion")
    if len(documents) > 1:
        kinds = ", ".join(_named_kind(document) for document in documents)
        raise InvalidDocument(f"{name}: {len(documents)} YAML documents ({kinds}); expected one Workflow")


def _named_kind(document: Any) -> str:
    if isinstance(document, dict) and document.get("kind"):
        return f"kind {document['kind']}"
    return "no kind" if isinstance(document, dict) else _kind(document)


def _kind(value: Any) -> str:
    names = {dict: "a map", list: "a list", str: "a text", type(None): "nothing"}
    return names.get(type(value), "a scalar")


# --- templateDefaults -------------------------------------------------------------------------------------------


def _with_defaults(template: dict[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """`template` over `spec.templateDefaults` and `spec.retryStrategy`, its kind kept."""
    defaults = spec.get("templateDefaults") or {}
    kinds = [kind for kind in _TYPES if kind in template]
    # Argo keeps one kind: a default container says nothing about a script.
    wanted = {key: value for key, value in defaults.items() if key not in _TYPES or key in kinds}
    if not {"container", "script"}.intersection(kinds):
        wanted = {key: value for key, value in wanted.items() if key not in ("timeout", "activeDeadlineSeconds")}
    merged = _merged(wanted, template) if wanted else dict(template)
    if "retryStrategy" in spec and "retryStrategy" not in merged:
        merged["retryStrategy"] = spec["retryStrategy"]
    return _with_inline(merged, spec)


def _with_inline(template: dict[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    def task(task: dict[str, Any]) -> dict[str, Any]:
        return {**task, "inline": _with_defaults(task["inline"], spec)} if "inline" in task else task

    if "dag" in template:
        template["dag"] = {**template["dag"], "tasks": [task(t) for t in template["dag"].get("tasks", [])]}
    if "steps" in template:
        template["steps"] = [[task(t) for t in group] for group in template["steps"]]
    return template


def _merged(defaults: Any, own: Any) -> Any:
    if isinstance(defaults, dict) and isinstance(own, dict):
        both = {key: _merged(defaults[key], own[key]) for key in own if key in defaults}
        return {**defaults, **own, **both}
    if _named(defaults) and _named(own):
        names = {item["name"] for item in own}
        return [*own, *(item for item in defaults if item["name"] not in names)]
    return own


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(i, dict) and "name" in i for i in value)
