"""The one writer of a process: a thread that takes what is queued, and commits it together.

A change alone on an idle store is committed at once. Changes that queue up while a commit waits for the disk share
the next one, each behind a savepoint of its own, so that one that fails leaves no trace and disturbs no other.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from penstock.adapters.sql.backends import Backend
from penstock.adapters.sql.faults import translation
from penstock.adapters.sql.session import Session
from penstock.adapters.sql.statements import Book
from penstock.errors import Unavailable
from penstock.failpoints import passing
from penstock.ports import Writer

__all__ = ["WriterThread"]

T = TypeVar("T")

BATCH = 256
"""Most changes of one commit."""


@dataclass(slots=True)
class _Queued:
    change: Callable[[Writer], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None


class WriterThread:
    """Commits changes of one process. `close` ends it when the queue is empty."""

    def __init__(self, database: Backend, book: Book) -> None:
        self._database = database
        self._book = book
        self._queue: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._sent: tuple[str, list[_Queued]] = "", []
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._work, name="penstock-writer", daemon=True)
        self._thread.start()

    def submit(self, change: Callable[[Writer], T]) -> Future[T]:
        """Queue a change. Its future fails with Unavailable when the store is closed."""
        queued = _Queued(change)
        with self._closing:
            if self._closed:
                queued.future.set_exception(Unavailable("the store is closed"))
            else:
                self._queue.put(queued)
        return queued.future

    def close(self) -> None:
        """Commit what is queued, then end."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _work(self) -> None:
        going = True
        while going:
            batch, going = self._batch()
            if batch:
                self._commit(batch)
        self._let_go()

    def _batch(self) -> tuple[list[_Queued], bool]:
        """Wait for a change, and take those behind it; False when there will be no more."""
        batch: list[_Queued] = []
        queued = self._queue.get()
        while queued is not None:
            if queued.future.set_running_or_notify_cancel():
                batch.append(queued)
            if len(batch) == BATCH or self._queue.empty():
                return batch, True
            queued = self._queue.get()
        return batch, False

    def _commit(self, batch: list[_Queued]) -> None:
        self._sent = "", []
        try:
            if self._connection is None:
                self._connection = self._database.writing.connect()
            done = self._transaction(self._connection, batch)
        except BaseException as error:
            self._let_go()
            done = self._arrived()
            # The transaction is gone as a whole: those that had seemed to succeed are lost with the others.
            if not done:
                _fail(batch, translation(error))
                return
        for queued in done:
            queued.future.set_result(queued.result)

    def _let_go(self) -> None:
        """Close the connection, which is kept from one commit to the next; the next one makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _transaction(self, connection: Connection, batch: list[_Queued]) -> list[_Queued]:
        """Apply the changes and commit; those that were applied. The others' futures have failed."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._database.begin_write)
            transaction = self._database.transaction(cursor)
            alone = len(batch) == 1
            done = [q for q in batch if self._apply(cursor, Session(connection, self._book), q, alone=alone)]
            self._sent = transaction, done
            passing("commit.before")
            cursor.execute("COMMIT" if done else "ROLLBACK")
            passing("commit.after")
        except BaseException:
            # Closing the connection rolls back what is left of it, in whatever state it is.
            connection.invalidate()
            raise
        return done

    def _arrived(self) -> list[_Queued]:
        """What was committed all the same: a database may have done it, and its answer have been lost."""
        transaction, done = self._sent
        with suppress(Exception):  # then nobody knows, and the first error is told
            if transaction and self._database.committed(transaction):
                return done
        return []

    def _apply(self, cursor: Any, session: Session, queued: _Queued, *, alone: bool) -> bool:
        """Run one change; False where it failed and left no trace. Raises where the whole transaction is lost."""
        if not alone:
            cursor.execute("SAVEPOINT change")
        try:
            queued.result = queued.change(session)
        except BaseException as error:
            if not alone:
                cursor.execute("ROLLBACK TO SAVEPOINT change")
                cursor.execute("RELEASE SAVEPOINT change")
            queued.future.set_exception(translation(error))
            return False
        if not alone:
            cursor.execute("RELEASE SAVEPOINT change")
        return True


def _fail(batch: list[_Queued], error: BaseException) -> None:
    for queued in batch:
        if not queued.future.done():
            queued.future.set_exception(error)
