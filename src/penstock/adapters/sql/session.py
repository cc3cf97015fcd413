"""One transaction's reads and changes: `ports.Reader` and `ports.Writer` on a connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from penstock.adapters.sql import rows, schema
from penstock.adapters.sql import statements as s
from penstock.adapters.sql.pages import fetched
from penstock.adapters.sql.statements import Add, Book, Statement, Upsert, numbered
from penstock.errors import AlreadyExists, NotFound
from penstock.paging import plan
from penstock.ports import (
    Experiment,
    Intent,
    Listing,
    Metric,
    NodeRow,
    Page,
    Pipeline,
    PipelineVersion,
    Run,
    RunEvent,
    Value,
)

__all__ = ["Session"]

_RUN_COLUMNS = schema.runs.columns.keys()

MOST_ROWS = 32
"""Most rows of one statement: databases bound its parameters, and each count has a text of its own."""


class Session:
    """Reader and Writer; who hands it out decides by the transaction which of the two it is."""

    def __init__(self, connection: Connection, book: Book) -> None:
        self._connection = connection
        self._cursor = connection.connection.cursor()
        self._book = book
        self._metrics_read: dict[str, Sequence[Metric]] = {}

    # --- experiments ----------------------------------------------------------------------------------------------

    def experiment(self, id: str) -> Experiment | None:
        row = self._row(s.EXPERIMENT, id=id)
        return rows.plain(Experiment, row) if row else None

    def experiment_named(self, name: str) -> Experiment | None:
        row = self._row(s.EXPERIMENT_NAMED, name=name)
        return rows.plain(Experiment, row) if row else None

    def experiments(self, page: Page) -> Listing:
        return self._page(Experiment, schema.experiments, page)

    def add_experiment(self, experiment: Experiment) -> None:
        if not self._change(s.ADD_EXPERIMENT, rows.plain_row(experiment)):
            raise _exists("experiment", experiment, self.experiment(experiment.id), f"named {experiment.name!r}")

    def put_experiment(self, experiment: Experiment) -> None:
        self._replace(s.PUT_EXPERIMENT, "experiment", rows.plain_row(experiment))

    def delete_experiment(self, id: str) -> None:
        self._change(s.DELETE_EXPERIMENT, {"id": id})

    # --- pipelines ------------------------------------------------------------------------------------------------

    def pipeline(self, id: str) -> Pipeline | None:
        row = self._row(s.PIPELINE, id=id)
        return rows.plain(Pipeline, row) if row else None

    def pipeline_named(self, name: str) -> Pipeline | None:
        row = self._row(s.PIPELINE_NAMED, name=name)
        return rows.plain(Pipeline, row) if row else None

    def pipelines(self, page: Page) -> Listing:
        return self._page(Pipeline, schema.pipelines, page)

    def add_pipeline(self, pipeline: Pipeline) -> None:
        if not self._change(s.ADD_PIPELINE, rows.plain_row(pipeline)):
            raise _exists("pipeline", pipeline, self.pipeline(pipeline.id), f"named {pipeline.name!r}")

    def put_pipeline(self, pipeline: Pipeline) -> None:
        self._replace(s.PUT_PIPELINE, "pipeline", rows.plain_row(pipeline))

    def delete_pipeline(self, id: str) -> None:
        self._change(s.DELETE_PIPELINE, {"id": id})

    def version(self, id: str) -> PipelineVersion | None:
        row = self._row(s.VERSION, id=id)
        return rows.plain(PipelineVersion, row) if row else None

    def versions(self, pipeline_id: str, page: Page) -> Listing:
        table = schema.pipeline_versions
        return self._page(PipelineVersion, table, page, pipeline_id, table.c.pipeline_id == pipeline_id)

    def version_document(self, id: str) -> str | None:
        document: str | None = self._scalar(s.VERSION_DOCUMENT, version_id=id)
        return document

    def add_version(self, version: PipelineVersion, document: str) -> None:
        if not self._change(s.ADD_VERSION, rows.plain_row(version)):
            named = f"named {version.name!r} of this pipeline"
            raise _exists("pipeline version", version, self.version(version.id), named)
        self._change(s.ADD_VERSION_DOCUMENT, {"version_id": version.id, "document": document})

    def delete_version(self, id: str) -> None:
        self._change(s.DELETE_VERSION, {"id": id})

    # --- runs -----------------------------------------------------------------------------------------------------

    def run(self, id: str) -> Run | None:
        return self._run(self._row(s.RUN, id=id))

    def run_of_workflow(self, workflow_name: str) -> Run | None:
        return self._run(self._row(s.RUN_OF_WORKFLOW, workflow_name=workflow_name))

    def runs(self, page: Page) -> Listing:
        found, following, total = fetched(self._connection, schema.runs, plan(Run, page))
        metrics = self._metrics([row["id"] for row in found])
        items = [rows.run(row, metrics.get(row["id"], ())) for row in found]
        return Listing(items=items, next_token=following, total=total)

    def unfinished_runs(self) -> Sequence[str]:
        return [row[0] for row in self._rows(s.UNFINISHED_RUNS)]

    def run_document(self, id: str) -> str | None:
        document: str | None = self._scalar(s.RUN_DOCUMENT, run_id=id)
        return document

    def add_run(self, run: Run, document: str) -> None:
        if not self._change(s.ADD_RUN, rows.run_row(run)):
            raise _exists("run", run, self.run(run.id), f"of the workflow {run.workflow_name!r}")
        self._change(s.ADD_RUN_DOCUMENT, {"run_id": run.id, "document": document})
        self._add_metrics(run)

    def put_run(self, run: Run) -> None:
        self._replace(s.PUT_RUN, "run", rows.run_row(run))
        if self._metrics_read.get(run.id) != run.metrics:
            self._change(s.DELETE_METRICS, {"run_id": run.id})
            self._add_metrics(run)
        self._metrics_read[run.id] = run.metrics

    def put_run_document(self, run_id: str, document: str) -> None:
        self._change(s.PUT_RUN_DOCUMENT, {"run_id": run_id, "document": document})

    def delete_run(self, id: str) -> None:
        self._change(s.DELETE_INTENTS, {"run_id": id})
        self._change(s.DELETE_RUN, {"id": id})

    # --- what runs are made of ------------------------------------------------------------------------------------

    def nodes(self, run_id: str) -> Sequence[NodeRow]:
        return [rows.node(row) for row in self._rows(s.NODES, run_id=run_id)]

    def node(self, run_id: str, node_id: str) -> NodeRow | None:
        row = self._row(s.NODE, run_id=run_id, node_id=node_id)
        return rows.node(row) if row else None

    def put_nodes(self, nodes: Sequence[NodeRow]) -> None:
        once = {(row.run_id, row.node.id): row for row in nodes}
        self._insert_all(s.PUT_NODE, [rows.node_row(row) for row in once.values()])

    def delete_nodes(self, run_id: str, ids: Sequence[str]) -> None:
        self._change_all(s.DELETE_NODE, [{"run_id": run_id, "node_id": id} for id in ids])

    def events(self, run_id: str, after: int, limit: int = 1000) -> Sequence[RunEvent]:
        return [rows.event(row) for row in self._rows(s.EVENTS, run_id=run_id, after=after, limit=limit)]

    def last_event(self, run_id: str) -> int:
        return self._scalar(s.LAST_EVENT, run_id=run_id) or 0

    def add_events(self, events: Sequence[RunEvent]) -> None:
        if self._insert_all(s.ADD_EVENT, [rows.event_row(event) for event in events]) != len(events):
            raise AlreadyExists(f"run {events[0].run_id!r} has an event of number {events[0].seq} or after it already")

    def intents(self) -> Sequence[Intent]:
        return [rows.plain(Intent, row) for row in self._rows(s.INTENTS)]

    def add_intent(self, intent: Intent) -> None:
        self._change(s.ADD_INTENT, rows.plain_row(intent))

    def remove_intent(self, id: int) -> None:
        self._change(s.DELETE_INTENT, {"id": id})

    # --- parts ----------------------------------------------------------------------------------------------------

    def _rows(self, statement: Statement, **values: Any) -> list[Any]:
        self._execute(statement, values)
        return list(self._cursor.fetchall())

    def _row(self, statement: Statement, **values: Any) -> Any:
        self._execute(statement, values)
        return self._cursor.fetchone()

    def _scalar(self, statement: Statement, **values: Any) -> Any:
        row = self._row(statement, **values)
        return row[0] if row else None

    def _change(self, statement: Statement, values: Mapping[str, Any]) -> int:
        self._execute(statement, values)
        return self._cursor.rowcount

    def _execute(self, statement: Statement, values: Mapping[str, Any]) -> None:
        text, constants = self._book.text(statement)
        self._cursor.execute(text, {**values, **constants})

    def _change_all(self, statement: Statement, values: Sequence[Mapping[str, Any]]) -> int:
        if not values:
            return 0
        self._cursor.executemany(self._book.text(statement)[0], values)
        return self._cursor.rowcount

    def _insert_all(self, statement: Add | Upsert, values: Sequence[Mapping[str, Any]]) -> int:
        """Insert rows, many by one statement: each lets go of the interpreter, and waits for it again."""
        count = 0
        for first in range(0, len(values), MOST_ROWS):
            piece = values[first : first + MOST_ROWS]
            if len(piece) == 1:
                count += self._change(statement, piece[0])
                continue
            numbers = {numbered(name, i): value for i, row in enumerate(piece) for name, value in row.items()}
            self._cursor.execute(self._book.longer(statement, len(piece)), numbers)
            count += self._cursor.rowcount
        return count

    def _replace(self, statement: Statement, kind: str, row: Mapping[str, Any]) -> None:
        if not self._change(statement, {**row, "key": row["id"]}):
            raise NotFound(f"no {kind} has the id {row['id']!r}")

    def _page(
        self, kind: type[Any], table: Table, page: Page, scope: str = "", *conditions: ColumnElement[bool]
    ) -> Listing:
        found, following, total = fetched(self._connection, table, plan(kind, page, scope), *conditions)
        items = [rows.plain(kind, tuple(row.values())) for row in found]
        return Listing(items=items, next_token=following, total=total)

    def _run(self, row: Any) -> Run | None:
        if row is None:
            return None
        metrics = tuple(rows.metric(m) for m in self._rows(s.RUN_METRICS, run_id=row[0]))
        self._metrics_read[row[0]] = metrics
        return rows.run(dict(zip(_RUN_COLUMNS, row, strict=True)), metrics)

    def _metrics(self, run_ids: Sequence[str]) -> Mapping[str, list[Metric]]:
        """Metrics of all these runs by one query."""
        of = schema.run_metrics.c
        query = select(of.run_id, *s.METRIC_COLUMNS).where(of.run_id.in_(run_ids)).order_by(of.run_id, of.position)
        found: dict[str, list[Metric]] = {}
        for row in self._connection.execute(query) if run_ids else ():
            found.setdefault(row[0], []).append(rows.metric(row[1:]))
        return found

    def _add_metrics(self, run: Run) -> None:
        self._change_all(s.ADD_METRIC, rows.metric_rows(run))


def _exists(kind: str, value: Value, same_id: object, otherwise: str) -> AlreadyExists:
    what = f"with the id {value.id!r}" if same_id else otherwise  # type: ignore[attr-defined]
    return AlreadyExists(f"there is already a {kind} {what}; choose another name, or delete that one first")
