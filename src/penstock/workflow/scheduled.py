"""The typed ScheduledWorkflow: a workflow, and when it is run. API `kubeflow.org/v1beta1`.

`timeZone` and `overlapPolicy` are Penstock's own; Kubeflow's controller does not read them, and takes one time zone for
all schedules, from its setting CRON_SCHEDULE_TIMEZONE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

__all__ = [
    "API_VERSION",
    "CronSchedule",
    "Overlap",
    "PeriodicSchedule",
    "ScheduleSpec",
    "ScheduledWorkflow",
    "Trigger",
    "Value",
    "WorkflowSource",
]

API_VERSION: Literal["kubeflow.org/v1beta1"] = "kubeflow.org/v1beta1"

Overlap = Literal["wait", "skip", "replace", "latest-only"]
"""What becomes of a run that is due while as many as may run at once do so: it waits, it is left out, it takes the
place of the oldest, or it waits and takes the place of those that wait."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """JSON keys in camel case; a field at its default is left out."""


class CronSchedule(_Part, frozen=True, kw_only=True):
    """By the clock. Times are RFC 3339; `cron` has six fields, seconds first."""

    cron: str
    time_zone: str = "UTC"
    start_time: str | None = None
    end_time: str | None = None


class PeriodicSchedule(_Part, frozen=True, kw_only=True):
    """Every so many seconds."""

    interval_second: int
    start_time: str | None = None
    end_time: str | None = None


class Trigger(_Part, frozen=True, kw_only=True):
    """One of the two."""

    cron_schedule: CronSchedule | None = None
    periodic_schedule: PeriodicSchedule | None = None


class Value(_Part, frozen=True, kw_only=True):
    """A parameter's value."""

    name: str
    value: str


class WorkflowSource(_Part, frozen=True, kw_only=True):
    """What is run: a Workflow's spec, and values that take the place of its own, if any."""

    spec: Mapping[str, Any]
    parameters: Sequence[Value] | None = None


class ScheduleSpec(_Part, frozen=True, kw_only=True):
    """When and how often. At most `max_concurrency` runs go on at once; `no_catchup` leaves missed times out."""

    enabled: bool
    max_concurrency: int
    no_catchup: bool
    overlap_policy: Overlap = "wait"
    trigger: Trigger
    workflow: WorkflowSource


class ScheduledWorkflow(_Part, frozen=True, kw_only=True):
    """The document. Kubeflow's cluster takes none without a status."""

    api_version: Literal["kubeflow.org/v1beta1"]
    kind: Literal["ScheduledWorkflow"]
    metadata: Mapping[str, Any]
    spec: ScheduleSpec
    status: Mapping[str, Any]
