"""ROC curve: how true positives are paid for with false ones, as the threshold moves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from penstock.outputs.source import BadOutput, Output, number, shown
from penstock.outputs.view import View

__all__ = ["POINTS_LIMIT", "READ_LIMIT", "RocView", "read"]

POINTS_LIMIT = 5_000
"""Most points that are drawn; more are thinned out evenly, the ends kept. The area counts all."""

READ_LIMIT = 1_000_000
"""Most points that are read."""

ROUNDING = 1e-6
"""How far a rate may lie outside of 0 to 1: sums of floats do."""

Point = tuple[float, float, float | None]


class RocView(View, frozen=True, kw_only=True, tag="roc"):
    """`points` are (false positive rate, true positive rate, threshold); a threshold that is no number is None.

    `area` is that under the curve, by the trapezoid rule. `total` counts the points read, `truncated` says that not
    all of them are in `points`.
    """

    points: Sequence[Point]
    area: float
    truncated: bool = False
    total: int = 0


def read(output: Output) -> RocView:
    """A `roc` output: CSV, its columns named by `schema`. Raises BadOutput."""
    output.csv_only()
    points = list(islice(_points(output, *_columns(output.schema())), READ_LIMIT + 1))
    if len(points) > READ_LIMIT:
        raise BadOutput(f"content has over {READ_LIMIT:,} rows", expected=f"at most {READ_LIMIT:,} points of a curve")
    if len(points) < 2:
        raise BadOutput(f"content has {len(points)} rows", expected="at least two points of a curve")
    thin = _thinned(points)
    return RocView(
        title="ROC curve",
        points=thin,
        area=_area(points),
        truncated=len(thin) < len(points),
        total=len(points),
    )


def _columns(names: list[str]) -> tuple[int, int, int]:
    """Where false positive rate, true positive rate and threshold stand."""
    threshold = next((i for i, name in enumerate(names) if name.startswith("threshold")), None)
    if "fpr" not in names or "tpr" not in names or threshold is None:
        raise BadOutput(
            f"schema: got the columns {shown(names)}",
            expected="columns named fpr, tpr and one whose name begins with threshold",
        )
    return names.index("fpr"), names.index("tpr"), threshold


def _points(output: Output, fpr: int, tpr: int, threshold: int) -> Iterator[Point]:
    names = output.schema()
    for line, row in enumerate(output.rows(), 1):
        if line == 1 and row == names:
            continue  # a header, which the format does without
        if len(row) <= max(fpr, tpr, threshold):
            raise BadOutput(f"row {line}: got {shown(row)}", expected=f"{len(names)} cells, as schema names them")
        yield _rate(row[fpr], f"row {line}, fpr"), _rate(row[tpr], f"row {line}, tpr"), _threshold(row[threshold], line)


def _rate(text: str, where: str) -> float:
    value = number(text, where)
    if not -ROUNDING <= value <= 1 + ROUNDING:
        raise BadOutput(f"{where}: got {shown(text)}", expected=f"{where}: a rate from 0 to 1")
    return min(1.0, max(0.0, value))


def _threshold(text: str, line: int) -> float | None:
    """scikit-learn's first threshold is infinite: there is no such number in JSON."""
    try:
        value = float(text)
    except ValueError:
        raise BadOutput(f"row {line}, threshold: got {shown(text)}", expected="a number") from None
    return value if math.isfinite(value) else None


def _area(points: Sequence[Point]) -> float:
    ordered = sorted(points, key=lambda p: (p[0], p[1]))
    return math.fsum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(ordered))


def _thinned(points: list[Point]) -> list[Point]:
    if len(points) <= POINTS_LIMIT:
        return points
    step = (len(points) - 1) / (POINTS_LIMIT - 1)
    return [points[round(i * step)] for i in range(POINTS_LIMIT)]
