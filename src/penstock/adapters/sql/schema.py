"""The tables. `migrations/` makes the same schema step by step; a test holds the two equal.

Times are seconds since the epoch. Texts compare by code point in every database. Documents have tables of their own,
so that lists never read them. `HEAD` is the revision that this module describes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy import UniqueConstraint as Unique

__all__ = [
    "HEAD",
    "events",
    "experiments",
    "intents",
    "metadata",
    "nodes",
    "pipeline_version_documents",
    "pipeline_versions",
    "pipelines",
    "run_documents",
    "run_metrics",
    "runs",
]

HEAD = "0001"
"""The newest revision: the file name's first four digits in `migrations/versions`, kept in `alembic_version`."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _string(length: int) -> Any:
    collated = String(length, collation="utf8mb4_bin")
    return String(length).with_variant(String(length, collation="C"), "postgresql").with_variant(collated, "mysql")


_ID, _NAME = _string(64), _string(255)
_COUNTER = BigInteger().with_variant(Integer, "sqlite")


def _text(name: str) -> Column[str]:
    return Column(name, Text().with_variant(Text(collation="C"), "postgresql"), nullable=False)


def _name(name: str) -> Column[str]:
    return Column(name, _NAME, nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


def _id(name: str = "id") -> Column[str]:
    return Column(name, _ID, primary_key=name == "id", nullable=False)


def _owner(table: str, *, name: str = "run_id", primary_key: bool = False) -> Column[str]:
    key = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(name, _ID, key, primary_key=primary_key, nullable=False)


experiments = Table(
    "experiments",
    metadata,
    _id(),
    _name("name"),
    _text("description"),
    _time("created_at"),
    _name("storage_state"),
    _time("last_run_created_at", nullable=True),
    Unique("name"),
    Index(None, "created_at", "id"),
)

pipelines = Table(
    "pipelines",
    metadata,
    _id(),
    _name("name"),
    _text("display_name"),
    _text("description"),
    _time("created_at"),
    _id("latest_version_id"),
    Unique("name"),
    Index(None, "created_at", "id"),
)

pipeline_versions = Table(
    "pipeline_versions",
    metadata,
    _id(),
    _owner("pipelines", name="pipeline_id"),
    _name("name"),
    _text("display_name"),
    _text("description"),
    _time("created_at"),
    _text("inputs"),
    Unique("pipeline_id", "name"),
    Index(None, "pipeline_id", "created_at", "id"),
)

pipeline_version_documents = Table(
    "pipeline_version_documents",
    metadata,
    _owner("pipeline_versions", name="version_id", primary_key=True),
    _text("document"),
)

runs = Table(
    "runs",
    metadata,
    _id(),
    _name("name"),
    _text("description"),
    _name("workflow_name"),
    _id("experiment_id"),
    _id("pipeline_id"),
    _id("pipeline_version_id"),
    _name("pipeline_name"),
    _text("parameters"),
    _name("state"),
    _name("phase"),
    _text("message"),
    _name("shutdown"),
    _time("created_at"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    _name("storage_state"),
    Column("pending", Integer, nullable=False),
    Column("running", Integer, nullable=False),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    _text("options"),
    Unique("workflow_name"),
    Index(None, "created_at", "id"),
    Index(None, "experiment_id", "created_at", "id"),
    Index(None, "state", "created_at", "id"),
    Index(None, "storage_state", "created_at", "id"),
)

run_documents = Table(
    "run_documents",
    metadata,
    _owner("runs", primary_key=True),
    _text("document"),
)

run_metrics = Table(
    "run_metrics",
    metadata,
    _owner("runs", primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _name("name"),
    _name("node_id"),
    Column("value", Double),
    _name("format"),
    _text("display_name"),
    Index(None, "name", "run_id"),
)

# `position` is the order of first storing; an update leaves it.
nodes = Table(
    "nodes",
    metadata,
    Column("position", _COUNTER, primary_key=True),
    _owner("runs"),
    _name("node_id"),
    _text("name"),
    _text("display_name"),
    _name("type"),
    _name("phase"),
    _name("template_name"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    Column("incarnation", Integer, nullable=False),
    _text("body"),
    Unique("run_id", "node_id"),
)

events = Table(
    "events",
    metadata,
    _owner("runs", primary_key=True),
    Column("seq", _COUNTER, primary_key=True, autoincrement=False),
    _name("kind"),
    _time("at"),
    _text("data"),
)

# No foreign key: the wish to delete a run outlives its row. An id is never used twice, so that a late removal of a
# done intent cannot hit another one.
intents = Table(
    "intents",
    metadata,
    Column("id", _COUNTER, primary_key=True),
    _id("run_id"),
    _name("kind"),
    _text("argument"),
    _time("created_at"),
    Index(None, "run_id"),
    sqlite_autoincrement=True,
)
