"""`mlpipeline-metrics.json`: `{"metrics": [{"name": …, "numberValue": …, "format": …}, …]}` → numbers of a run."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from penstock.outputs.envelope import decoded
from penstock.outputs.source import BadOutput, shown, text_of

__all__ = ["METRICS_LIMIT", "Metric", "MetricsReading", "read_metrics"]

METRICS_LIMIT = 50
"""Most metrics of one file, as Kubeflow Pipelines has it for a run."""

NAME = re.compile(r"[a-zA-Z]([-_a-zA-Z0-9]{0,62}[a-zA-Z0-9])?")
"""What Kubeflow Pipelines takes for the name of a metric."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A number that a step reports. `value` None is a NaN or an infinity. `format` is RAW or PERCENTAGE.

    `display` is the value for a person: four significant digits, a PERCENTAGE times 100.
    """

    name: str
    value: float | None
    format: str = "RAW"
    display: str = ""


class MetricsReading(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics of a file, and in words what was wrong with it. A wrong metric never loses the others."""

    metrics: tuple[Metric, ...] = ()
    problems: tuple[str, ...] = ()


def read_metrics(data: bytes) -> MetricsReading:
    """The metrics of a step's `mlpipeline-metrics.json`. Never raises, whatever `data` is."""
    metrics: dict[str, Metric] = {}
    problems: list[str] = []
    try:
        entries = _entries(data)
    except BadOutput as error:
        return MetricsReading(problems=(text_of(f"{error}; expected {error.expected}"),))
    for entry in entries[:METRICS_LIMIT]:
        try:
            metric = _metric(entry, problems)
        except BadOutput as error:
            problems.append(text_of(f"{error}; expected {error.expected}; left out"))
            continue
        if metrics.setdefault(metric.name, metric) is not metric:
            problems.append(f"metric {metric.name!r} is there twice; the first counts")
    if len(entries) > METRICS_LIMIT:
        problems.append(f"{len(entries):,} metrics; the first {METRICS_LIMIT} are kept")
    return MetricsReading(metrics=tuple(metrics.values()), problems=tuple(problems))


def _entries(data: bytes) -> list[Any]:
    document = decoded(data, "mlpipeline-metrics.json")
    entries = document.get("metrics") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise BadOutput(
            f"mlpipeline-metrics.json: got {shown(document)}",
            expected='{"metrics": [{"name": …, "numberValue": …}, …]}',
        )
    return entries


def _metric(entry: Any, problems: list[str]) -> Metric:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadOutput(
            f"metric name: got {shown(name if isinstance(entry, dict) else entry)}",
            expected="a letter, then letters, digits, - and _, at most 64 in all",
        )
    value = _value(entry.get("numberValue", entry.get("number_value")), name)
    if not math.isfinite(value):
        word = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        problems.append(f"metric '{name}' is {word}; stored as null, flagged.")
    form = _format(entry.get("format"), name, problems)
    kept = value if math.isfinite(value) else None
    return Metric(name=name, value=kept, format=form, display=_display(kept, form))


def _value(value: Any, name: str) -> float:
    """A number, or a text that spells one: proto JSON, which this format comes from, allows both."""
    try:
        if not isinstance(value, bool) and isinstance(value, (int, float, str)):
            return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except ValueError:
        pass
    raise BadOutput(f"metric '{name}': numberValue: got {shown(value)}", expected="a number")


def _format(value: Any, name: str, problems: list[str]) -> str:
    if value is None or value in ("RAW", "PERCENTAGE", "UNSPECIFIED"):
        return "PERCENTAGE" if value == "PERCENTAGE" else "RAW"
    problems.append(text_of(f"metric '{name}': format: got {shown(value)}, expected RAW or PERCENTAGE; taken as RAW"))
    return "RAW"


def _display(value: float | None, form: str) -> str:
    if value is None:
        return "–"
    return f"{_four_digits(value * 100)} %" if form == "PERCENTAGE" else _four_digits(value)


def _four_digits(value: float) -> str:
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3e}"
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
