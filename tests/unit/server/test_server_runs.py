"""Routes of runs, nodes and views, and the shape of what goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging

import msgspec
import pytest
from server_room import API, DOCUMENT, Exchange, Room, step
from starlette.testclient import TestClient

from penstock.errors import NoSpace, Unavailable
from penstock.ports import Metric, Progress
from penstock.server.convert import rfc3339
from penstock.workflow.status import Artifact, Awaited, NodeOutputs, NodeType, Parameter, Phase

HTML = "<!doctype html><script>alert(1)</script>"


def test_a_run_of_a_document(client: TestClient) -> None:
    body = {
        "display_name": "first",
        "description": "of many",
        "pipeline_spec": DOCUMENT,
        "runtime_config": {"parameters": {"who": 7}},
        "service_account": "ignored",
    }
    made = client.post(f"{API}/runs", json=body).json()
    assert (made["display_name"], made["description"], made["state"]) == ("first", "of many", "PENDING")
    assert made["runtime_config"] == {"parameters": {"who": "7"}}
    assert made["workflow_name"].startswith("greet-")
    assert client.get(f"{API}/runs/{made['run_id']}").json() == made
    assert client.get(f"{API}/runs/{made['run_id']}/workflow").json()["kind"] == "Workflow"


def test_a_run_of_a_version(client: TestClient, room: Room) -> None:
    pipeline, version = room.services.pipelines.create(json.dumps(DOCUMENT), name="greet")
    reference = {"pipeline_id": pipeline.id, "pipeline_version_id": version.id}
    made = client.post(f"{API}/runs", json={"pipeline_version_reference": reference}).json()
    assert made["pipeline_version_reference"] == reference
    assert made["pipeline_name"] == "greet"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 400, "neither a document nor a pipeline version"),
        ({"pipeline_spec": {"kind": "Pod"}}, 400, "Pod"),
        ({"pipeline_spec": None}, 400, "expected a Workflow"),
        ({"pipeline_spec": DOCUMENT, "runtime_config": {"parameters": {"whom": "x"}}}, 400, "Unknown parameter 'whom'"),
        ({"pipeline_spec": DOCUMENT, "experiment_id": "nothing"}, 404, "'nothing'"),
        ({"pipeline_version_reference": {"pipeline_version_id": "nothing"}}, 404, "'nothing'"),
        ({"display_name": ["a"]}, 400, "display_name: Expected str"),
        ({"pipeline_spec": DOCUMENT, "display_name": "x" * 131}, 400, "131 characters, limit 128"),
    ],
)
def test_a_run_that_cannot_be(client: TestClient, body: object, status: int, told: str) -> None:
    answer = client.post(f"{API}/runs", json=body)
    assert answer.status_code == status
    assert told in answer.json()["message"]
    assert client.get(f"{API}/runs").json()["runs"] == []


def test_an_image_that_no_rule_maps(client: TestClient) -> None:
    document = json.loads(json.dumps(DOCUMENT).replace("alpine", "absent"))
    answer = client.post(f"{API}/runs", json={"pipeline_spec": document})
    assert (answer.status_code, "'absent'" in answer.json()["message"]) == (400, True)


def test_a_key_that_stands_twice_in_a_document_is_seen(client: TestClient) -> None:
    text = json.dumps({"pipeline_spec": DOCUMENT}).replace(
        '"kind": "Workflow"', '"kind": "Workflow", "kind": "Workflow"'
    )
    answer = client.post(f"{API}/runs", content=text)
    assert answer.status_code == 400
    assert "kind" in answer.json()["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000, b'{"display_name": "\\ud800"}'])
def test_a_body_that_is_no_json_object(client: TestClient, body: bytes) -> None:
    answer = client.post(f"{API}/runs", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


def test_numbers_may_stand_in_quotes(client: TestClient, room: Room) -> None:
    run = room.run()
    assert client.post(f"{API}/runs/{run}:stop", content=b"").status_code == 200


# --- ending -----------------------------------------------------------------------------------------------------


def test_stop_and_terminate(client: TestClient, room: Room) -> None:
    run = room.run()
    assert client.post(f"{API}/runs/{run}:stop", json={"strategy": "Stop"}).json()["state"] == "CANCELING"
    assert client.post(f"{API}/runs/{run}:terminate").json()["state"] == "CANCELING"
    assert room.services.runs.get(run).shutdown == "Terminate"
    assert "strategy" in client.post(f"{API}/runs/{run}:stop", json={"strategy": "Kill"}).json()["message"]
    room.finish(run)
    answer = client.post(f"{API}/runs/{run}:stop", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, 9)


def test_what_waits_for_a_person_is_resumed(client: TestClient, room: Room) -> None:
    run = room.run()
    answer = client.post(f"{API}/runs/{run}:resume", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, 9)
    waits = Parameter(name="word", value_from=Awaited(supplied={}))
    outputs = NodeOutputs(parameters=(waits,))
    node = msgspec.structs.replace(step("approve", Phase.RUNNING), type=NodeType.SUSPEND, outputs=outputs)
    room.commit(run, node, phase="Running")
    answer = client.post(f"{API}/runs/{run}:resume", json={"step": "approve"})
    assert (answer.status_code, "'word'" in answer.json()["message"]) == (400, True)
    body = {"step": "approve", "parameters": {"word": 7}}
    assert client.post(f"{API}/runs/{run}:resume", json=body).json()["run_id"] == run
    assert '"word":"7"' in room.records.read(lambda store: store.intents())[-1].argument
    (shown,) = client.get(f"{API}/runs/{run}/nodes").json()["nodes"]
    assert shown["outputs"]["parameters"] == [{"name": "word", "valueFrom": {"supplied": {}}}]


def test_archive_and_delete(client: TestClient, room: Room) -> None:
    run = room.run()
    assert client.post(f"{API}/runs/{run}:archive").json()["storage_state"] == "ARCHIVED"
    assert client.post(f"{API}/runs/{run}:unarchive").json()["storage_state"] == "AVAILABLE"
    assert client.delete(f"{API}/runs/{run}").json() == {}
    assert client.get(f"{API}/runs/{run}").status_code == 404


# --- what a run shows -------------------------------------------------------------------------------------------


def test_a_finished_run(client: TestClient, room: Room) -> None:
    run = room.run()
    room.commit(
        run, phase="Failed", message="step n1 failed", started_at=1.5, finished_at=2.0, progress=Progress(failed=1)
    )
    read = client.get(f"{API}/runs/{run}").json()
    assert read["started_at"] == "1970-01-01T00:00:01.500000Z"
    assert (read["state"], read["phase"]) == ("FAILED", "Failed")
    assert read["error"] == {"code": 2, "message": "step n1 failed", "details": []}
    assert read["progress"] == {"pending": 0, "running": 0, "succeeded": 0, "failed": 1}


def test_nodes(client: TestClient, room: Room) -> None:
    run = room.run()
    outputs = NodeOutputs(parameters=(Parameter(name="out", value="1"),), exit_code="0")
    room.commit(run, step("n1", outputs=outputs), step("n2", Phase.RUNNING))
    listed = client.get(f"{API}/runs/{run}/nodes").json()
    assert [node["id"] for node in listed["nodes"]] == ["n1", "n2"]
    assert listed["last_event"] == 4
    assert client.get(f"{API}/runs/{run}/nodes/n1").json() == listed["nodes"][0]
    assert listed["nodes"][0]["outputs"] == {"parameters": [{"name": "out", "value": "1"}], "exitCode": "0"}


def test_the_graph_opens_the_loops_that_are_named(client: TestClient, room: Room) -> None:
    run = room.run()
    found = client.get(f"{API}/runs/{run}/graph?expand=a&expand=b").json()
    assert [node["kind"] for node in found["nodes"]] == ["step"]


def test_views_and_their_html(client: TestClient, room: Room) -> None:
    run = room.run()
    metadata = {
        "outputs": [
            {"type": "markdown", "storage": "inline", "source": "# hello"},
            {"type": "web-app", "storage": "inline", "source": HTML},
        ]
    }
    room.objects.write("artifacts/ui", json.dumps(metadata).encode())
    artifact = Artifact(name="mlpipeline-ui-metadata", key="artifacts/ui")
    room.commit(run, step(outputs=NodeOutputs(artifacts=(artifact,))))
    views = client.get(f"{API}/runs/{run}/views").json()["views"]
    assert [view["kind"] for view in views] == ["markdown", "web-app"]
    assert views[1]["html"] == ""
    assert client.get(f"{API}/runs/{run}/nodes/n1/views").json()["views"] == views
    frame = client.get(f"{API}/runs/{run}/nodes/n1/views/1/html")
    assert frame.text.startswith(HTML)
    assert frame.headers["content-type"] == "text/html; charset=utf-8"
    policy = frame.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    for index in ("0", "2", "x"):
        assert client.get(f"{API}/runs/{run}/nodes/n1/views/{index}/html").status_code == 404


def test_metrics_that_are_no_numbers_are_null(client: TestClient, room: Room) -> None:
    run = room.run()
    row = room.services.runs.get(run)
    metrics = (
        Metric(name="auc", node_id="n1", value=None),
        Metric(name="f1", node_id="n1", value=0.5, format="PERCENTAGE"),
    )
    room.records.write(lambda store: store.put_run(type(row)(**{**_fields(row), "metrics": metrics}))).result()
    found = client.get(f"{API}/runs/{run}").json()["metrics"]
    assert [metric["value"] for metric in found] == [None, 0.5]


def _fields(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}  # type: ignore[attr-defined]


# --- what goes wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "runs/nothing",
        "runs/nothing/nodes",
        "runs/nothing/graph",
        "runs/nothing/workflow",
        "runs/nothing/views",
        "runs/nothing/events",
        "runs/nothing/nodes/n/log",
        "runs/nothing/nodes/n/log?follow=1",
        "runs/nothing/nodes/n/views",
        "runs/nothing/nodes/n/artifacts/a",
        "runs/nothing/nodes/n/artifacts/a:read",
        "runs/%00",
        "pipelines/nothing",
        "pipelines/nothing/versions",
        "pipelines/names/nothing",
        "experiments/nothing",
        "nothing",
        "",
    ],
)
def test_what_is_not_there(client: TestClient, path: str) -> None:
    answer = client.get(f"{API}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, 5)
    assert answer.json()["message"]
    assert answer.headers["content-type"] == "application/json"


def test_a_method_that_an_address_does_not_know(client: TestClient) -> None:
    answer = client.patch(f"{API}/runs")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert answer.json()["code"] == 12


@pytest.mark.parametrize(("error", "status", "code"), [(Unavailable("away"), 503, 14), (NoSpace("full"), 507, 8)])
def test_failures_that_pass_are_told_as_such(
    client: TestClient, room: Room, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: int
) -> None:
    def failing(_: object) -> None:
        raise error

    monkeypatch.setattr(room.records, "read", failing)
    answer = client.get(f"{API}/runs")
    assert (answer.status_code, answer.json()) == (status, {"code": code, "message": str(error), "details": []})


def test_a_fault_of_ours_is_logged_and_not_told(
    client: TestClient, room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("the secret detail")

    monkeypatch.setattr(room.records, "read", broken)
    with caplog.at_level(logging.ERROR):
        answer = client.get(f"{API}/runs")
    assert (answer.status_code, answer.json()["code"]) == (500, 13)
    assert "secret" not in answer.text
    assert "the secret detail" in caplog.text


def test_a_client_that_goes_before_its_request_is_whole_is_no_fault(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with Exchange(room.app, f"{API}/runs", method="POST") as exchange:
            exchange.leave()
            assert await exchange.ended() == b""

    asyncio.run(scene())
    assert caplog.text == ""
    assert room.client().get(f"{API}/runs").json()["runs"] == []


def test_every_answer_is_kept_from_being_taken_for_something_else(client: TestClient) -> None:
    for path in (f"{API}/runs", f"{API}/nothing", "/", "/healthz"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(("seconds", "text"), [(None, ""), (0.0, "1970-01-01T00:00:00.000000Z")])
def test_times(seconds: float | None, text: str) -> None:
    assert rfc3339(seconds) == text
