"""The official compiler, and how many pipelines are made up for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from official_kfp import Official, python_with


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--generated", type=int, default=200, help="how many made-up pipelines are compared")


@pytest.fixture(scope="session")
def official() -> Iterator[Official]:
    compiler = Official(python_with("kfp-1.8"))
    yield compiler
    compiler.close()


@pytest.fixture(scope="session")
def generated(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--generated", 200))
