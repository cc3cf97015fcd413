"""Which nodes of a run a person lets go on, and with which values: checked before anything is asked of the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from penstock.errors import Conflict, InvalidParameter
from penstock.ports import Resumption, Run
from penstock.workflow.inputs import as_text, check_size
from penstock.workflow.status import Node, NodeType, Parameter

__all__ = ["resumptions"]


def resumptions(run: Run, nodes: Iterable[Node], step: str, values: Mapping[str, object]) -> Sequence[Resumption]:
    """What goes on of a run: all that waits, or what waits under the name, shown name or id `step`.

    Each value goes to every node that has an output of that name. Raises Conflict where nothing waits, InvalidParameter
    for a value that is unknown or missing, TooLarge.
    """
    waiting = [node for node in nodes if node.type is NodeType.SUSPEND and not node.phase.fulfilled]
    chosen = [node for node in waiting if not step or step in (node.display_name, node.name, node.id)]
    if not chosen:
        others = f"; there wait {_listed(node.display_name for node in waiting)}" if waiting else ""
        raise Conflict(f"run {run.name!r}: {f'no step {step!r}' if step else 'nothing'} waits to be resumed{others}")
    texts = {name: _text(name, value) for name, value in values.items()}
    known = {parameter.name for node in chosen for parameter in _outputs(node)}
    for name in texts:
        if name not in known:
            raise InvalidParameter(f"Unknown parameter {name!r}. Known: {_listed(known) or 'none'}.")
    return [_of(node, texts) for node in chosen]


def _of(node: Node, texts: Mapping[str, str]) -> Resumption:
    declared = _outputs(node)
    for parameter in declared:
        default = parameter.value_from.default if parameter.value_from is not None else None
        if parameter.name not in texts and default is None:
            raise InvalidParameter(f"Step {node.display_name!r} needs a value for its output {parameter.name!r}.")
    names = {parameter.name for parameter in declared}
    return Resumption(node_id=node.id, parameters={name: text for name, text in texts.items() if name in names})


def _outputs(node: Node) -> Sequence[Parameter]:
    return node.outputs.parameters if node.outputs is not None else ()


def _text(name: str, value: object) -> str:
    text = as_text(value)
    check_size(name, text)
    return text


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
