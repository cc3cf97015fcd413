"""A pipeline's inputs, and the texts that a run's values become.

Names, types, defaults and optionality stand in the annotation `pipelines.kubeflow.org/pipeline_spec` as kfp 1.8
writes it, or, without it, in `spec.arguments.parameters`.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from penstock.errors import InvalidParameter, TooLarge
from penstock.workflow import gojson
from penstock.workflow.document import InputSpec, ParameterSpec, Spec, Workflow
from penstock.workflow.tags import known, tags

__all__ = ["ANNOTATION", "MAX_VALUE_BYTES", "as_text", "bind", "check_size", "input_specs", "type_word"]

ANNOTATION = "pipelines.kubeflow.org/pipeline_spec"
MAX_VALUE_BYTES = 131_072
"""Largest parameter: Linux takes no longer argument or variable."""

_WORDS = {
    "Integer": "integer",
    "Float": "number",
    "Bool": "boolean",
    "Boolean": "boolean",
    "String": "string",
    "List": "list",
    "JsonArray": "list",
    "Dict": "dict",
    "JsonObject": "dict",
}
_PYTHON = {"integer": "int", "number": "float", "boolean": "bool", "string": "str", "list": "list", "dict": "dict"}
_INTEGER = re.compile(r"\s*[-+]?[0-9]+\s*\Z")
_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*\Z")
# What kfp's generated programs take for a boolean (distutils' strtobool).
_BOOLEAN = re.compile(r"\s*(?:true|false|yes|no|y|n|t|f|on|off|1|0)\s*\Z", re.IGNORECASE)


def input_specs(spec: Spec, annotations: Mapping[str, str]) -> tuple[InputSpec, ...]:
    """The inputs of a document. An annotation that cannot be read counts as absent."""
    declared = {item.name: item for item in _annotated(annotations.get(ANNOTATION, ""))}
    given = {parameter.name: parameter for parameter in spec.arguments.parameters}
    return tuple(
        _merged(declared.get(name), given.get(name)) for name in dict.fromkeys([*declared, *given]) if name in given
    )


def _annotated(text: str) -> Iterable[InputSpec]:
    try:
        items = msgspec.json.decode(text or "{}").get("inputs") or []
        return [_declared(item) for item in items]
    except (msgspec.DecodeError, AttributeError, TypeError, KeyError):
        return []


def _declared(item: Mapping[str, Any]) -> InputSpec:
    default = item.get("default")
    return InputSpec(
        name=str(item["name"]),
        type=_type_name(item.get("type")),
        default=None if default is None else as_text(default),
        optional=bool(item.get("optional", False)),
        description=str(item.get("description") or ""),
    )


def _type_name(value: Any) -> str:
    if isinstance(value, Mapping):
        # A type with properties: {"GCSPath": {"data_type": "CSV"}}.
        return str(next(iter(value), ""))
    return str(value or "")


def _merged(declared: InputSpec | None, given: ParameterSpec | None) -> InputSpec:
    assert given is not None
    own = given.value if given.value is not None else given.default
    if declared is None:
        return InputSpec(name=given.name, default=own, description=given.description)
    # The document's own value is what would run.
    return msgspec.structs.replace(declared, default=own if own is not None else declared.default)


def type_word(type_name: str) -> str:
    """`integer`, `number`, `boolean`, `string`, `list`, `dict`, or "" for a type that is not checked."""
    return _WORDS.get(type_name, "")


def as_text(value: Any) -> str:
    """A value as a parameter's text: texts as they are, anything else as JSON. Raises InvalidParameter."""
    if isinstance(value, str):
        return value
    try:
        return gojson.dumps(value)
    except (TypeError, ValueError) as error:
        raise InvalidParameter(f"expected a JSON value, got {type(value).__name__} ({error})") from None


