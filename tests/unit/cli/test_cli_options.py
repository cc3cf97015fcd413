"""Texts of options."""

from __future__ import annotations

import click
import pytest

from penstock.cli.options import DURATION, parameters_of
from penstock.errors import InvalidInput


def test_parameters_are_split_at_the_first_equals_sign() -> None:
    assert parameters_of(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("pairs", [["a"], ["=1"], ["a=1", "a=2"]])
def test_a_malformed_parameter_is_named(pairs: list[str]) -> None:
    with pytest.raises(InvalidInput, match="-p"):
        parameters_of(pairs)


@pytest.mark.parametrize(("text", "seconds"), [("300", 300.0), ("300s", 300.0), ("5m", 300.0), ("1h30m", 5400.0)])
def test_durations(text: str, seconds: float) -> None:
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 minutes", "0", "0s"])
def test_what_is_no_duration_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected"):
        DURATION.convert(text, None, None)
