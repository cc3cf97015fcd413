"""Quantities as Kubernetes writes them: `500m`, `2`, `1.5Gi`, `1e3`. (Kubernetes: `apimachinery/pkg/api/resource`.)"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

__all__ = ["Needs", "limits_of", "needs_of", "quantity"]

_QUANTITY = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)((?:[eE][+-]?[0-9]{1,3})?|[numkMGTPE]|[KMGTPE]i)\Z")
_FACTORS = {
    "": 1.0,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    **{letter: 1000.0**power for power, letter in enumerate("MGTPE", 2)},
    **{f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)},
}


class Needs(NamedTuple):
    """What a pod requests: `cpu` in cores, `memory` in bytes."""

    cpu: float = 0.0
    memory: float = 0.0


def quantity(value: Any) -> float | None:
    """The number that a quantity stands for; None for what is none, or negative."""
    match = _QUANTITY.match(str(value)[:64])
    if match is None:
        return None
    number, suffix = match.groups()
    found = float(number + suffix) if suffix[:1] in ("e", "E") and suffix[1:] else float(number) * _FACTORS[suffix]
    return found if 0 <= found < math.inf else None


def needs_of(resources: Iterable[Any], before: Iterable[Any] = ()) -> Needs:
    """What containers beside one another request together, but at least what each of those `before` them does.

    Each is what a container says under `resources`. As on a cluster a limit stands for a request that is missing.
    """
    each = [_needs(value) for value in resources]
    first = [_needs(value) for value in before]
    return Needs(
        max([sum(needs.cpu for needs in each), *(needs.cpu for needs in first)]),
        max([sum(needs.memory for needs in each), *(needs.memory for needs in first)]),
    )


def _needs(resources: Any) -> Needs:
    wanted = {**_map(resources, "limits"), **_map(resources, "requests")}
    return Needs(quantity(wanted.get("cpu", 0)) or 0.0, quantity(wanted.get("memory", 0)) or 0.0)


def limits_of(resources: Any) -> Needs:
    """The limits that a container sets itself; 0 where there is none."""
    limits = _map(resources, "limits")
    return Needs(quantity(limits.get("cpu", 0)) or 0.0, quantity(limits.get("memory", 0)) or 0.0)


def _map(resources: Any, kind: str) -> Mapping[str, Any]:
    found = resources.get(kind) if isinstance(resources, dict) else None
    return found if isinstance(found, dict) else {}
