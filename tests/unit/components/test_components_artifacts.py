"""Typed artifacts: what a signature may say, what the program makes of it, and what readers of the artifact get."""

from __future__ import annotations

import ast
import inspect
import json
import math
from pathlib import Path
from typing import Annotated, Any

import pytest

from authoring import document, parameters, tasks, templates
from penstock import component, components
from penstock.components import InputPath, OutputPath
from penstock.dsl import (
    HTML,
    Artifact,
    ClassificationMetrics,
    Dataset,
    Input,
    Markdown,
    Metrics,
    Model,
    Output,
    SlicedClassificationMetrics,
)
from penstock.dsl import artifacts as runtime
from penstock.errors import InvalidDocument, InvalidPipeline


@component
def make(model: Output[Model], rows: int = 2) -> int:
    """Make a model."""
    from pathlib import Path

    Path(model.path).write_text("m")
    return rows


@component
def read(model: Input[Model]) -> str:
    """Read a model."""
    return model.uri


@component
def read_anything(data: Input[Artifact]):
    """Read any artifact."""


@component
def write_file(model_path: OutputPath("Model")):
    """Write a file of which nothing is said."""


def called(function: Any, ports: dict[str, list[str]], folder: Path, *, results: Any = (), **values: Any) -> Any:
    """What `function` returns when its program calls it; what it says lies in `folder`."""
    said = str(folder / "said" / "data")
    wrapped = runtime.typed(function, ports, results, str(folder))
    return wrapped(**values, **{"executor output": said})


def said(folder: Path) -> Any:
    """The executor output."""
    return json.loads((folder / "said" / "data").read_text())


def shown(folder: Path) -> Any:
    """What pages show of the step."""
    return json.loads((folder / "mlpipeline-ui-metadata.json").read_text())["outputs"]


def test_a_signature_declares_files_of_types() -> None:
    spec = make.spec
    assert [(port.name, port.type) for port in spec.inputs] == [("rows", "Integer")]
    assert [(port.name, port.type) for port in spec.outputs] == [("model", "Model"), ("Output", "Integer")]
    assert [(port.name, port.type, port.optional) for port in read.spec.inputs] == [("model", "Model", False)]


def test_a_reader_gets_the_file_and_what_its_maker_said() -> None:
    def pipeline() -> None:
        read(make().outputs["model"])

    found = templates(pipeline)
    assert {"name": "executor-output", "valueFrom": {"path": "/tmp/outputs/executor-output/data"}} in (
        found["make"]["outputs"]["parameters"]
    )
    handed = tasks(found["p"])["read"]
    assert handed["arguments"]["artifacts"] == [
        {"name": "make-model", "from": "{{tasks.make.outputs.artifacts.model}}"}
    ]
    assert parameters(handed) == {
        "make-model-facts": "{{=toJson(jsonpath(tasks['make'].outputs.parameters['executor-output'], "
        "'$.artifacts.model.artifacts[0]'))}}"
    }
    assert found["read"]["container"]["args"][:4] == [
        "--model",
        "/tmp/inputs/model/data",
        "----facts-model",
        "{{inputs.parameters.make-model-facts}}",
    ]


def test_nothing_is_known_of_a_file_of_another_maker() -> None:
    def pipeline(text="x"):
        read(write_file().outputs["model"])
        read_anything(text)

    found = templates(pipeline)
    assert "{}" in found["read"]["container"]["args"]
    assert "{}" in found["read-anything"]["container"]["args"]


def test_an_executor_output_that_nobody_reads_is_no_parameter() -> None:
    outputs = templates(lambda: make())["make"]["outputs"]
    assert "parameters" not in outputs
    assert "executor-output" in [each["name"] for each in outputs["artifacts"]]


def test_the_single_result_is_the_output() -> None:
    @component
    def only(model: Output[Model]):
        """One artifact."""

    assert str(templates(lambda: read(only().output))["only"]["outputs"]["parameters"][0]["name"]) == (
        "executor-output"
    )


