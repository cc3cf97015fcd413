"""Tells in words how two node trees differ, ours and Argo's or that of one run and of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["compare"]

_FIELDS = ("name", "displayName", "type", "phase", "message", "boundaryID", "templateName")
_SETS = ("children", "outboundNodes")


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any], *, unstable: Iterable[str] = ()) -> list[str]:
    """How two `status` differ, in words; empty where they are equal. `unstable` are `node id:field` pairs to skip.

    Compared are the phase, message and outputs of the workflow, the set of nodes, and of each node its names, type,
    phase, message, place in the tree, parameters, names of artifacts, exit code, result and memoization. Times, hosts,
    progress, flags and locations of artifacts are not: they differ from run to run.
    """
    skipped = set(unstable)
    told = [_told(field, ours.get(field), theirs.get(field)) for field in ("phase", "message")]
    told.append(_told("outputs", _named_outputs(ours), _named_outputs(theirs)))
    mine, other = ours.get("nodes") or {}, theirs.get("nodes") or {}
    told += [f"node {id} ({other[id].get('name')}) is missing" for id in other if id not in mine]
    told += [f"node {id} ({mine[id].get('name')}) is too many" for id in mine if id not in other]
    for id in mine.keys() & other.keys():
        told += [
            f"{mine[id].get('name')}: {text}"
            for field, text in _node_differences(mine[id], other[id])
            if f"{id}:{field}" not in skipped and text
        ]
    return sorted(text for text in told if text)


def _told(what: str, ours: Any, theirs: Any) -> str:
    return "" if ours == theirs else f"{what} is {ours!r}, expected {theirs!r}"


def _node_differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for field in _FIELDS:
        yield field, _told(field, ours.get(field) or None, theirs.get(field) or None)
    for field in _SETS:
        yield field, _told(field, sorted(set(ours.get(field) or ())), sorted(set(theirs.get(field) or ())))
    for field, end in (("in", "inputs"), ("out", "outputs")):
        mine, other = ours.get(end) or {}, theirs.get(end) or {}
        yield field, _told(f"parameters of {end}", _parameters(mine), _parameters(other))
        yield field, _told(f"artifacts of {end}", _artifacts(mine), _artifacts(other))
    mine, other = ours.get("outputs") or {}, theirs.get("outputs") or {}
    yield "exitCode", _told("exitCode", mine.get("exitCode"), other.get("exitCode"))
    yield "result", _told("result", mine.get("result"), other.get("result"))
    yield "hit", _told("memoization hit", _hit(ours), _hit(theirs))


def _hit(node: Mapping[str, Any]) -> bool:
    return bool((node.get("memoizationStatus") or {}).get("hit"))


def _named_outputs(status: Mapping[str, Any]) -> dict[str, Any]:
    outputs = status.get("outputs") or {}
    return {"parameters": _parameters(outputs), "artifacts": _artifacts(outputs)}


def _parameters(side: Mapping[str, Any]) -> dict[str, str]:
    return {parameter["name"]: parameter.get("value", "") for parameter in side.get("parameters") or ()}


def _artifacts(side: Mapping[str, Any]) -> list[str]:
    return sorted(a["name"] for a in side.get("artifacts") or () if a["name"] != "main-logs")
