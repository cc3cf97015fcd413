"""Use cases of pipelines and experiments: names, versions, lists, what is deleted with what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.errors import AlreadyExists, InvalidDocument, InvalidInput, NotFound
from penstock.ports import Page, StorageState
from penstock.services import Experiments, Pipelines
from penstock.services.names import DESCRIPTION_LIMIT, LIMIT
from penstock.testing import FakeClock, MemoryRecords

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
TEXT = json.dumps(DOCUMENT)


class Room:
    """The use cases on one set of fakes."""

    def __init__(self) -> None:
        self.records, self.clock = MemoryRecords(), FakeClock()
        self.pipelines = Pipelines(self.records, self.clock)
        self.experiments = Experiments(self.records, self.clock)


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_pipeline_has_its_first_version_under_its_own_name(room: Room) -> None:
    pipeline, version = room.pipelines.create(TEXT, name=" greet ", description="says\nhello")
    assert (pipeline.name, pipeline.display_name, pipeline.description) == ("greet", "greet", "says\nhello")
    assert (version.name, version.pipeline_id, version.description) == ("greet", pipeline.id, "says\nhello")
    assert pipeline.latest_version_id == version.id
    assert pipeline.created_at == version.created_at == room.clock.now()
    assert room.pipelines.get(pipeline.id) == room.pipelines.named("greet") == pipeline
    assert room.pipelines.version(version.id) == version
    assert room.pipelines.version_document(version.id) == DOCUMENT
    assert [spec["name"] for spec in json.loads(version.inputs)] == ["who"]


def test_a_pipeline_may_take_its_name_from_the_document(room: Room) -> None:
    assert room.pipelines.create(TEXT)[0].name == "greet"


def test_versions_are_listed_newest_first(room: Room) -> None:
    pipeline, first = room.pipelines.create(TEXT, name="greet")
    room.clock.advance(1)
    second = room.pipelines.add_version(pipeline.id, TEXT, name="second", display_name="Second")
    assert second.display_name == "Second"
    page = room.pipelines.versions(pipeline.id, Page(size=1))
    assert (page.items, page.total) == ([second], 2)
    page = room.pipelines.versions(pipeline.id, Page(size=1, token=page.next_token))
    assert (page.items, page.next_token) == ([first], "")


def test_what_is_deleted_with_what(room: Room) -> None:
    pipeline, first = room.pipelines.create(TEXT, name="greet")
    room.clock.advance(1)
    second = room.pipelines.add_version(pipeline.id, TEXT, name="second")
    room.pipelines.delete_version(first.id)
    assert room.pipelines.get(pipeline.id).latest_version_id == second.id
    room.pipelines.delete_version(second.id)
    assert room.pipelines.get(pipeline.id).latest_version_id == ""
    third = room.pipelines.add_version(pipeline.id, TEXT, name="second")
    room.pipelines.delete(pipeline.id)
    with pytest.raises(NotFound, match=pipeline.id):
        room.pipelines.get(pipeline.id)
    with pytest.raises(NotFound, match=third.id):
        room.pipelines.version(third.id)
    assert room.pipelines.list(Page()).total == 0


@pytest.mark.parametrize(
    "use",
    [
        lambda room: room.pipelines.get("x"),
        lambda room: room.pipelines.named("x"),
        lambda room: room.pipelines.delete("x"),
        lambda room: room.pipelines.versions("x", Page()),
        lambda room: room.pipelines.add_version("x", TEXT, name="v"),
        lambda room: room.pipelines.version("x"),
        lambda room: room.pipelines.version_document("x"),
        lambda room: room.pipelines.delete_version("x"),
        lambda room: room.experiments.get("x"),
        lambda room: room.experiments.named("x"),
        lambda room: room.experiments.delete("x"),
        lambda room: room.experiments.archive("x"),
    ],
)
def test_what_is_not_there_is_named(room: Room, use: Any) -> None:
    with pytest.raises(NotFound, match="'x'"):
        use(room)


def test_a_name_is_taken_once(room: Room) -> None:
    pipeline, _ = room.pipelines.create(TEXT, name="daily")
    with pytest.raises(AlreadyExists, match="a pipeline named 'daily' exists; upload a new version of it"):
        room.pipelines.create(TEXT, name="daily")
    with pytest.raises(AlreadyExists, match="'daily'"):
        room.pipelines.add_version(pipeline.id, TEXT, name="daily")
    room.experiments.create("mine")
    with pytest.raises(AlreadyExists, match="an experiment named 'mine' exists; choose another name"):
        room.experiments.create(" mine ")
    assert room.pipelines.list(Page()).total == room.experiments.list(Page()).total == 1
    assert room.pipelines.versions(pipeline.id, Page()).total == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "got an empty text, expected a name of 1 to 128 characters"),
        (" \t", "got an empty text"),
        ("x" * (LIMIT + 3), "131 characters, limit 128"),
        ("a\nb", "without control characters"),
        ("a\0b", "without control characters"),
        ("a\ud800", "without control characters"),
    ],
)
def test_names_that_are_none(room: Room, name: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=f"^name: .*{message}"):
        room.pipelines.create(TEXT, name=name)
    with pytest.raises(InvalidInput, match=f"^display_name: .*{message}"):
        room.experiments.create(name)
    assert room.pipelines.list(Page()).total == room.experiments.list(Page()).total == 0


def test_names_of_all_languages_are_names(room: Room) -> None:
    for name in ("Größe", "数据", "🜁 air", "x" * LIMIT):
        assert room.experiments.create(name).name == room.pipelines.create(TEXT, name=name)[0].name == name


@pytest.mark.parametrize("description", ["x" * (DESCRIPTION_LIMIT + 1), "a\0", "\udfff"])
def test_descriptions_are_bounded(room: Room, description: str) -> None:
    with pytest.raises(InvalidInput, match=r"^description: "):
        room.experiments.create("x", description)
    with pytest.raises(InvalidInput, match=r"^description: "):
        room.pipelines.create(TEXT, name="x", description=description)


def test_a_document_that_is_none_makes_no_pipeline(room: Room) -> None:
    for text in ("", "kind: Deployment", "a:\n\tb", TEXT[:-1]):
        with pytest.raises(InvalidDocument):
            room.pipelines.create(text, name="x")
    assert room.pipelines.list(Page()).total == 0


def test_the_default_experiment_is_made_once(room: Room) -> None:
    assert room.experiments.default() == room.experiments.default()
    assert room.experiments.list(Page()).total == 1


def test_an_experiment_goes_to_the_archive_and_comes_back(room: Room) -> None:
    experiment = room.experiments.create("mine", "of mine")
    assert room.experiments.archive(experiment.id).storage_state is StorageState.ARCHIVED
    assert room.experiments.get(experiment.id).storage_state is StorageState.ARCHIVED
    assert room.experiments.unarchive(experiment.id) == experiment
    room.experiments.delete(experiment.id)
    assert room.experiments.list(Page()).total == 0
