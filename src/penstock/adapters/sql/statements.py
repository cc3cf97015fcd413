"""Every statement by its name, and their texts per database.

Statements are SQLAlchemy Core, so each is written once for all databases; hot paths run the compiled text on the
driver's cursor, which costs a tenth of a Core execution. Lists are built per request, in `pages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ClauseElement, Dialect, Insert, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite

from penstock.adapters.sql import schema as t
from penstock.ports import RunState

__all__ = ["Add", "Book", "Statement", "Upsert", "numbered"]

Text = tuple[str, Mapping[str, Any]]


class Statement(Protocol):
    """Something that has a text in every database."""

    def compiled(self, dialect: Dialect) -> Text: ...


@dataclass(frozen=True)
class Core:
    """A statement that is the same everywhere."""

    clause: ClauseElement

    def __hash__(self) -> int:
        return id(self.clause)

    def compiled(self, dialect: Dialect) -> Text:
        compiled = self.clause.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}


@dataclass(frozen=True)
class Add:
    """Insert rows; the count of rows is less where a unique key stands in the way."""

    table: Table
    without: Sequence[str] = ()

    def compiled(self, dialect: Dialect, rows: int = 1) -> Text:
        ignoring: Insert
        if dialect.name == "sqlite":
            ignoring = sqlite.insert(self.table).on_conflict_do_nothing()
        elif dialect.name == "postgresql":
            ignoring = postgresql.insert(self.table).on_conflict_do_nothing()
        else:
            ignoring = insert(self.table).prefix_with("IGNORE")
        return _with_columns(ignoring, self.table, self.without, dialect, rows)


@dataclass(frozen=True)
class Upsert:
    """Insert rows, or replace what their unique key `keys` finds, but for the columns `without`."""

    table: Table
    keys: tuple[str, ...]
    without: tuple[str, ...] = ()

    def compiled(self, dialect: Dialect, rows: int = 1) -> Text:
        names = [c.name for c in self.table.columns if c.name not in (*self.keys, *self.without)]
        replacing: Insert
        if dialect.name == "mysql":
            into = mysql.insert(self.table)
            replacing = into.on_duplicate_key_update({name: into.inserted[name] for name in names})
        else:
            other = (sqlite if dialect.name == "sqlite" else postgresql).insert(self.table)
            replacing = other.on_conflict_do_update(
                index_elements=list(self.keys), set_={name: other.excluded[name] for name in names}
            )
        return _with_columns(replacing, self.table, self.without, dialect, rows)


@dataclass(frozen=True)
class Replace:
    """Set all columns of the row with the id `key`."""

    table: Table

    def compiled(self, dialect: Dialect) -> Text:
        names = [c.name for c in self.table.columns if c.name != "id"]
        clause = update(self.table).where(self.table.c.id == bindparam("key"))
        return str(clause.compile(dialect=dialect, column_keys=names)), {}


def _with_columns(clause: Insert, table: Table, without: Sequence[str], dialect: Dialect, rows: int) -> Text:
    names = [c.name for c in table.columns if c.name not in without]
    if rows == 1:
        return str(clause.inline().compile(dialect=dialect, column_keys=names)), {}
    values: list[dict[str, Any]] = [{name: bindparam(numbered(name, row)) for name in names} for row in range(rows)]
    return str(clause.inline().values(values).compile(dialect=dialect)), {}


def numbered(name: str, row: int) -> str:
    """The parameter of a column in a row of a statement that takes several."""
    return f"{name}_{row}"


class Book:
    """The texts of the statements in one database, each compiled once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._texts: dict[Statement, Text] = {}
        self._longer: dict[tuple[Add | Upsert, int], str] = {}

    def text(self, statement: Statement) -> Text:
        """The text, with parameters by name in the driver's style, and the values of those that never change."""
        found = self._texts.get(statement)
        if found is None:
            found = self._texts[statement] = statement.compiled(self._dialect)
        return found

    def longer(self, statement: Add | Upsert, rows: int) -> str:
        """The text that takes so many rows at once, its parameters as `numbered` says."""
        found = self._longer.get((statement, rows))
        if found is None:
            found = self._longer[statement, rows] = statement.compiled(self._dialect, rows)[0]
        return found


