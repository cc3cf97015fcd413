"""Kubernetes objects of any make: dicts, models of the `kubernetes` package, and our own that stand for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from penstock.dsl.references import Reference
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline

__all__ = ["Plain", "camel", "plain"]


class Plain(ABC):
    """An object of ours that stands for a Kubernetes object."""

    @abstractmethod
    def to_plain(self) -> dict[str, Any]:
        """The object as a document has it, with the markers of references in its texts."""


def plain(value: Any) -> Any:
    """A Kubernetes object of any make (dict, model of the `kubernetes` package) as JSON-able values."""
    if value is None or isinstance(value, str | int | float | Reference):
        return str(value) if isinstance(value, Reference) else value
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Plain):
        return value.to_plain()
    names = getattr(value, "attribute_map", None)
    if not isinstance(names, dict):
        raise InvalidPipeline(located(f"expected a dict or a Kubernetes object, got {type(value).__name__} {value!r}"))
    found = {key: plain(getattr(value, attribute)) for attribute, key in names.items()}
    return {key: inner for key, inner in found.items() if inner is not None}


def camel(name: str) -> str:
    """`image_pull_policy` as documents write it: `imagePullPolicy`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
