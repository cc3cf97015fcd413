"""What differs between the databases: how to connect, how a transaction begins, how to see that something changed.

Drivers are in autocommit mode and transactions are begun and ended in so many words, so that nothing begins one in a
mode that was not asked for.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import QueuePool

from penstock.errors import HomeError, InvalidSetting

__all__ = ["Backend", "backend"]

PATIENCE = 30.0
"""Seconds that a statement waits for another process's transaction before it gives up with Unavailable."""

_READERS = 16


class Backend(Protocol):
    """A database of one kind."""

    writing: Engine
    reading: Engine
    begin_write: str
    """Begins a transaction that no other writer can come between."""
    begin_read: str
    """Begins a transaction whose reads all see one snapshot."""
    name: str
    """For messages: the file, or the address without its password."""

    def version(self) -> int: ...
    def transaction(self, cursor: Any) -> str:
        """By what `committed` knows the transaction that was just begun; "" where no answer of a COMMIT can be lost."""
        ...

    def committed(self, transaction: str) -> bool:
        """Whether a transaction was committed of which no answer came, as soon as that is decided.

        Raises what the driver raises, TimeoutError.
        """
        ...

    def close(self) -> None: ...


def backend(address: str | Path) -> Backend:
    """The database at a SQLAlchemy address or a path of a SQLite file.

    Raises InvalidSetting for an address of an unknown kind, HomeError where the file cannot be made or opened.
    """
    if isinstance(address, Path) or "://" not in address:
        return Sqlite(Path(address))
    try:
        url = make_url(address)
        if url.get_backend_name() == "sqlite":
            return Sqlite(_file(url))
        if url.get_backend_name() == "postgresql":
            return Postgresql(url.set(drivername="postgresql+psycopg"))
    except (ArgumentError, NoSuchModuleError) as error:
        raise InvalidSetting(f"database: {error}") from None
    except ModuleNotFoundError as error:
        raise InvalidSetting(f"database: {error}; install it by: pip install 'penstock[postgres]'") from None
    raise InvalidSetting(f"database: got an address of {url.drivername!r}, expected sqlite:/// or postgresql://")


def _file(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise InvalidSetting("database: SQLite needs a file, as in sqlite:////home/me/penstock.db")
    return Path(url.database)


class Sqlite:
    """A SQLite file in WAL mode. A commit is durable when it returns; readers never wait for the writer."""

    begin_write = "BEGIN IMMEDIATE"
    begin_read = "BEGIN"

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise HomeError(f"{path.parent}: cannot be made ({reason}); choose another --home") from None
        self._uri = "file:" + quote(str(path.absolute()))
        self.writing = self._engine("rwc", 1)
        self.reading = self._engine("ro", _READERS)
        self._lock = threading.Lock()
        self._watch: sqlite3.Connection | None = None

    def _engine(self, mode: str, size: int) -> Engine:
        return create_engine(
            "sqlite://",
            creator=lambda: self._connect(mode),
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=0 if mode == "rwc" else 2 * _READERS,
            pool_use_lifo=True,
            paramstyle="named",
        )

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._uri}?mode={mode}", uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        if mode == "rwc":
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def version(self) -> int:
        """SQLite's own counter of other connections' commits; needs no transaction and reads one page."""
        with self._lock:
            if self._watch is None:
                self._watch = self._connect("ro")
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def transaction(self, cursor: Any) -> str:  # noqa: ARG002 - it is this process that commits
        return ""

    def committed(self, transaction: str) -> bool:  # noqa: ARG002
        return False

    def close(self) -> None:
        with self._lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        # Readers first: the last connection that closes folds the log into the file, and they may not write.
        self.reading.dispose()
        self.writing.dispose()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait where two processes do this to a new file at once, so we do."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                connection.close()
                raise
            time.sleep(0.005)


class Postgresql:
    """A PostgreSQL database. Writers queue on an advisory lock, so that a change may read, decide and write."""

    begin_write = "BEGIN; SELECT pg_current_xact_id()::text FROM pg_advisory_xact_lock(7363682)"
    begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def __init__(self, url: URL) -> None:
        self.name = url.render_as_string(hide_password=True)
        options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "pool_use_lifo": True}
        self.writing = create_engine(url, pool_size=1, max_overflow=0, **options)
        self.reading = create_engine(url, pool_size=_READERS, **options)

    def version(self) -> int:
        """The first transaction number that was not given yet: rises with every commit in the cluster."""
        with self.reading.connect() as connection:
            return int(_value(connection, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))

    def transaction(self, cursor: Any) -> str:
        cursor.nextset()
        return str(cursor.fetchone()[0])

    def committed(self, transaction: str) -> bool:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with self.reading.connect() as connection:
                    status = _value(connection, "SELECT pg_xact_status(%(id)s::xid8)", {"id": transaction})
                if status != "in progress":
                    return bool(status == "committed")
            except OperationalError:  # the server may be on its way back
                pass
            time.sleep(0.05)
        raise TimeoutError

    def close(self) -> None:
        self.reading.dispose()
        self.writing.dispose()


def _value(connection: Connection, text: str, values: Mapping[str, Any] | None = None) -> Any:
    return connection.exec_driver_sql(text, values).scalar_one()