def test_types_are_checked_where_they_meet() -> None:
    @component
    def other(data: Output[Dataset]):
        """Data."""

    with pytest.raises(InvalidPipeline, match=r"'model': expected type Model, got 'other-data' of type Dataset"):
        document(lambda: read(other().output))
    assert document(lambda: read_anything(other().output))


def test_an_optional_artifact_may_be_left_out(tmp_path: Path) -> None:
    @component
    def maybe(data: Input[Dataset] = None) -> str:
        """Needs none."""
        return "none" if data is None else data.path

    assert "--data" not in templates(lambda: maybe())["maybe"]["container"]["args"]
    assert called(maybe.func, {"data": ["data", "in", "Dataset"]}, tmp_path) == "none"


def test_a_component_file_keeps_what_is_said_of_artifacts(tmp_path: Path) -> None:
    file = tmp_path / "component.yaml"
    components.create_component_from_func(make.func, file)
    loaded = components.load_component_from_file(file)
    components.create_component_from_func(read.func, tmp_path / "read.yaml")
    reader = components.load_component_from_file(tmp_path / "read.yaml")
    again = templates(lambda: reader(loaded().outputs["model"]))
    assert again["make"]["container"] == templates(lambda: make())["make"]["container"]
    assert again["read"]["inputs"]["parameters"] == [{"name": "make-model-facts"}]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("{path: /x, artifacts: [z]}", "executorOutput.artifacts: the component has no output 'z'"),
        ("{path: /x}", "executorOutput.artifacts: missing"),
    ],
)
def test_a_component_file_names_outputs_that_it_has(told: str, message: str) -> None:
    text = f"implementation: {{container: {{image: x, executorOutput: {told}}}}}"
    with pytest.raises(InvalidDocument) as error:
        components.load_component_from_text(text)
    assert message in str(error.value)


def bare(model: Model):
    """Neither read nor made."""


def listed(model: Input[list[Model]]):
    """A list."""


def returned() -> Output[Model]:
    """Returned."""


def returned_bare() -> Model:
    """Returned."""


def defaulted(model: Output[Model] = None):
    """An output has no default."""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (bare, "'model' is an artifact; write Input[Model] for one that is read, Output[Model] for one that is made"),
        (listed, "'model': expected the class of an artifact (Artifact, ClassificationMetrics, Dataset"),
        (returned, "an artifact cannot be returned; make it a parameter, for example model: Output[Model]"),
        (returned_bare, "an artifact cannot be returned"),
        (defaulted, "'model' is an output; it takes no default"),
    ],
)
def test_what_no_signature_may_say_is_told_with_its_line(function: Any, message: str) -> None:
    with pytest.raises(InvalidPipeline) as error:
        component(function)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{__file__}:{function.__code__.co_firstlineno}: ")


def test_outside_of_a_pipeline_the_function_is_called_with_artifacts(tmp_path: Path) -> None:
    model = Model(uri=str(tmp_path / "model"))
    assert make(model, rows=3) == 3
    assert Path(model.path).read_text() == "m"
    assert read(model) == model.path


def test_classes_of_artifacts_may_be_used_inside_a_function() -> None:
    @component
    def builds(data: Output[Dataset]) -> str:
        """Builds another."""
        return repr(Dataset("x", "y"))

    program = templates(lambda: builds())["builds"]["container"]["command"][-1]
    assert "from penstock_artifacts import Dataset as Dataset\n" in program


# --- inside a step ----------------------------------------------------------------------------------------------


def test_the_runtime_is_python_3_8_with_the_standard_library_alone() -> None:
    tree = ast.parse(inspect.getsource(runtime), feature_version=(3, 8))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported <= {"csv", "io", "json", "os"}
    assert len(inspect.getsource(runtime)) < 16_000


def test_what_is_said_is_written_as_kfp_2_has_it(tmp_path: Path) -> None:
    def function(model: Model, rows: int) -> int:
        Path(model.path).write_text("m")
        model.framework = "none"
        model.metadata["score"] = math.nan
        return rows

    ports = {"model": ["model", "out", "Model"]}
    model = str(tmp_path / "model")
    assert called(function, ports, tmp_path, model=model, rows=7, results=["Output"]) == 7
    assert said(tmp_path) == {
        "parameterValues": {"Output": 7},
        "artifacts": {
            "model": {
                "artifacts": [
                    {
                        "name": "model",
                        "uri": model,
                        "type": {"schemaTitle": "system.Model", "schemaVersion": "0.0.1"},
                        "metadata": {"framework": "none", "score": None},
                    }
                ]
            }
        },
    }
    assert not (tmp_path / "mlpipeline-metrics.json").exists()


