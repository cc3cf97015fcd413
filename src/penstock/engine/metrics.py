"""Metrics of the document: counted when a node with a template that has some, or the run, has ended.

One that cannot be counted is told of in a note and hinders nothing. (Argo: `computeMetrics` in `operator.go`.)
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from penstock.engine.places import call_of
from penstock.engine.plans import processed
from penstock.engine.protocol import Measure, Note
from penstock.engine.state import Call, Turn
from penstock.engine.variables import globals_of, last_attempt
from penstock.workflow import tags, when
from penstock.workflow.metrics import Gauge, Histogram, Measurement, Metric, Metrics, fault_of
from penstock.workflow.status import Node, NodeInputs, NodeType

__all__ = ["begun", "ended", "run_begun", "run_ended"]

_OF_TEMPLATES = (NodeType.POD, NodeType.HTTP, NodeType.DAG, NodeType.STEPS, NodeType.RETRY, NodeType.SUSPEND)
_IDLE = "0"
"""What a node has used of a resource: nothing is measured here."""

Scope = Mapping[str, str | None]


class _Uncountable(Exception):
    """A metric that cannot be counted; `str(error)` says why."""


def begun(turn: Turn, call: Call) -> None:
    """A node has begun: from now on its gauges in real time grow."""
    node = turn.nodes.get(call.id)
    if node is not None and call.template.metrics.prometheus:
        _count(turn, _metrics(turn, node), _of_node(turn, node), node, live=True)


def ended(turn: Turn, node: Node) -> None:
    """A node has ended: its metrics count."""
    if node.type in _OF_TEMPLATES and call_of(turn, node.id).template.metrics.prometheus:
        _count(turn, _metrics(turn, node), _of_node(turn, node), node, live=False)


def run_begun(turn: Turn) -> None:
    """The run has begun: its gauges in real time grow."""
    _count(turn, turn.workflow.spec.metrics, {}, None, live=True)


def run_ended(turn: Turn) -> None:
    """The run has ended: its own metrics count."""
    root = turn.nodes.get(turn.run.name)
    _count(turn, turn.workflow.spec.metrics, _of_node(turn, root) if root is not None else {}, None, live=False)


def _metrics(turn: Turn, node: Node) -> Metrics:
    return processed(turn, call_of(turn, node.id), node.inputs or NodeInputs()).metrics


def _of_node(turn: Turn, node: Node) -> dict[str, str | None]:
    """What the tags of a node's metrics stand for besides the globals."""
    finished = turn.now if node.finished_at is None else node.finished_at
    scope: dict[str, str | None] = {
        "duration": f"{finished - (node.started_at or finished):f}",
        "status": str(node.phase),
        "resourcesDuration.cpu": _IDLE,
        "resourcesDuration.memory": _IDLE,
    }
    if node.children:
        scope["retries"] = str(len(node.children) - 1)
    for parameter in node.inputs.parameters if node.inputs is not None else ():
        scope[f"inputs.parameters.{parameter.name}"] = parameter.value or ""
    outputs = node.outputs or last_attempt(turn, node).outputs
    if outputs is not None:
        made = {"outputs.result": outputs.result, "exitCode": outputs.exit_code}
        scope |= {name: value for name, value in made.items() if value is not None}
        scope |= {f"outputs.parameters.{each.name}": each.value or "" for each in outputs.parameters}
    return scope


def _count(turn: Turn, metrics: Metrics, own: Scope, node: Node | None, *, live: bool) -> None:
    if not metrics.prometheus:
        return
    passed = turn.now - (turn.started_at or turn.now)
    scope = {**globals_of(turn, exit=True), "workflow.duration": f"{passed:f}", **own}
    for metric in metrics.prometheus:
        if live and not (metric.gauge is not None and metric.gauge.realtime):
            continue
        try:
            measured = _measured(turn, metric, scope, node, live=live)
        except _Uncountable as error:
            turn.commands.append(Note(message=str(error), node_id=node.id if node is not None else ""))
            continue
        if measured is not None:
            turn.commands.append(Measure(measurement=measured))


def _measured(turn: Turn, metric: Metric, scope: Scope, node: Node | None, *, live: bool) -> Measurement | None:
    """What is to be counted; None where its `when` is false. Raises _Uncountable."""
    declared = metric.kind
    try:
        metric = msgspec.json.decode(tags.replace(msgspec.json.encode(metric).decode(), scope), type=Metric)
    except (tags.AbsentOptional, tags.Unresolved) as error:
        raise _Uncountable(f"unable to substitute parameters for metric '{metric.name}': {error}") from None
    fault, kind = fault_of(metric), metric.kind
    if fault or kind is None or declared is None:
        raise _Uncountable(fault or f"metric '{metric.name}': expected gauge, counter or histogram, got none of them")
    try:
        if not when.should_execute(metric.when):
            return None
    except when.WhenError as error:
        raise _Uncountable(f"unable to compute 'when' clause for metric '{metric.name}': {error}") from None
    try:
        buckets = tuple(map(float, kind.buckets)) if isinstance(kind, Histogram) else ()
        value = 0.0 if live else float(kind.value)
    except ValueError as error:
        raise _Uncountable(f"could not construct metric '{metric.name}': {error}") from None
    return Measurement(
        name=metric.name,
        help=metric.help,
        kind=type(kind).__name__.lower(),
        labels={label.key: label.value for label in metric.labels},
        value=value,
        operation=(kind.operation or "Set") if isinstance(kind, Gauge) else "Set",
        buckets=buckets,
        since=_since(turn, metric.name, declared.value, node) if live else None,
    )


def _since(turn: Turn, metric: str, value: str, node: Node | None) -> float:
    """Since when a gauge in real time grows. Raises _Uncountable for one of something else than a duration."""
    begun = {"workflow.duration": turn.started_at, "duration": node.started_at if node is not None else None}
    tag = value.strip().removeprefix("{{").removesuffix("}}").strip()
    since = begun.get(tag) if value.strip() != tag else None
    if since is None:
        raise _Uncountable(f"'{tag}' is not available as a real time metric: {metric}")
    return since
