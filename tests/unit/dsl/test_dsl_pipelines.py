"""`@dsl.pipeline`: a plain object that says its parameters, and stays a function."""

from __future__ import annotations

import json
from typing import Any, Optional

import pytest

from authoring import document, parameters, step, task
from penstock import dsl
from penstock.compiler import compile_pipeline
from penstock.errors import InvalidPipeline

ANNOTATION = "pipelines.kubeflow.org/pipeline_spec"


def inputs(pipeline: Any) -> dict[str, dict[str, Any]]:
    spec = json.loads(document(pipeline)["metadata"]["annotations"][ANNOTATION])
    return {port.pop("name"): port for port in spec["inputs"]}


def arguments(pipeline: Any) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in document(pipeline)["spec"]["arguments"]["parameters"]}


def test_a_decorated_function_can_still_be_called() -> None:
    @dsl.pipeline(name="Add up")
    def add(a: int, b: int = 2) -> int:
        return a + b

    assert add(1) == 3
    assert add.__name__ == "add"
    assert add.spec.name == "Add up"


def test_the_document_is_named_after_the_pipeline() -> None:
    @dsl.pipeline(name="Taxi tips: 2nd try!", description="How well?")
    def taxi() -> None:
        step("a")

    made = document(taxi)
    assert made["metadata"]["generateName"] == "taxi-tips-2nd-try-"
    assert made["spec"]["entrypoint"] == "taxi-tips-2nd-try"
    assert json.loads(made["metadata"]["annotations"][ANNOTATION]) == {
        "name": "Taxi tips: 2nd try!",
        "description": "How well?",
    }


def test_without_a_name_the_function_gives_it_and_its_docstring_the_description() -> None:
    @dsl.pipeline
    def train_a_model() -> None:
        """Train it.

        More words.
        """
        step("a")

    assert train_a_model.spec.name == "Train a model"
    assert train_a_model.spec.description == "Train it."


def test_names_types_defaults_and_optionality_of_parameters_stand_in_the_annotation() -> None:
    def pipeline(
        needed: str,
        count: int = 3,
        rate: float = 0.1,
        flag: bool = True,
        items: list = [1, 2],  # noqa: B006 (a pipeline's function does not change it)
        table: dict = {"b": 1, "a": 2},  # noqa: B006
        note: Optional[str] = None,  # noqa: UP045 (the older way to write it)
        other: int | None = None,
        where: "GcsUri[text/json]" = "gs://x",  # type: ignore[name-defined]  # noqa: F821, UP037
        anything="",  # type: ignore[no-untyped-def]
    ) -> None:
        """Do.

        Args:
            needed: What is needed.
                It goes on.
        """
        step("a")

    assert inputs(pipeline) == {
        "needed": {"type": "String", "description": "What is needed.\nIt goes on."},
        "count": {"type": "Integer", "default": "3", "optional": True},
        "rate": {"type": "Float", "default": "0.1", "optional": True},
        "flag": {"type": "Boolean", "default": "True", "optional": True},
        "items": {"type": "JsonArray", "default": "[1, 2]", "optional": True},
        "table": {"type": "JsonObject", "default": '{"a": 2, "b": 1}', "optional": True},
        "note": {"type": "String", "optional": True},
        "other": {"type": "Integer", "optional": True},
        "where": {"type": "GcsUri[text/json]", "default": "gs://x", "optional": True},
        "anything": {"default": "", "optional": True},
    }
    assert arguments(pipeline) == {
        "needed": None,
        "count": "3",
        "rate": "0.1",
        "flag": "True",
        "items": "[1, 2]",
        "table": '{"a": 2, "b": 1}',
        "note": "",
        "other": "",
        "where": "gs://x",
        "anything": "",
    }


def test_a_pipeline_param_as_default_gives_name_and_value() -> None:
    def pipeline(
        rate: float = dsl.PipelineParam(name="learning-rate", value=0.1),  # type: ignore[assignment]
        data: str = dsl.PipelineParam(name="data"),  # type: ignore[assignment]
    ) -> None:
        step("a", rate, data)

    assert inputs(pipeline) == {
        "learning-rate": {"type": "Float", "default": "0.1", "optional": True},
        "data": {"type": "String"},
    }
    assert parameters(task(pipeline, "p", "a")) == {
        "data": "{{inputs.parameters.data}}",
        "learning-rate": "{{inputs.parameters.learning-rate}}",
    }


