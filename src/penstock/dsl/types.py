"""Types of parameters: their names in a document, and how their values are written as text.

Names are those of Kubeflow Pipelines 1.8: `String`, `Integer`, `Float`, `Boolean`, `JsonArray`, `JsonObject`; any other
name, for example `GcsUri[text/json]`, is a type of its own whose values are text. `GCSPath` and its like are classes
for annotations, used as `path: GCSPath()`; each is a type with a schema of its values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Union, get_args, get_origin

from penstock.dsl import tracing
from penstock.dsl.references import Reference
from penstock.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "FRIENDLY",
    "BaseType",
    "Bool",
    "Dict",
    "Float",
    "GCPProjectID",
    "GCPRegion",
    "GCRPath",
    "GCSPath",
    "Integer",
    "List",
    "LocalPath",
    "String",
    "checked_text",
    "connects",
    "fits_exactly",
    "kind_of",
    "python_word",
    "read_as",
    "spelled",
    "split_optional",
    "told",
    "type_name",
    "value_text",
]

_NAMES: dict[type, str] = {
    str: "String",
    int: "Integer",
    float: "Float",
    bool: "Boolean",
    list: "JsonArray",
    dict: "JsonObject",
}
_KINDS: dict[str, type] = {
    **{name: kind for kind, name in _NAMES.items()},
    **{kind.__name__: kind for kind in _NAMES},
    "Bool": bool,
    "List": list,
    "Dict": dict,
    "Dictionary": dict,
}
FRIENDLY: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "list",
    dict: "dict",
}
"""How a message calls each kind."""

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


class BaseType:
    """Base of types for annotations: the name of the class, with the schema of its values."""

    openapi_schema_validator: ClassVar[Mapping[str, str]] = {}

    def to_dict(self) -> dict[str, Any]:
        """The type as a document has it."""
        return {type(self).__name__: {"openapi_schema_validator": dict(self.openapi_schema_validator)}}


class Integer(BaseType):
    """A whole number."""

    openapi_schema_validator: ClassVar = {"type": "integer"}


class String(BaseType):
    """A text."""

    openapi_schema_validator: ClassVar = {"type": "string"}


class Float(BaseType):
    """A number."""

    openapi_schema_validator: ClassVar = {"type": "number"}


class Bool(BaseType):
    """True or false."""

    openapi_schema_validator: ClassVar = {"type": "boolean"}


class List(BaseType):
    """A list, as JSON."""

    openapi_schema_validator: ClassVar = {"type": "array"}


class Dict(BaseType):
    """An object, as JSON."""

    openapi_schema_validator: ClassVar = {"type": "object"}


class GCSPath(BaseType):
    """A path in Google's object store."""

    openapi_schema_validator: ClassVar = {"type": "string", "pattern": "^gs://.*$"}


class GCRPath(BaseType):
    """An image in Google's registry."""

    openapi_schema_validator: ClassVar = {"type": "string", "pattern": r"^.*gcr\.io/.*$"}


class GCPRegion(BaseType):
    """A region of Google's cloud."""

    openapi_schema_validator: ClassVar = {"type": "string"}


class GCPProjectID(BaseType):
    """A project of Google's cloud."""

    openapi_schema_validator: ClassVar = {"type": "string"}


class LocalPath(BaseType):
    """A path in the step's container."""

    openapi_schema_validator: ClassVar = {"type": "string"}


def split_optional(annotation: object) -> tuple[object, bool]:
    """`Optional[T]` and `T | None` as (T, True); everything else as it is, with False."""
    import types

    if get_origin(annotation) in (Union, types.UnionType):
        rest = [kind for kind in get_args(annotation) if kind is not type(None)]
        if len(rest) == 1 and len(rest) < len(get_args(annotation)):
            return rest[0], True
    return annotation, False


def type_name(annotation: object) -> object:
    """The type's name in a document; a dict with properties stays as it is; None says nothing is known.

    `Annotated[str, "GcsUri[text/json]"]` is the type called so, which a type checker takes for a text.
    """
    metadata = getattr(annotation, "__metadata__", None)
    if metadata is not None:
        named = next((each for each in metadata if isinstance(each, str | dict)), None)
        return named if named is not None else type_name(get_args(annotation)[0])
    if annotation is None or annotation == "" or (isinstance(annotation, type) and issubclass(annotation, Reference)):
        return None
    if hasattr(annotation, "to_dict") and not isinstance(annotation, type):
        return annotation.to_dict()
    if isinstance(annotation, str | dict):
        return annotation
    origin = get_origin(annotation)
    if isinstance(origin, type) and origin in _NAMES:
        # kfp 1.8 takes what stands in brackets for a type of its own, `typing.List[str]`.
        return str(annotation) if tracing.written_for_kfp("1.8") else _NAMES[origin]
    if isinstance(annotation, type):
        return _NAMES.get(annotation, annotation.__name__)
    return getattr(annotation, "__forward_arg__", None) or str(annotation)


