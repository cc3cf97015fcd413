"""Confusion matrix: how often each class was taken for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.outputs.source import BadOutput, Output, number, shown, text_of
from penstock.outputs.view import View

__all__ = ["LABELS_LIMIT", "ConfusionMatrixView", "read"]

LABELS_LIMIT = 200
"""Most classes of one matrix."""


class ConfusionMatrixView(View, frozen=True, kw_only=True, tag="confusion_matrix"):
    """`matrix[t][p]` counts the samples of class `labels[t]` that were taken for `labels[p]`."""

    labels: Sequence[str]
    matrix: Sequence[Sequence[float]]
    target_name: str = "target"
    predicted_name: str = "predicted"


def read(output: Output) -> ConfusionMatrixView:
    """A `confusion_matrix` output: CSV rows target, predicted, count, one for each pair of labels. Raises BadOutput."""
    output.csv_only()
    labels, names = output.names("labels"), output.schema()
    _check(labels, names)
    return ConfusionMatrixView(
        title="Confusion matrix",
        labels=[text_of(label) for label in labels],
        matrix=_matrix(output, {label: i for i, label in enumerate(labels)}, names),
        target_name=text_of(names[0]),
        predicted_name=text_of(names[1]),
    )


def _check(labels: list[str], names: list[str]) -> None:
    if not labels or len(labels) > LABELS_LIMIT:
        raise BadOutput(f"labels: got {len(labels)} of them", expected=f"1 to {LABELS_LIMIT} labels")
    if len(set(labels)) < len(labels):
        raise BadOutput(f"labels: got {shown(labels)}", expected="labels that differ from each other")
    if len(names) < 2:
        raise BadOutput(f"schema: got the columns {shown(names)}", expected="columns for target, predicted and count")


def _matrix(output: Output, places: Mapping[str, int], names: list[str]) -> list[list[float]]:
    cells: dict[tuple[int, int], float] = {}
    for line, row in enumerate(output.rows(), 1):
        if line == 1 and row == names:
            continue  # a header, which the format does without
        target, predicted, count = _cell(row, line, places)
        if (target, predicted) in cells:
            raise BadOutput(f"row {line}: {shown(row)} is there twice", expected="each pair of labels once")
        cells[target, predicted] = count
    if len(cells) != len(places) ** 2:
        raise BadOutput(
            f"content has {len(cells)} rows for {len(places)} labels",
            expected=f"{len(places) ** 2} rows: each label against each",
        )
    order = range(len(places))
    return [[cells[target, predicted] for predicted in order] for target in order]


def _cell(row: list[str], line: int, places: Mapping[str, int]) -> tuple[int, int, float]:
    if len(row) != 3:
        raise BadOutput(f"row {line}: got {shown(row)}", expected="target, predicted, count")
    for label in row[:2]:
        if label not in places:
            raise BadOutput(f"row {line}: label {shown(label)}", expected=f"one of labels: {shown([*places])}")
    return places[row[0]], places[row[1]], number(row[2], f"row {line}, count")
