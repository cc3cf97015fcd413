"""`ports.Records` on a relational database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from penstock.adapters.sql.backends import backend
from penstock.adapters.sql.faults import translated
from penstock.adapters.sql.session import Session
from penstock.adapters.sql.setup import prepare
from penstock.adapters.sql.statements import Book
from penstock.adapters.sql.writer import WriterThread
from penstock.ports import Reader, Writer

__all__ = ["SqlRecords", "open_records"]

T = TypeVar("T")


class SqlRecords:
    """Records in SQLite or PostgreSQL. Opening makes the schema, or brings it up to date.

    Raises HomeError (not writable, damaged, written by a newer Penstock), InvalidSetting, Unavailable, NoSpace.
    """

    def __init__(self, address: str | Path) -> None:
        with translated():
            self._database = backend(address)
            try:
                prepare(self._database)
            except BaseException:
                self._database.close()
                raise
        self._book = Book(self._database.reading.dialect)
        self._writer = WriterThread(self._database, self._book)

    def read(self, query: Callable[[Reader], T]) -> T:
        """As the port says; from any thread."""
        with translated(), self._database.reading.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute(self._database.begin_read)
            try:
                return query(Session(connection, self._book))
            finally:
                cursor.execute("ROLLBACK")

    def write(self, change: Callable[[Writer], T]) -> Future[T]:
        """As the port says. Neither a change nor a done-callback may wait for another write: there is one writer."""
        return self._writer.submit(change)

    def version(self) -> int:
        """As the port says; this process's own commits may show too."""
        with translated():
            return self._database.version()

    def close(self) -> None:
        """As the port says. Twice is no error."""
        self._writer.close()
        self._database.close()


def open_records(address: str | Path) -> SqlRecords:
    """The records at a SQLAlchemy address (`sqlite:///…`, `postgresql://…`) or a path of a SQLite file."""
    return SqlRecords(address)
