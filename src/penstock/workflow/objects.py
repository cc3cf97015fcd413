"""Kubernetes objects among YAML documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock.errors import InvalidDocument

__all__ = ["kubernetes_objects", "name_of"]


def kubernetes_objects(documents: Iterable[Any], source: str) -> Iterator[Mapping[str, Any]]:
    """The objects, lists of them laid out. Raises InvalidDocument."""
    for each in documents:
        if not isinstance(each, dict) or not isinstance(each.get("kind"), str):
            raise InvalidDocument(f"{source}: expected Kubernetes objects, each with a kind")
        if each["kind"] == "List":
            yield from kubernetes_objects(each.get("items") or (), source)
        else:
            yield each


def name_of(each: Mapping[str, Any], source: str) -> str:
    """The name of an object. Raises InvalidDocument."""
    metadata = each.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not name:
        raise InvalidDocument(f"{source}: a {each['kind']} without metadata.name")
    return name
