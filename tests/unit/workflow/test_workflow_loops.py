"""Loops: items, what `{{item}}` stands for, aggregates."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.workflow.document import Sequence, Task
from penstock.workflow.loops import LoopError, aggregate, item_scope, items


def test_with_items() -> None:
    assert items(Task(with_items=("a", 1, {"b": 2})), 10) == ["a", 1, {"b": 2}]


@pytest.mark.parametrize(("text", "expected"), [("[]", []), ("null", []), (' ["a", 1]\n', ["a", 1])])
def test_with_param(text: str, expected: list[Any]) -> None:
    assert items(Task(with_param=text), 10) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [('{"a": 1}', "dict"), ('"a"', "string"), ("1", "integer"), ("1.5", "number"), ("true", "boolean")],
)
def test_with_param_that_is_no_list(text: str, kind: str) -> None:
    with pytest.raises(LoopError) as caught:
        items(Task(with_param=text), 10)
    assert str(caught.value) == (
        f"items: expected list, got {kind}; withParam value could not be parsed as a JSON list: {text}"
    )


@pytest.mark.parametrize("text", ["a", "[", "{{tasks.a.outputs.result}}", "[" * 100_000, "[NaN]"])
def test_with_param_that_is_no_json(text: str) -> None:
    with pytest.raises(LoopError, match="withParam value could not be parsed as a JSON list: "):
        items(Task(with_param=text), 10)


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ({"count": "3"}, ["0", "1", "2"]),
        ({"count": "0"}, []),
        ({"count": "2", "start": "5"}, ["5", "6"]),
        ({"start": "1", "end": "3"}, ["1", "2", "3"]),
        ({"start": "3", "end": "1"}, ["3", "2", "1"]),
        ({"end": "0"}, ["0"]),
        ({"start": "-1", "end": "1"}, ["-1", "0", "1"]),
        ({"count": "2", "format": "a%02d%%"}, ["a00%", "a01%"]),
        ({"count": "1", "start": "255", "format": "0x%X"}, ["0xFF"]),
    ],
)
def test_with_sequence(sequence: dict[str, str], expected: list[str]) -> None:
    assert items(Task(with_sequence=Sequence(**sequence)), 10) == expected


def test_a_sequence_of_something_else() -> None:
    with pytest.raises(LoopError, match=r'withSequence.count: strconv.Atoi: parsing "three": invalid syntax'):
        items(Task(with_sequence=Sequence(count="three")), 10)


@pytest.mark.parametrize(
    "task",
    [
        Task(with_items=tuple(range(11))),
        Task(with_param="[0,1,2,3,4,5,6,7,8,9,10]"),
        Task(with_sequence=Sequence(count="11")),
        Task(with_sequence=Sequence(start="11", end="1")),
    ],
)
def test_too_many_items(task: Task) -> None:
    with pytest.raises(LoopError, match="11 items exceed max_iterations 10"):
        items(task, 10)


def test_a_huge_sequence_is_refused_before_it_is_laid_out() -> None:
    with pytest.raises(LoopError, match="items exceed max_iterations 100,000"):
        items(Task(with_sequence=Sequence(count="9" * 18)), 100_000)


def test_maps_sort_their_own_keys_and_leave_what_is_nested() -> None:
    (item,) = items(Task(with_param='[{"b": {"z": 1, "a": 2}, "a": 1.50}]'), 10)
    assert item_scope(item) == {"item": '{"a":1.50,"b":{"z":1,"a":2}}', "item.b": '{"z":1,"a":2}', "item.a": "1.50"}
    (item,) = items(Task(with_items=({"b": {"z": 1, "a": 2}},)), 10)
    assert item_scope(item) == {"item": '{"b":{"a":2,"z":1}}', "item.b": '{"a":2,"z":1}'}


@pytest.mark.parametrize(
    ("item", "scope"),
    [
        ("a", {"item": "a"}),
        (1, {"item": "1"}),
        (True, {"item": "true"}),
        (["a", {"b": 1}], {"item": '["a",{"b":1}]'}),
        ({"a": "x", "b": [1]}, {"item": '{"a":"x","b":[1]}', "item.a": "x", "item.b": "[1]"}),
    ],
)
def test_item_scope(item: Any, scope: dict[str, str]) -> None:
    assert item_scope(item) == scope


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["1", "2"], '["1","2"]'),
        (["a", '{"b":1}'], '["a","{\\"b\\":1}"]'),
        (['{"b": 1}', "[2]"], '[{"b":1},[2]]'),
        ([], "[]"),
    ],
)
def test_aggregate(values: list[str], text: str) -> None:
    assert aggregate(values) == text
