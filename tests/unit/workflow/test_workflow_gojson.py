"""JSON as Go writes it, and values as Go's `%v` prints them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.workflow import gojson


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ("<a & b>", '"\\u003ca \\u0026 b\\u003e"'),
        ("é\u2028", '"é\\u2028"'),
        (1.0, "1"),
        (0.1, "0.1"),
        (-0.0, "-0"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e-7, "1.5e-7"),
        (1e-6, "0.000001"),
        ((), "[]"),
    ],
)
def test_json(value: Any, text: str) -> None:
    assert gojson.dumps(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_there_is_no_json_for_these(value: float) -> None:
    with pytest.raises(ValueError, match="no JSON form"):
        gojson.dumps(value)
    with pytest.raises(ValueError, match="invalid value"):
        gojson.loads("[NaN]")


def test_numbers_keep_their_spelling() -> None:
    assert gojson.dumps(gojson.loads('{"b": 1e06, "a": 1.10}')) == '{"a":1.10,"b":1e06}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "<nil>"),
        (1.0, "1"),
        (1e6, "1e+06"),
        (1234567.0, "1.234567e+06"),
        (1e-5, "1e-05"),
        (math.inf, "+Inf"),
        (-0.0, "-0"),
        ([1, "a", None], "[1 a <nil>]"),
        ({"b": 1, "a": 2}, "map[a:2 b:1]"),
    ],
)
def test_shown(value: Any, text: str) -> None:
    assert gojson.shown(value) == text


@pytest.mark.parametrize(
    ("text", "quoted"), [('a"b', '"a\\"b"'), ("\x07\x0b", '"\\a\\v"'), ("a\nb", '"a\\nb"'), ("é", '"é"')]
)
def test_quote(text: str, quoted: str) -> None:
    assert gojson.quote(text) == quoted


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_survives(value: float) -> None:
    assert float(gojson.number(value)) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_is_written_is_json_of_the_same_value(value: Any) -> None:
    assert json.loads(gojson.dumps(value)) == value
