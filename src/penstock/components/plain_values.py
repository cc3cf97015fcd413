"""Values read from YAML, as the grammar of `component.yaml` wants them; what is wrong is told with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.dsl.types import value_text
from penstock.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["expected", "fields_of", "items_of", "listed", "optional_text", "text_of", "texts_of"]


def fields_of(value: Any, path: str, *, required: Iterable[str] = (), known: Iterable[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise expected("a map", value, path)
    names = [*required, *known]
    for key in value:
        if key not in names:
            raise InvalidDocument(f"unknown key; expected one of {', '.join(names)}", path=_below(path, key))
    for key in required:
        if value.get(key) is None:
            raise InvalidDocument("missing", path=_below(path, key))
    return {key: inner for key, inner in value.items() if inner is not None}


def items_of(value: Any, path: str) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, list):
        raise expected("a list", value, path)
    return ((f"{path}[{index}]", item) for index, item in enumerate(value))


def text_of(value: Any, path: str) -> str:
    if isinstance(value, str) and value:
        return value
    raise expected("a text", value, path)


def optional_text(fields: Mapping[str, Any], key: str) -> str | None:
    return None if key not in fields else value_text(fields[key])


def texts_of(value: Any, path: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise expected("a map of texts", value, path)
    return {key: text_of(inner, f"{path}.{key}") for key, inner in value.items()}


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def expected(what: str, got: Any, path: str) -> InvalidDocument:
    kinds = {dict: "a map", list: "a list", str: f"text {got!r}", type(None): "nothing"}
    return InvalidDocument(f"expected {what}, got {kinds.get(type(got), repr(got))}", path=path)


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"
