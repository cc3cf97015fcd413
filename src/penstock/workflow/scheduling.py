"""Node selectors, affinity and devices: whether the one machine that there is meets them.

What holds tags is known when a step is about to start. What a pod merely prefers says nothing, and pods that must be
near each other are. (Kubernetes: `component-helpers/scheduling/corev1/nodeaffinity`.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any, NamedTuple

import msgspec

from penstock.errors import UnsupportedField
from penstock.workflow.document import Workflow

__all__ = ["ANYWHERE", "Machine", "check_scheduling", "unmet"]


class Machine(NamedTuple):
    """What a cluster would say of a machine: its labels, and how many it has of each extended resource.

    `ignored` are fields that a person lets pass: `nodeSelector`, `affinity`, `resources`.
    """

    labels: Mapping[str, str] = {}
    devices: Mapping[str, int] = {}
    ignored: Set[str] = frozenset()

    @property
    def name(self) -> str:
        """What a cluster would call it, "" where nobody said."""
        return self.labels.get(_NAME, "")


ANYWHERE = Machine()
"""A machine of which nobody said anything."""

_NAME = "kubernetes.io/hostname"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def check_scheduling(workflow: Workflow, machine: Machine) -> None:
    """Raise UnsupportedField for a selector, an affinity or a device that the machine does not have."""
    places: list[tuple[str, Mapping[str, Any]]] = [("spec", msgspec.to_builtins(workflow.spec))]
    places += [(f"templates.{name}", template) for name, template in workflow.templates.items()]
    for path, holder in places:
        for field, where, fault in (*_faults(holder, machine.labels), *_lacking(holder, machine.devices)):
            if field not in machine.ignored:
                raise UnsupportedField(_told(field, fault), path=f"{path}.{where}")


def unmet(selector: Mapping[str, str], affinity: Mapping[str, Any], machine: Machine) -> str:
    """Why a step, whose tags are replaced, cannot be started on the machine; "" where it can, or nobody said."""
    if not machine.labels:
        return ""
    for field, where, fault in _faults({"nodeSelector": selector, "affinity": affinity}, machine.labels):
        if field not in machine.ignored:
            return f"{where}: {_told(field, fault)}"
    return ""


def _told(field: str, fault: str) -> str:
    return f"this machine does not meet it: {fault}. Run on Kubernetes, or pass `--ignore {field}`"


def _faults(holder: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, value in (holder.get("nodeSelector") or {}).items():
        if labels.get(name) != value and "{{" not in f"{name}{value}":
            yield "nodeSelector", "nodeSelector", f"{name}={value}; {_known(labels)}"
    affinity = holder.get("affinity")
    if not isinstance(affinity, dict):
        return
    required = (affinity.get("nodeAffinity") or {}).get(_REQUIRED)
    if isinstance(required, dict) and "{{" not in str(required):
        terms = required.get("nodeSelectorTerms") or []
        if not any(all(_met(each, labels) for each in _expressions(term)) for term in terms):
            yield "affinity", f"affinity.nodeAffinity.{_REQUIRED}", f"no term is met; {_known(labels)}"
    if (affinity.get("podAntiAffinity") or {}).get(_REQUIRED):
        yield "affinity", f"affinity.podAntiAffinity.{_REQUIRED}", "all pods run on this machine"


_CONTAINERS = ("container", "script", "initContainers", "sidecars")


def _lacking(holder: Mapping[str, Any], devices: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    """Extended resources (`vendor/name`) of containers, of which the machine has too few."""
    given = holder.get("containerSet")
    for field in (*_CONTAINERS, "containerSet"):
        of_set = given.get("containers") if isinstance(given, dict) else None
        value = (of_set if field == "containerSet" else holder.get(field)) or []
        for container in [value] if isinstance(value, dict) else value:
            for kind in ("limits", "requests"):
                for name, count in ((container.get("resources") or {}).get(kind) or {}).items():
                    wanted, there = str(count), devices.get(name, 0)
                    if "/" in name and not (wanted.isdigit() and int(wanted) <= there):
                        yield "resources", f"{field}.resources.{kind}.{name}", f"{wanted} wanted, it has {there}"


def _known(labels: Mapping[str, str]) -> str:
    return "it has " + ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _expressions(term: Any) -> list[Any]:
    found = [*(term.get("matchExpressions") or ()), *(term.get("matchFields") or ())] if isinstance(term, dict) else []
    return found or [None]


def _met(expression: Any, labels: Mapping[str, str]) -> bool:
    if not isinstance(expression, dict):
        return False
    key = str(expression.get("key") or "")
    label = labels.get(_NAME if key == "metadata.name" else key)
    values = [str(value) for value in expression.get("values") or ()]
    match expression.get("operator"):
        case "In":
            return label in values
        case "NotIn":
            return label not in values
        case "Exists":
            return label is not None
        case "DoesNotExist":
            return label is None
        case "Gt" | "Lt" as operator if label is not None and label.isdigit() and values and values[0].isdigit():
            return int(label) > int(values[0]) if operator == "Gt" else int(label) < int(values[0])
    return False
