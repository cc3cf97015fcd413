"""Selectors of nodes, as Argo takes them: `displayName=train,phase!=Succeeded`.

Terms joined by commas, all of which must hold; `=`, `==` and `!=`; a backslash takes the meaning from a comma, an
equals sign and itself. (Kubernetes: `fields.ParseSelector`; Argo: `SelectorMatchesNode`.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from penstock.errors import InvalidInput
from penstock.workflow.status import Node

__all__ = ["FIELDS", "node_selector"]

FIELDS = ("id", "name", "displayName", "templateName", "phase", "inputs.parameters.NAME.value")
"""What a selector may ask for."""

_TERM = re.compile(r"((?:[^\\=!,]|\\.)*)(!=|==|=)((?:[^\\=,]|\\[\\,=])*)\Z", re.DOTALL)
_SPLIT = re.compile(r"(?:[^\\,]|\\.)+", re.DOTALL)
_INPUT = re.compile(r"inputs\.parameters\..+\.value\Z", re.DOTALL)


def node_selector(text: str) -> Callable[[Node], bool]:
    """What says of a node whether `text` selects it; one without terms selects every node. Raises InvalidInput."""
    terms = [_term(text, each) for each in _SPLIT.findall(text)]
    return lambda node: all((_fields(node).get(name, "") == value) == equal for name, equal, value in terms)


def _term(text: str, term: str) -> tuple[str, bool, str]:
    match = _TERM.match(term)
    if match is None:
        raise InvalidInput(
            f"selector of nodes: got {text!r:.200}, expected terms such as displayName=train,phase!=Failed"
        )
    name, operator, value = match[1].strip(), match[2], re.sub(r"\\(.)", r"\1", match[3])
    if name not in FIELDS and not _INPUT.match(name):
        raise InvalidInput(f"selector of nodes: got the field {name!r:.200}; there are {', '.join(FIELDS)}")
    return name, operator != "!=", value


def _fields(node: Node) -> Mapping[str, str]:
    inputs = node.inputs.parameters if node.inputs is not None else ()
    return {
        "id": node.id,
        "name": node.name,
        "displayName": node.display_name,
        "templateName": node.template_name,
        "phase": str(node.phase),
        **{f"inputs.parameters.{p.name}.value": p.value or "" for p in inputs},
    }
