"""The field table: each field of a Workflow is supported, without effect, or refused, and the page says the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tools.workflow_support import PAGE, markdown

from penstock.errors import InvalidDocument, UnsupportedField
from penstock.workflow.fields import TABLE, Notes, Support, normalise

FIELDS = [(kind, name) for kind, table in TABLE.items() for name in table]


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run: python -m tools.workflow_support"


def test_the_page_lists_every_field() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .*\| (supported|without effect|refused) \|", markdown(), re.MULTILINE)
    assert len(rows) == len(FIELDS)


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_what_happens_to_a_field(kind: str, name: str) -> None:
    field, notes = TABLE[kind][name], Notes()
    if field.support is Support.SUPPORTED:
        value = _example(field.kind)
        assert normalise({name: value}, kind, "x", notes) == {name: value}
        assert notes.texts() == ()
    elif field.support is Support.INERT:
        normalise({name: "something"}, kind, "x", notes)
        assert notes.texts() == (f"x.{name} is without effect: {field.remark}",)
    else:
        assert field.remark
        with pytest.raises(UnsupportedField) as caught:
            normalise({name: {"a": 1}}, kind, "x", notes)
        assert caught.value.path == f"x.{name}"
        assert str(caught.value) == f"x.{name}: not supported by this engine: {field.remark}"


def _example(kind: str) -> Any:
    scalars = {"text": "a", "int": 1, "bool": True, "number": "1", "any": {"a": 1}}
    if kind.startswith("list of "):
        return [_example(kind[8:])]
    if kind.startswith("map of "):
        return {"key": _example(kind[7:])}
    return scalars.get(kind, {})


def test_every_kind_that_a_field_names_has_a_table() -> None:
    for table in TABLE.values():
        for field in table.values():
            kind = re.sub(r"^((list|map) of )+", "", field.kind)
            assert kind in TABLE or kind in ("text", "int", "bool", "number", "any")


@pytest.mark.parametrize("empty", [None, {}, [], "", False])
def test_an_empty_value_of_a_refused_field_says_nothing(empty: Any) -> None:
    assert normalise({"resourceClaims": empty}, "Template", "x", Notes()) == {}


@pytest.mark.parametrize(
    ("kind", "value", "path", "message"),
    [
        ("Template", {"contianer": {}}, "x.contianer", "unknown field; did you mean `container`?"),
        ("Raw", {"zzz": 1}, "x.zzz", "unknown field; known are data"),
        ("Template", {"name": {"a": 1}}, "x.name", "expected a text, got a map"),
        ("Template", {"parallelism": "2"}, "x.parallelism", 'expected an integer, got "2"'),
        ("DAG", {"failFast": "yes"}, "x.failFast", 'expected true or false, got "yes"'),
        ("RetryStrategy", {"limit": []}, "x.limit", "expected an integer or a text, got a list"),
        ("Template", {"steps": [{}]}, "x.steps[0]", "expected a list, got a map"),
        ("DAG", {"tasks": [1]}, "x.tasks[0]", "expected a map, got 1"),
        ("ObjectMeta", {"labels": "a"}, "x.labels", 'expected a map, got "a"'),
        ("Template", "a", "x", 'expected a map, got "a"'),
    ],
)
def test_what_is_malformed(kind: str, value: Any, path: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        normalise(value, kind, "x", Notes())
    assert (caught.value.path, str(caught.value)) == (path, f"{path}: {message}")


def test_notes_count_fields_of_a_kind() -> None:
    notes = Notes()
    value = [{"imagePullPolicy": "Always"}, {"imagePullPolicy": "Never"}, {"stdin": True}]
    assert normalise(value, "list of Container", "c", notes) == [{}, {}, {}]
    assert notes.texts() == (
        "c[0].imagePullPolicy (and 1 more) is without effect: images are mapped, not pulled",
        "c[2].stdin is without effect: nobody writes to a step's standard input",
    )
