"""Suspend templates: a node that waits until a person lets it go on, or until its time is over.

Values of its outputs come from the person, else from their defaults. (Argo: `executeSuspend` in `operator.go`.)
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from penstock.engine import timeout
from penstock.engine.durations import seconds_of
from penstock.engine.exits import may_go_on
from penstock.engine.places import call_of
from penstock.engine.plans import processed, retry_scope
from penstock.engine.protocol import Note
from penstock.engine.state import Call, Fault, Turn
from penstock.workflow.document import ParameterSpec, Template
from penstock.workflow.status import Awaited, Node, NodeInputs, NodeOutputs, NodeType, Parameter, Phase

__all__ = ["failed", "over", "resume", "until", "wait", "waits"]


def waits(node: Node) -> bool:
    """True for a node that waits to be resumed, which one that waits for a lock does not yet."""
    return node.type is NodeType.SUSPEND and node.phase is Phase.RUNNING


def wait(turn: Turn, call: Call, template: Template, inputs: NodeInputs) -> None:
    """Make a node that waits. After a stop or the deadline it fails at once."""
    awaited = tuple(_awaited(parameter) for parameter in template.outputs.parameters)
    node = turn.begin(call, NodeType.SUSPEND, Phase.RUNNING, template, inputs)
    turn.memo.calls[call.id] = call
    node = turn.mark(node.id, Phase.RUNNING, outputs=NodeOutputs(parameters=awaited) if awaited else None)
    if not may_go_on(turn, call.exit):
        failed(turn, node, f"Stopped with strategy '{turn.shutdown}'")
    elif not call.exit and timeout.run_expired(turn):
        failed(turn, node, timeout.RUN_EXPIRED)
    else:
        _wait(turn, node, template)


def _awaited(declared: ParameterSpec) -> Parameter:
    default = declared.value_from.default if declared.value_from is not None else None
    source = Awaited(supplied={}, default=default)
    return Parameter(name=declared.name, global_name=declared.global_name, value_from=source)


def _wait(turn: Turn, node: Node, template: Template) -> None:
    try:
        until = _until(node, template)
    except Fault as error:
        turn.mark(node.id, Phase.ERROR, str(error))
        return
    if until is None:
        turn.mark(node.id, Phase.RUNNING, "waits to be resumed")
    else:
        turn.mark(node.id, Phase.RUNNING, "waits until its time is over, or to be resumed")
        turn.wake_at(node.id, until)


def _until(node: Node, template: Template) -> float | None:
    duration = template.suspend.duration if template.suspend is not None else ""
    return (node.started_at or 0.0) + seconds_of(duration) if duration else None


def until(turn: Turn, node: Node) -> float | None:
    """When a node that waits goes on by itself (seconds since the epoch), None for one that never does."""
    call = call_of(turn, node.id)
    return _until(node, processed(turn, call, node.inputs or NodeInputs(), retry_scope(turn, call)))


def resume(turn: Turn, node: Node, values: Mapping[str, str]) -> None:
    """Let a node go on. One that lacks a value goes on waiting, and says so."""
    try:
        _succeed(turn, node, values)
    except Fault as error:
        turn.commands.append(Note(node_id=node.id, message=str(error)))


def over(turn: Turn, node: Node) -> None:
    """The time of a node is over: it goes on with the defaults of its outputs, or is in Error without one."""
    try:
        _succeed(turn, node, {})
    except Fault as error:
        turn.timers.pop(node.id, None)
        turn.mark(node.id, Phase.ERROR, str(error))


def _succeed(turn: Turn, node: Node, values: Mapping[str, str]) -> None:
    outputs = node.outputs and msgspec.structs.replace(
        node.outputs, parameters=tuple(_given(parameter, values) for parameter in node.outputs.parameters)
    )
    turn.timers.pop(node.id, None)
    turn.mark(node.id, Phase.SUCCEEDED, "", outputs=outputs)


def _given(parameter: Parameter, values: Mapping[str, str]) -> Parameter:
    default = parameter.value_from.default if parameter.value_from is not None else None
    value = values.get(parameter.name, default)
    if value is None:
        raise Fault(f"raw output parameter '{parameter.name}' has not been set and does not have a default value")
    return msgspec.structs.replace(parameter, value=value, value_from=None)


def failed(turn: Turn, node: Node, message: str) -> None:
    """End a node that waits, for the reason that `message` gives."""
    turn.timers.pop(node.id, None)
    turn.mark(node.id, Phase.FAILED, message)
