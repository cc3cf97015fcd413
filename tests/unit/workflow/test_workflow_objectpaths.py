"""Paths into objects, as kubectl's `jsonPath` and jq have them."""

from __future__ import annotations

import pytest

from penstock.workflow.objectpaths import is_path, picked

OBJECT = {"metadata": {"name": "a", "labels": {"x.y/z": "l"}}, "list": [{"n": 1}, {"n": 2.0}], "none": None}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("{.metadata.name}", "a"),
        ("{$.metadata.name}", "a"),
        (".metadata.name", "a"),
        ("{.metadata.labels['x.y/z']}", "l"),
        ("{.metadata.labels.x\\.y/z}", "l"),
        ("{.list[1].n}", "2"),
        (".list[-2].n", "1"),
        ("{.metadata.labels}", '{"x.y/z":"l"}'),
        ("{.none}", "null"),
        ("{.metadata.absent}", None),
        ("{.list[7]}", None),
        ("{.metadata.name.more}", None),
    ],
)
def test_what_a_path_picks(path: str, text: str | None) -> None:
    assert is_path(path)
    assert picked(OBJECT, path) == text


def test_the_whole() -> None:
    assert picked({"b": 1, "a": "<"}, "{}") == picked({"b": 1, "a": "<"}, ".") == '{"a":"\\u003c","b":1}'


@pytest.mark.parametrize("path", [".a | keys", "{range .items[*]}{.a}{end}", "{.items[?(@.a)]}", "a b"])
def test_what_is_no_plain_path(path: str) -> None:
    assert not is_path(path)
    assert picked(OBJECT, path) is None
