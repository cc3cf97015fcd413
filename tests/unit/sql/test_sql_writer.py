"""The one writer: what shares a commit, what is durable, and what other processes see of it."""

from __future__ import annotations

import select
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout

from penstock.adapters.sql import SqlRecords, open_records
from penstock.adapters.sql.backends import Backend, backend
from penstock.adapters.sql.faults import translation
from penstock.adapters.sql.setup import prepare
from penstock.adapters.sql.statements import Book
from penstock.adapters.sql.writer import BATCH, WriterThread
from penstock.errors import AlreadyExists, Conflict, DiskFailed, HomeError, InvalidInput, NoSpace, Unavailable
from penstock.ports import Metric, Page, Writer
from penstock.testing.records_contract import a_node, a_run, an_event, an_experiment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "penstock.db"


@pytest.fixture
def records(path: Path) -> Iterator[SqlRecords]:
    store = open_records(path)
    yield store
    store.close()


@pytest.fixture
def database(path: Path) -> Iterator[Backend]:
    opened = backend(path)
    prepare(opened)
    yield opened
    opened.close()


def traced(database: Backend) -> list[str]:
    """The statements that the writer will send from now on."""
    seen: list[str] = []
    with database.writing.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(seen.append)
    return seen


def held(writer: WriterThread) -> threading.Event:
    """Keep the writer busy with a change until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def change(_: Writer) -> None:
        begun.set()
        go_on.wait()

    writer.submit(change)
    begun.wait()
    return go_on


def test_what_queues_up_during_a_commit_shares_the_next_one(database: Backend) -> None:
    seen, writer = traced(database), WriterThread(database, Book(database.writing.dialect))
    go_on = held(writer)
    futures = [writer.submit(lambda store: store.add_experiment(an_experiment())) for _ in range(BATCH + 10)]
    go_on.set()
    for future in futures:
        future.result()
    writer.close()
    assert [text for text in seen if text.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"] * 3


def test_a_change_alone_needs_no_savepoint(database: Backend) -> None:
    seen, writer = traced(database), WriterThread(database, Book(database.writing.dialect))
    writer.submit(lambda store: store.add_experiment(an_experiment())).result()
    writer.close()
    assert [text.split()[0] for text in seen] == ["BEGIN", "INSERT", "COMMIT"]


def test_a_turn_takes_few_statements(database: Backend) -> None:
    """However many nodes it changed: each statement hands the interpreter over, and waits for it."""
    experiment, run = an_experiment(), a_run(metrics=(Metric(name="loss", node_id="n", value=1.0),))
    seen, writer = traced(database), WriterThread(database, Book(database.writing.dialect))
    writer.submit(lambda store: store.add_experiment(experiment)).result()
    writer.submit(lambda store: store.add_run(msgspec.structs.replace(run, experiment_id=experiment.id), "{}")).result()
    seen.clear()

    def turn(store: Writer) -> None:
        found = store.run(run.id)
        assert found is not None
        store.put_nodes([a_node(run.id, f"n-{number}") for number in range(5)])
        store.put_run(msgspec.structs.replace(found, phase="Running"))
        last = store.last_event(run.id)
        store.add_events([an_event(run.id, last + number) for number in range(1, 7)])

    writer.submit(turn).result()
    writer.close()
    assert [text.split()[0] for text in seen] == [
        *("BEGIN", "SELECT", "SELECT", "INSERT", "UPDATE", "SELECT", "INSERT", "COMMIT")
    ]


def test_metrics_of_a_change_that_failed_are_not_taken_for_stored(records: SqlRecords) -> None:
    experiment, run = an_experiment(), a_run()
    records.write(lambda store: store.add_experiment(experiment)).result()
    run = msgspec.structs.replace(run, experiment_id=experiment.id)
    records.write(lambda store: store.add_run(run, "{}")).result()
    measured = msgspec.structs.replace(run, metrics=(Metric(name="loss", node_id="n", value=1.0),))

    def fails(store: Writer) -> None:
        store.run(run.id)
        store.put_run(measured)
        raise Conflict("no")

    def measure(store: Writer) -> None:
        store.put_run(measured)

    go_on = held(records._writer)
    first, second = records.write(fails), records.write(measure)
    go_on.set()
    second.result()
    assert first.exception() is not None
    stored = records.read(lambda store: store.run(run.id))
    assert stored is not None
    assert stored.metrics == measured.metrics


def test_a_change_that_fails_alone_is_rolled_back(database: Backend) -> None:
    seen, writer = traced(database), WriterThread(database, Book(database.writing.dialect))
    future = writer.submit(lambda store: store.put_experiment(an_experiment()))
    assert future.exception() is not None
    writer.close()
    assert [text.split()[0] for text in seen] == ["BEGIN", "UPDATE", "ROLLBACK"]


def test_a_change_that_was_cancelled_is_not_made(database: Backend) -> None:
    writer = WriterThread(database, Book(database.writing.dialect))
    go_on = held(writer)
    one, other = (writer.submit(lambda store: store.add_experiment(an_experiment())) for _ in range(2))
    assert one.cancel()
    go_on.set()
    other.result()
    assert writer.submit(lambda store: store.experiments(Page()).total).result() == 1
    writer.close()


def test_a_commit_waits_for_the_disk_and_readers_do_not_wait_for_it(database: Backend) -> None:
    with database.writing.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_a_reader_cannot_write(database: Backend) -> None:
    with database.reading.connect() as connection, pytest.raises(Exception, match="readonly") as raised:
        connection.exec_driver_sql("DELETE FROM runs")
    assert isinstance(translation(raised.value), HomeError)


# --- several processes ----------------------------------------------------------------------------------------------


def _count(path: Path, id: str, times: int) -> None:
    records = open_records(path)

    def change(store: Writer) -> None:
        row = store.experiment(id)
        assert row
        store.put_experiment(msgspec.structs.replace(row, description=str(int(row.description) + 1)))

    for _ in range(times):
        records.write(change).result()
    records.close()


def test_no_change_of_another_process_is_lost(path: Path, records: SqlRecords) -> None:
    first = an_experiment(description="0")
    records.write(lambda store: store.add_experiment(first)).result()
    process = get_context("spawn").Process(target=_count, args=(path, first.id, 100))
    process.start()
    _count(path, first.id, 100)
    process.join()
    assert process.exitcode == 0
    assert records.read(lambda store: store.experiment(first.id)).description == "200"  # type: ignore[union-attr]


def test_the_version_tells_of_another_opener(path: Path, records: SqlRecords) -> None:
    other = open_records(path)
    before = records.version()
    assert records.version() == before
    other.write(lambda store: store.add_experiment(an_experiment())).result()
    other.close()
    assert records.version() != before


KILLED = """
import sys
from penstock.adapters.sql import open_records
from penstock.testing.records_contract import an_experiment

