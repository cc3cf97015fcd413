"""The schema of a database: made in a new one, brought up to date in an old one, checked in every one.

One look tells which of the three it is; Alembic, slow to import, is loaded for the second only.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from penstock.adapters.sql.backends import Backend, backend
from penstock.adapters.sql.faults import translated
from penstock.adapters.sql.schema import HEAD, metadata
from penstock.errors import HomeError

__all__ = ["migrate", "prepare", "revision", "upgrade"]


def upgrade(address: str | Path) -> str:
    """Bring the database at an address up to date, as opening it does; its revision afterwards.

    Raises HomeError, InvalidSetting, NoSpace, Unavailable.
    """
    with translated():
        database = backend(address)
        try:
            prepare(database)
            return HEAD
        finally:
            database.close()


def prepare(database: Backend) -> None:
    """Make the schema, or bring it up to date. Raises HomeError where a newer Penstock made it."""
    with database.writing.connect() as connection:
        if _known(connection, database.name) == HEAD:
            return
        if connection.dialect.name == "sqlite":
            # Rebuilding a table drops it, and with it, were the keys on, all rows that refer to it.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        try:
            connection.exec_driver_sql(database.begin_write)
            _change(connection, database.name)
            connection.exec_driver_sql("COMMIT")
        finally:
            # Whatever happened, nobody goes on with this connection's keys and transaction.
            connection.invalidate()


def revision(connection: Connection) -> str:
    """The revision of the schema, "" where there is none."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none() or "")


def migrate(connection: Connection, target: str = "head") -> None:
    """Run the migrations in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def _known(connection: Connection, name: str) -> str:
    found = revision(connection)
    if found > HEAD:
        raise HomeError(
            f"{name} was written by a newer Penstock (schema {found}, this one knows {HEAD}); "
            "install that version again, or choose another --home"
        )
    return found


def _change(connection: Connection, name: str) -> None:
    """Under the lock: somebody else may have done it in the meantime."""
    found = _known(connection, name)
    if not found:
        _create(connection, name)
    elif found != HEAD:
        migrate(connection)


def _create(connection: Connection, name: str) -> None:
    if connection.dialect.has_table(connection, "runs"):
        raise HomeError(f"{name} holds tables that are not Penstock's; choose another database or --home")
    metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version "
        "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql(f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}')")  # noqa: S608
