"""Values to rows and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

import msgspec

from penstock.ports import (
    Experiment,
    Intent,
    Metric,
    NodeRow,
    Pipeline,
    PipelineVersion,
    Progress,
    Run,
    RunEvent,
    RunState,
    StorageState,
    Value,
)
from penstock.workflow.status import Node

__all__ = [
    "event",
    "event_row",
    "metric",
    "metric_rows",
    "node",
    "node_row",
    "plain",
    "plain_row",
    "run",
    "run_row",
]

Row = Sequence[Any]
V = TypeVar("V", Experiment, Pipeline, PipelineVersion, Intent)

_EXPANDED = {"parameters", "metrics", "progress", "options"}
_node_decoder = msgspec.json.Decoder(Node)
_encode = msgspec.json.Encoder().encode


def plain_row(value: Value) -> dict[str, Any]:
    """A row of a value whose fields are the table's columns."""
    return {k: v.value if isinstance(v, Enum) else v for k, v in msgspec.structs.asdict(value).items()}


def plain(type_: type[V], row: Row) -> V:
    """The value of such a row; the columns stand in the order of the fields."""
    return msgspec.convert(dict(zip(type_.__struct_fields__, row, strict=True)), type_)


def run_row(value: Run) -> dict[str, Any]:
    """The run's row, without its metrics."""
    row = {k: v for k, v in plain_row(value).items() if k not in _EXPANDED}
    return {
        **row,
        "parameters": _encode(value.parameters).decode(),
        "options": value.options,
        **msgspec.structs.asdict(value.progress),
    }


def run(row: Mapping[str, Any], metrics: Iterable[Metric]) -> Run:
    """The run of a row with the columns' names."""
    fields = dict(row)
    counts = {name: fields.pop(name) for name in Progress.__struct_fields__}
    fields["parameters"] = msgspec.json.decode(fields["parameters"])
    fields["state"] = RunState(fields["state"])
    fields["storage_state"] = StorageState(fields["storage_state"])
    return Run(**fields, progress=Progress(**counts), metrics=tuple(metrics))


def metric_rows(value: Run) -> list[dict[str, Any]]:
    """Rows of the run's metrics, in their order."""
    return [{"run_id": value.id, "position": i, **plain_row(m)} for i, m in enumerate(value.metrics)]


def metric(row: Row) -> Metric:
    """The metric of a row (name, node id, value, format, display name)."""
    return Metric(name=row[0], node_id=row[1], value=row[2], format=row[3], display_name=row[4])


def node_row(value: NodeRow) -> dict[str, Any]:
    """A node's row; `position` is given by the database."""
    node = value.node
    return {
        "run_id": value.run_id,
        "node_id": node.id,
        "name": node.name,
        "display_name": node.display_name,
        "type": node.type.value,
        "phase": node.phase.value,
        "template_name": node.template_name,
        "started_at": node.started_at,
        "finished_at": node.finished_at,
        "incarnation": value.incarnation,
        "body": _encode(node).decode(),
    }


def node(row: Row) -> NodeRow:
    """The node of a row (run id, incarnation, body)."""
    return NodeRow(run_id=row[0], incarnation=row[1], node=_node_decoder.decode(row[2]))


def event_row(value: RunEvent) -> dict[str, Any]:
    """An event's row."""
    row = {name: getattr(value, name) for name in ("run_id", "seq", "kind", "at")}
    return {**row, "data": _encode(value.data).decode()}


def event(row: Row) -> RunEvent:
    """The event of a row (run id, seq, kind, time, data)."""
    return RunEvent(run_id=row[0], seq=row[1], kind=row[2], at=row[3], data=msgspec.json.decode(row[4]))
