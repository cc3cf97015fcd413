"""Use cases of runs, over records and objects in memory and on a disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.adapters.objects import LocalObjects
from penstock.adapters.sql import open_records
from penstock.engine.protocol import Shutdown
from penstock.errors import (
    AlreadyExists,
    Conflict,
    InvalidDocument,
    InvalidInput,
    InvalidParameter,
    NotFound,
    RunNotStarted,
    TooLarge,
)
from penstock.ports import (
    ImageRule,
    IntentKind,
    NodeRow,
    Objects,
    Page,
    Progress,
    Records,
    Resumption,
    RunState,
    StepId,
    StorageState,
    Turn,
)
from penstock.services import Experiments, Pipelines, Report, Runs
from penstock.testing import FakeClock, MemoryObjects, MemoryRecords
from penstock.workflow.status import Artifact, Awaited, Node, NodeOutputs, NodeType, Parameter, Phase

DOCUMENT: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "greet-"},
    "spec": {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "who", "value": "world"}]},
        "templates": [{"name": "main", "container": {"image": "alpine", "command": ["true"]}}],
    },
}


class Woken:
    """An engine that notes which intents it finds whenever it is told to look."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.found: list[list[tuple[IntentKind, str]]] = []

    def wake(self) -> None:
        intents = self._records.read(lambda store: store.intents())
        self.found.append([(intent.kind, intent.argument) for intent in intents])


class NoImages:
    """The part of a launcher that use cases ask: what it refuses, where a live log lies."""

    name = "fake"
    reason = ""

    def refuse(
        self, image: str, command: Sequence[str], images: Mapping[str, ImageRule], beside: Sequence[str] = ()
    ) -> str:
        return self.reason

    def log(self, id: StepId) -> Path:
        return Path("/nonexistent")


class Room:
    """All use cases on one set of fakes."""

    def __init__(self, records: Records, objects: Objects) -> None:
        self.records, self.objects, self.clock = records, objects, FakeClock()
        self.engine, self.launcher = Woken(records), NoImages()
        self.runs = Runs(self.records, self.objects, self.engine, self.launcher, self.clock)  # type: ignore[arg-type]
        self.pipelines = Pipelines(self.records, self.clock)
        self.experiments = Experiments(self.records, self.clock)
        self.report = Report(self.records, self.objects)

    def create(self, document: Mapping[str, Any] = DOCUMENT, **more: Any) -> Any:
        return self.runs.create(json.dumps(document), **more)

    def commit(self, run_id: str, **more: Any) -> None:
        self.report.commit(Turn(run_id=run_id, at=self.clock.now(), **more)).result()