records = open_records(sys.argv[1])
while True:
    experiment = an_experiment()
    records.write(lambda store: store.add_experiment(experiment)).result()
    print(experiment.id, flush=True)
"""


def test_what_was_acknowledged_outlives_a_kill(path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        acknowledged = {process.stdout.readline().strip() for _ in range(50)}
        process.kill()
        acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
    open_records(path).close()
    with closing(sqlite3.connect(path)) as connection:
        stored = {id for (id,) in connection.execute("SELECT id FROM experiments")}
    assert acknowledged <= stored
    assert len(stored - acknowledged) <= 1


def test_connections_that_broke_are_made_anew(postgresql_url: str) -> None:
    records = open_records(postgresql_url)
    records.write(lambda store: store.intents()).result()
    records.read(lambda store: store.intents())
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(Unavailable, match="try again"):
        records.write(lambda store: store.add_experiment(an_experiment())).result()
    with pytest.raises(Unavailable):
        records.read(lambda store: store.intents())
    records.write(lambda store: store.add_experiment(an_experiment())).result()
    assert records.read(lambda store: store.experiments(Page()).total) == 1
    records.close()


# --- a full disk, and other faults ----------------------------------------------------------------------------------


def filled(folder: Path) -> Path:
    """A file that takes all the room that is left on a small disk."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


@pytest.mark.parametrize("warm", [False, True])
def test_a_full_disk_is_told_and_nothing_is_half_done(small_disk: Path, warm: bool) -> None:
    records = open_records(small_disk / "penstock.db")
    if warm:
        records.write(lambda store: store.intents()).result()
    ballast = filled(small_disk)
    big = an_experiment(name="big", description="x" * 300_000)
    with pytest.raises(NoSpace, match="the disk of the database is full; free space and try again"):
        records.write(lambda store: store.add_experiment(big)).result()
    ballast.unlink()
    assert records.read(lambda store: store.experiments(Page()).total) == 0
    records.write(lambda store: store.add_experiment(big)).result()
    assert records.read(lambda store: store.experiment(big.id)) == big
    records.close()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (sqlite3.SQLITE_FULL, NoSpace),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Unavailable),
        (sqlite3.SQLITE_IOERR_SHMSIZE, NoSpace),
        (sqlite3.SQLITE_IOERR_FSYNC, DiskFailed),
        (sqlite3.SQLITE_READONLY_DBMOVED, HomeError),
        (sqlite3.SQLITE_CORRUPT, HomeError),
        (sqlite3.SQLITE_TOOBIG, InvalidInput),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, AlreadyExists),
        (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, Conflict),
        (sqlite3.SQLITE_INTERNAL, Unavailable),
    ],
)
def test_faults_of_sqlite_by_their_code(code: int, error: type[Exception]) -> None:
    fault = sqlite3.OperationalError("what SQLite says")
    fault.sqlite_errorcode = code
    told = translation(fault)
    assert type(told) is error
    assert "what SQLite says" in str(told)
    assert told.__cause__ is fault


def test_a_pool_that_is_used_up_is_unavailable() -> None:
    assert isinstance(translation(PoolTimeout("QueuePool limit of size 16 overflow 32 reached")), Unavailable)


def test_a_text_that_is_none_is_bad_input(records: SqlRecords) -> None:
    with pytest.raises(InvalidInput, match="lone surrogate"):
        records.write(lambda store: store.add_experiment(an_experiment(description="\ud800"))).result()


def test_other_errors_are_left_as_they_are() -> None:
    error = ZeroDivisionError()
    assert translation(error) is error


# --- an answer that is lost -------------------------------------------------------------------------------------


class Losing:
    """A way to a PostgreSQL server that ends when the answer to a COMMIT comes by, once `armed`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.armed = False
        self.lost = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.own_port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            committing = False
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for end in ready:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    if end is client:
                        committing = self.armed and b"COMMIT" in data
                        server.sendall(data)
                    elif committing:
                        self.armed = False
                        self.lost += 1
                        return
                    else:
                        client.sendall(data)

    def close(self) -> None:
        self._server.close()


def test_what_was_committed_though_the_answer_was_lost_is_told(postgresql_url: str) -> None:
    address = make_url(postgresql_url)
    assert address.port is not None
    way = Losing(address.port)
    records = open_records(address.set(port=way.own_port).render_as_string(hide_password=False))
    way.armed = True
    records.write(lambda store: store.add_experiment(an_experiment(name="first"))).result()
    assert way.lost == 1
    records.write(lambda store: store.add_experiment(an_experiment(name="second"))).result()
    assert records.read(lambda store: store.experiments(Page()).total) == 2
    records.close()
    way.close()