def test_a_reader_gets_facts_and_an_address_that_was_given(tmp_path: Path) -> None:
    facts = {"uri": "gs://bucket/x", "metadata": {"rows": 3}}

    def function(data: Dataset) -> tuple[str, str, Any]:
        return data.path, data.uri, data.metadata

    ports = {"data": ["data", "in", "Dataset"]}
    found = called(function, ports, tmp_path, data="/in", results="abc", **{"facts of data": json.dumps(facts)})
    assert found == ("/in", "gs://bucket/x", {"rows": 3})
    unknown = called(function, ports, tmp_path, data="/in", **{"facts of data": "{}"})
    assert unknown == ("/in", "/in", {})


def test_metrics_are_shown_and_are_the_file_where_none_was_written(tmp_path: Path) -> None:
    def function(a: Metrics, b: Metrics) -> None:
        a.log_metric("auc", 0.5)
        a.log_metric("auc", 0.75)
        a.log_metric("loss", 1)
        b.log_metric("loss", 2)

    (tmp_path / "mlpipeline-metrics.json").write_text('{"metrics": [{"name": "own", "numberValue": 1}]}')
    ports = {"a": ["a", "out", "Metrics"], "b": ["b", "out", "Metrics"]}
    called(function, ports, tmp_path, a=str(tmp_path / "a"), b=str(tmp_path / "b"))
    assert json.loads((tmp_path / "a").read_text()) == {"auc": 0.75, "loss": 1.0}
    found = json.loads((tmp_path / "mlpipeline-metrics.json").read_text())["metrics"]
    assert [(each["name"], each["numberValue"]) for each in found] == [
        ("own", 1),
        ("auc", 0.75),
        ("a-loss", 1.0),
        ("b-loss", 2.0),
    ]


def test_curves_and_matrices_are_drawn(tmp_path: Path) -> None:
    def function(quality: ClassificationMetrics) -> None:
        quality.log_roc_curve([0.0, 1.0], [0.0, 1.0], [math.inf, 0.0])
        quality.set_confusion_matrix_categories(["cat", "dog"])
        quality.log_confusion_matrix_row("cat", [5, 1])
        quality.log_confusion_matrix_cell("dog", "cat", 2)

    called(function, {"quality": ["quality", "out", "ClassificationMetrics"]}, tmp_path, quality=str(tmp_path / "q"))
    roc, matrix = shown(tmp_path)
    assert roc["source"] == "0.0,0.0,inf\n1.0,1.0,0.0\n"
    assert matrix["labels"] == ["cat", "dog"]
    assert matrix["source"] == "cat,cat,5\ncat,dog,1\ndog,cat,2\ndog,dog,0\n"
    assert [roc["title"], matrix["title"]] == ["quality: ROC curve", "quality: confusion matrix"]
    metadata = said(tmp_path)["artifacts"]["quality"]["artifacts"][0]["metadata"]
    assert metadata["confidenceMetrics"][0] == {"confidenceThreshold": None, "recall": 0.0, "falsePositiveRate": 0.0}
    assert metadata["confusionMatrix"]["rows"] == [{"row": [5, 1]}, {"row": [2, 0]}]


