"""What an engine's host reports: the journal of runs, one transaction a turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

import msgspec

from penstock.failpoints import passing
from penstock.ports import (
    Intent,
    Metric,
    NodeRow,
    Objects,
    Reader,
    Records,
    Run,
    RunEvent,
    RunState,
    StoredRun,
    Turn,
    Writer,
)
from penstock.services.events import gone_event, node_event, note_event, run_event
from penstock.services.views import metrics_of

__all__ = ["Report"]


class Report:
    """`ports.Journal` over records and objects.

    `told` is called after each commit, with the run's id and whether that was the run's end.
    """

    def __init__(
        self, records: Records, objects: Objects, told: Callable[[str, bool], None] = lambda _, __: None
    ) -> None:
        self._records = records
        self._objects = objects
        self._told = told

    def intents(self) -> Sequence[Intent]:
        """Open intents, oldest first."""
        return self._records.read(lambda store: store.intents())

    def unfinished(self) -> Sequence[str]:
        """Ids of runs that have begun and not ended."""
        return self._records.read(lambda store: store.unfinished_runs())

    def load(self, run_id: str) -> StoredRun | None:
        """All of a run; None where it is gone."""

        def query(store: Reader) -> StoredRun | None:
            run, document = store.run(run_id), store.run_document(run_id)
            if run is None or document is None:
                return None
            return StoredRun(run=run, document=document, nodes=store.nodes(run_id))

        return self._records.read(query)

    def commit(self, turn: Turn) -> Future[None]:
        """Store a turn. A turn of a run that was deleted meanwhile only removes its intents."""
        metrics, problems = self._metrics(turn.nodes)

        def change(store: Writer) -> None:
            for intent in turn.done:
                store.remove_intent(intent)
            run = store.run(turn.run_id)
            if run is None:
                return
            after = _after(run, turn, metrics)
            notes = [*turn.notes, *problems]
            store.delete_nodes(run.id, turn.removed)
            store.put_nodes(turn.nodes)
            if after != run:
                store.put_run(after)
            store.add_events(_events(after, turn, notes, store.last_event(run.id)))

        future = self._records.write(change)
        future.add_done_callback(lambda _: self._told(turn.run_id, turn.finished_at is not None))
        return future

    def forget(self, intent: Intent) -> Future[None]:
        """The run of a DELETE intent has left no trace on the host: the intent goes, and what it stored."""
        passing("forget.before")
        self._objects.delete(f"artifacts/{intent.argument}")
        self._objects.delete(f"logs/{intent.argument}")
        passing("forget.after")
        return self._records.write(lambda store: store.remove_intent(intent.id))

    def _metrics(self, rows: Sequence[NodeRow]) -> tuple[list[Metric], list[tuple[str, str]]]:
        """Metrics of the nodes that ended with this turn, and notes about those that could not be read."""
        metrics: list[Metric] = []
        problems: list[tuple[str, str]] = []
        for row in rows:
            if row.node.phase.fulfilled and row.node.outputs:
                found, wrong = metrics_of(row.node, self._objects)
                metrics.extend(found)
                problems.extend((row.node.id, text) for text in wrong)
        return metrics, problems


def _after(run: Run, turn: Turn, metrics: Sequence[Metric]) -> Run:
    """The run's row after the turn. A stop that was asked for meanwhile is not forgotten."""
    old = {m.node_id for m in metrics}.union(turn.removed)
    kept = tuple(m for m in run.metrics if m.node_id not in old)
    phase = turn.phase or run.phase
    shutdown = turn.shutdown or run.shutdown
    return msgspec.structs.replace(
        run,
        phase=phase,
        message=turn.message if turn.phase else run.message,
        shutdown=shutdown,
        state=_state(phase, shutdown),
        started_at=turn.started_at if turn.started_at is not None else run.started_at,
        finished_at=turn.finished_at if turn.finished_at is not None else run.finished_at,
        progress=turn.progress or run.progress,
        metrics=(*kept, *metrics),
    )


def _state(phase: str, shutdown: str) -> RunState:
    """REST's word for a phase of Argo. A run that was stopped is CANCELED, unless it had succeeded by then."""
    if phase == "Succeeded":
        return RunState.SUCCEEDED
    if phase in ("Failed", "Error"):
        return RunState.CANCELED if shutdown else RunState.FAILED
    if shutdown:
        return RunState.CANCELING
    return RunState.RUNNING if phase not in ("", "Pending") else RunState.PENDING


def _events(run: Run, turn: Turn, notes: Sequence[tuple[str, str]], last: int) -> list[RunEvent]:
    events = [gone_event(run.id, turn.removed, last + 1, turn.at)] if turn.removed else []
    last += len(events)
    events += [node_event(run.id, row.node, last + i, turn.at) for i, row in enumerate(turn.nodes, 1)]
    last += len(turn.nodes)
    events += [note_event(run.id, node, text, last + i, turn.at) for i, (node, text) in enumerate(notes, 1)]
    return [*events, run_event(run, last + len(notes) + 1, turn.at)]
