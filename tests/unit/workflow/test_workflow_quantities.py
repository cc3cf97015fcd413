"""Quantities of Kubernetes, and what a pod requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.workflow.quantities import Needs, limits_of, needs_of, quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2.0),
        (2, 2.0),
        (0.5, 0.5),
        ("500m", 0.5),
        ("1.5Gi", 1.5 * 2**30),
        ("64Mi", 2**26),
        ("1k", 1000.0),
        ("2G", 2e9),
        ("1E", 1e18),
        ("1e3", 1000.0),
        ("1E-1", 0.1),
        ("100n", 1e-7),
        ("", None),
        ("-1", None),
        ("1 Gi", None),
        ("{{inputs.parameters.cpu}}", None),
        ("1e999", None),
        (None, None),
        ({}, None),
    ],
)
def test_a_quantity(text: object, number: float | None) -> None:
    assert quantity(text) == (number if number is None else pytest.approx(number))


@given(st.text())
def test_no_text_is_a_crash(text: str) -> None:
    found = quantity(text)
    assert found is None or found >= 0


def test_a_limit_stands_for_a_request_that_is_missing() -> None:
    own = {"requests": {"cpu": "500m"}, "limits": {"cpu": 2, "memory": "1Gi"}}
    assert needs_of([own]) == Needs(0.5, 2**30)
    assert limits_of(own) == Needs(2.0, 2**30)


def test_containers_beside_one_another_add_up_and_those_before_do_not() -> None:
    assert needs_of([{"requests": {"cpu": 1}}, {"requests": {"cpu": 1}}], [{"requests": {"cpu": 3}}]) == Needs(3.0, 0.0)
    assert needs_of([None, "odd", {"requests": ["cpu"]}]) == Needs()
