"""Records in memory."""

from __future__ import annotations

import copy
import operator
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from penstock.errors import AlreadyExists, Conflict, NotFound, Unavailable
from penstock.paging import Filter, Operation, Plan, plan, token
from penstock.ports import (
    Experiment,
    Intent,
    Listing,
    NodeRow,
    Page,
    Pipeline,
    PipelineVersion,
    Reader,
    Run,
    RunEvent,
    RunState,
    Value,
    Writer,
)

__all__ = ["MemoryRecords"]

T = TypeVar("T")
V = TypeVar("V", Experiment, Pipeline, PipelineVersion, Run)


@dataclass
class _Tables:
    experiments: dict[str, Experiment] = field(default_factory=dict)
    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    versions: dict[str, PipelineVersion] = field(default_factory=dict)
    version_documents: dict[str, str] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    run_documents: dict[str, str] = field(default_factory=dict)
    nodes: dict[tuple[str, str], NodeRow] = field(default_factory=dict)
    events: dict[tuple[str, int], RunEvent] = field(default_factory=dict)
    intents: dict[int, Intent] = field(default_factory=dict)
    last_intent: int = 0

    def copied(self) -> _Tables:
        """Another of equal content; the values in it are frozen and shared."""
        return _Tables(**{name: copy.copy(value) for name, value in vars(self).items()})


class MemoryRecords:
    """`ports.Records` without a disk. Every change works on a copy, which takes the place of the tables at its end."""

    def __init__(self) -> None:
        self._tables = _Tables()
        self._version = 0
        self._closed = False
        self._lock = threading.Lock()

    def read(self, query: Callable[[Reader], T]) -> T:
        """As the port says."""
        return query(_Session(self._tables))

    def write(self, change: Callable[[Writer], T]) -> Future[T]:
        """As the port says, but done at once, in the calling thread."""
        future: Future[T] = Future()
        with self._lock:
            tables = self._tables.copied()
            try:
                if self._closed:
                    raise Unavailable("the store is closed")
                result = change(_Session(tables))
            except BaseException as error:
                future.set_exception(error)
                return future
            self._tables = tables
            self._version += 1
        future.set_result(result)
        return future

    def version(self) -> int:
        """As the port says; every commit shows."""
        return self._version

    def close(self) -> None:
        """As the port says. Twice is no error."""
        self._closed = True


