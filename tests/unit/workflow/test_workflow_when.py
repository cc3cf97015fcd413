"""`when`: a table of conditions and what govaluate, as Argo uses it, says of them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.workflow.when import MAX_NESTING, WhenError, refuse_changed, should_execute


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "heads == heads",
        '"heads" == heads',
        "'heads' == \"heads\"",
        "5 == 5",
        "5.0 == 5",
        "0x1F == 31",
        "true",
        "true == true",
        "abc < abd",
        "10 > 9",
        "1 == 1 || foo == bar",
        "(1 == 2) || (2 == 2)",
        "!(1 == 2)",
        'heads =~ "^h.*s$"',
        "heads !~ tails",
        "a in (a, b)",
        "2 + 3 * 4 == 14",
        "2 ** 3 ** 2 == 64",
        "7 % 4 == 3",
        "true ? (1 == 1) : false",
        '"2020-01-02" < "2020-01-03"',
        '[a b] == "a b"',
        'foo\\-bar == "foo-bar"',
        "(true) false",
        "1 == 1 == true",
        "1 / 0 > 5",
        "nil == nil",
        "-1 < 0",
        '"" == ""',
        '"{{item}}" != ""',
    ],
)
def test_conditions_that_hold(condition: str) -> None:
    assert should_execute(condition) is True


@pytest.mark.parametrize(
    "condition",
    [
        "heads == tails",
        '"5" == 5',
        "false",
        "!true",
        '"true" == true',
        '"10" > "9"',
        "3 >= 3 && 2 <= 1",
        "c in (a, b)",
        "false ? true : false",
        "false && (1 < a)",
    ],
)
def test_conditions_that_do_not_hold(condition: str) -> None:
    assert should_execute(condition) is False


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("heads", "Expected boolean evaluation for 'heads'. Got heads"),
        ("5", "Expected boolean evaluation for '5'. Got 5"),
        ("1,2", "Expected boolean evaluation for '1,2'. Got [1 2]"),
        ('"2020-01-02"', "Expected boolean evaluation for '\"2020-01-02\"'. Got 1.5779232e+09"),
        ("a ?? b", "Expected boolean evaluation for 'a ?? b'. Got a"),
        (
            "foo-bar == foo-bar",
            "Failed to evaluate 'when' expresion 'foo-bar == foo-bar': "
            "Value 'foo' cannot be used with the modifier '-', it is not a number",
        ),
        (
            '"a" && true',
            "Failed to evaluate 'when' expresion '\"a\" && true': "
            "Value 'a' cannot be used with the logical operator '&&', it is not a bool",
        ),
        (
            "1 < a",
            "Failed to evaluate 'when' expresion '1 < a': "
            "Value '1' cannot be used with the comparator '<', it is not a number",
        ),
        (
            "1 in 2",
            "Failed to evaluate 'when' expresion '1 in 2': "
            "Value '2' cannot be used with the comparator 'in', it is not a number",
        ),
        ("a.B == c", "Failed to evaluate 'when' expresion 'a.B == c': No parameter 'a' found."),
        (
            "!a",
            "Failed to parse 'when' expression '!a': Cannot transition token types from PREFIX [!] to STRING [a]",
        ),
        (
            "a b == c",
            "Invalid 'when' expression 'a b == c': Cannot transition token types from VARIABLE [a] to VARIABLE [b]",
        ),
        (
            "== a",
            "Invalid 'when' expression '== a': Cannot transition token types from UNKNOWN [<nil>] to COMPARATOR [==]",
        ),
        ("x == ", "Invalid 'when' expression 'x == ': Unexpected end of expression"),
        ("(a == b", "Invalid 'when' expression '(a == b': Unbalanced parenthesis"),
        ('"a == b', "Invalid 'when' expression '\"a == b': Unclosed string literal"),
        ("[a == b", "Invalid 'when' expression '[a == b': Unclosed parameter bracket"),
        ("a.b == c", "Invalid 'when' expression 'a.b == c': Unable to access unexported field 'b' in token 'a.b'"),
        ("foo(1)", "Invalid 'when' expression 'foo(1)': Undefined function foo"),
        (
            "{{=asInt(x)}} == 1",
            "Invalid 'when' expression '{{=asInt(x)}} == 1': Invalid token: '{{='"
            ' (hint: try wrapping the affected expression in quotes ("))',
        ),
        (
            "² == 1",
            "Invalid 'when' expression '² == 1': Invalid token: ''"
            ' (hint: try wrapping the affected expression in quotes ("))',
        ),
        ("1.2.3 == 1", "Invalid 'when' expression '1.2.3 == 1': Unable to parse numeric value '1.2.3' to float64\n"),
    ],
)
def test_conditions_that_cannot_be_judged(condition: str, message: str) -> None:
    with pytest.raises(WhenError) as caught:
        should_execute(condition)
    assert str(caught.value) == message


def test_a_broken_pattern_is_an_error_and_a_slow_one_is_none() -> None:
    with pytest.raises(WhenError, match="error parsing regexp"):
        should_execute('a =~ "("')
    assert should_execute(f"'{'a' * 5000}!' =~ '^(a+)+$'") is False


def test_long_chains_and_deep_nesting_end() -> None:
    assert should_execute(" && ".join(["true"] * 20_000)) is True
    assert should_execute("(" * MAX_NESTING + "true" + ")" * MAX_NESTING) is True
    with pytest.raises(WhenError, match="nested parentheses"):
        should_execute("(" * 100_000 + "true" + ")" * 100_000)


WORDS = st.sampled_from(
    [
        *("a", "true", "false", "1", "2.5", '"t"', "'2020-01-02'", "[x]", "a.B", "a.b", "0x", "\\", "{", '"'),
        *("(", ")", "!", "-", "~", "==", "!=", "<", "&&", "||", "+", "=~", "in", ",", "?", ":", "??", "**", "%", "<<"),
    ]
)


@given(st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_gives_an_answer_or_an_error(condition: str) -> None:
    with suppress(WhenError):
        assert isinstance(should_execute(condition), bool)


A = "{{tasks.a.outputs.result}}"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (f'"{A}" == "admin"', 'x" == "x" || "a'),
        (f'"{A}" == "admin"', 'admin" == "admin'),
        (f"'{A}' != 'admin'", "x' == '"),
        (f'{A} == "admin"', 'admin || "x" != "y" &&'),
        (f"{A} > 3", "1 < 2 || 4"),
    ],
)
def test_a_value_is_no_part_of_the_condition(written: str, value: str) -> None:
    with pytest.raises(WhenError, match="a value in it would be read as a part of the condition"):
        refuse_changed(written, written.replace(A, value))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (f'"{A}" == "admin"', "anybody || admin == x"),
        (f'"{A}" == ""', ""),
        (f"{A} > -3", "-5"),
        (f"{A} == heads", "2026-11-25T00:00:00Z"),
        (A, 'x == "y" || true'),
        (f" {A} ", "true && false"),
        (f'"{A}" == "x"', 'what cannot be read, "'),
        ("true", "unread"),
    ],
)
def test_other_values_are_compared(written: str, value: str) -> None:
    refuse_changed(written, written.replace(A, value))
