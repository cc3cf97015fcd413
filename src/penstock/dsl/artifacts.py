"""Artifacts as a function component handles them: a file, and what is said of it.

This file is also the run-time of typed components: its text goes along in their programs, so it needs Python 3.8 and
the standard library, nothing else.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "HTML",
    "Artifact",
    "ClassificationMetrics",
    "Dataset",
    "Markdown",
    "Metrics",
    "Model",
    "SlicedClassificationMetrics",
]

LIMIT = 131071
"""Most bytes of what a step says of its outputs: more cannot be handed to another step's command line."""

_POINTS = 500
_VALUE = 1000
_SLICE = "sliceClassificationMetrics"


class Artifact:
    """A file at `path`, with facts about it in `metadata` (JSON values), which go with it to the steps that read it.

    `uri` is the file, or an address that the step that made it gave instead. Outside of a step, `Dataset(uri="x.csv")`
    makes one for calling a component's function.
    """

    schema_title = "system.Artifact"

    def __init__(self, name: str = "", uri: str = "", metadata: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.uri = uri
        self.path = uri
        self.metadata: dict[str, Any] = dict(metadata or {})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, uri={self.uri!r}, metadata={self.metadata!r})"

    def facts(self) -> dict[str, Any]:
        """What is said of the artifact, as KFP 2 has it in executor_output.json."""
        kind = {"schemaTitle": self.schema_title, "schemaVersion": "0.0.1"}
        return {"name": self.name, "uri": self.uri, "type": kind, "metadata": self.metadata}

    def numbers(self) -> dict[str, float]:
        """What is shown as metrics of the run."""
        return {}

    def views(self) -> list[dict[str, Any]]:
        """What pages show of the artifact: entries of mlpipeline-ui-metadata.json."""
        return []


class Dataset(Artifact):
    """Data."""

    schema_title = "system.Dataset"


class Model(Artifact):
    """A trained model."""

    schema_title = "system.Model"

    @property
    def framework(self) -> str:
        """What made the model, for example `scikit-learn`; kept in `metadata`."""
        return str(self.metadata.get("framework", ""))

    @framework.setter
    def framework(self, framework: str) -> None:
        self.metadata["framework"] = framework


class Metrics(Artifact):
    """Numbers, which are shown with the run. Nothing need be written to `path`."""

    schema_title = "system.Metrics"

    def log_metric(self, metric: str, value: float) -> None:
        """Say that `metric` has that value; a later value takes the place of an earlier one."""
        self.metadata[metric] = float(value)

    def numbers(self) -> dict[str, float]:
        return self.metadata