def test_keyword_only_parameters_are_parameters() -> None:
    def pipeline(*, rate: float) -> None:
        step("a", rate)

    assert parameters(task(pipeline, "p", "a")) == {"rate": "{{inputs.parameters.rate}}"}


def test_a_pipeline_called_in_another_adds_its_steps_there() -> None:
    @dsl.pipeline(name="inner")
    def inner(x: str = "1") -> dsl.ContainerOp:
        return step("a", x)

    def outer(y: str) -> None:
        step("b", inner(y).output)
        inner()

    made = document(outer)
    assert [found["name"] for found in made["spec"]["templates"]] == ["a", "a-2", "b", "p"]
    assert parameters(task(outer, "p", "a")) == {"y": "{{inputs.parameters.y}}"}


@pytest.mark.parametrize(
    ("default", "annotation", "message"),
    [
        ("ten", int, r"default of 'x' does not match its type: expected integer, got string \"ten\"\."),
        (1.5, int, r"expected integer, got number 1\.5"),
        (1, str, "expected string, got integer 1"),
        (1, bool, "expected boolean, got integer 1"),
        (True, int, "expected integer, got boolean true"),
        ({"a": 1}, list, "expected list, got dict"),
        ([1], dict, "expected dict, got list"),
        (None, int, r"'x' is not optional; declare Optional\[int\] = None\."),
    ],
)
def test_a_default_of_another_type_is_refused(default: object, annotation: type, message: str) -> None:
    def pipeline(x: object = default) -> None:
        step("a", x)

    pipeline.__annotations__["x"] = annotation
    with pytest.raises(InvalidPipeline, match=message) as caught:
        dsl.pipeline(name="p")(pipeline)
    assert str(caught.value).startswith(f"{__file__}:{pipeline.__code__.co_firstlineno}: ")


def test_a_whole_number_is_a_number() -> None:
    def pipeline(x: float = 1) -> None:
        step("a", x)

    assert inputs(pipeline)["x"]["default"] == "1"


def test_parameters_are_named_one_by_one() -> None:
    def pipeline(*rest: str) -> None:
        step("a", *rest)

    with pytest.raises(InvalidPipeline, match=r"'\*rest: 'str'' of pipeline 'pipeline': name each parameter"):
        document(pipeline)


@pytest.mark.parametrize(
    ("name", "message"),
    [("!?", "no letter or digit"), ("x" * 129, "129 characters, limit 128")],
)
def test_a_name_that_no_document_can_have_is_refused(name: str, message: str) -> None:
    with pytest.raises(InvalidPipeline, match=message):
        dsl.pipeline(name=name)(lambda: None)


def test_a_pipeline_has_a_step() -> None:
    with pytest.raises(InvalidPipeline, match="pipeline 'p' has no step"):
        document(lambda: None)


def test_what_the_function_raises_is_told_with_its_line() -> None:
    def pipeline() -> None:
        raise ValueError("boom")

    line = pipeline.__code__.co_firstlineno + 1
    with pytest.raises(InvalidPipeline) as caught:
        document(pipeline)
    assert str(caught.value) == f"{__file__}:{line}: ValueError: boom"


def test_nothing_is_left_behind_by_a_pipeline_that_raised() -> None:
    def broken() -> None:
        step("a")
        raise ValueError

    with pytest.raises(InvalidPipeline):
        document(broken)
    with pytest.raises(InvalidPipeline, match=r"only be made inside a function decorated with @dsl\.pipeline"):
        step("b")
    document(lambda: step("a"))


def test_compiling_twice_gives_the_same() -> None:
    @dsl.pipeline(name="p")
    def pipeline(x: str = "") -> None:
        step("a", x)
        step("b", x)

    assert compile_pipeline(pipeline) == compile_pipeline(pipeline)


def test_types_with_a_schema_of_their_values() -> None:
    def p(path: dsl.types.GCSPath(), number: dsl.types.Integer, region: dsl.types.GCPRegion() = "eu") -> None:  # type: ignore[valid-type]
        step("a", path, number, region)

    text = dsl.pipeline(name="p")(p).spec.to_json()
    assert json.loads(text)["inputs"] == [
        {"name": "path", "type": {"GCSPath": {"openapi_schema_validator": {"type": "string", "pattern": "^gs://.*$"}}}},
        {"name": "number", "type": "Integer"},
        {
            "name": "region",
            "type": {"GCPRegion": {"openapi_schema_validator": {"type": "string"}}},
            "default": "eu",
            "optional": True,
        },
    ]
