"""A pipeline and when it is run → a ScheduledWorkflow document."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from penstock.compiler.dialects import PENSTOCK, Dialect
from penstock.compiler.document import compile_pipeline
from penstock.dsl import types
from penstock.dsl.naming import output_name
from penstock.dsl.pipelines import Pipeline
from penstock.dsl.schedules import Schedule
from penstock.errors import InvalidParameter, InvalidPipeline, InvalidSetting
from penstock.settings import parse_duration
from penstock.workflow.cron import check_often, check_zone, cron_fields
from penstock.workflow.scheduled import (
    API_VERSION,
    CronSchedule,
    Overlap,
    PeriodicSchedule,
    ScheduledWorkflow,
    ScheduleSpec,
    Trigger,
    Value,
    WorkflowSource,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Schedule", "compile_schedule", "read_workflow", "scheduled"]

_MOST_AT_ONCE = 10
_DAY = 86_400


def compile_schedule(
    pipeline: Pipeline | Callable[..., Any], schedule: Schedule | None = None, *, dialect: Dialect = PENSTOCK
) -> dict[str, Any]:
    """The ScheduledWorkflow of a pipeline, as JSON-able values; `schedule` stands in for the pipeline's own.

    Raises InvalidPipeline for what cannot be compiled, a wrong schedule, and a pipeline that has none.
    """
    if not isinstance(pipeline, Pipeline):
        pipeline = Pipeline(pipeline)
    when = schedule or pipeline.schedule
    if when is None:
        raise InvalidPipeline(f"{pipeline.place}: pipeline '{pipeline.spec.name}' has no schedule; give it one")
    return scheduled(compile_pipeline(pipeline, dialect=dialect), when, pipeline.place)


def read_workflow(text: str | bytes, source: str) -> dict[str, Any]:
    """The Workflow in a file of the name `source`, as JSON-able values. Raises InvalidDocument, TooLarge."""
    from penstock.workflow import load

    return dict(load(text, source=source).raw)


def scheduled(document: dict[str, Any], schedule: Schedule, place: str) -> dict[str, Any]:
    """A Workflow document, to be run by a schedule. Raises InvalidPipeline, at its place or `place`."""
    try:
        spec = ScheduleSpec(
            trigger=_trigger(schedule, datetime.now(UTC)),
            workflow=WorkflowSource(spec=document["spec"], parameters=_values(schedule, document) or None),
            enabled=True,
            max_concurrency=_at_once(schedule),
            no_catchup=not schedule.catchup,
            overlap_policy=_overlap(schedule),
        )
    except InvalidParameter as error:
        raise InvalidPipeline(f"{schedule.place or place}: {error}") from None
    metadata = {**document["metadata"]}
    own, generated = metadata.pop("name", ""), metadata.pop("generateName", "")
    made = ScheduledWorkflow(
        api_version=API_VERSION,
        kind="ScheduledWorkflow",
        metadata={"name": own or generated.removesuffix("-"), **metadata},
        spec=spec,
        status={},
    )
    found: dict[str, Any] = msgspec.to_builtins(made)
    return found


def _trigger(schedule: Schedule, now: datetime) -> Trigger:
    if (schedule.cron is None) == (schedule.every is None):
        raise InvalidParameter("a schedule is given by cron or by every: one of them")
    bounds = {"start_time": _time(schedule.start, "start"), "end_time": _time(schedule.end, "end")}
    if schedule.cron is None:
        return Trigger(periodic_schedule=PeriodicSchedule(interval_second=_seconds(schedule), **bounds))
    fields = cron_fields(schedule.cron, high_frequency=schedule.allow_high_frequency)
    check_zone(schedule.zone, fields, now)
    return Trigger(cron_schedule=CronSchedule(cron=fields, time_zone=schedule.zone, **bounds))


def _seconds(schedule: Schedule) -> int:
    try:
        seconds = parse_duration(str(schedule.every))
    except InvalidSetting as error:
        raise InvalidParameter(f"every: {error}") from None
    if seconds < 1 or seconds != int(seconds):
        raise InvalidParameter(f"every: expected a whole number of seconds, at least 1; got {schedule.every!r}")
    if not schedule.allow_high_frequency:
        check_often(int(_DAY / seconds), f"every={schedule.every!r}")
    return int(seconds)


def _time(time: datetime | None, what: str) -> str | None:
    if time is None:
        return None
    if time.tzinfo is None:
        raise InvalidParameter(f"{what}: {time} has no time zone; give it one, for example tzinfo=ZoneInfo('UTC')")
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _at_once(schedule: Schedule) -> int:
    number = schedule.max_concurrency
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= _MOST_AT_ONCE:
        raise InvalidParameter(f"max_concurrency: expected an integer from 1 to {_MOST_AT_ONCE}, got {number!r}")
    return number


def _overlap(schedule: Schedule) -> Overlap:
    known = get_args(Overlap)
    if schedule.overlap not in known:
        raise InvalidParameter(f"overlap: expected one of {', '.join(known)}, got {schedule.overlap!r}")
    return schedule.overlap


def _values(schedule: Schedule, document: dict[str, Any]) -> list[Value]:
    """The arguments as texts. Raises InvalidParameter for unknown and missing ones, and for values of another type."""
    known = {each["name"]: each for each in document["spec"].get("arguments", {}).get("parameters", ())}
    kinds = _types(document["metadata"].get("annotations", {}).get("pipelines.kubeflow.org/pipeline_spec", ""))
    for name in schedule.arguments:
        if name not in known:
            raise InvalidParameter(f"arguments: Unknown parameter '{name}'. Known: {', '.join(known) or 'none'}.")
    for name, parameter in known.items():
        if "value" not in parameter and name not in schedule.arguments:
            raise InvalidParameter(f"Missing required parameter '{name}'; a schedule needs a value for it (arguments)")
    return [
        Value(name=name, value=types.checked_text(value, kinds.get(name), what=f"'{name}'"))
        for name, value in schedule.arguments.items()
    ]


def _types(told: str) -> dict[str, Any]:
    """The types of parameters, by what a document says of its pipeline (JSON); none where it says nothing readable."""
    try:
        ports = json.loads(told)["inputs"]
        return {output_name(port["name"]): port.get("type") for port in ports}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}
