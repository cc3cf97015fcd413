"""YAML as Go's `sigs.k8s.io/yaml` reads it: a table of scalars; what is refused; what is written is read again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import InvalidDocument
from penstock.workflow import dump_yaml, gojson, load_yaml
from penstock.workflow.yaml import MAX_DEPTH, load_documents


@pytest.mark.parametrize(
    ("text", "json"),
    [
        ("yes", "true"),
        ("Yes", "true"),
        ("y", "true"),
        ("on", "true"),
        ("TRUE", "true"),
        ("tRue", '"tRue"'),
        ("no", "false"),
        ("N", "false"),
        ("Off", "false"),
        ("~", "null"),
        ("Null", "null"),
        ("", "null"),
        ("014", "12"),
        ("0o14", "12"),
        ("-014", "-12"),
        ("08", "8"),
        ("09", "9"),
        ("0x1F", "31"),
        ("0b101", "5"),
        ("0b12", '"0b12"'),
        ("1_000", "1000"),
        ("_1", '"_1"'),
        ("+1", "1"),
        ("1e3", "1000"),
        ("1E+3", "1000"),
        ("1.5e3", "1500"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.0", "1"),
        ("1.10", "1.1"),
        ("-0.0", "-0"),
        (".9_13", "0.913"),
        (".9_", '".9_"'),
        ("1e-7", "1e-7"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("1e400", '"1e400"'),
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551616", "18446744073709552000"),
        ("-9223372036854775809", "-9223372036854776000"),
        ("1:30", '"1:30"'),
        ("2020-01-02", '"2020-01-02"'),
        ("2020-01-02T03:04:05Z", '"2020-01-02T03:04:05Z"'),
        ("1.2.3", '"1.2.3"'),
        ("infinity", '"infinity"'),
        ('"5"', '"5"'),
        ("'yes'", '"yes"'),
        ("!!str 5", '"5"'),
        ("=", '"="'),
    ],
)
def test_a_plain_scalar(text: str, json: str) -> None:
    assert gojson.dumps(load_yaml(f"a: {text}\n")["a"]) == json


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n\t- b\n", "pipeline.yaml:2:1: tab not allowed."),
        ("a: &x [1]\nb: *x\n", "pipeline.yaml:2:4: alias *x not allowed; write the value out"),
        ("a: 1\nb: 2\na: 3\n", "pipeline.yaml:3:1: duplicate key 'a'"),
        ("a: {<<: {b: 1}}\n", "pipeline.yaml:1:5: merge key << not allowed; write the fields out"),
        ("a: .nan\n", "pipeline.yaml:1:4: .nan has no JSON value; quote it"),
        ("a: !!python/object:os.system x\n", "pipeline.yaml:1:4: tag tag:yaml.org,2002:python/object:os.system"),
        ("a: !custom {}\n", "pipeline.yaml:1:4: tag !custom not allowed"),
        ("? [a]\n: b\n", "pipeline.yaml:1:3: a key must be a text, not a list or a map"),
        ("[" * (MAX_DEPTH + 1), f"pipeline.yaml:1:{MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels"),
        ("a: [1\n", "pipeline.yaml:2:1: while parsing a flow sequence"),
        ("a: 1\n---\nb: 2\n", "pipeline.yaml: 2 YAML documents; expected one"),
        ("a: \x01\n", "pipeline.yaml: unacceptable character"),
    ],
)
def test_what_is_refused_says_where(text: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        load_yaml(text, source="pipeline.yaml")
    assert str(caught.value).startswith(message)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidDocument, match="document: "):
        load_yaml(b"a: \xff\n")


def test_an_alias_bomb_is_refused_at_its_first_alias() -> None:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    with pytest.raises(InvalidDocument, match=r"document:2:10: alias \*a0 not allowed"):
        load_yaml("\n".join(["a0: &a0 [lol]", *levels]))


def test_documents_without_content_do_not_count() -> None:
    assert load_documents("---\n---\na: 1\n---\n") == [{"a": 1}]


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=12) | st.sampled_from(["yes", "1e3", "0o14", "y", "null", "a: b", "- x", "#", "a\nb\n", "\t"])
VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert gojson.dumps(load_yaml(dump_yaml({"a": value}))) == gojson.dumps({"a": value})


@given(st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_other_readers_of_yaml_see_the_same_texts(value: dict[str, str]) -> None:
    assert yaml.safe_load(dump_yaml(value)) == value


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@`,? \n\t0123.\\~<=", max_size=60))
def test_any_text_gives_values_or_an_error(text: str) -> None:
    with suppress(InvalidDocument):
        assert isinstance(load_documents(text), list)
