"""The first tables: experiments, pipelines and their versions, runs with nodes, metrics and events, intents."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _string(length: int) -> Any:
    collated = sa.String(length, collation="utf8mb4_bin")
    text = sa.String(length).with_variant(collated, "mysql")
    return text.with_variant(sa.String(length, collation="C"), "postgresql")


def _text() -> Any:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _counter() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them all."""
    _experiments()
    _intents()
    _pipelines()
    _runs()
    _events()
    _nodes()
    _pipeline_versions()
    _run_documents()
    _run_metrics()
    _pipeline_version_documents()


def _experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", _string(64), nullable=False),
        sa.Column("name", _string(255), nullable=False),
        sa.Column("description", _text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("storage_state", _string(255), nullable=False),
        sa.Column("last_run_created_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_experiments"),
        sa.UniqueConstraint("name", name="uq_experiments_name"),
    )
    op.create_index("ix_experiments_created_at_id", "experiments", ["created_at", "id"])


def _intents() -> None:
    op.create_table(
        "intents",
        sa.Column("id", _counter(), nullable=False),
        sa.Column("run_id", _string(64), nullable=False),
        sa.Column("kind", _string(255), nullable=False),
        sa.Column("argument", _text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_intents"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_intents_run_id", "intents", ["run_id"])


def _pipelines() -> None:
    op.create_table(
        "pipelines",
        sa.Column("id", _string(64), nullable=False),
        sa.Column("name", _string(255), nullable=False),
        sa.Column("display_name", _text(), nullable=False),
        sa.Column("description", _text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("latest_version_id", _string(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pipelines"),
        sa.UniqueConstraint("name", name="uq_pipelines_name"),
    )
    op.create_index("ix_pipelines_created_at_id", "pipelines", ["created_at", "id"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", _string(64), nullable=False),
        sa.Column("name", _string(255), nullable=False),
        sa.Column("description", _text(), nullable=False),
        sa.Column("workflow_name", _string(255), nullable=False),
        sa.Column("experiment_id", _string(64), nullable=False),
        sa.Column("pipeline_id", _string(64), nullable=False),
        sa.Column("pipeline_version_id", _string(64), nullable=False),
        sa.Column("pipeline_name", _string(255), nullable=False),
        sa.Column("parameters", _text(), nullable=False),
        sa.Column("state", _string(255), nullable=False),
        sa.Column("phase", _string(255), nullable=False),
        sa.Column("message", _text(), nullable=False),
        sa.Column("shutdown", _string(255), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("storage_state", _string(255), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("options", _text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("workflow_name", name="uq_runs_workflow_name"),
    )
    op.create_index("ix_runs_created_at_id", "runs", ["created_at", "id"])
    op.create_index("ix_runs_experiment_id_created_at_id", "runs", ["experiment_id", "created_at", "id"])
    op.create_index("ix_runs_state_created_at_id", "runs", ["state", "created_at", "id"])
    op.create_index("ix_runs_storage_state_created_at_id", "runs", ["storage_state", "created_at", "id"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("run_id", _string(64), nullable=False),
        sa.Column("seq", _counter(), autoincrement=False, nullable=False),
        sa.Column("kind", _string(255), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("data", _text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_events_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_events"),
    )


def _nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("position", _counter(), nullable=False),
        sa.Column("run_id", _string(64), nullable=False),
        sa.Column("node_id", _string(255), nullable=False),
        sa.Column("name", _text(), nullable=False),
        sa.Column("display_name", _text(), nullable=False),
        sa.Column("type", _string(255), nullable=False),
        sa.Column("phase", _string(255), nullable=False),
        sa.Column("template_name", _string(255), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("body", _text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_nodes_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("position", name="pk_nodes"),
        sa.UniqueConstraint("run_id", "node_id", name="uq_nodes_run_id_node_id"),
    )


def _pipeline_versions() -> None:
    op.create_table(
        "pipeline_versions",
        sa.Column("id", _string(64), nullable=False),
        sa.Column("pipeline_id", _string(64), nullable=False),
        sa.Column("name", _string(255), nullable=False),
        sa.Column("display_name", _text(), nullable=False),
        sa.Column("description", _text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("inputs", _text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pipeline_id"], ["pipelines.id"], name="fk_pipeline_versions_pipeline_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_pipeline_versions"),
        sa.UniqueConstraint("pipeline_id", "name", name="uq_pipeline_versions_pipeline_id_name"),
    )
    op.create_index(
        "ix_pipeline_versions_pipeline_id_created_at_id", "pipeline_versions", ["pipeline_id", "created_at", "id"]
    )


def _run_documents() -> None:
    op.create_table(
        "run_documents",
        sa.Column("run_id", _string(64), nullable=False),
        sa.Column("document", _text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_documents_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_documents"),
    )


def _run_metrics() -> None:
    op.create_table(
        "run_metrics",
        sa.Column("run_id", _string(64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", _string(255), nullable=False),
        sa.Column("node_id", _string(255), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("format", _string(255), nullable=False),
        sa.Column("display_name", _text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_metrics_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "position", name="pk_run_metrics"),
    )
    op.create_index("ix_run_metrics_name_run_id", "run_metrics", ["name", "run_id"])


def _pipeline_version_documents() -> None:
    op.create_table(
        "pipeline_version_documents",
        sa.Column("version_id", _string(64), nullable=False),
        sa.Column("document", _text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["pipeline_versions.id"],
            name="fk_pipeline_version_documents_version_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", name="pk_pipeline_version_documents"),
    )
