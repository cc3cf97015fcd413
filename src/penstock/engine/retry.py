"""Retries: a Retry node with one attempt below it after the other. (Argo: `processNodeRetries`.)"""

from __future__ import annotations

from dataclasses import dataclass, replace

from penstock.engine import calls, exits, timeout
from penstock.engine.durations import seconds_of
from penstock.engine.places import attempt_call, call_of
from penstock.engine.plans import processed
from penstock.engine.state import Call, Fault, Turn
from penstock.engine.variables import last_attempt
from penstock.workflow import gojson
from penstock.workflow.document import Backoff, RetryStrategy
from penstock.workflow.expressions import ExpressionError, Flat, evaluate
from penstock.workflow.status import Node, NodeInputs, Phase

__all__ = ["attempt", "attempt_ended", "waits"]


def attempts(turn: Turn, node: Node) -> list[Node]:
    """The attempts of a Retry node, in order."""
    found = [turn.nodes[child] for child in node.children if child in turn.nodes]
    return [child for child in found if child.node_flag is not None and child.node_flag.retried]


def attempt(turn: Turn, id: str) -> None:
    """Start the next attempt of the Retry node `id`."""
    turn.timers.pop(id, None)
    node = turn.nodes[id]
    if node.message:
        node = turn.mark(id, node.phase, "")
    call = attempt_call(turn, call_of(turn, id), len(attempts(turn, node)))
    call = turn.memo.calls[call.id] = replace(call, inputs=node.inputs)
    try:
        calls.enter(turn, call, node.inputs or NodeInputs())
    except Fault as error:
        calls.failed_node(turn, call, str(error))
    turn.add_child(id, call.id)


def attempt_ended(turn: Turn, id: str) -> None:
    """The last attempt is done: succeed, fail, wait, or try again."""
    node = turn.nodes[id]
    if node.phase.fulfilled:
        return
    last = last_attempt(turn, node)
    if last.daemoned:
        turn.mark(id, last.phase, "", daemoned=True, pod_ip=last.pod_ip)
        return
    if last.phase not in (Phase.FAILED, Phase.ERROR):
        turn.mark(id, Phase.SUCCEEDED, "", outputs=last.outputs)
        return
    try:
        verdict = _verdict(turn, node, last)
    except Fault as error:
        turn.mark(id, Phase.ERROR, str(error))
        return
    if verdict.ends is not None:
        turn.mark(id, last.phase, verdict.ends, outputs=last.outputs, daemoned=False)
    elif verdict.wait_until > turn.now:
        turn.mark(id, node.phase, f"Backoff for {_words(verdict.wait)}")
        turn.wake_at(id, verdict.wait_until)
    else:
        attempt(turn, id)


def waits(turn: Turn, node: Node) -> float | None:
    """Until when a Retry node without a running attempt waits; None where it does not."""
    made = attempts(turn, node)
    if node.phase.fulfilled or not made or not made[-1].phase.fulfilled:
        return None
    try:
        verdict = _verdict(turn, node, made[-1])
    except Fault:
        return None
    return None if verdict.ends is not None else verdict.wait_until


@dataclass(frozen=True, slots=True)
class _Verdict:
    """`ends` is the message of the Retry node if it ends now, None if there is another attempt."""

    ends: str | None = None
    wait: float = 0.0
    wait_until: float = 0.0


def _verdict(turn: Turn, node: Node, last: Node) -> _Verdict:
    call = call_of(turn, node.id)
    strategy = processed(turn, call, node.inputs or NodeInputs()).retry_strategy or RetryStrategy()
    stopped = _stopped(turn, call)
    if stopped:
        return _Verdict(ends=stopped)
    made = attempts(turn, node)
    wait, until, ends = _backoff(turn, strategy.backoff, made) if strategy.backoff is not None else (0.0, 0.0, None)
    if ends is not None:
        return _Verdict(ends=ends)
    limit = _whole(strategy.limit, "limit") if strategy.limit is not None else None
    # Argo waits before it looks at the limit, but not behind the last attempt.
    if not _retries(strategy, last.phase):
        return _Verdict(ends=last.message)
    if limit is not None and len(made) > limit:
        return _Verdict(ends="No more retries left")
    if strategy.expression and not _wanted(strategy.expression, made):
        return _Verdict(ends="retryStrategy.expression evaluated to false")
    # As there, only a limited number of attempts waits.
    return _Verdict(wait=wait, wait_until=until) if limit is not None else _Verdict()


def _stopped(turn: Turn, call: Call) -> str:
    if not exits.may_go_on(turn, call.exit):
        return f"Stopped with strategy '{turn.shutdown}'"
    if timeout.run_expired(turn):
        return f"retry exceeded workflow deadline of {turn.workflow.spec.active_deadline_seconds} s"
    return ""


def _retries(strategy: RetryStrategy, phase: Phase) -> bool:
    policy = strategy.retry_policy or ("Always" if strategy.expression else "OnFailure")
    wanted = {
        "Always": (Phase.FAILED, Phase.ERROR),
        "OnError": (Phase.ERROR,),
        "OnFailure": (Phase.FAILED,),
        # Transient errors are those of a cluster's network, which is not here.
        "OnTransientError": (),
    }
    if policy not in wanted:
        raise Fault(f"{policy} is not a valid RetryPolicy")
    return phase in wanted[policy]


def _wanted(expression: str, made: list[Node]) -> bool:
    """What the strategy's expression says of the last attempt."""
    last = made[-1]
    code = last.outputs.exit_code if last.outputs is not None else None
    duration = int(last.finished_at or 0) - int(last.started_at or 0)
    variables = {
        "retries": str(len(made) - 1),
        "lastRetry.exitCode": code or "-1",
        "lastRetry.status": str(last.phase),
        "lastRetry.duration": str(duration),
        "lastRetry.message": last.message,
    }
    try:
        value = evaluate(expression, Flat(variables))
    except ExpressionError as error:
        raise Fault(f"unable to evaluate expression '{expression}': {error}") from None
    if not isinstance(value, bool):
        raise Fault(f"unable to cast expression result '{gojson.shown(value)}' to bool")
    return value


def _backoff(turn: Turn, backoff: Backoff, made: list[Node]) -> tuple[float, float, str | None]:
    """(seconds to wait, until when, message if it ends instead)."""
    started, finished = made[0].started_at or turn.now, made[-1].finished_at or turn.now
    longest = seconds_of(backoff.max_duration) if backoff.max_duration else None
    if longest is not None and turn.now > started + longest:
        return 0.0, 0.0, "Max duration limit exceeded"
    if not backoff.duration:
        raise Fault("no base duration specified for retryStrategy")
    wait = seconds_of(backoff.duration) * _growth(backoff, len(made))
    wait = min(wait, seconds_of(backoff.cap)) if backoff.cap else min(wait, 3.15e7)
    if longest is not None and finished + wait > started + longest:
        return 0.0, 0.0, "Backoff would exceed max duration limit"
    return wait, finished + wait, None


def _growth(backoff: Backoff, made: int) -> float:
    factor = _whole(backoff.factor, "backoff.factor") if backoff.factor else 0
    return float(min(factor ** min(made - 1, 64), 10**9)) if factor > 0 else 1.0


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Fault(f"retryStrategy.{name}: got {text!r}, expected an integer") from None


def _words(seconds: float) -> str:
    return f"{seconds:g} seconds"
