"""`{{tags}}`: replacement inside JSON text."""

from __future__ import annotations

import json
from collections import ChainMap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.workflow.tags import AbsentOptional, Unresolved, known, replace, strings, tags

SCOPE: ChainMap[str, str | None] = ChainMap(
    {
        "a": "1",
        "inputs.parameters.x": 'say "hi"\n\\',
        "inputs.parameters.name": "a",
        "inputs.parameters.tag": "{{a}}",
        "tasks.gone.outputs.parameters.y": None,
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no tag", "no tag"),
        ("{{a}}", "1"),
        ("{{ a }}-{{a}}", "1-1"),
        ("{{inputs.parameters.x}}", 'say "hi"\n\\'),
        ("{{unknown}}", "{{unknown}}"),
        ("{{$.inputs}}", "{{$.inputs}}"),
        ("{{}}", "{{}}"),
        ("{{a", "{{a"),
        ("a}}", "a}}"),
        ("{{inputs.parameters.{{inputs.parameters.name}}}}", "{{inputs.parameters.a}}"),
        ("{{inputs.parameters.tag}}", "{{a}}"),
        ("{{a}}{{{a}}}", "1{{{a}}}"),
    ],
)
def test_replacement(text: str, expected: str) -> None:
    assert json.loads(replace(json.dumps({"value": text}), SCOPE))["value"] == expected


def test_an_inner_tag_is_resolved_by_one_round_and_the_outer_by_the_next() -> None:
    scope = ChainMap({"i": "1", "list.1": "found"})
    text = replace('"{{list.{{i}}}}"', scope)
    assert replace(text, scope) == '"found"'


def test_a_tag_that_must_be_known() -> None:
    with pytest.raises(Unresolved, match=r"failed to resolve \{\{tasks.b.outputs.result\}\}"):
        replace('"{{tasks.b.outputs.result}}"', SCOPE, strict=("tasks",))
    assert replace('"{{steps.b.x}}"', SCOPE, strict=("tasks",)) == '"{{steps.b.x}}"'
    assert replace('"{{tasks.b.outputs.artifacts.c}}"', SCOPE, strict=("tasks",)) == '"{{tasks.b.outputs.artifacts.c}}"'


@pytest.mark.parametrize(
    "text", ['"{{tasks.gone.outputs.parameters.y}}"', '"{{item.{{tasks.gone.outputs.parameters.y}}}}"']
)
def test_an_output_that_was_never_made(text: str) -> None:
    with pytest.raises(AbsentOptional, match="absent optional"):
        replace(text, SCOPE)


@pytest.mark.parametrize(
    "tag",
    [
        "item",
        "item.a",
        "inputs.parameters.x",
        "inputs.artifacts.a.path",
        "outputs.parameters.p.path",
        "tasks.a.outputs.result",
        "steps.a.status",
        "pod.name",
        "retries",
        "lastRetry.exitCode",
        "workflow.name",
        "workflow.parameters.x",
        "workflow.creationTimestamp.Y",
        "workflow.outputs.artifacts.a",
        "=1 + 1",
        " workflow.name ",
    ],
)
def test_tags_of_argo_are_known(tag: str) -> None:
    assert known(tag)


@pytest.mark.parametrize("tag", ["$.x", "items", "workflow", "workflow.names", "name", "", "$.inputs.parameters['a']"])
def test_other_texts_in_braces_are_not(tag: str) -> None:
    assert not known(tag)


def test_places_of_tags_and_of_texts_with_tags() -> None:
    assert list(tags("a{{b}}{{ c }}{{")) == [(1, "b"), (6, " c ")]
    found = list(strings({"a": ["x", "{{y}}"], "{{k}}": {"z": "{{w}}"}}))
    assert found == [("a[1]", "{{y}}"), ("", "{{k}}"), ("{{k}}.z", "{{w}}")]


@given(st.text(alphabet='{}ab =."\\', max_size=30), st.text(max_size=8))
def test_the_result_is_always_json(text: str, value: str) -> None:
    scope = ChainMap({"a": value, "b": "{{a}}"})
    assert isinstance(json.loads(replace(json.dumps(text), scope)), str)
