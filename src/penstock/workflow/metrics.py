"""Metrics that a document declares: what is counted when a template's node, or the run, has ended.

(Argo: `Prometheus` in `workflow_types.go`.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from penstock.workflow.parts import Part

__all__ = ["Counter", "Gauge", "Histogram", "Label", "Measurement", "Metric", "Metrics", "fault_of"]

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


class Label(Part, frozen=True, kw_only=True):
    """A label; its value may hold tags."""

    key: str = ""
    value: str = ""


class Gauge(Part, frozen=True, kw_only=True):
    """A value that is set, or with the operation `Add` or `Sub` changed. `realtime`: it grows while the node runs."""

    value: str = ""
    operation: str = ""
    realtime: bool = False


class Counter(Part, frozen=True, kw_only=True):
    """A sum, to which the value is added."""

    value: str = ""


class Histogram(Part, frozen=True, kw_only=True):
    """How many values were at most as great as each of the `buckets`."""

    value: str = ""
    buckets: tuple[str, ...] = ()


class Metric(Part, frozen=True, kw_only=True):
    """One metric: `gauge`, `counter` or `histogram` says of which kind. It is counted where `when` is true."""

    name: str = ""
    help: str = ""
    labels: tuple[Label, ...] = ()
    when: str = ""
    gauge: Gauge | None = None
    counter: Counter | None = None
    histogram: Histogram | None = None

    @property
    def kind(self) -> Gauge | Counter | Histogram | None:
        """What is counted."""
        return self.gauge or self.counter or self.histogram


class Metrics(Part, frozen=True, kw_only=True):
    """The metrics of a template, or of a workflow."""

    prometheus: tuple[Metric, ...] = ()


class Measurement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A metric with its value, every tag replaced. `kind` is `gauge`, `counter` or `histogram`.

    `operation` is that of a gauge (`Set`, `Add`, `Sub`). With `since`, seconds on the host's clock, its value is the
    time that has passed since then.
    """

    name: str
    help: str
    kind: str
    labels: Mapping[str, str] = {}
    value: float = 0.0
    operation: str = "Set"
    buckets: tuple[float, ...] = ()
    since: float | None = None


def fault_of(metric: Metric) -> str:
    """What Argo's validation says against a metric, "" where it says nothing."""
    if not _NAME.match(metric.name):
        return f"metric name '{metric.name}' is invalid. Metric names must contain alphanumeric characters or '_'"
    for label in metric.labels:
        if not _NAME.match(label.key):
            return f"metric label '{label.key}' is invalid: keys may only contain alphanumeric characters or '_'"
    if not metric.help:
        return f"metric '{metric.name}' must contain a help string under 'help: ' field"
    for name, kind in (("gauge", metric.gauge), ("counter", metric.counter), ("histogram", metric.histogram)):
        if kind is not None and not kind.value:
            return f"metric '{metric.name}' error: missing {name}.value"
    if metric.gauge is not None and metric.gauge.realtime and "resourcesDuration." in metric.gauge.value:
        return f"metric '{metric.name}' error: 'resourcesDuration.*' metrics cannot be used in real-time"
    return ""
