"""Lists: they walk an index, and read no document."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.adapters.sql.backends import Backend, backend
from penstock.adapters.sql.schema import metadata
from penstock.adapters.sql.session import Session
from penstock.adapters.sql.setup import prepare
from penstock.adapters.sql.statements import Book
from penstock.paging import plan, token
from penstock.ports import Page, Reader, Run

LISTS: dict[str, Callable[[Reader], object]] = {
    "runs": lambda store: store.runs(Page(size=200)),
    "runs of an experiment": lambda store: store.runs(Page(filters=(("experiment_id", "equals", "e"),))),
    "runs by state": lambda store: store.runs(Page(filters=(("state", "equals", "FAILED"),))),
    "runs out of the archive": lambda store: store.runs(Page(filters=(("storage_state", "equals", "AVAILABLE"),))),
    "a later page of runs": lambda store: store.runs(Page(token=token(plan(Run, Page()), 3.0, "id"))),
    "experiments": lambda store: store.experiments(Page()),
    "pipelines": lambda store: store.pipelines(Page()),
    "versions": lambda store: store.versions("p", Page()),
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Backend]:
    opened = backend(tmp_path / "penstock.db")
    prepare(opened)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_reads_no_document(database: Backend, name: str) -> None:
    read: set[str] = set()

    def notes(action: int, table: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_READ and table in metadata.tables:
            read.add(table)
        return sqlite3.SQLITE_OK

    with database.reading.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_authorizer(notes)
        LISTS[name](Session(connection, Book(database.reading.dialect)))
        driver.set_authorizer(None)
    assert read
    assert read <= {"runs", "run_metrics", "experiments", "pipelines", "pipeline_versions"}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_walks_an_index_and_sorts_nothing(database: Backend, name: str) -> None:
    sent: list[str] = []
    with database.reading.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(sent.append)
        LISTS[name](Session(connection, Book(database.reading.dialect)))
        driver.set_trace_callback(None)
        plans = [row[3] for text in sent for row in driver.execute("EXPLAIN QUERY PLAN " + text)]
    assert plans
    for step in plans:
        assert " INDEX " in step, plans