def kind_of(name: object) -> type | None:
    """The Python type behind a type's name, or None for types of an author's own."""
    if not isinstance(name, str):
        return None
    return _KINDS.get(name) or _KINDS.get(name.removeprefix("typing.").partition("[")[0])


def value_text(value: object) -> str:
    """A constant as the text that a document holds: text as it is, lists and dicts as JSON with sorted keys."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, sort_keys=True, default=str)
    return str(value)


def checked_text(value: object, name: object, *, what: str) -> str:
    """`value_text(value)` of a value that belongs to the type called `name`.

    Raises InvalidParameter, naming `what`, when it does not. Text is taken for every type that it reads as.
    """
    kind = kind_of(name)
    if isinstance(value, str) and kind not in (None, str):
        read_as(value, name, what=what)
    elif not isinstance(value, str | Reference) and kind is not None and not _belongs(value, kind):
        raise InvalidParameter(f"{what}: expected {FRIENDLY[kind]}, got {told(value)}.")
    try:
        return value_text(value)
    except ValueError as error:
        raise InvalidParameter(f"{what}: {told(value)} cannot be written as JSON: {error}") from None


def read_as(text: str, name: object, *, what: str) -> object:
    """The value that `text` spells in the type called `name`; the text itself for text and unknown types.

    Raises InvalidParameter, naming `what`, when it spells none. Text with a reference in it is left alone.
    """
    kind = kind_of(name)
    if kind in (None, str) or "{{" in text:
        return text
    assert kind is not None
    try:
        value = _READERS[kind](text)
    except ValueError:
        value = None
    if not isinstance(value, kind):
        raise InvalidParameter(f"{what}: expected {FRIENDLY[kind]}, got {told(text)}.")
    return value


def fits_exactly(value: object, name: object) -> bool:
    """Whether a default value is of the type called `name`, with no reading of texts (an integer is a number)."""
    kind = kind_of(name)
    return kind is None or _belongs(value, kind)


def _belongs(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if kind is list:
        return isinstance(value, list | tuple)
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)


def _read_bool(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(text)


_READERS: dict[type, Callable[[str], object]] = {
    int: int,
    float: float,
    bool: _read_bool,
    list: json.loads,
    dict: json.loads,
}


def told(value: object) -> str:
    """How a message shows a value: its kind, and as much of it as fits."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else repr(value)
    kind = FRIENDLY.get(type(value), type(value).__name__)
    return f"{kind} {text if len(text) <= 60 else text[:57] + '…'}"


def spelled(name: object) -> str:
    """How a message shows a type's name."""
    return name if isinstance(name, str) else json.dumps(name)


def python_word(name: object) -> str:
    """How an author writes the type called `name`: `int` for `Integer`."""
    kind = kind_of(name)
    return kind.__name__ if kind else "…"


def connects(given: object, expected: object) -> bool:
    """Whether an output of one type may go to an input of another, by the rule of kfp 1.8.22.

    Names are equal, and each property that `given` has is one of `expected` with an equal value. Nothing is known of a
    missing type, and `Artifact` is every type that is not a parameter's: both connect to all.
    """
    if given is None or expected is None:
        return True
    (name, properties), (wanted, known) = _parts(given), _parts(expected)
    if kind_of(name) is None and "artifact" in (name.lower(), wanted.lower()):
        return True
    return name == wanted and all(key in known and known[key] == value for key, value in properties.items())


def _parts(name: object) -> tuple[str, dict[str, object]]:
    """A type's name, one of several for the same kind, and its properties."""
    if isinstance(name, dict):
        text, properties = next(iter(name.items()), ("", None))
        return str(text), properties if isinstance(properties, dict) else {}
    # kfp 1.8 compares names as they are written.
    kind = None if tracing.written_for_kfp("1.8") else kind_of(name)
    return _NAMES[kind] if kind else str(name), {}
