"""What every `ports.Records` does. A test class inherits `RecordsContract` and gives it a fixture `records`.

The store that the fixture yields is empty and open; the fixture closes it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import msgspec
import pytest

from penstock.errors import AlreadyExists, Conflict, InvalidInput, NotFound, Unavailable
from penstock.ports import (
    Experiment,
    Intent,
    IntentKind,
    Listing,
    Metric,
    NodeRow,
    Page,
    Pipeline,
    PipelineVersion,
    Progress,
    Reader,
    Records,
    Run,
    RunEvent,
    RunState,
    StorageState,
    Writer,
)
from penstock.workflow.status import Artifact, Node, NodeOutputs, NodeType, Phase

__all__ = ["RecordsContract", "a_node", "a_run", "all_pages", "an_event", "an_experiment"]


def an_experiment(**fields: Any) -> Experiment:
    """An experiment; fields that are not given are plausible and unique where they have to be."""
    id = str(uuid.uuid4())
    return Experiment(**{"id": id, "name": f"experiment {id}", "created_at": 1.0, **fields})


def a_pipeline(**fields: Any) -> Pipeline:
    """A pipeline."""
    id = str(uuid.uuid4())
    return Pipeline(**{"id": id, "name": f"pipeline {id}", "created_at": 1.0, **fields})


def a_version(pipeline: Pipeline, **fields: Any) -> PipelineVersion:
    """A version of that pipeline."""
    id = str(uuid.uuid4())
    return PipelineVersion(**{"id": id, "pipeline_id": pipeline.id, "name": id, "created_at": 1.0, **fields})


def a_run(**fields: Any) -> Run:
    """A run."""
    id = str(uuid.uuid4())
    given = {"id": id, "name": "run", "workflow_name": f"w-{id}", "experiment_id": "e", "created_at": 1.0, **fields}
    return Run(**given)


def a_node(run_id: str, id: str, **fields: Any) -> NodeRow:
    """A node of type Pod."""
    incarnation = fields.pop("incarnation", 1)
    node = Node(**{"id": id, "name": f"w.{id}", "display_name": id, "type": NodeType.POD, **fields})
    return NodeRow(run_id=run_id, node=node, incarnation=incarnation)


def an_event(run_id: str, seq: int, **data: Any) -> RunEvent:
    """An event of kind note."""
    return RunEvent(run_id=run_id, seq=seq, kind="note", at=float(seq), data=data)


def all_pages(records: Records, **page: Any) -> Iterator[Listing]:
    """The pages of the list of runs, to its end."""
    listing = records.read(lambda store: store.runs(Page(**page)))
    yield listing
    while listing.next_token:
        asked = Page(**{**page, "token": listing.next_token})
        listing = records.read(lambda store: store.runs(asked))  # noqa: B023 - called at once
        yield listing


def _add_runs(records: Records, *runs: Run) -> None:
    def change(store: Writer) -> None:
        for run in runs:
            store.add_run(run, "{}")

    records.write(change).result()


def _names(listing: Listing) -> list[str]:
    return [item.name for item in listing.items]


class RecordsContract:
    """The suite."""

    # --- what is stored comes back --------------------------------------------------------------------------------

    def test_an_experiment_is_stored_changed_and_deleted(self, records: Records) -> None:
        first = an_experiment(name="Ünïcode 🜁", description="a\nb", last_run_created_at=12.5)
        records.write(lambda store: store.add_experiment(first)).result()
        assert records.read(lambda store: store.experiment(first.id)) == first
        assert records.read(lambda store: store.experiment_named(first.name)) == first
        second = msgspec.structs.replace(first, storage_state=StorageState.ARCHIVED)
        records.write(lambda store: store.put_experiment(second)).result()
        assert records.read(lambda store: store.experiments(Page()).items) == [second]
        records.write(lambda store: store.delete_experiment(first.id)).result()
        assert records.read(lambda store: store.experiment(first.id)) is None

    def test_a_pipeline_has_versions_with_documents(self, records: Records) -> None:
        pipeline = a_pipeline(display_name="Taxi")
        version = a_version(pipeline, inputs='[{"name":"a"}]')

        def change(store: Writer) -> None:
            store.add_pipeline(pipeline)
            store.add_version(version, '{"kind":"Workflow"}')
            store.put_pipeline(msgspec.structs.replace(pipeline, latest_version_id=version.id))

        records.write(change).result()
        assert records.read(lambda store: store.pipeline_named(pipeline.name)).latest_version_id == version.id  # type: ignore[union-attr]
        assert records.read(lambda store: store.version(version.id)) == version
        assert records.read(lambda store: store.versions(pipeline.id, Page()).items) == [version]
        assert records.read(lambda store: store.versions("other", Page()).total) == 0
        assert records.read(lambda store: store.version_document(version.id)) == '{"kind":"Workflow"}'
        records.write(lambda store: store.delete_pipeline(pipeline.id)).result()
        assert records.read(lambda store: store.version(version.id)) is None
        assert records.read(lambda store: store.version_document(version.id)) is None

    def test_a_version_is_deleted_alone(self, records: Records) -> None:
        pipeline = a_pipeline()
        version = a_version(pipeline)
        records.write(lambda store: store.add_pipeline(pipeline)).result()
        records.write(lambda store: store.add_version(version, "{}")).result()
        records.write(lambda store: store.delete_version(version.id)).result()
        assert records.read(lambda store: (store.version(version.id), store.version_document(version.id))) == (
            None,
            None,
        )
        assert records.read(lambda store: store.pipeline(pipeline.id)) == pipeline

    def test_a_version_without_its_pipeline_is_refused(self, records: Records) -> None:
        with pytest.raises(Conflict):
            records.write(lambda store: store.add_version(a_version(a_pipeline()), "{}")).result()

    def test_a_run_comes_back_with_all_its_fields(self, records: Records) -> None:
        run = a_run(
            description="d",
            pipeline_id="p",
            pipeline_version_id="v",
            pipeline_name="taxi",
            parameters={"b": "2", "a": "\u0000 🜁"},
            state=RunState.RUNNING,
            phase="Running",
            message="m",
            shutdown="Stop",
            started_at=2.25,
            finished_at=3.125,
            storage_state=StorageState.ARCHIVED,
            progress=Progress(pending=1, running=2, succeeded=3, failed=4),
            metrics=(Metric(name="auc", node_id="n", value=0.1), Metric(name="acc", node_id="n", value=None)),
            options='{"timeout":3}',
        )
        records.write(lambda store: store.add_run(run, "document")).result()
        assert records.read(lambda store: store.run(run.id)) == run
        assert records.read(lambda store: store.run_of_workflow(run.workflow_name)) == run
        assert records.read(lambda store: store.runs(Page()).items) == [run]
        assert records.read(lambda store: store.run_document(run.id)) == "document"

    def test_putting_a_run_replaces_its_metrics(self, records: Records) -> None:
        run = a_run(metrics=(Metric(name="auc", node_id="n", value=0.1),))
        _add_runs(records, run)
        for metrics in ((Metric(name="acc", node_id="n", value=1.0, format="PERCENTAGE"),), ()):
            changed = msgspec.structs.replace(run, metrics=metrics, state=RunState.FAILED)
            records.write(lambda store, changed=changed: store.put_run(changed)).result()  # type: ignore[misc]
            assert records.read(lambda store: store.run(run.id)) == changed

    def test_what_is_not_there_is_none(self, records: Records) -> None:
        def query(store: Reader) -> list[object]:
            return [
                store.experiment("x"),
                store.experiment_named("x"),
                store.pipeline("x"),
                store.pipeline_named("x"),
                store.version("x"),
                store.version_document("x"),
                store.run("x"),
                store.run_of_workflow("x"),
                store.run_document("x"),
                store.node("x", "y"),
            ]

        assert records.read(query) == [None] * 10
        assert records.read(lambda store: list(store.nodes("x"))) == []
        assert records.read(lambda store: store.last_event("x")) == 0

    def test_nodes_keep_the_order_of_their_first_storing(self, records: Records) -> None:
        run = a_run()
        _add_runs(records, run)
        first = [a_node(run.id, id) for id in ("c", "a", "b")]
        records.write(lambda store: store.put_nodes(first)).result()
        output = NodeOutputs(artifacts=(Artifact(name="x", key="k", size=3),), result="🜁", exit_code="0")
        changed = a_node(run.id, "a", phase=Phase.SUCCEEDED, started_at=1.5, outputs=output, incarnation=2)
        records.write(lambda store: store.put_nodes([changed, a_node(run.id, "d")])).result()
        found = records.read(lambda store: store.nodes(run.id))
        assert [row.node.id for row in found] == ["c", "a", "b", "d"]
        assert records.read(lambda store: store.node(run.id, "a")) == changed == found[1]

    def test_nodes_can_go_alone(self, records: Records) -> None:
        run, other = a_run(), a_run()
        _add_runs(records, run, other)
        nodes = [a_node(id, name) for id in (run.id, other.id) for name in ("a", "b", "c")]
        records.write(lambda store: store.put_nodes(nodes)).result()
        records.write(lambda store: store.delete_nodes(run.id, ["a", "c", "absent"])).result()
        records.write(lambda store: store.put_run_document(run.id, '{"new": 1}')).result()
        assert [row.node.id for row in records.read(lambda store: store.nodes(run.id))] == ["b"]
        assert len(records.read(lambda store: store.nodes(other.id))) == 3
        assert records.read(lambda store: store.run_document(run.id)) == '{"new": 1}'

    def test_events_are_read_after_a_number(self, records: Records) -> None:
        run = a_run()
        _add_runs(records, run)
        events = [an_event(run.id, i, message=f"m{i}", nested={"a": [1, None, 2.5]}) for i in range(1, 6)]
        records.write(lambda store: store.add_events(events)).result()
        assert records.read(lambda store: store.events(run.id, 2)) == events[2:]
        assert records.read(lambda store: store.events(run.id, 0, 2)) == events[:2]
        assert records.read(lambda store: store.last_event(run.id)) == 5
        with pytest.raises(AlreadyExists):
            records.write(lambda store: store.add_events([an_event(run.id, 6), an_event(run.id, 5)])).result()
        assert records.read(lambda store: store.last_event(run.id)) == 5

    def test_nodes_and_events_of_a_run_that_is_gone_are_refused(self, records: Records) -> None:
        with pytest.raises(Conflict):
            records.write(lambda store: store.put_nodes([a_node("gone", "n")])).result()
        with pytest.raises(Conflict):
            records.write(lambda store: store.add_events([an_event("gone", 1)])).result()

    def test_intents_get_rising_ids_that_are_never_used_again(self, records: Records) -> None:
        def add(store: Writer) -> int:
            store.add_intent(Intent(run_id="r", kind=IntentKind.STOP, argument="Stop", created_at=1.0))
            return store.intents()[-1].id

        first, second = records.write(add).result(), records.write(add).result()
        assert [i.id for i in records.read(lambda store: store.intents())] == [first, second]
        assert records.read(lambda store: store.intents()[0].kind) is IntentKind.STOP
        records.write(lambda store: store.remove_intent(second)).result()
        assert records.write(add).result() > second > first

    def test_deleting_a_run_leaves_nothing_of_it(self, records: Records) -> None:
        run, other = a_run(metrics=(Metric(name="m", node_id="n", value=1.0),)), a_run()
        _add_runs(records, run, other)

        def fill(store: Writer) -> None:
            for id in (run.id, other.id):
                store.put_nodes([a_node(id, "n")])
                store.add_events([an_event(id, 1)])
                store.add_intent(Intent(run_id=id, kind=IntentKind.SUBMIT, created_at=1.0))

        records.write(fill).result()
        records.write(lambda store: store.delete_run(run.id)).result()

        def left(store: Reader) -> list[object]:
            return [store.run(run.id), store.run_document(run.id), store.node(run.id, "n"), store.last_event(run.id)]

        assert records.read(left) == [None, None, None, 0]
        assert [i.run_id for i in records.read(lambda store: store.intents())] == [other.id]
        assert records.read(lambda store: store.node(other.id, "n")) is not None
        _add_runs(records, msgspec.structs.replace(run, metrics=()))
        assert records.read(lambda store: store.run(run.id)).metrics == ()  # type: ignore[union-attr]

    def test_unfinished_runs_have_begun_and_not_ended(self, records: Records) -> None:
        rows = [
            a_run(name="waits"),
            a_run(name="late", phase="Running", state=RunState.RUNNING, created_at=3.0),
            a_run(name="early", phase="Running", state=RunState.CANCELING, created_at=2.0),
            a_run(name="done", phase="Succeeded", state=RunState.SUCCEEDED),
        ]
        _add_runs(records, *rows)
        assert records.read(lambda store: store.unfinished_runs()) == [rows[2].id, rows[1].id]

    # --- what may not be stored -----------------------------------------------------------------------------------

    def test_names_that_are_taken_are_refused_by_name(self, records: Records) -> None:
        pipeline, run = a_pipeline(name="taxi"), a_run(workflow_name="w-1")
        version = a_version(pipeline, name="v1")

        def fill(store: Writer) -> None:
            store.add_experiment(an_experiment(name="mine"))
            store.add_pipeline(pipeline)
            store.add_version(version, "{}")
            store.add_run(run, "{}")

        records.write(fill).result()
        with pytest.raises(AlreadyExists, match="mine"):
            records.write(lambda store: store.add_experiment(an_experiment(name="mine"))).result()
        with pytest.raises(AlreadyExists, match="taxi"):
            records.write(lambda store: store.add_pipeline(a_pipeline(name="taxi"))).result()
        with pytest.raises(AlreadyExists, match="v1"):
            records.write(lambda store: store.add_version(a_version(pipeline, name="v1"), "{}")).result()
        with pytest.raises(AlreadyExists, match="w-1"):
            records.write(lambda store: store.add_run(a_run(workflow_name="w-1"), "{}")).result()
        with pytest.raises(AlreadyExists, match=run.id):
            records.write(lambda store: store.add_run(a_run(id=run.id), "{}")).result()

    def test_changing_what_is_not_there_is_refused(self, records: Records) -> None:
        with pytest.raises(NotFound):
            records.write(lambda store: store.put_run(a_run())).result()
        with pytest.raises(NotFound):
            records.write(lambda store: store.put_experiment(an_experiment())).result()
        with pytest.raises(NotFound):
            records.write(lambda store: store.put_pipeline(a_pipeline())).result()

    # --- transactions ---------------------------------------------------------------------------------------------

    def test_a_change_that_raises_leaves_no_trace_and_fails_alone(self, records: Records) -> None:
        def good(name: str) -> Any:
            return lambda store: store.add_experiment(an_experiment(name=name))

        def bad(store: Writer) -> None:
            store.add_experiment(an_experiment(name="bad"))
            raise ZeroDivisionError

        changes = [good("a"), bad, good("b"), good("a"), bad, good("c")]
        futures = [records.write(change) for change in changes]
        errors = [type(future.exception()) for future in futures]
        assert errors == [type(None), ZeroDivisionError, type(None), AlreadyExists, ZeroDivisionError, type(None)]
        names = _names(records.read(lambda store: store.experiments(Page(sort_by="name", descending=False))))
        assert names == ["a", "b", "c"]

    def test_a_change_sees_its_own_writes_and_returns_a_value(self, records: Records) -> None:
        def change(store: Writer) -> Any:
            store.add_experiment(an_experiment(name="x"))
            return store.experiment_named("x"), store.experiments(Page()).total

        found, total = records.write(change).result()
        assert (found.name, total) == ("x", 1)

    def test_changes_from_many_threads_are_all_there(self, records: Records) -> None:
        first = an_experiment(description="0")
        records.write(lambda store: store.add_experiment(first)).result()

        def count(store: Writer) -> None:
            row = store.experiment(first.id)
            assert row
            store.put_experiment(msgspec.structs.replace(row, description=str(int(row.description) + 1)))

        def many() -> None:
            for future in [records.write(count) for _ in range(25)]:
                future.result()

        threads = [threading.Thread(target=many) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert records.read(lambda store: store.experiment(first.id)).description == "200"  # type: ignore[union-attr]

    def test_one_read_sees_one_snapshot(self, records: Records) -> None:
        def query(store: Reader) -> tuple[int, int]:
            before = store.experiments(Page()).total
            records.write(lambda writer: writer.add_experiment(an_experiment())).result()
            return before, store.experiments(Page()).total

        assert records.read(query) == (0, 0)
        assert records.read(lambda store: store.experiments(Page()).total) == 1

    def test_the_version_differs_after_a_commit(self, records: Records) -> None:
        before = records.version()
        records.write(lambda store: store.add_experiment(an_experiment())).result()
        assert records.version() != before

    def test_a_closed_store_refuses(self, records: Records) -> None:
        pending = [records.write(lambda store: store.add_experiment(an_experiment())) for _ in range(20)]
        records.close()
        assert all(future.exception(timeout=0) is None for future in pending)
        with pytest.raises((Unavailable, CancelledError)):
            records.write(lambda store: store.intents()).result()
        records.close()

    # --- lists ----------------------------------------------------------------------------------------------------

    def test_pages_cover_the_list_once_in_order(self, records: Records) -> None:
        rows = [a_run(name=f"n{i}", created_at=float(i // 3)) for i in range(20)]
        _add_runs(records, *rows)
        for descending in (True, False):
            pages = list(all_pages(records, size=7, descending=descending))
            found = [run.id for page in pages for run in page.items]
            ordered = sorted(rows, key=lambda run: (run.created_at, run.id), reverse=descending)
            assert found == [run.id for run in ordered]
            assert [page.total for page in pages] == [20, 20, 20]

    @pytest.mark.parametrize("descending", [True, False])
    def test_rows_that_come_and_go_between_pages_move_no_other(self, records: Records, descending: bool) -> None:
        rows = [a_run(name=f"n{i}", created_at=float(i)) for i in range(12)]
        _add_runs(records, *rows)
        seen: list[str] = []
        for number, page in enumerate(all_pages(records, size=3, descending=descending)):
            seen += [run.id for run in page.items]
            # One comes at each end; the row after which the next page begins goes.
            _add_runs(records, *(a_run(created_at=at) for at in (-1.0 - number, 100.0 + number)))
            records.write(lambda store, last=page.items[-1]: store.delete_run(last.id)).result()  # type: ignore[misc]
            if number == 3:
                break
        assert seen == [run.id for run in (rows[::-1] if descending else rows)]

    def test_every_listed_column_sorts_with_missing_values_last(self, records: Records) -> None:
        rows = [
            a_run(name="b", started_at=2.0),
            a_run(name="a", started_at=None),
            a_run(name="Z", started_at=1.0),
            a_run(name="é", started_at=3.0),
        ]
        _add_runs(records, *rows)

        def sorted_by(column: str, descending: bool) -> list[str]:
            pages = all_pages(records, size=1, sort_by=column, descending=descending)
            return [name for page in pages for name in _names(page)]

        assert sorted_by("name", False) == ["Z", "a", "b", "é"]
        assert sorted_by("name", True) == ["é", "b", "a", "Z"]
        assert sorted_by("started_at", False) == ["Z", "b", "é", "a"]
        assert sorted_by("started_at", True) == ["é", "b", "Z", "a"]

    def test_runs_sort_by_a_metric(self, records: Records) -> None:
        def scored(name: str, *values: float | None) -> Run:
            return a_run(name=name, metrics=tuple(Metric(name="auc", node_id=str(v), value=v) for v in values))

        _add_runs(records, scored("low", 0.1), scored("none"), scored("high", 0.2, 0.9), scored("nan", None))
        pages = all_pages(records, size=1, sort_by="metric:auc")
        assert [name for page in pages for name in _names(page)][:2] == ["high", "low"]
        pages = all_pages(records, size=1, sort_by="metric:auc", descending=False)
        assert [name for page in pages for name in _names(page)][:2] == ["low", "high"]

    @pytest.mark.parametrize(
        ("filter", "expected"),
        [
            (("name", "equals", "taxi"), ["taxi"]),
            (("name", "not_equals", "taxi"), ["TAXI 100%", "tumours"]),
            (("name", "in", ["taxi", "tumours", "x"]), ["taxi", "tumours"]),
            (("name", "is_substring", "axi"), ["TAXI 100%", "taxi"]),
            (("name", "is_substring", "0%"), ["TAXI 100%"]),
            (("name", "is_substring", "t_x"), []),
            (("name", "is_substring", ""), ["TAXI 100%", "taxi", "tumours"]),
            (("name", "greater_than", "taxi"), ["tumours"]),
            (("name", "less_than_or_equals", "taxi"), ["TAXI 100%", "taxi"]),
            (("created_at", "greater_than_or_equals", 2), ["taxi", "tumours"]),
            (("created_at", "less_than", 2.0), ["TAXI 100%"]),
            (("finished_at", "not_equals", 5.0), ["tumours"]),
            (("state", "in", (RunState.FAILED,)), ["tumours"]),
        ],
    )
    def test_filters(self, records: Records, filter: tuple[str, str, Any], expected: list[str]) -> None:
        _add_runs(
            records,
            a_run(name="TAXI 100%", created_at=1.0, finished_at=5.0),
            a_run(name="taxi", created_at=2.0),
            a_run(name="tumours", created_at=3.0, state=RunState.FAILED, finished_at=6.0),
        )
        page = Page(filters=(filter,), sort_by="name", descending=False, size=1)
        listing = records.read(lambda store: store.runs(page))
        everything = records.read(lambda store: store.runs(msgspec.structs.replace(page, size=200)))
        assert (_names(everything), listing.total) == (expected, len(expected))

    def test_filters_are_joined_by_and(self, records: Records) -> None:
        _add_runs(records, *(a_run(name=n, experiment_id=e) for n in "ab" for e in "xy"))
        filters = (("name", "equals", "a"), ("experiment_id", "equals", "y"))
        assert records.read(lambda store: store.runs(Page(filters=filters)).total) == 1

    @pytest.mark.parametrize(
        "page",
        [
            Page(size=0),
            Page(size=201),
            Page(sort_by="parameters"),
            Page(sort_by="id; DROP TABLE runs"),
            Page(token="nonsense"),  # noqa: S106
            Page(token="¤"),  # noqa: S106
            Page(token="W10"),  # noqa: S106
            Page(filters=(("options", "equals", "x"),)),
            Page(filters=(("name", "like", "x"),)),
            Page(filters=(("name", "equals", 3),)),
            Page(filters=(("name", "equals", None),)),
            Page(filters=(("name", "in", "text"),)),
            Page(filters=(("name", "in", []),)),
            Page(filters=(("created_at", "equals", "1"),)),
            Page(filters=(("created_at", "equals", float("nan")),)),
            Page(filters=(("created_at", "is_substring", 1.0),)),
        ],
    )
    def test_pages_that_make_no_sense_are_refused(self, records: Records, page: Page) -> None:
        with pytest.raises(InvalidInput):
            records.read(lambda store: store.runs(page))

    def test_an_unknown_column_names_the_known_ones(self, records: Records) -> None:
        with pytest.raises(InvalidInput, match="created_at"):
            records.read(lambda store: store.runs(Page(sort_by="x")))

    def test_a_token_belongs_to_its_list(self, records: Records) -> None:
        _add_runs(records, a_run(), a_run())
        token = records.read(lambda store: store.runs(Page(size=1)).next_token)
        for page in (
            Page(token=token, descending=False),
            Page(token=token, sort_by="name"),
            Page(token=token, filters=(("name", "equals", "run"),)),
        ):
            with pytest.raises(InvalidInput):
                records.read(lambda store, page=page: store.runs(page))  # type: ignore[misc]
        with pytest.raises(InvalidInput):
            records.read(lambda store: store.experiments(Page(token=token)))
        assert records.read(lambda store: store.runs(Page(size=2, token=token)).total) == 2