@pytest.fixture(params=["memory", "disk"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    if request.param == "memory":
        yield Room(MemoryRecords(), MemoryObjects())
        return
    records, objects = open_records(tmp_path / "penstock.db"), LocalObjects(tmp_path / "objects")
    yield Room(records, objects)
    objects.close()
    records.close()


def test_a_new_run_is_a_row_an_intent_and_an_event(room: Room) -> None:
    run = room.create(name="first", parameters={"who": "you"})
    assert room.runs.get(run.id) == run
    assert run.state is RunState.PENDING
    assert run.workflow_name.startswith("greet-")
    assert run.parameters == {"who": "you"}
    assert room.experiments.get(run.experiment_id).name == "Default"
    (intent,) = room.report.intents()
    assert (intent.kind, intent.run_id) == (IntentKind.SUBMIT, run.id)
    assert [e.kind for e in room.runs.events(run.id)] == ["run"]
    # The engine is told when all of it is committed, and not before.
    assert room.engine.found == [[(IntentKind.SUBMIT, "")]]
    metadata = room.runs.document(run.id)["metadata"]
    assert (metadata["name"], metadata["uid"]) == (run.workflow_name, run.id)


def suspended(room: Room, **source: Any) -> tuple[Any, Node]:
    """A run with a node that waits for a value."""
    run = room.create()
    waits = Parameter(name="answer", value_from=Awaited(supplied={}, **source))
    node = Node(
        id="n1",
        name="w.approve",
        display_name="approve",
        type=NodeType.SUSPEND,
        phase=Phase.RUNNING,
        outputs=NodeOutputs(parameters=(waits,)),
    )
    done = [intent.id for intent in room.report.intents()]
    room.commit(run.id, nodes=[NodeRow(run_id=run.id, node=node)], phase="Running", done=done)
    return run, node


@pytest.mark.parametrize("step", ["", "approve", "w.approve", "n1"])
def test_what_waits_is_resumed_by_any_of_its_names(room: Room, step: str) -> None:
    run, node = suspended(room)
    room.runs.resume(run.id, step, {"answer": ["a"]})
    (intent,) = room.report.intents()
    assert (intent.kind, intent.run_id) == (IntentKind.RESUME, run.id)
    wish = msgspec.json.decode(intent.argument, type=Resumption)
    assert wish == Resumption(node_id=node.id, parameters={"answer": '["a"]'})


def test_a_value_with_a_default_need_not_be_supplied(room: Room) -> None:
    run, node = suspended(room, default="usual")
    room.runs.resume(run.id)
    (intent,) = room.report.intents()
    assert msgspec.json.decode(intent.argument, type=Resumption) == Resumption(node_id=node.id)


def test_what_cannot_be_resumed_is_said(room: Room) -> None:
    run, _ = suspended(room)
    with pytest.raises(Conflict, match=r"no step 'other' waits to be resumed; there wait 'approve'"):
        room.runs.resume(run.id, "other")
    with pytest.raises(InvalidParameter, match=r"'approve' needs a value for its output 'answer'"):
        room.runs.resume(run.id)
    with pytest.raises(InvalidParameter, match=r"Unknown parameter 'reply'. Known: 'answer'"):
        room.runs.resume(run.id, parameters={"reply": "x"})
    with pytest.raises(TooLarge, match=r"'answer' is 200,000 bytes"):
        room.runs.resume(run.id, parameters={"answer": "x" * 200_000})
    with pytest.raises(Conflict, match="nothing waits to be resumed"):
        room.runs.resume(room.create().id)
    with pytest.raises(NotFound):
        room.runs.resume("nobody")
    assert IntentKind.RESUME not in [intent.kind for intent in room.report.intents()]


def test_what_is_wrong_is_said_before_a_run_exists(room: Room) -> None:
    with pytest.raises(InvalidParameter, match="'whom'"):
        room.create(parameters={"whom": "x"})
    room.launcher.reason = "no rule maps image 'alpine'"
    with pytest.raises(RunNotStarted, match=r"template 'main': no rule maps"):
        room.create()
    with pytest.raises(InvalidInput, match="neither a document nor a pipeline version"):
        room.runs.create()
    assert room.runs.list(Page()).total == 0
    assert room.report.intents() == []


def test_a_fixed_name_is_taken_once(room: Room) -> None:
    document = {**DOCUMENT, "metadata": {"name": "fixed"}}
    room.create(document)
    with pytest.raises(AlreadyExists, match="use generateName"):
        room.create(document)


def test_stop_is_an_intent_and_asking_twice_is_harmless(room: Room) -> None:
    run = room.create()
    assert room.runs.stop(run.id).state is RunState.CANCELING
    room.runs.stop(run.id)
    assert [i.argument for i in room.report.intents()] == ["", "Stop"]
    room.runs.stop(run.id, Shutdown.TERMINATE)
    room.runs.stop(run.id, Shutdown.STOP)
    assert [i.argument for i in room.report.intents()] == ["", "Stop", "Terminate"]


def test_what_has_ended_cannot_be_stopped(room: Room) -> None:
    run = room.create()
    room.commit(run.id, phase="Succeeded", started_at=1.0, finished_at=2.0)
    with pytest.raises(Conflict, match="has ended"):
        room.runs.stop(run.id)


@pytest.mark.parametrize(
    ("phase", "shutdown", "state"),
    [
        ("Running", "", RunState.RUNNING),
        ("Running", "Stop", RunState.CANCELING),
        ("Succeeded", "", RunState.SUCCEEDED),
        ("Succeeded", "Stop", RunState.SUCCEEDED),
        ("Failed", "", RunState.FAILED),
        ("Error", "", RunState.FAILED),
        ("Failed", "Terminate", RunState.CANCELED),
    ],
)
def test_states_of_rest(room: Room, phase: str, shutdown: str, state: RunState) -> None:
    run = room.create()
    room.commit(run.id, phase=phase, shutdown=shutdown)
    assert room.runs.get(run.id).state is state


def test_the_message_of_a_run_goes_with_its_phase(room: Room) -> None:
    run = room.create()
    changes: list[tuple[dict[str, Any], str]] = [
        ({"phase": "Pending", "message": "Waiting for a lock"}, "Waiting for a lock"),
        ({"notes": [("", "noted")]}, "Waiting for a lock"),
        ({"phase": "Running"}, ""),
    ]
    for change, message in changes:
        room.commit(run.id, **change)
        assert room.runs.get(run.id).message == message


def test_a_turn_stores_nodes_metrics_notes_and_events_at_once(room: Room) -> None:
    run = room.create()
    room.objects.write("m", b'{"metrics": [{"name": "auc", "numberValue": 0.5}, {"name": "bad", "numberValue": NaN}]}')
    outputs = NodeOutputs(artifacts=(Artifact(name="mlpipeline-metrics", key="m"),))
    node = Node(id="n", name="n", display_name="n", type=NodeType.POD, phase=Phase.SUCCEEDED, outputs=outputs)
    (submit,) = room.report.intents()
    room.commit(
        run.id,
        nodes=[NodeRow(run_id=run.id, node=node)],
        notes=[("n", "told")],
        done=[submit.id],
        progress=Progress(succeeded=1),
        phase="Running",
    )
    stored = room.runs.get(run.id)
    assert [(m.name, m.value) for m in stored.metrics] == [("auc", 0.5), ("bad", None)]
    assert stored.progress == Progress(succeeded=1)
    assert room.report.intents() == []
    events = room.runs.events(run.id, after=1)
    assert [e.seq for e in events] == list(range(2, 2 + len(events)))
    assert (events[0].kind, events[-1].kind) == ("node", "run")
    notes = [e.data["message"] for e in events if e.kind == "note"]
    assert notes[0] == "told"
    assert "NaN" in notes[1]
    nodes, last = room.runs.nodes(run.id)
    assert (list(nodes), last) == ([node], events[-1].seq)


def test_a_deleted_run_leaves_an_intent_that_removes_what_it_made(room: Room) -> None:
    run = room.create({**DOCUMENT, "metadata": {"name": "gone"}})
    room.objects.write("artifacts/gone/pod/x", b"x")
    room.runs.delete(run.id)
    with pytest.raises(NotFound):
        room.runs.get(run.id)
    with pytest.raises(Conflict, match="still being deleted"):
        room.create({**DOCUMENT, "metadata": {"name": "gone"}})
    (intent,) = room.report.intents()
    room.commit(run.id, phase="Running")  # a late turn of the engine changes nothing
    room.report.forget(intent).result()
    assert room.objects.stat("artifacts/gone/pod/x") is None
    room.create({**DOCUMENT, "metadata": {"name": "gone"}})


def test_runs_of_a_pipeline_version(room: Room) -> None:
    pipeline, version = room.pipelines.create(json.dumps(DOCUMENT), name="greet")
    run = room.runs.create(version_id=version.id, experiment_id=room.experiments.create("mine").id)
    assert (run.pipeline_id, run.pipeline_name, run.pipeline_version_id) == (pipeline.id, "greet", version.id)
    assert room.experiments.named("mine").last_run_created_at == run.created_at
    with pytest.raises(AlreadyExists, match="upload a new version"):
        room.pipelines.create(json.dumps(DOCUMENT), name="greet")
    second = room.pipelines.add_version(pipeline.id, json.dumps(DOCUMENT), name="v2")
    assert room.pipelines.get(pipeline.id).latest_version_id == second.id
    room.pipelines.delete_version(second.id)
    assert room.pipelines.get(pipeline.id).latest_version_id == version.id
    room.pipelines.delete(pipeline.id)
    assert room.runs.get(run.id).pipeline_name == "greet"


def test_a_run_is_found_by_id_workflow_and_name(room: Room) -> None:
    run = room.create(name="mine")
    assert room.runs.find(run.id) == room.runs.find(run.workflow_name) == room.runs.find("mine") == run
    with pytest.raises(NotFound, match="penstock runs list"):
        room.runs.find("other")


def test_archived_and_back(room: Room) -> None:
    run = room.create()
    assert room.runs.archive(run.id).storage_state is StorageState.ARCHIVED
    assert room.runs.unarchive(run.id).storage_state is StorageState.AVAILABLE


@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb"])
def test_names_are_checked(room: Room, name: str) -> None:
    with pytest.raises(InvalidInput):
        room.experiments.create(name)


TYPED = json.dumps(
    {
        "name": "train",
        "inputs": [
            {"name": "lr", "type": "Float"},
            {"name": "epochs", "type": "Integer", "default": "3"},
            {"name": "label", "type": "String", "default": "x"},
        ],
    }
)
TRAIN: dict[str, Any] = {
    **DOCUMENT,
    "metadata": {"generateName": "train-", "annotations": {"pipelines.kubeflow.org/pipeline_spec": TYPED}},
    "spec": {
        **DOCUMENT["spec"],
        "arguments": {
            "parameters": [{"name": "lr"}, {"name": "epochs", "value": "3"}, {"name": "label", "value": "x"}],
        },
    },
}


@pytest.mark.parametrize(
    ("document", "parameters", "error", "message"),
    [
        (
            TRAIN,
            {"epochs": 3},
            InvalidParameter,
            "Missing required parameter 'lr' (number) of 'train'. Given: 'epochs'.",
        ),
        (TRAIN, {"lr": 1, "epochs": "ten"}, InvalidParameter, "'epochs': expected integer, got string \"ten\"."),
        (TRAIN, {"lr": 1, "label": None}, InvalidParameter, "'label' is not optional"),
        (TRAIN, {"lr": 1, "rows": 2}, InvalidParameter, "'rows'"),
        (TRAIN, {"lr": 1, "label": "{{workflow.name}}"}, InvalidParameter, "'{{workflow.name}}' would be expanded"),
        (TRAIN, {"lr": 1, "label": "x" * 312_004}, TooLarge, "'label' is 312,004 bytes; limit 131,072"),
        ({**DOCUMENT, "kind": "Deployment"}, {}, InvalidDocument, "kind"),
        (
            {**DOCUMENT, "spec": {**DOCUMENT["spec"], "entrypoint": "no"}},
            {},
            InvalidDocument,
            "template name 'no' undefined",
        ),
    ],
)
def test_bad_input_is_told_and_nothing_is_half_written(
    room: Room, document: Any, parameters: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        room.create(document, parameters=parameters)
    assert message in str(raised.value)
    assert room.runs.list(Page()).total == room.experiments.list(Page()).total == 0
    assert room.report.intents() == []
    assert room.engine.found == []


def test_an_experiment_or_version_that_is_not_there_makes_no_run(room: Room) -> None:
    with pytest.raises(NotFound, match="no experiment has the id 'x'"):
        room.create(experiment_id="x")
    with pytest.raises(NotFound, match="no pipeline version has the id 'x'"):
        room.runs.create(version_id="x")
    assert room.runs.list(Page()).total == 0


def pod(id: str, *artifacts: Artifact, **fields: Any) -> Node:
    given = {"name": id, "display_name": id, "type": NodeType.POD, "phase": Phase.SUCCEEDED, **fields}
    return Node(id=id, outputs=NodeOutputs(artifacts=artifacts), **given)


def stored(room: Room, run_id: str, *nodes: Node) -> None:
    room.commit(run_id, phase="Running", nodes=[NodeRow(run_id=run_id, node=node) for node in nodes])


def test_an_artifact_is_read_by_the_name_its_step_gave(room: Room, tmp_path: Path) -> None:
    run = room.create()
    room.objects.write("artifacts/a", b"model")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "part").write_bytes(b"1")
    room.objects.put("artifacts/b", tmp_path / "folder")
    named = [Artifact(name="model", key="artifacts/a"), Artifact(name="parts", key="artifacts/b", directory=True)]
    stored(room, run.id, pod("n", *named, Artifact(name="lost", key="artifacts/lost")))
    model, parts = (room.runs.artifact(run.id, "n", name) for name in ("model", "parts"))
    assert (model.size, model.directory, parts.size, parts.directory) == (5, False, 1, True)
    with room.runs.open_artifact(model) as stream:
        assert stream.read() == b"model"
    assert [member.key for member in room.runs.artifact_members(parts)] == ["part"]
    with room.runs.open_artifact(parts, "part") as stream:
        assert stream.read() == b"1"
    for name in ("lost", "other"):
        with pytest.raises(NotFound, match=f"step 'n' has no stored artifact '{name}'; it has: lost, model, parts"):
            room.runs.artifact(run.id, "n", name)
    with pytest.raises(NotFound, match="has no node 'm'"):
        room.runs.artifact(run.id, "m", "model")


def test_a_bad_output_of_one_step_hides_none_of_another(room: Room) -> None:
    run = room.create()
    room.objects.write("good", b'{"outputs": [{"type": "markdown", "storage": "inline", "source": "x"}]}')
    nodes = [pod(id, Artifact(name="mlpipeline-ui-metadata", key=key)) for id, key in (("a", "lost"), ("b", "good"))]
    stored(room, run.id, *nodes)
    assert [(view.step, view.kind) for view in room.runs.views(run.id)] == [("a", "error"), ("b", "markdown")]
    assert [view.step for view in room.runs.views(run.id, "b")] == ["b"]


def test_the_document_holds_what_became_of_it(room: Room) -> None:
    run = room.create()
    stored(room, run.id, pod("n"))
    room.commit(run.id, phase="Succeeded", started_at=1.0, finished_at=2.0)
    status = room.runs.document(run.id)["status"]
    assert status["phase"] == "Succeeded"
    assert list(status["nodes"]) == ["n"]


def test_events_go_on_after_a_number(room: Room) -> None:
    run = room.create()
    stored(room, run.id, pod("n"))
    every = room.runs.events(run.id)
    assert [event.seq for event in every] == list(range(1, len(every) + 1))
    for after in range(len(every)):
        assert room.runs.events(run.id, after) == every[after:]
    assert room.runs.events("gone") == []


@pytest.mark.parametrize(
    "use",
    [
        lambda runs: runs.get("x"),
        lambda runs: runs.stop("x"),
        lambda runs: runs.delete("x"),
        lambda runs: runs.archive("x"),
        lambda runs: runs.nodes("x"),
        lambda runs: runs.node("x", "n"),
        lambda runs: runs.document("x"),
        lambda runs: runs.graph("x"),
        lambda runs: runs.log("x", "n"),
        lambda runs: runs.views("x"),
    ],
)
def test_a_run_that_is_not_there_is_named(room: Room, use: Any) -> None:
    with pytest.raises(NotFound, match="'x'"):
        use(room.runs)
