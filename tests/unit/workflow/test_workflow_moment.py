"""Functions that read a clock or chance: by the moment that they are given, and no other."""

from __future__ import annotations

import re

import pytest

from penstock.workflow.expressions import ExpressionError, Flat, evaluate
from penstock.workflow.expressions.moment import moment

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z, a Tuesday


def value(text: str, seed: str = "seed") -> object:
    with moment(NOW, seed):
        return evaluate(text, Flat({}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now()", "2023-11-14T22:13:20Z"),
        ("sprig.now()", "2023-11-14T22:13:20Z"),
        ("now().Unix()", 1_700_000_000),
        ("now().Year() + now().Month()", 2034),
        ("now().Weekday()", 2),
        ("now().Format('2006-01-02T15:04:05Z07:00')", "2023-11-14T22:13:20Z"),
        ("now().Format('Mon, 2 Jan 06 03:04 PM MST')", "Tue, 14 Nov 23 10:13 PM UTC"),
        ("sprig.date('2006/1/2', sprig.now())", "2023/11/14"),
        ("sprig.dateInZone('15:04 -07:00', sprig.now(), 'Asia/Tokyo')", "07:13 +09:00"),
        ("sprig.htmlDate(0)", "1970-01-01"),
        ("sprig.unixEpoch(sprig.now())", "1700000000"),
        ("sprig.randInt(5, 6)", 5),
        ("sprig.randAlpha(0)", ""),
    ],
)
def test_values(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("sprig.uuidv4()", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("sprig.randAlphaNum(8)", r"[A-Za-z0-9]{8}"),
        ("sprig.randNumeric(4)", r"\d{4}"),
        ("sprig.shuffle('aab')", r"[ab]{3}"),
        ("string(sprig.randInt(0, 1000000))", r"\d{1,6}"),
        ("sprig.randBytes(3)", r".{4}"),
    ],
)
def test_chance_is_that_of_the_seed(text: str, form: str) -> None:
    assert re.fullmatch(form, str(value(text)))
    assert value(text) == value(text)


def test_another_seed_gives_another_value() -> None:
    assert value("sprig.uuidv4()") != value("sprig.uuidv4()", "other")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sprig.randAlpha(100000000)", "limit 10,000"),
        ("sprig.randInt(2, 2)", "no number lies from 2 to below 2"),
        ("sprig.dateInZone('15', now(), 'Nowhere/Else')", "unknown time zone Nowhere/Else"),
        ("now().Explode()", "unknown method Explode"),
        ("'a'.Unix()", "unknown method Unix"),
    ],
)
def test_what_cannot_be_had(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(said)):
        value(text)


def test_nothing_reads_the_machine() -> None:
    for text in ("now()", "sprig.uuidv4()"):
        with pytest.raises(ExpressionError, match="there is no clock and no chance in this place"):
            evaluate(text, Flat({}))
