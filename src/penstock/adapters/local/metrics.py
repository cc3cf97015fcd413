"""What the metrics of documents count up to, as long as this process lives. (Argo keeps its own in memory, too.)"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock.workflow.metrics import Measurement

if TYPE_CHECKING:  # the library is loaded by the first who asks
    from prometheus_client.core import Metric

__all__ = ["Meters"]

MOST = 10_000
"""Series, labels with their values, that are kept: documents of strangers must not fill the memory."""
LONGEST, MOST_BUCKETS = 4000, 100
"""Characters of a name, a help and the labels of a series together; buckets of a histogram."""
_PREFIX = "argo_workflows_"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Those of a histogram that names none."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Series:
    """The value for some labels: of a histogram the sum, with `counts` of the values up to each bucket, and beyond."""

    value: float = 0.0
    since: float | None = None
    counts: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Meter:
    help: str
    kind: str
    buckets: tuple[float, ...]
    series: dict[tuple[tuple[str, str], ...], _Series] = field(default_factory=dict)


class Meters:
    """Implements `ports.Meters`; for use from any thread. `now` is the clock of the measurements' times."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._meters: dict[str, _Meter] = {}
        self._count = 0
        self._lock = threading.Lock()

    def measure(self, measured: Measurement) -> None:
        """See `ports.Meters`."""
        with self._lock:
            reason = self._take(measured)
        if reason:
            log.warning("metric %r is not counted: %s", measured.name, reason)

    def _take(self, measured: Measurement) -> str:
        buckets = tuple(sorted(measured.buckets)) or (_BUCKETS if measured.kind == "histogram" else ())
        texts = (measured.name, measured.help, *measured.labels, *measured.labels.values())
        if sum(map(len, texts)) > LONGEST or len(buckets) > MOST_BUCKETS:
            return f"over {LONGEST:,} characters of name, help and labels, or {MOST_BUCKETS} buckets; make it smaller"
        name = measured.name.removesuffix("_total") if measured.kind == "counter" else measured.name
        meter = self._meters.get(name) or _Meter(measured.help, measured.kind, buckets)
        if (meter.help, meter.kind, meter.buckets) != (measured.help, measured.kind, buckets):
            return f"it was declared before as a {meter.kind} with the help {meter.help!r}"
        labels = tuple(sorted(measured.labels.items()))
        series = meter.series.get(labels)
        if series is None:
            if self._count >= MOST:
                return f"there are {MOST:,} series; remove labels with many values"
            self._count += 1
            self._meters[name] = meter
            series = meter.series[labels] = _Series(counts=[0] * (len(buckets) + 1))
        _counted(series, meter, measured)
        return ""

    def exposition(self) -> bytes:
        """See `ports.Meters`."""
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """What the library asks for."""
        from prometheus_client.core import Metric

        with self._lock:
            for name, meter in self._meters.items():
                found = Metric(_PREFIX + name, meter.help, meter.kind)
                for labels, series in meter.series.items():
                    for suffix, more, value in self._samples(meter, series):
                        found.add_sample(found.name + suffix, {**dict(labels), **more}, value)
                yield found

    def _samples(self, meter: _Meter, series: _Series) -> Iterator[tuple[str, dict[str, str], float]]:
        if meter.kind == "counter":
            yield "_total", {}, series.value
        elif meter.kind == "gauge":
            yield "", {}, series.value if series.since is None else self._now() - series.since
        else:
            total = 0
            for edge, count in zip((*map(str, meter.buckets), "+Inf"), series.counts, strict=True):
                total += count
                yield "_bucket", {"le": edge}, total
            yield "_count", {}, total
            yield "_sum", {}, series.value


def _counted(series: _Series, meter: _Meter, measured: Measurement) -> None:
    series.since = measured.since
    if meter.kind == "histogram":
        series.counts[bisect_left(meter.buckets, measured.value)] += 1
        series.value += measured.value
    elif meter.kind == "counter" or measured.operation == "Add":
        series.value += measured.value
    elif measured.operation == "Sub":
        series.value -= measured.value
    else:
        series.value = measured.value
