"""Names and ids of nodes and pods, as Argo makes them, and the keys under which is stored what they left.

An id is a hash of the node's name, so ours equal Argo's for the same document under the same name. (Argo:
`Workflow.NodeID` in `workflow_types.go`, `workflow/util/pod_name.go`.)
"""

from __future__ import annotations

import random
from typing import Any

from penstock.workflow import gojson

__all__ = [
    "artifact_key",
    "fnv1a",
    "is_own_key",
    "item_name",
    "log_key",
    "node_id",
    "pod_name",
    "run_name",
    "value_text",
]

_MAX_PREFIX = 253 - 10
"""Longest name in Kubernetes less `-` and a 32-bit decimal number."""


def fnv1a(text: str) -> int:
    """32-bit FNV-1a hash of the text's UTF-8 bytes."""
    value = 0x811C9DC5
    for byte in text.encode("utf-8", "surrogatepass"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def node_id(workflow: str, name: str) -> str:
    """Id of the node `name` of the run `workflow`; the root's is the run's own name."""
    return workflow if name == workflow else f"{workflow}-{fnv1a(name)}"


def pod_name(workflow: str, name: str, template: str) -> str:
    """Name of the pod of a node (Argo's v2 form): `<workflow>-<template>-<hash>`, the front cut where too long."""
    if name == workflow:
        return workflow
    prefix = f"{workflow}-{template}" if template else workflow
    return f"{prefix[: _MAX_PREFIX - 1]}-{fnv1a(name)}"


def artifact_key(workflow: str, pod: str, name: str) -> str:
    """Key of an output artifact of the pod of that name."""
    return f"artifacts/{workflow}/{pod}/{name}"


def is_own_key(key: str, workflow: str) -> bool:
    """Whether `artifact_key` made it for this run, so that nobody else stores under it."""
    return key.startswith(f"artifacts/{workflow}/")


def log_key(workflow: str, node_id: str) -> str:
    """Key of a finished step's log."""
    return f"logs/{workflow}/{node_id}.log"


def item_name(name: str, index: int, item: Any) -> str:
    """Name of a loop's node: `name(index:value)`; maps as sorted `key:value`, parentheses dropped from the value."""
    return f"{name}({index}:{_no_parentheses(_item_text(item))})"


def _item_text(item: Any) -> str:
    if isinstance(item, dict):
        return ",".join(sorted(f"{key}:{value_text(value)}" for key, value in item.items()))
    if isinstance(item, list):
        return "[" + " ".join(value_text(value) for value in item) + "]"
    return value_text(item)


def value_text(item: Any) -> str:
    """An item as text: texts as they stand in JSON, without quotes; anything else as JSON."""
    text = gojson.dumps_raw(item)
    return gojson.unescaped(text[1:-1] if isinstance(item, str) else text)


def _no_parentheses(text: str) -> str:
    return text.replace("(", "").replace(")", "")


def run_name(generate_name: str, seed: str) -> str:
    """A name for a run: `generate_name` and five letters that follow from `seed` (a run's id)."""
    # Kubernetes' alphabet, without vowels; the whole stays within 63 characters, the limit of a label.
    letters = random.Random(seed).choices("bcdfghjklmnpqrstvwxz2456789", k=5)  # noqa: S311 - a name, not a secret
    return (generate_name or "run-")[:58] + "".join(letters)
