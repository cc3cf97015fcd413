"""What the metrics of documents count up to, as Prometheus reads it."""

from __future__ import annotations

import logging

import pytest

from penstock.adapters.local import metrics
from penstock.adapters.local.metrics import Meters
from penstock.workflow.metrics import Measurement


def told(*measured: Measurement, now: float = 0.0) -> list[str]:
    """The lines of the exposition, without comments."""
    meters = Meters(lambda: now)
    for each in measured:
        meters.measure(each)
    return [line for line in meters.exposition().decode().splitlines() if not line.startswith("#")]


def test_kinds() -> None:
    counter = Measurement(name="runs", help="H", kind="counter", labels={"of": 'a "b"\n'}, value=2.0)
    gauge = Measurement(name="depth", help="H", kind="gauge", value=3.0)
    assert told(counter, counter, Measurement(name="runs", help="H", kind="counter", value=1.0)) == [
        'argo_workflows_runs_total{of="a \\"b\\"\\n"} 4.0',
        "argo_workflows_runs_total 1.0",
    ]
    more = [
        Measurement(name="depth", help="H", kind="gauge", value=1.5, operation=each) for each in ("Add", "Sub", "Add")
    ]
    assert told(gauge, *more) == ["argo_workflows_depth 4.5"]
    assert told(gauge, *more, gauge) == ["argo_workflows_depth 3.0"]


def test_only_counters_end_in_total() -> None:
    either = [Measurement(name=name, help="H", kind="counter", value=1.0) for name in ("runs", "runs_total")]
    assert told(*either) == ["argo_workflows_runs_total 2.0"]
    assert told(Measurement(name="x_total", help="H", kind="gauge", value=1.0)) == ["argo_workflows_x_total 1.0"]


def test_a_histogram_counts_what_is_at_most_as_great() -> None:
    values = [
        Measurement(name="p", help="H", kind="histogram", value=value, buckets=(1.0, 0.5)) for value in (0.5, 0.75, 9)
    ]
    assert told(*values) == [
        'argo_workflows_p_bucket{le="0.5"} 1.0',
        'argo_workflows_p_bucket{le="1.0"} 2.0',
        'argo_workflows_p_bucket{le="+Inf"} 3.0',
        "argo_workflows_p_count 3.0",
        "argo_workflows_p_sum 10.25",
    ]


def test_real_time_ends_with_a_value() -> None:
    began = Measurement(name="took", help="H", kind="gauge", since=10.0)
    assert told(began, now=12.5) == ["argo_workflows_took 2.5"]
    assert told(began, Measurement(name="took", help="H", kind="gauge", value=2.0), now=99.0) == [
        "argo_workflows_took 2.0"
    ]


def test_what_does_not_go_together_is_left_out(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "MOST", 2)
    first = Measurement(name="m", help="H", kind="gauge", value=1.0)
    with caplog.at_level(logging.WARNING):
        assert told(first, Measurement(name="m", help="other", kind="gauge", value=2.0)) == ["argo_workflows_m 1.0"]
        assert "it was declared before as a gauge with the help 'H'" in caplog.text
        long = Measurement(name="long", help="H", kind="gauge", labels={"n": "x" * 4000})
        many = Measurement(name="many", help="H", kind="histogram", buckets=tuple(map(float, range(101))))
        assert told(long, many) == []
        assert "make it smaller" in caplog.text
        labelled = [Measurement(name="m", help="H", kind="gauge", labels={"n": str(n)}) for n in range(3)]
        assert len(told(*labelled)) == 2
        assert "remove labels with many values" in caplog.text
