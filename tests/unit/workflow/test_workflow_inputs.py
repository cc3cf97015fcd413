"""`bind`: the texts that a run's values become, and the words for what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.errors import InvalidInput, InvalidParameter, TooLarge
from penstock.workflow import Workflow, bind, load
from penstock.workflow.inputs import ANNOTATION, MAX_VALUE_BYTES

TYPED = [
    {"name": "epochs", "type": "Integer", "default": "3"},
    {"name": "lr", "type": "Float"},
    {"name": "label", "type": "String", "optional": True},
    {"name": "tags", "type": "JsonArray", "default": "[]"},
    {"name": "options", "type": "Dict", "default": "{}"},
    {"name": "fast", "type": "Bool", "default": "False"},
    {"name": "data", "type": {"GCSPath": {"data_type": "CSV"}}, "default": "x"},
]


def pipeline(inputs: list[dict[str, Any]] = TYPED, parameters: list[dict[str, Any]] | None = None) -> Workflow:
    given = [{"name": i["name"], **({"value": i["default"]} if "default" in i else {})} for i in inputs]
    annotation = json.dumps({"name": "train", "inputs": inputs})
    return load(
        json.dumps(
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Workflow",
                "metadata": {"generateName": "train-", "annotations": {ANNOTATION: annotation}},
                "spec": {
                    "entrypoint": "main",
                    "arguments": {"parameters": given if parameters is None else parameters},
                    "templates": [{"name": "main", "container": {"image": "python:3.11"}}],
                },
            }
        )
    )


def test_values_over_defaults_in_the_order_of_the_document() -> None:
    bound = bind(pipeline(), {"lr": 0.5, "tags": ["a"], "options": {"b": 1}, "fast": True, "epochs": "7"})
    assert bound == {
        "epochs": "7",
        "lr": "0.5",
        "label": "",
        "tags": '["a"]',
        "options": '{"b":1}',
        "fast": "true",
        "data": "x",
    }
    assert list(bound) == [i["name"] for i in TYPED]


def test_an_empty_text_is_kept_and_none_of_an_optional_is_empty() -> None:
    assert bind(pipeline(), {"lr": 1, "label": ""})["label"] == ""
    assert bind(pipeline(), {"lr": 1, "label": None})["label"] == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 1}, "Missing required parameter 'lr' (number) of 'train'. Given: 'epochs'."),
        ({}, "Missing required parameter 'lr' (number) of 'train'. Given: none."),
        ({"epochs": "ten"}, "'epochs': expected integer, got string \"ten\"."),
        ({"epochs": 1.5}, "'epochs': expected integer, got number 1.5."),
        ({"epochs": True}, "'epochs': expected integer, got boolean true."),
        ({"epochs": None}, "'epochs' is not optional; declare Optional[int] = None."),
        ({"lr": 1, "data": None}, "'data' is not optional; declare Optional[str] = None."),
        ({"lr": "fast"}, "'lr': expected number, got string \"fast\"."),
        ({"lr": 1, "tags": {"a": 1}}, "'tags': expected list, got dict {'a': 1}."),
        ({"lr": 1, "tags": "a"}, "'tags': expected list, got string \"a\"."),
        ({"lr": 1, "options": "[" * 100_000}, "'options': expected dict, got string"),
        ({"lr": 1, "fast": "maybe"}, "'fast': expected boolean, got string \"maybe\"."),
        ({"lr": 1, "label": ["a"]}, "'label': expected string, got list ['a']."),
        ({"lr": 1, "data": object()}, "expected a JSON value, got object"),
        ({"lr": 1, "data": float("nan")}, "expected a JSON value, got float"),
        ({"lr": 1, "epoch": 2}, "Unknown parameter 'epoch' of 'train'. Known: 'epochs', "),
        (
            {"lr": 1, "label": "a run of {{workflow.name}}"},
            "'label': position 10: '{{workflow.name}}' would be expanded.",
        ),
        ({"lr": 1, "label": "{{x.{{item}}}}"}, "'label': position 1: '{{item}}' would be expanded."),
        ({"lr": 1, "label": "{{=1+1}}"}, "'label': position 1: '{{=1+1}}' would be expanded."),
    ],
)
def test_what_is_wrong(values: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        bind(pipeline(), values)
    assert str(caught.value).startswith(message)


def test_braces_that_spell_no_tag_arrive_as_they_are() -> None:
    text = "{{$.x}} {{name}} $$ 'q' \"q\""
    assert bind(pipeline(), {"lr": 1, "label": text})["label"] == text


def test_a_value_that_no_argument_can_carry() -> None:
    with pytest.raises(TooLarge) as caught:
        bind(pipeline(), {"lr": 1, "label": "é" * (MAX_VALUE_BYTES // 2 + 1)})
    assert str(caught.value) == "'label' is 131,074 bytes; limit 131,072. Pass it as an artifact."
    assert bind(pipeline(), {"lr": 1, "label": "x" * MAX_VALUE_BYTES})


def test_one_of_a_set() -> None:
    workflow = pipeline([], [{"name": "size", "value": "small", "enum": ["small", "large"]}])
    assert bind(workflow, {"size": "large"}) == {"size": "large"}
    with pytest.raises(InvalidParameter, match="'size': expected one of 'small', 'large', got 'huge'"):
        bind(workflow, {"size": "huge"})


@pytest.mark.parametrize("annotation", ["not json", "[]", '{"inputs": 5}', '{"inputs": [{}]}', "null"])
def test_an_annotation_that_cannot_be_read_counts_as_absent(annotation: str) -> None:
    document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w", "annotations": {ANNOTATION: annotation}},
        "spec": {
            "entrypoint": "main",
            "arguments": {"parameters": [{"name": "a", "value": "1"}]},
            "templates": [{"name": "main", "container": {"image": "x"}}],
        },
    }
    workflow = load(json.dumps(document))
    assert [(i.name, i.type, i.default) for i in workflow.inputs] == [("a", "", "1")]
    assert workflow.title == "w"


def test_every_refusal_is_the_users_mistake() -> None:
    assert issubclass(InvalidParameter, InvalidInput)
    assert issubclass(TooLarge, InvalidInput)
