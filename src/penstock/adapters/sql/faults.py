"""Errors of the databases, translated into ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from penstock.errors import (
    AlreadyExists,
    Conflict,
    DiskFailed,
    HomeError,
    InvalidInput,
    NoSpace,
    PenstockError,
    Unavailable,
)

__all__ = ["translated", "translation"]

# An extended code, or the primary one (its last byte): https://www.sqlite.org/rescode.html
_SQLITE: dict[int, tuple[type[PenstockError], str]] = {
    sqlite3.SQLITE_FULL: (NoSpace, "the disk of the database is full; free space and try again"),
    sqlite3.SQLITE_IOERR_FSYNC: (DiskFailed, "the disk failed to keep what the database wrote; look at the disk"),
    sqlite3.SQLITE_IOERR_DIR_FSYNC: (DiskFailed, "the disk failed to keep what the database wrote; look at the disk"),
    sqlite3.SQLITE_IOERR_SHMSIZE: (NoSpace, "the disk of the database is full; free space and try again"),
    sqlite3.SQLITE_BUSY: (Unavailable, "the database is in use by another process; try again"),
    sqlite3.SQLITE_LOCKED: (Unavailable, "the database is in use by another process; try again"),
    sqlite3.SQLITE_IOERR: (Unavailable, "the database could not be read or written; look at the disk"),
    sqlite3.SQLITE_NOMEM: (Unavailable, "the database is out of memory"),
    sqlite3.SQLITE_READONLY: (HomeError, "the database cannot be written; give its user the right, or choose --home"),
    sqlite3.SQLITE_CANTOPEN: (HomeError, "the database cannot be opened; give its user the right, or choose --home"),
    sqlite3.SQLITE_CORRUPT: (HomeError, "the database is damaged; restore it from a copy, or choose another --home"),
    sqlite3.SQLITE_NOTADB: (HomeError, "the file is not a database; choose another --home"),
    sqlite3.SQLITE_TOOBIG: (InvalidInput, "a text is too big for the database"),
}

# SQLSTATE, or its class (the first two characters): https://www.postgresql.org/docs/current/errcodes-appendix.html
_SQLSTATE: dict[str, tuple[type[PenstockError], str]] = {
    "53100": (NoSpace, "the disk of the database is full; free space and try again"),
    "22": (InvalidInput, "the database refuses a value"),
    "40": (Unavailable, "another change came in between; try again"),
    "53": (Unavailable, "the database is short of resources; try again"),
    "55": (Unavailable, "the database is in use; try again"),
    "57": (Unavailable, "the database is stopping or not up yet; try again"),
    "08": (Unavailable, "the connection to the database broke; try again"),
    "28": (HomeError, "the database refuses this user; check the setting `database`"),
    "3D": (HomeError, "the database does not exist; create it, or check the setting `database`"),
    "42501": (HomeError, "the database refuses this user; check the setting `database`"),
}


def translation(error: BaseException) -> BaseException:
    """Our error for one of a database's driver, which is its cause; any other error as it is."""
    told = _told(error)
    if told is not error:
        told.__cause__ = error
    return told


def _told(error: BaseException) -> BaseException:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, sqlite3.Error):
        return _sqlite(cause)
    if type(cause).__module__.startswith("psycopg"):
        return _postgresql(cause)
    if isinstance(cause, PoolTimeout):
        return Unavailable("all connections to the database are in use; try again")
    if isinstance(cause, UnicodeEncodeError):
        return InvalidInput(f"a text holds a character that is none (a lone surrogate): {cause.object!r:.80}")
    return error


@contextmanager
def translated() -> Iterator[None]:
    """Let only our errors out."""
    try:
        yield
    except Exception as error:
        told = translation(error)
        if told is error:
            raise
        raise told from error


def _sqlite(error: sqlite3.Error) -> BaseException:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return Unavailable(f"database: {error}")
    if code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
        unique = code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
        return _constraint(str(error), unique)
    kind, advice = _SQLITE.get(code) or _SQLITE.get(code & 0xFF) or (Unavailable, "the database failed")
    return kind(f"{advice} ({error})")


def _postgresql(error: BaseException) -> BaseException:
    state = getattr(error, "sqlstate", None) or ("22" if type(error).__name__ == "DataError" else "08")
    if state.startswith("23"):
        return _constraint(_first_line(error), state == "23505")
    kind, advice = _SQLSTATE.get(state) or _SQLSTATE.get(state[:2]) or (Unavailable, "the database failed")
    return kind(f"{advice} ({_first_line(error)})")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _constraint(text: str, unique: bool) -> BaseException:
    return AlreadyExists(f"it exists already ({text})") if unique else Conflict(f"what it belongs to is gone ({text})")