def bind(workflow: Workflow, values: Mapping[str, object], configured: Mapping[str, str] = {}) -> dict[str, str]:
    """The texts of all parameters for a run, in the document's order: `values` over `configured` over defaults.

    `configured` are values that stand in config maps.

    Raises InvalidParameter (unknown, missing, wrong type, not optional, not in `enum`, a tag that would be expanded)
    and TooLarge, worded as rows 1, 2, 3, 5 and 6 of the bad inputs.
    """
    specs = {spec.name: _with_default(spec, configured) for spec in workflow.inputs}
    for name in values:
        if name not in specs:
            raise InvalidParameter(_unknown(name, specs, workflow.title))
    enums = {parameter.name: parameter.enum for parameter in workflow.spec.arguments.parameters}
    bound = {name: _bound(spec, values, workflow.title) for name, spec in specs.items()}
    for name in values:
        _check_text(name, bound[name], enums.get(name, ()))
    return bound


def _with_default(spec: InputSpec, configured: Mapping[str, str]) -> InputSpec:
    return msgspec.structs.replace(spec, default=configured[spec.name]) if spec.name in configured else spec


def _unknown(name: str, specs: Mapping[str, InputSpec], title: str) -> str:
    near = difflib.get_close_matches(name, specs, n=len(specs) or 1, cutoff=0.0)
    listing = ", ".join(f"'{other}'" for other in near) or "none"
    return f"Unknown parameter '{name}' of '{title}'. Known: {listing}."


def _bound(spec: InputSpec, values: Mapping[str, object], title: str) -> str:
    value = values.get(spec.name)
    if spec.name in values and value is not None:
        _check_type(spec, value)
        return as_text(value)
    if spec.name in values and not spec.optional:
        python = _PYTHON.get(type_word(spec.type), "str")
        raise InvalidParameter(f"'{spec.name}' is not optional; declare Optional[{python}] = None.")
    if spec.default is not None:
        return spec.default
    if spec.optional:
        return ""
    kind = type_word(spec.type)
    given = ", ".join(f"'{name}'" for name in values) or "none"
    raise InvalidParameter(
        f"Missing required parameter '{spec.name}'{f' ({kind})' if kind else ''} of '{title}'. Given: {given}."
    )


def _check_type(spec: InputSpec, value: object) -> None:
    word = type_word(spec.type)
    if word and not _CHECKS[word](value):
        raise InvalidParameter(f"'{spec.name}': expected {word}, got {_got(value)}.")


def _got(value: object) -> str:
    if isinstance(value, str):
        shown = value if len(value) <= 80 else value[:79] + "…"
        return f"string {json.dumps(shown, ensure_ascii=False)}"
    words = {bool: "boolean", int: "integer", float: "number", list: "list", tuple: "list", dict: "dict"}
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{words.get(type(value), type(value).__name__)} {text if len(text) <= 80 else text[:79] + '…'}"


def _is_integer(value: object) -> bool:
    if isinstance(value, str):
        return _INTEGER.match(value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return _NUMBER.match(value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and _BOOLEAN.match(value) is not None)


def _is_json(*kinds: type) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if not isinstance(value, str):
            return isinstance(value, kinds)
        try:
            return isinstance(json.loads(value), kinds)
        except (ValueError, RecursionError):
            return False

    return check


_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "integer": _is_integer,
    "number": _is_number,
    "boolean": _is_boolean,
    # A number given for a text becomes its JSON text.
    "string": lambda value: isinstance(value, (str, int, float, bool)),
    "list": _is_json(list, tuple),
    "dict": _is_json(dict),
}


def check_size(name: str, text: str) -> None:
    """Raises TooLarge for a value that no parameter may have."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_VALUE_BYTES:
        raise TooLarge(f"'{name}' is {size:,} bytes; limit {MAX_VALUE_BYTES:,}. Pass it as an artifact.")


def _check_text(name: str, text: str, enum: tuple[str, ...]) -> None:
    check_size(name, text)
    if enum and text not in enum:
        raise InvalidParameter(f"'{name}': expected one of {', '.join(map(repr, enum))}, got {text!r}.")
    for position, tag in tags(text):
        inner = tag[tag.rfind("{{") + 2 :] if "{{" in tag else tag
        for candidate in (tag, inner):
            if known(candidate):
                raise InvalidParameter(
                    f"'{name}': position {position + 1}: '{{{{{candidate}}}}}' would be expanded. "
                    "Write it otherwise, or pass the text as an artifact."
                )
