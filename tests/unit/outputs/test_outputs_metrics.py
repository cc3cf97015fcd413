"""`read_metrics`: a wrong metric is said in words and never loses the others."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.outputs import Metric, MetricsReading, read_metrics
from penstock.outputs.metrics import METRICS_LIMIT


def read(*metrics: Any) -> MetricsReading:
    return read_metrics(json.dumps({"metrics": metrics}).encode())


def test_a_raw_and_a_percentage() -> None:
    reading = read(
        {"name": "accuracy-score", "numberValue": 0.93051, "format": "PERCENTAGE"},
        {"name": "loss", "numberValue": 12, "format": "RAW"},
        {"name": "f1", "numberValue": "0.5"},
    )
    assert reading == MetricsReading(
        metrics=(
            Metric(name="accuracy-score", value=0.93051, format="PERCENTAGE", display="93.05 %"),
            Metric(name="loss", value=12.0, format="RAW", display="12"),
            Metric(name="f1", value=0.5, format="RAW", display="0.5"),
        )
    )


def test_a_nan_is_null_and_flagged_and_the_others_are_kept() -> None:
    data = b'{"metrics": [{"name": "auc", "numberValue": NaN}, {"name": "loss", "numberValue": 0.1}]}'
    reading = read_metrics(data)
    assert [(m.name, m.value) for m in reading.metrics] == [("auc", None), ("loss", 0.1)]
    assert reading.problems == ("metric 'auc' is NaN; stored as null, flagged.",)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("NaN", "NaN"),
        ('"NaN"', "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ('"-Infinity"', "-Infinity"),
        ("1e999", "Infinity"),
        ("-1" + "0" * 400, "-Infinity"),
    ],
)
def test_values_that_json_has_no_number_for(text: str, word: str) -> None:
    reading = read_metrics(f'{{"metrics": [{{"name": "auc", "numberValue": {text}}}]}}'.encode())
    assert reading.metrics == (Metric(name="auc", value=None, display="–"),)
    assert reading.problems == (f"metric 'auc' is {word}; stored as null, flagged.",)


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        ({"name": "1st", "numberValue": 1}, 'metric name: got "1st"; expected a letter'),
        ({"name": "x" * 65, "numberValue": 1}, "metric name: got"),
        ({"numberValue": 1}, "metric name: got null"),
        ("accuracy", 'metric name: got "accuracy"'),
        ({"name": "x"}, "metric 'x': numberValue: got null; expected a number"),
        ({"name": "x", "numberValue": True}, "metric 'x': numberValue: got true"),
        ({"name": "x", "numberValue": "much"}, "metric 'x': numberValue: got \"much\""),
    ],
)
def test_a_metric_that_is_none_is_left_out_with_a_reason(metric: Any, problem: str) -> None:
    reading = read(metric, {"name": "good", "numberValue": 1})
    assert [m.name for m in reading.metrics] == ["good"]
    assert problem in reading.problems[0]


def test_an_unknown_format_is_raw() -> None:
    reading = read({"name": "x", "numberValue": 1, "format": "ROMAN"})
    assert reading.metrics[0].format == "RAW"
    assert 'format: got "ROMAN"' in reading.problems[0]


def test_of_two_with_one_name_the_first_counts() -> None:
    reading = read({"name": "x", "numberValue": 1}, {"name": "x", "numberValue": 2})
    assert [m.value for m in reading.metrics] == [1]
    assert "there twice" in reading.problems[0]


def test_at_most_fifty() -> None:
    reading = read(*({"name": f"m{i}", "numberValue": i} for i in range(METRICS_LIMIT + 10)))
    assert len(reading.metrics) == METRICS_LIMIT
    assert reading.problems == ("60 metrics; the first 50 are kept",)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"metrics": 1}', b"[" * 50_000, b"\xff"])
def test_a_file_that_is_wrong_is_one_problem(data: bytes) -> None:
    reading = read_metrics(data)
    assert reading.metrics == ()
    assert len(reading.problems) == 1


@pytest.mark.parametrize(
    ("value", "display"),
    [(0, "0"), (0.123456, "0.1235"), (1234.56, "1235"), (0.00001234, "1.234e-05"), (7e9, "7.000e+09"), (10, "10")],
)
def test_a_value_for_a_person_has_four_digits(value: float, display: str) -> None:
    assert read({"name": "x", "numberValue": value}).metrics[0].display == display


@given(st.binary() | st.recursive(st.floats() | st.text() | st.none(), st.lists).map(json.dumps).map(str.encode))
def test_any_bytes_are_a_reading(data: bytes) -> None:
    msgspec.json.encode(read_metrics(data))


@given(
    st.lists(
        st.fixed_dictionaries(
            {"name": st.sampled_from("abcd") | st.text(), "numberValue": st.floats() | st.integers() | st.text()},
            optional={"format": st.sampled_from(["RAW", "PERCENTAGE"]) | st.text()},
        )
    )
)
def test_every_metric_is_kept_or_named_in_a_problem(metrics: list[dict[str, Any]]) -> None:
    reading = read(*metrics)
    assert all(m.value is None or math.isfinite(m.value) for m in reading.metrics)
    assert len(reading.metrics) + len(reading.problems) >= len(metrics[:METRICS_LIMIT])
    msgspec.json.encode(reading)
