"""`depends`: what holds when, and what is no expression."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.workflow.depends import MAX_NESTING, RESULTS, DependsError, condition, parse

FACTS = {("A", "Succeeded"), ("B", "Failed"), ("C-1", "Skipped"), ("L", "AnySucceeded"), ("E", "Errored")}


def holds(text: str, continues: dict[str, tuple[bool, bool]] | None = None) -> bool:
    return parse(text, continues or {}).test(lambda task, result: (task, result) in FACTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("A", True),
        ("B", False),
        ("C-1", True),
        ("A.Succeeded", True),
        ("A.Failed", False),
        ("B.Failed", True),
        ("!B", True),
        ("!!B", False),
        ("A && B", False),
        ("A||B", True),
        ("A && (B || C-1)", True),
        ("B && A || A", True),
        ("A || A && B", True),
        ("!(A && B)", True),
        ("L.AnySucceeded && !L.AllFailed", True),
        ("E.Errored", True),
    ],
)
def test_expression(text: str, expected: bool) -> None:
    assert holds(text) is expected


def test_a_bare_name_takes_in_what_continue_on_allows() -> None:
    assert not holds("B")
    assert holds("B", {"B": (False, True)})
    assert not holds("E", {"E": (False, True)})
    assert holds("E", {"E": (True, False)})


def test_dependencies_are_all_needed() -> None:
    parsed = condition("", ["A", "B"], {})
    assert parsed.tasks == ("A", "B")
    assert not parsed.test(lambda task, result: (task, result) in FACTS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A &&", "invalid 'depends' 'A &&': unexpected 'end of text'"),
        ("A & B", "invalid 'depends' 'A & B': unexpected '& B'"),
        ("(A", "invalid 'depends' '(A': missing ')'"),
        ("A)", "invalid 'depends' 'A)': unexpected ')'"),
        ("A B", "invalid 'depends' 'A B': unexpected 'B'"),
        ("A.Done", "task result 'Done' for task 'A' is invalid"),
        ("A.succeeded", "invalid 'depends' 'A.succeeded': unexpected '.succeeded'"),
        ("(" * 5000, f"more than {MAX_NESTING} nested parentheses"),
    ],
)
def test_what_is_no_expression(text: str, message: str) -> None:
    with pytest.raises(DependsError) as caught:
        parse(text, {})
    assert message in str(caught.value)


def test_long_chains_end() -> None:
    assert holds(" && ".join(["A"] * 10_000))
    assert holds("!" * 10_000 + "A")


@given(st.lists(st.sampled_from(["A", "B", ".", "!", "(", ")", "&&", "||", *RESULTS, " "]), max_size=12).map("".join))
def test_any_text_gives_a_condition_or_an_error(text: str) -> None:
    with suppress(DependsError):
        assert isinstance(holds(text), bool)