class ClassificationMetrics(Artifact):
    """A ROC curve and a confusion matrix, which are drawn on the run's page. Nothing need be written to `path`."""

    schema_title = "system.ClassificationMetrics"

    def log_roc_data_point(self, fpr: float, tpr: float, threshold: float) -> None:
        """One point: rate of false positives, rate of true positives, and the threshold that gives them."""
        point = {"confidenceThreshold": float(threshold), "recall": float(tpr), "falsePositiveRate": float(fpr)}
        self.metadata.setdefault("confidenceMetrics", []).append(point)

    def log_roc_curve(self, fpr: Sequence[float], tpr: Sequence[float], threshold: Sequence[float]) -> None:
        """All points of a curve, as `sklearn.metrics.roc_curve` gives them. Raises ValueError for unequal lengths.

        Readers of the artifact get at most 500 of them in `metadata`, evenly taken out, both ends kept.
        """
        if not len(fpr) == len(tpr) == len(threshold):
            raise ValueError(f"expected three equal lengths, got {len(fpr)}, {len(tpr)}, {len(threshold)}")
        for point in zip(fpr, tpr, threshold):
            self.log_roc_data_point(*point)

    def set_confusion_matrix_categories(self, categories: Sequence[str]) -> None:
        """The names of the classes; the matrix becomes one of zeros."""
        names = [{"displayName": str(category)} for category in categories]
        rows = [{"row": [0] * len(names)} for _ in names]
        self.metadata["confusionMatrix"] = {"annotationSpecs": names, "rows": rows}

    def log_confusion_matrix_row(self, row_category: str, row: Sequence[float]) -> None:
        """How often samples of the class `row_category` were taken for each class. Raises ValueError."""
        categories = self._categories()
        if len(row) != len(categories):
            raise ValueError(f"expected a row of {len(categories)} numbers, got {len(row)}")
        self._rows()[self._place(row_category)] = {"row": [_plain(number) for number in row]}

    def log_confusion_matrix_cell(self, row_category: str, col_category: str, value: float) -> None:
        """How often samples of one class were taken for another. Raises ValueError for an unknown class."""
        self._rows()[self._place(row_category)]["row"][self._place(col_category)] = _plain(value)

    def log_confusion_matrix(self, categories: Sequence[str], matrix: Sequence[Sequence[float]]) -> None:
        """The whole matrix: a row for each class that samples are of, a column for each that they were taken for."""
        if len(matrix) != len(categories):
            raise ValueError(f"expected {len(categories)} rows, got {len(matrix)}")
        self.set_confusion_matrix_categories(categories)
        for category, row in zip(categories, matrix):
            self.log_confusion_matrix_row(category, row)

    def facts(self) -> dict[str, Any]:
        points = self.metadata.get("confidenceMetrics", [])
        step = max(len(points) - 1, 1) / (min(len(points), _POINTS) - 1 or 1)
        thin = [points[round(number * step)] for number in range(min(len(points), _POINTS))]
        kept = dict(self.metadata, confidenceMetrics=thin) if points else self.metadata
        return dict(super().facts(), metadata=kept)

    def views(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        if self.metadata.get("confidenceMetrics"):
            names = ["falsePositiveRate", "recall", "confidenceThreshold"]
            points = [[point[name] for name in names] for point in self.metadata["confidenceMetrics"]]
            found.append(
                dict(
                    type="roc",
                    title=f"{self.name}: ROC curve",
                    schema=_columns("fpr", "tpr", "thresholds"),
                    **_csv(points),
                )
            )
        if "confusionMatrix" in self.metadata:
            labels = self._categories()
            cells = [
                [target, predicted, count]
                for target, row in zip(labels, self._rows())
                for predicted, count in zip(labels, row["row"])
            ]
            shape = {"schema": _columns("target", "predicted", "count"), "labels": labels}
            found.append(dict(type="confusion_matrix", title=f"{self.name}: confusion matrix", **shape, **_csv(cells)))
        return found

    def _categories(self) -> list[str]:
        specs = self.metadata.get("confusionMatrix", {}).get("annotationSpecs", [])
        return [spec["displayName"] for spec in specs]

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.metadata.get("confusionMatrix", {}).get("rows", [])
        return rows

    def _place(self, category: str) -> int:
        names = self._categories()
        if str(category) not in names:
            raise ValueError(f"expected one of the categories {', '.join(names) or '(none)'}, got {category!r}")
        return names.index(str(category))


class SlicedClassificationMetrics(Artifact):
    """A ROC curve and a confusion matrix for each slice of the data. Nothing need be written to `path`."""

    schema_title = "system.SlicedClassificationMetrics"

    def log_roc_reading(self, slice: str, threshold: float, tpr: float, fpr: float) -> None:
        """One point of a slice's curve."""
        self._of(slice).log_roc_data_point(fpr, tpr, threshold)

    def load_roc_readings(self, slice: str, readings: Sequence[Sequence[float]]) -> None:
        """Points of a slice's curve: threshold, rate of true positives, rate of false positives."""
        for reading in readings:
            self.log_roc_reading(slice, *reading)

    def set_confusion_matrix_categories(self, slice: str, categories: Sequence[str]) -> None:
        """As `ClassificationMetrics` has it, of one slice; so are the next three."""
        self._of(slice).set_confusion_matrix_categories(categories)

    def log_confusion_matrix_row(self, slice: str, row_category: str, row: Sequence[float]) -> None:
        self._of(slice).log_confusion_matrix_row(row_category, row)

    def log_confusion_matrix_cell(self, slice: str, row_category: str, col_category: str, value: float) -> None:
        self._of(slice).log_confusion_matrix_cell(row_category, col_category, value)

    def load_confusion_matrix(self, slice: str, categories: Sequence[str], matrix: Sequence[Sequence[float]]) -> None:
        self._of(slice).log_confusion_matrix(categories, matrix)

    def facts(self) -> dict[str, Any]:
        told = [{"slice": name, _SLICE: each.facts()["metadata"]} for name, each in self._slices().items()]
        return dict(super().facts(), metadata=dict(self.metadata, evaluationSlices=told))

    def views(self) -> list[dict[str, Any]]:
        return [view for metrics in self._slices().values() for view in metrics.views()]

    def _of(self, slice: str) -> ClassificationMetrics:
        if slice not in self._slices():
            self.metadata.setdefault("evaluationSlices", []).append({"slice": slice, _SLICE: {}})
        return self._slices()[slice]

    def _slices(self) -> dict[str, ClassificationMetrics]:
        found = {}
        for entry in self.metadata.get("evaluationSlices", []):
            metrics = found[entry["slice"]] = ClassificationMetrics(self.name + ", " + entry["slice"])
            metrics.metadata = entry[_SLICE]
        return found


class HTML(Artifact):
    """A page, written to `path`; it is shown on the run's page."""

    schema_title = "system.HTML"

    def views(self) -> list[dict[str, Any]]:
        return [{"type": "web-app", "title": self.name, "storage": "inline", "source": _text(self.path)}]


class Markdown(Artifact):
    """A text in Markdown, written to `path`; it is shown on the run's page."""

    schema_title = "system.Markdown"

    def views(self) -> list[dict[str, Any]]:
        return [{"type": "markdown", "title": self.name, "storage": "inline", "source": _text(self.path)}]


# --- inside a step ----------------------------------------------------------------------------------------------


def typed(
    function: Callable[..., Any], ports: Mapping[str, Sequence[str]], results: Sequence[str], folder: str = "/"
) -> Callable[..., Any]:
    """A component's function as its program calls it: with the files of artifacts, not the artifacts.

    `ports` tells of each parameter that is an artifact: the name of its port, `in` or `out`, and its class. What
    `function` says of its artifacts is written beside its outputs, and into `folder` what pages show of them.
    """

    def call(**values: Any) -> Any:
        said = values.pop("executor output")
        known = {parameter: values.pop("facts of " + parameter, "{}") for parameter in ports}
        made: dict[str, Artifact] = {}
        given: dict[str, Artifact] = {}
        for parameter, (name, way, kind) in ports.items():
            if parameter in values:
                given[parameter] = _artifact(kind, name, values[parameter], json.loads(known[parameter]))
                if way == "out":
                    made[name] = given[parameter]
        outcome = function(**dict(values, **given))
        logged = (Metrics, ClassificationMetrics, SlicedClassificationMetrics)
        for artifact in made.values():
            if not os.path.exists(artifact.path) and isinstance(artifact, logged):
                _write(artifact.path, artifact.metadata)
        _tell(said, made, outcome if len(results) != 1 or isinstance(outcome, tuple) else (outcome,), results)
        _show(os.path.join(folder, "mlpipeline-metrics.json"), "metrics", _metrics(made))
        views = [view for artifact in made.values() for view in artifact.views()]
        _show(os.path.join(folder, "mlpipeline-ui-metadata.json"), "outputs", views)
        return outcome

    return call


def _artifact(kind: str, name: str, path: str, facts: Mapping[str, Any]) -> Artifact:
    classes = {each.__name__: each for each in Artifact.__subclasses__()}
    uri = str(facts.get("uri", ""))
    artifact = classes.get(kind, Artifact)(name, uri if "://" in uri else path, facts.get("metadata"))
    artifact.path = path
    return artifact


def _tell(path: str, made: Mapping[str, Artifact], outcome: Any, results: Sequence[str]) -> None:
    """Write executor_output.json. Values that are long are in files of their own alone."""
    values = zip(results, outcome if isinstance(outcome, tuple) else ())
    short = {name: value for name, value in values if len(json.dumps(value, default=str)) <= _VALUE}
    artifacts = {name: {"artifacts": [artifact.facts()]} for name, artifact in made.items()}
    told = json.dumps({"parameterValues": short, "artifacts": artifacts}, default=_plain)
    # Other readers know no NaN and no infinity.
    text = json.dumps(json.loads(told, parse_constant=lambda _: None), sort_keys=True)
    if len(text.encode("utf-8")) > LIMIT:
        names = ", ".join(f"'{name}'" for name in made)
        raise SystemExit(f"metadata of {names}: {len(text)} bytes, limit {LIMIT}; write data to .path")
    _write_text(path, text)


def _metrics(made: Mapping[str, Artifact]) -> list[dict[str, Any]]:
    """The numbers of all artifacts; where two have one of the same name, the artifact's name stands before it."""
    names = [metric for artifact in made.values() for metric in artifact.numbers()]
    return [
        {
            "name": metric if names.count(metric) == 1 else f"{name}-{metric}",
            "numberValue": value,
            "format": "RAW",
        }
        for name, artifact in made.items()
        for metric, value in artifact.numbers().items()
    ]


def _show(path: str, field: str, entries: list[dict[str, Any]]) -> None:
    """Add entries to a file for pages, which the function may have written itself."""
    if entries:
        before = json.loads(_text(path)) if os.path.exists(path) else {}
        _write(path, dict(before, **{field: before.get(field, []) + entries}))


def _columns(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def _csv(rows: Sequence[Sequence[Any]]) -> dict[str, str]:
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return {"format": "csv", "storage": "inline", "source": text.getvalue()}


def _plain(value: Any) -> Any:
    """Numbers and arrays of other libraries as JSON values."""
    for method in ("tolist", "item"):
        if hasattr(value, method):
            return getattr(value, method)()
    return value if isinstance(value, (int, float)) else str(value)


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path: str, value: Any) -> None:
    _write_text(path, json.dumps(value, default=_plain, sort_keys=True))


def _write_text(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