class _Session:
    def __init__(self, tables: _Tables) -> None:
        self._t = tables

    def experiment(self, id: str) -> Experiment | None:
        return self._t.experiments.get(id)

    def experiment_named(self, name: str) -> Experiment | None:
        return _named(self._t.experiments, name)

    def experiments(self, page: Page) -> Listing:
        return _listing(self._t.experiments.values(), plan(Experiment, page))

    def add_experiment(self, experiment: Experiment) -> None:
        _refuse("experiment", experiment.id in self._t.experiments, experiment.id)
        _refuse("experiment", self.experiment_named(experiment.name), experiment.name)
        self._t.experiments[experiment.id] = experiment

    def put_experiment(self, experiment: Experiment) -> None:
        _replace("experiment", self._t.experiments, experiment)

    def delete_experiment(self, id: str) -> None:
        self._t.experiments.pop(id, None)

    def pipeline(self, id: str) -> Pipeline | None:
        return self._t.pipelines.get(id)

    def pipeline_named(self, name: str) -> Pipeline | None:
        return _named(self._t.pipelines, name)

    def pipelines(self, page: Page) -> Listing:
        return _listing(self._t.pipelines.values(), plan(Pipeline, page))

    def add_pipeline(self, pipeline: Pipeline) -> None:
        _refuse("pipeline", pipeline.id in self._t.pipelines, pipeline.id)
        _refuse("pipeline", self.pipeline_named(pipeline.name), pipeline.name)
        self._t.pipelines[pipeline.id] = pipeline

    def put_pipeline(self, pipeline: Pipeline) -> None:
        _replace("pipeline", self._t.pipelines, pipeline)

    def delete_pipeline(self, id: str) -> None:
        for version in [v.id for v in self._t.versions.values() if v.pipeline_id == id]:
            self.delete_version(version)
        self._t.pipelines.pop(id, None)

    def version(self, id: str) -> PipelineVersion | None:
        return self._t.versions.get(id)

    def versions(self, pipeline_id: str, page: Page) -> Listing:
        wanted = [v for v in self._t.versions.values() if v.pipeline_id == pipeline_id]
        return _listing(wanted, plan(PipelineVersion, page, pipeline_id))

    def version_document(self, id: str) -> str | None:
        return self._t.version_documents.get(id)

    def add_version(self, version: PipelineVersion, document: str) -> None:
        if version.pipeline_id not in self._t.pipelines:
            raise Conflict(f"what it belongs to is gone (pipeline {version.pipeline_id!r})")
        others = {v.id: v for v in self._t.versions.values() if v.pipeline_id == version.pipeline_id}
        _refuse("pipeline version", version.id in self._t.versions, version.id)
        _refuse("pipeline version", _named(others, version.name), version.name)
        self._t.versions[version.id] = version
        self._t.version_documents[version.id] = document

    def delete_version(self, id: str) -> None:
        self._t.versions.pop(id, None)
        self._t.version_documents.pop(id, None)

    def run(self, id: str) -> Run | None:
        return self._t.runs.get(id)

    def run_of_workflow(self, workflow_name: str) -> Run | None:
        return next((r for r in self._t.runs.values() if r.workflow_name == workflow_name), None)

    def runs(self, page: Page) -> Listing:
        return _listing(self._t.runs.values(), plan(Run, page))

    def unfinished_runs(self) -> Sequence[str]:
        begun = [r for r in self._t.runs.values() if r.phase and not RunState(r.state).terminal]
        return [r.id for r in sorted(begun, key=lambda r: (r.created_at, r.id))]

    def run_document(self, id: str) -> str | None:
        return self._t.run_documents.get(id)

    def add_run(self, run: Run, document: str) -> None:
        _refuse("run", run.id in self._t.runs, run.id)
        _refuse("run", self.run_of_workflow(run.workflow_name), run.workflow_name)
        self._t.runs[run.id] = run
        self._t.run_documents[run.id] = document

    def put_run(self, run: Run) -> None:
        _replace("run", self._t.runs, run)

    def put_run_document(self, run_id: str, document: str) -> None:
        self._t.run_documents[run_id] = document

    def delete_run(self, id: str) -> None:
        self._t.runs.pop(id, None)
        self._t.run_documents.pop(id, None)
        self._t.nodes = {key: row for key, row in self._t.nodes.items() if key[0] != id}
        self._t.events = {key: event for key, event in self._t.events.items() if key[0] != id}
        self._t.intents = {key: intent for key, intent in self._t.intents.items() if intent.run_id != id}

    def nodes(self, run_id: str) -> Sequence[NodeRow]:
        return [row for (run, _), row in self._t.nodes.items() if run == run_id]

    def node(self, run_id: str, node_id: str) -> NodeRow | None:
        return self._t.nodes.get((run_id, node_id))

    def put_nodes(self, rows: Sequence[NodeRow]) -> None:
        for row in rows:
            self._belongs(row.run_id)
            self._t.nodes[row.run_id, row.node.id] = row

    def delete_nodes(self, run_id: str, ids: Sequence[str]) -> None:
        for id in ids:
            self._t.nodes.pop((run_id, id), None)

    def events(self, run_id: str, after: int, limit: int = 1000) -> Sequence[RunEvent]:
        found = [e for e in self._t.events.values() if e.run_id == run_id and e.seq > after]
        return sorted(found, key=lambda e: e.seq)[:limit]

    def last_event(self, run_id: str) -> int:
        return max((seq for run, seq in self._t.events if run == run_id), default=0)

    def add_events(self, events: Sequence[RunEvent]) -> None:
        for event in events:
            self._belongs(event.run_id)
            _refuse("event", (event.run_id, event.seq) in self._t.events, str(event.seq))
            self._t.events[event.run_id, event.seq] = event

    def intents(self) -> Sequence[Intent]:
        return list(self._t.intents.values())

    def add_intent(self, intent: Intent) -> None:
        self._t.last_intent += 1
        self._t.intents[self._t.last_intent] = msgspec.structs.replace(intent, id=self._t.last_intent)

    def remove_intent(self, id: int) -> None:
        self._t.intents.pop(id, None)

    def _belongs(self, run_id: str) -> None:
        if run_id not in self._t.runs:
            raise Conflict(f"what it belongs to is gone (run {run_id!r})")


def _named(table: Mapping[str, V], name: str) -> V | None:
    return next((value for value in table.values() if value.name == name), None)


def _refuse(kind: str, found: object, what: str) -> None:
    if found:
        raise AlreadyExists(f"there is already a {kind} {what!r}")


def _replace(kind: str, table: dict[str, V], value: V) -> None:
    if value.id not in table:
        raise NotFound(f"no {kind} has the id {value.id!r}")
    table[value.id] = value


_COMPARE: Mapping[Operation, Callable[[Any, Any], bool]] = {
    Operation.EQUALS: operator.eq,
    Operation.NOT_EQUALS: operator.ne,
    Operation.GREATER_THAN: operator.gt,
    Operation.GREATER_THAN_OR_EQUALS: operator.ge,
    Operation.LESS_THAN: operator.lt,
    Operation.LESS_THAN_OR_EQUALS: operator.le,
    Operation.IN: lambda have, wanted: have in wanted,
    Operation.IS_SUBSTRING: lambda have, wanted: _lower(wanted) in _lower(have),
}


def _lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def _listing(values: Iterable[V], plan: Plan) -> Listing:
    found = sorted(
        ((_key(value, plan), value.id, value) for value in values if all(_matches(value, f) for f in plan.filters)),
        key=lambda item: item[:2],
        reverse=plan.descending,
    )
    rest = [item for item in found if not plan.after_id or _follows(item[:2], plan)]
    page = rest[: plan.size]
    following = token(plan, *page[-1][:2]) if len(rest) > plan.size else ""
    return Listing(items=[item[2] for item in page], next_token=following, total=len(found))


def _follows(place: tuple[Any, str], plan: Plan) -> bool:
    last = (plan.after_value, plan.after_id)
    return place < last if plan.descending else place > last


def _matches(value: Value, filter: Filter) -> bool:
    have = getattr(value, filter.column)
    return have is not None and _COMPARE[filter.operation](have, filter.value)


def _key(value: Value, plan: Plan) -> Any:
    if plan.metric:
        assert isinstance(value, Run)
        numbers = [m.value for m in value.metrics if m.name == plan.metric and m.value is not None]
        return max(numbers, default=plan.last)
    have = getattr(value, plan.sort_by)
    return plan.last if have is None else have
