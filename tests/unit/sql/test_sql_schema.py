"""The schema: migrations make what the tables say, and what is not ours or newer is refused."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect

from penstock.adapters.sql import open_records, upgrade
from penstock.adapters.sql.backends import backend
from penstock.adapters.sql.schema import HEAD, metadata
from penstock.adapters.sql.setup import migrate, revision
from penstock.errors import HomeError, InvalidSetting
from penstock.ports import Page
from penstock.testing.records_contract import an_experiment

# Children end without a look at what other threads of this process held.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

VERSIONS = Path(__file__).parents[3] / "src" / "penstock" / "adapters" / "sql" / "migrations" / "versions"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "penstock.db")
    url: str = request.getfixturevalue("postgresql_url")
    return url


def described(connection: Connection) -> dict[str, Any]:
    """All that a database knows of its tables, but for Alembic's own."""
    seen = inspect(connection)
    return {
        table: {
            "columns": [{**column, "type": repr(column["type"])} for column in seen.get_columns(table)],
            "key": seen.get_pk_constraint(table),
            "foreign": sorted(seen.get_foreign_keys(table), key=str),
            "unique": sorted(seen.get_unique_constraints(table), key=str),
            "indexes": sorted(seen.get_indexes(table), key=str),
            "sequence": "AUTOINCREMENT" in _source(connection, table),
        }
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


def _source(connection: Connection, table: str) -> str:
    if connection.dialect.name != "sqlite":
        return ""
    query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    return str(connection.exec_driver_sql(query, (table,)).scalar_one())


def changed(address: str, change: Callable[[Connection], object]) -> None:
    """Do something to a database in a transaction of its own."""
    database = backend(address)
    try:
        with database.writing.connect() as connection:
            connection.exec_driver_sql(database.begin_write)
            change(connection)
            connection.exec_driver_sql("COMMIT")
    finally:
        database.close()


def test_the_migrations_make_what_the_tables_say(address: str) -> None:
    found: list[dict[str, Any]] = []
    changed(address, migrate)
    changed(address, lambda connection: found.append(described(connection)))
    changed(address, lambda connection: [table.drop(connection) for table in reversed(metadata.sorted_tables)])
    changed(address, metadata.create_all)
    changed(address, lambda connection: found.append(described(connection)))
    assert set(found[0]) == set(metadata.tables)
    assert found[0] == found[1]


def test_the_newest_migration_is_the_head_that_the_tables_name() -> None:
    revisions = sorted(re.sub(r"_.*", "", path.stem) for path in VERSIONS.glob("[0-9]*.py"))
    assert revisions[-1] == HEAD
    assert revisions == [f"{number:04}" for number in range(1, len(revisions) + 1)]


def test_a_migrated_database_is_opened_as_it_is(address: str) -> None:
    changed(address, migrate)
    found: list[str] = []
    open_records(address).close()
    changed(address, lambda connection: found.append(revision(connection)))
    assert found == [HEAD]


def test_opening_again_keeps_what_is_there(address: str) -> None:
    records = open_records(address)
    records.write(lambda store: store.add_experiment(an_experiment(name="kept"))).result()
    records.close()
    assert upgrade(address) == HEAD
    records = open_records(address)
    assert [e.name for e in records.read(lambda store: store.experiments(Page()).items)] == ["kept"]
    records.close()


def test_a_newer_database_is_refused_and_left_alone(address: str) -> None:
    open_records(address).close()
    changed(address, lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HomeError, match=r"was written by a newer Penstock \(schema 9999, this one knows \d+\)"):
        open_records(address)
    with pytest.raises(HomeError, match="choose another --home"):
        upgrade(address)


def test_tables_of_somebody_else_are_refused(address: str) -> None:
    changed(address, lambda connection: connection.exec_driver_sql("CREATE TABLE runs (miles INTEGER)"))
    with pytest.raises(HomeError, match="tables that are not Penstock's"):
        open_records(address)


def test_the_message_never_shows_a_password(postgresql_url: str) -> None:
    changed(postgresql_url, lambda connection: connection.exec_driver_sql("CREATE TABLE runs (miles INTEGER)"))
    with pytest.raises(HomeError) as raised:
        open_records(postgresql_url.replace("penstock@", "penstock:secret@"))
    assert "secret" not in str(raised.value)


def _open(path: Path) -> None:
    open_records(path).close()


def test_processes_that_open_a_new_home_at_once_make_one_schema(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    with get_context("spawn").Pool(3) as pool:
        pool.map(_open, [path] * 6)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


# --- files that cannot be opened ------------------------------------------------------------------------------------


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """A folder that its visitor may read and enter, and not write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        yield path
        path.chmod(stat.S_IRWXU)


def as_nobody(action: Callable[[], object]) -> str:
    """What the action raised, as a user who owns nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            action()
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    os.waitpid(child, 0)
    return text


def test_a_folder_that_is_not_writable_is_named(forbidden: Path) -> None:
    forbidden.chmod(0o555)
    said = as_nobody(lambda: open_records(forbidden / "home" / "penstock.db"))
    assert said.startswith(f"HomeError: {forbidden / 'home'}: cannot be made (Permission denied)")
    said = as_nobody(lambda: open_records(forbidden / "penstock.db"))
    assert said.startswith("HomeError: the database cannot be opened; give its user the right, or choose --home")


def test_a_database_that_is_not_writable_is_said_at_once(forbidden: Path) -> None:
    open_records(forbidden / "penstock.db").close()
    (forbidden / "penstock.db").chmod(0o444)
    forbidden.chmod(0o555)
    assert as_nobody(lambda: open_records(forbidden / "penstock.db")).startswith("HomeError: the database cannot be")


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match=r"file: cannot be made \(.*\); choose another --home"):
        open_records(tmp_path / "file" / "penstock.db")
    (tmp_path / "penstock.db").mkdir()
    with pytest.raises(HomeError, match="cannot be opened"):
        open_records(tmp_path / "penstock.db")


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "penstock.db").write_bytes(b"a diary, not a database\n" * 500)
    with pytest.raises(HomeError, match="the file is not a database"):
        open_records(tmp_path / "penstock.db")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("oracle://host/db", "expected sqlite:/// or postgresql://"),
        ("nonsense://host", "database: "),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:///:memory:", "SQLite needs a file"),
        ("://", "database: "),
    ],
)
def test_addresses_that_are_none(address: str, expected: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(expected)):
        open_records(address)
