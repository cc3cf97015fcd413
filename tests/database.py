"""A PostgreSQL server for the tests, from Debian's programs: made empty, thrown away at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from needs import absent

__all__ = ["postgresql_database", "postgresql_server", "postgresql_url"]

INSTALL = "apt-get install postgresql"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of the server's own database, as psycopg takes it."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="penstock-postgresql-"))
    user = _unprivileged()
    try:
        if user:
            os.chown(folder, *(user["user"], user["group"]))
        options = f"-k {folder} -h 127.0.0.1 -p {(port := _free_port())} -c fsync=off -c max_connections=200"
        data = str(folder / "data")
        _run(user, binaries / "initdb", "-D", data, "-A", "trust", "-U", "penstock", "-E", "UTF8", "--no-sync")
        _run(user, binaries / "pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://penstock@127.0.0.1:{port}/postgres"
        finally:
            _run(user, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: str) -> str:
    """The address of a database whose own order of texts is a language's. Making one costs as much as many tests."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE test TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'")
    return postgresql_server.removesuffix("postgres") + "test"


@pytest.fixture
def postgresql_url(postgresql_database: str) -> Iterator[str]:
    """The address of an empty database, whose own order of texts is a language's."""
    yield postgresql_database
    with psycopg.connect(postgresql_database, autocommit=True) as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {others}")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        absent(f"no PostgreSQL server is installed; install it: {INSTALL}")
    return found[-1].parent


def _unprivileged() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.geteuid():
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(user: dict[str, Any], *command: str | Path) -> None:
    # The server keeps what it inherits: no pipe, or whoever reads from it waits for the server's end.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)