def test_each_slice_has_its_curve_and_its_matrix(tmp_path: Path) -> None:
    def function(quality: SlicedClassificationMetrics) -> None:
        quality.load_roc_readings("young", [[math.inf, 0.0, 0.0], [0.0, 1.0, 1.0]])
        quality.log_roc_reading("old", 0.5, 0.75, 0.25)
        quality.load_confusion_matrix("old", ["cat", "dog"], [[5, 1], [2, 0]])
        quality.log_confusion_matrix_cell("old", "dog", "dog", 9)

    ports = {"quality": ["quality", "out", "SlicedClassificationMetrics"]}
    called(function, ports, tmp_path, quality=str(tmp_path / "q"))
    assert [view["title"] for view in shown(tmp_path)] == [
        "quality, young: ROC curve",
        "quality, old: ROC curve",
        "quality, old: confusion matrix",
    ]
    assert shown(tmp_path)[2]["source"] == "cat,cat,5\ncat,dog,1\ndog,cat,2\ndog,dog,9\n"
    told = said(tmp_path)["artifacts"]["quality"]["artifacts"][0]
    assert told["type"]["schemaTitle"] == "system.SlicedClassificationMetrics"
    young, old = told["metadata"]["evaluationSlices"]
    assert (young["slice"], len(young["sliceClassificationMetrics"]["confidenceMetrics"])) == ("young", 2)
    assert old["sliceClassificationMetrics"]["confusionMatrix"]["rows"] == [{"row": [5, 1]}, {"row": [2, 9]}]
    assert json.loads((tmp_path / "q").read_text())["evaluationSlices"][1]["slice"] == "old"


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (lambda it: it.log_roc_curve([0.0], [0.0, 1.0], [0.0]), "expected three equal lengths, got 1, 2, 1"),
        (lambda it: it.log_confusion_matrix(["a"], []), "expected 1 rows, got 0"),
        (lambda it: it.log_confusion_matrix(["a"], [[1, 2]]), "expected a row of 1 numbers, got 2"),
        (lambda it: it.log_confusion_matrix_cell("a", "b", 1), r"expected one of the categories \(none\), got 'a'"),
    ],
)
def test_matrices_and_curves_fit(log: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        log(ClassificationMetrics())


def test_a_long_curve_is_thinned_for_readers_alone(tmp_path: Path) -> None:
    def function(quality: ClassificationMetrics) -> None:
        points = [n / 9999 for n in range(10_000)]
        quality.log_roc_curve(points, points, points)

    called(function, {"quality": ["quality", "out", "ClassificationMetrics"]}, tmp_path, quality=str(tmp_path / "q"))
    assert shown(tmp_path)[0]["source"].count("\n") == 10_000
    kept = said(tmp_path)["artifacts"]["quality"]["artifacts"][0]["metadata"]["confidenceMetrics"]
    assert (len(kept), kept[0]["recall"], kept[-1]["recall"]) == (500, 0.0, 1.0)


def test_pages_and_texts_are_shown(tmp_path: Path) -> None:
    def function(page: HTML, note: Markdown) -> None:
        Path(page.path).write_text("<b>x</b>")
        Path(note.path).write_text("*x*")

    ports = {"page": ["page", "out", "HTML"], "note": ["note", "out", "Markdown"]}
    called(function, ports, tmp_path, page=str(tmp_path / "page"), note=str(tmp_path / "note"))
    assert [(each["type"], each["source"], each["title"]) for each in shown(tmp_path)] == [
        ("web-app", "<b>x</b>", "page"),
        ("markdown", "*x*", "note"),
    ]


def test_too_many_facts_are_refused(tmp_path: Path) -> None:
    def function(data: Dataset) -> None:
        data.metadata["all"] = "x" * 140_000

    with pytest.raises(SystemExit, match=r"metadata of 'data': 140\d{3} bytes, limit 131071; write data to \.path"):
        called(function, {"data": ["data", "out", "Dataset"]}, tmp_path, data=str(tmp_path / "d"))


def test_long_results_are_in_their_own_files_alone(tmp_path: Path) -> None:
    def function() -> tuple[str, str]:
        return "x" * 200_000, "y"

    called(function, {}, tmp_path, results=["long", "short"])
    assert said(tmp_path)["parameterValues"] == {"short": "y"}


def test_annotated_files_and_artifacts_meet() -> None:
    @component
    def path(model_path: Annotated[str, InputPath("Model")]):
        """Reads the file."""

    found = templates(lambda: path(make().outputs["model"]))
    assert found["path"]["inputs"] == {"artifacts": [{"name": "make-model", "path": "/tmp/inputs/model/data"}]}