def _by(table: Table, *names: str, columns: Sequence[Any] = ()) -> Core:
    found = select(*(columns or table.columns))
    return Core(found.where(*(table.c[name] == bindparam(name) for name in names)))


def _removing(table: Table, *names: str) -> Core:
    return Core(delete(table).where(*(table.c[name] == bindparam(name) for name in names or ("id",))))


METRIC_COLUMNS = [t.run_metrics.c[name] for name in ("name", "node_id", "value", "format", "display_name")]
_NODE = [t.nodes.c[name] for name in ("run_id", "incarnation", "body")]
_INTENT = [t.intents.c[name] for name in ("id", "run_id", "kind", "argument", "created_at")]

EXPERIMENT = _by(t.experiments, "id")
EXPERIMENT_NAMED = _by(t.experiments, "name")
ADD_EXPERIMENT = Add(t.experiments)
PUT_EXPERIMENT = Replace(t.experiments)
DELETE_EXPERIMENT = _removing(t.experiments)

PIPELINE = _by(t.pipelines, "id")
PIPELINE_NAMED = _by(t.pipelines, "name")
ADD_PIPELINE = Add(t.pipelines)
PUT_PIPELINE = Replace(t.pipelines)
DELETE_PIPELINE = _removing(t.pipelines)

VERSION = _by(t.pipeline_versions, "id")
ADD_VERSION = Add(t.pipeline_versions)
DELETE_VERSION = _removing(t.pipeline_versions)
VERSION_DOCUMENT = _by(t.pipeline_version_documents, "version_id", columns=[t.pipeline_version_documents.c.document])
ADD_VERSION_DOCUMENT = Add(t.pipeline_version_documents)

RUN = _by(t.runs, "id")
RUN_OF_WORKFLOW = _by(t.runs, "workflow_name")
UNFINISHED_RUNS = Core(
    select(t.runs.c.id)
    .where(t.runs.c.state.in_([s.value for s in RunState if not s.terminal]), t.runs.c.phase != "")
    .order_by(t.runs.c.created_at, t.runs.c.id)
)
ADD_RUN = Add(t.runs)
PUT_RUN = Replace(t.runs)
DELETE_RUN = _removing(t.runs)
RUN_DOCUMENT = _by(t.run_documents, "run_id", columns=[t.run_documents.c.document])
ADD_RUN_DOCUMENT = Add(t.run_documents)
PUT_RUN_DOCUMENT = Upsert(t.run_documents, ("run_id",))

RUN_METRICS = Core(
    select(*METRIC_COLUMNS).where(t.run_metrics.c.run_id == bindparam("run_id")).order_by(t.run_metrics.c.position)
)
ADD_METRIC = Add(t.run_metrics)
DELETE_METRICS = _removing(t.run_metrics, "run_id")

NODES = Core(select(*_NODE).where(t.nodes.c.run_id == bindparam("run_id")).order_by(t.nodes.c.position))
NODE = _by(t.nodes, "run_id", "node_id", columns=_NODE)
PUT_NODE = Upsert(t.nodes, ("run_id", "node_id"), ("position",))
DELETE_NODE = _removing(t.nodes, "run_id", "node_id")

EVENTS = Core(
    select(*t.events.c)
    .where(t.events.c.run_id == bindparam("run_id"), t.events.c.seq > bindparam("after"))
    .order_by(t.events.c.seq)
    .limit(bindparam("limit"))
)
LAST_EVENT = Core(select(func.max(t.events.c.seq)).where(t.events.c.run_id == bindparam("run_id")))
ADD_EVENT = Add(t.events)

INTENTS = Core(select(*_INTENT).order_by(t.intents.c.id))
ADD_INTENT = Add(t.intents, ("id",))
DELETE_INTENT = _removing(t.intents)
DELETE_INTENTS = _removing(t.intents, "run_id")
