"""Deadlines: of the run (`spec.activeDeadlineSeconds`) and of a template (`activeDeadlineSeconds`, `timeout`).

A template's `activeDeadlineSeconds` counts from the start of its program, `timeout` from the making of its node. What
is over its time is killed; the reason stands in the node's message until its exit is known.
"""

from __future__ import annotations

from typing import Any

from penstock.engine.durations import seconds_of
from penstock.engine.places import call_of
from penstock.engine.plans import processed
from penstock.engine.protocol import Kill
from penstock.engine.state import Turn
from penstock.workflow.document import Template
from penstock.workflow.status import STARTED, Node, NodeInputs, NodeType, Phase

__all__ = [
    "RUN_EXPIRED",
    "created",
    "deadline_of",
    "expire",
    "given_up",
    "kill",
    "killed",
    "launched",
    "run_expired",
    "started",
]

RUN_EXPIRED = "Step exceeded its deadline"
_STEP_EXPIRED = "Pod was active on the node longer than the specified deadline"
_NEVER_STARTED = "Pod was pending longer than the specified pendingTimeout"
_SHUTDOWN = "workflow shutdown with strategy:"


def killed(node: Node) -> bool:
    """True when the node was ended by us; its message says why."""
    return node.message in (RUN_EXPIRED, _STEP_EXPIRED, _NEVER_STARTED) or node.message.startswith(_SHUTDOWN)


def given_up(node: Node) -> bool:
    """True when it was ended with its run. Argo's controller looks at such a pod no more: it has no outputs."""
    return node.message == RUN_EXPIRED or node.message.startswith(_SHUTDOWN)


def kill(turn: Turn, node: Node, message: str) -> None:
    """End a pod, for the reason that `message` gives."""
    turn.timers.pop(node.id, None)
    if not killed(node):
        turn.mark(node.id, node.phase, message)
        turn.commands.append(Kill(node_id=node.id))


def run_expired(turn: Turn) -> bool:
    """True when the run is over its deadline."""
    deadline = run_deadline(turn)
    return deadline is not None and turn.now >= deadline


def run_deadline(turn: Turn) -> float | None:
    """Until when the run may last (seconds since the epoch)."""
    seconds = turn.workflow.spec.active_deadline_seconds
    return None if seconds is None or turn.started_at is None else turn.started_at + seconds


def started(turn: Turn) -> None:
    """The run has begun: ask to be woken at its deadline."""
    deadline = run_deadline(turn)
    if deadline is not None:
        turn.wake_at("", deadline)


def created(turn: Turn, node: Node, template: Template) -> None:
    """A pod's node was made: its `timeout` and its `pendingTimeout` count."""
    limits = [seconds_of(text) for text in (template.timeout, template.pending_timeout) if text]
    if limits:
        turn.wake_at(node.id, (node.started_at or turn.now) + min(limits))


def launched(turn: Turn, node: Node) -> None:
    """A pod's program has started: its `activeDeadlineSeconds` counts."""
    template = _template(turn, node)
    # With a timeout the node keeps the time at which it was made, since that is what the timeout counts from.
    changes: dict[str, Any] = {} if template.timeout else {"started_at": turn.now}
    changes["host_node_name"] = turn.run.config.machine.name
    node = turn.mark(node.id, Phase.RUNNING, node.message if killed(node) else "", **changes)
    deadline = deadline_of(turn, node)
    if deadline is None:
        turn.timers.pop(node.id, None)
    elif deadline != turn.timers.get(node.id) and not killed(node):
        turn.wake_at(node.id, deadline)


def deadline_of(turn: Turn, node: Node) -> float | None:
    """Until when an active pod may last by its template."""
    template = _template(turn, node)
    start = node.started_at or turn.now
    ends = []
    if template.timeout:
        ends.append(start + seconds_of(template.timeout))
    if template.pending_timeout and node.phase is Phase.PENDING:
        ends.append(start + seconds_of(template.pending_timeout))
    if template.active_deadline_seconds and node.phase is Phase.RUNNING:
        ends.append(start + seconds_of(template.active_deadline_seconds))
    return min(ends, default=None)


def _template(turn: Turn, node: Node) -> Template:
    call = call_of(turn, node.id)
    limits = (call.template.timeout, call.template.pending_timeout, call.template.active_deadline_seconds)
    if not any(limits):
        return call.template
    return processed(turn, call, node.inputs or NodeInputs())


def _expire(turn: Turn, node: Node) -> None:
    if call_of(turn, node.id).exit:
        return
    if node.type in STARTED and not node.waits_for_lock:
        kill(turn, node, RUN_EXPIRED)
    else:
        # There is nothing to kill.
        turn.timers.pop(node.id, None)
        turn.mark(node.id, Phase.FAILED, RUN_EXPIRED)


def expire(turn: Turn) -> None:
    """Kill what is over its time."""
    if run_expired(turn):
        for node in list(turn.nodes.values()):
            waits = node.type in (*STARTED, NodeType.SUSPEND) or node.waits_for_lock
            if waits and not node.fulfilled:
                _expire(turn, node)
    for id, at in list(turn.timers.items()):
        late = turn.nodes.get(id)
        if late is None or late.type not in STARTED or at > turn.now:
            continue
        if late.waits_for_lock:
            turn.timers.pop(id)
            turn.mark(id, Phase.FAILED, _reason(turn, late))
        else:
            kill(turn, late, _reason(turn, late))


def _reason(turn: Turn, node: Node) -> str:
    """Which of its limits a pod is over."""
    pending = _template(turn, node).pending_timeout if node.phase is Phase.PENDING else ""
    over = pending and turn.now >= (node.started_at or turn.now) + seconds_of(pending)
    return _NEVER_STARTED if over else _STEP_EXPIRED
