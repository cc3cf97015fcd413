"""Values of the use cases → shapes of the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from penstock import ports
from penstock.server import wire

__all__ = ["experiment", "pipeline", "rfc3339", "run", "version"]


def rfc3339(seconds: float | None) -> str:
    """Seconds since the epoch as `2026-01-31T12:00:00.000000Z`; "" for None."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def experiment(value: ports.Experiment) -> wire.Experiment:
    """An experiment."""
    return wire.Experiment(
        experiment_id=value.id,
        display_name=value.name,
        description=value.description,
        created_at=rfc3339(value.created_at),
        last_run_created_at=rfc3339(value.last_run_created_at),
        storage_state=value.storage_state,
    )


def pipeline(value: ports.Pipeline) -> wire.Pipeline:
    """A pipeline."""
    return wire.Pipeline(
        pipeline_id=value.id,
        name=value.name,
        display_name=value.display_name,
        description=value.description,
        created_at=rfc3339(value.created_at),
        latest_version_id=value.latest_version_id,
    )


def version(value: ports.PipelineVersion, document: Mapping[str, Any] | None = None) -> wire.PipelineVersion:
    """A pipeline version, with its document where that was asked for."""
    return wire.PipelineVersion(
        pipeline_id=value.pipeline_id,
        pipeline_version_id=value.id,
        name=value.name,
        display_name=value.display_name,
        description=value.description,
        created_at=rfc3339(value.created_at),
        pipeline_spec=document,
        inputs=msgspec.json.decode(value.inputs, type=Sequence[wire.InputSpec]),
    )


def run(value: ports.Run) -> wire.Run:
    """A run."""
    return wire.Run(
        run_id=value.id,
        display_name=value.name,
        description=value.description,
        experiment_id=value.experiment_id,
        storage_state=value.storage_state,
        state=value.state,
        pipeline_version_reference=_reference(value),
        runtime_config=wire.RuntimeConfig(parameters=value.parameters),
        created_at=rfc3339(value.created_at),
        scheduled_at=rfc3339(value.created_at),
        started_at=rfc3339(value.started_at),
        finished_at=rfc3339(value.finished_at),
        error=_error(value),
        phase=value.phase,
        message=value.message,
        workflow_name=value.workflow_name,
        pipeline_name=value.pipeline_name,
        progress=msgspec.convert(value.progress, wire.Progress, from_attributes=True),
        metrics=[_metric(metric) for metric in value.metrics],
    )


def _reference(value: ports.Run) -> wire.VersionReference | None:
    if not value.pipeline_version_id:
        return None
    return wire.VersionReference(pipeline_id=value.pipeline_id, pipeline_version_id=value.pipeline_version_id)


def _error(value: ports.Run) -> wire.Status | None:
    failed = value.state is ports.RunState.FAILED and value.message
    return wire.Status(code=2, message=value.message) if failed else None


def _metric(value: ports.Metric) -> wire.Metric:
    return wire.Metric(
        name=value.name, node_id=value.node_id, value=value.value, format=value.format, step=value.display_name
    )
