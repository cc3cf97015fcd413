"""Routes of pipelines, versions and experiments."""

from __future__ import annotations

import json
from typing import Any

import pytest
from server_room import API, DOCUMENT, Room
from starlette.testclient import TestClient

from penstock.server import routing

TEXT = json.dumps(DOCUMENT).encode()


def upload(client: TestClient, content: bytes = TEXT, query: str = "name=greet", path: str = "upload") -> Any:
    return client.post(f"{API}/pipelines/{path}?{query}", files={"uploadfile": ("greet.yaml", content)})


def test_upload_list_read_delete(client: TestClient) -> None:
    made = upload(client, query="name=greet&display_name=Greetings&description=says+hello").json()
    assert (made["name"], made["display_name"], made["description"]) == ("greet", "Greetings", "says hello")
    assert made["created_at"].endswith("Z")
    listed = client.get(f"{API}/pipelines").json()
    assert (listed["pipelines"], listed["total_size"], listed["next_page_token"]) == ([made], 1, "")
    assert client.get(f"{API}/pipelines/{made['pipeline_id']}").json() == made
    assert client.get(f"{API}/pipelines/names/greet").json() == made
    assert client.delete(f"{API}/pipelines/{made['pipeline_id']}").json() == {}
    assert client.get(f"{API}/pipelines/{made['pipeline_id']}").status_code == 404


def test_versions(client: TestClient) -> None:
    pipeline = upload(client).json()["pipeline_id"]
    second = upload(client, query=f"pipelineid={pipeline}&name=two", path="upload_version").json()
    third = client.post(
        f"{API}/pipelines/{pipeline}/versions", json={"name": "three", "pipeline_spec": DOCUMENT}
    ).json()
    listed = client.get(f"{API}/pipelines/{pipeline}/versions?sort_by=name%20desc").json()
    assert [v["name"] for v in listed["pipeline_versions"]] == ["two", "three", "greet"]
    assert client.get(f"{API}/pipelines/{pipeline}").json()["latest_version_id"] == third["pipeline_version_id"]
    address = f"{API}/pipelines/{pipeline}/versions/{second['pipeline_version_id']}"
    read = client.get(address).json()
    assert read["pipeline_spec"] == DOCUMENT
    assert read["inputs"] == [{"name": "who", "default": "world"}]
    assert client.delete(address).status_code == 200
    assert client.get(address).status_code == 404


def test_a_version_is_read_and_deleted_below_its_own_pipeline_only(client: TestClient) -> None:
    one, two = (upload(client, query=f"name={name}").json() for name in ("one", "two"))
    address = f"{API}/pipelines/{one['pipeline_id']}/versions/{two['latest_version_id']}"
    assert client.get(address).status_code == 404
    assert client.delete(address).status_code == 404
    assert client.get(f"{API}/pipelines/{two['pipeline_id']}/versions/{two['latest_version_id']}").status_code == 200


def test_a_pipeline_is_made_with_its_first_version_as_json(client: TestClient) -> None:
    body = {"pipeline": {"display_name": "greet"}, "pipeline_version": {"pipeline_spec": DOCUMENT}}
    made = client.post(f"{API}/pipelines/create", json=body).json()
    assert made["name"] == "greet"
    version = client.get(f"{API}/pipelines/{made['pipeline_id']}/versions/{made['latest_version_id']}").json()
    assert version["pipeline_spec"] == DOCUMENT


def test_a_name_that_is_taken(client: TestClient) -> None:
    upload(client)
    again = upload(client)
    assert (again.status_code, again.json()["code"]) == (409, 6)
    assert again.json()["message"] == "a pipeline named 'greet' exists; upload a new version of it"


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"a: 1\n\tb: 2\n", "tab"), (b"kind: Pod\n", "kind"), (b"", "expected a Workflow"), (b"\xff\xfe\x00", "UTF-8")],
)
def test_a_bad_document_is_told_by_its_place_and_leaves_nothing(client: TestClient, content: bytes, told: str) -> None:
    answer = upload(client, content)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)
    assert told in answer.json()["message"]
    assert client.get(f"{API}/pipelines").json()["total_size"] == 0


def test_a_document_over_the_limit_is_refused_with_its_size(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "BODY_LIMIT", 1000)
    for answer in (upload(client, b"#" * 2000), client.post(f"{API}/runs", content=b" " * 2000)):
        assert (answer.status_code, answer.json()["code"]) == (413, 8)
        assert "limit 1,000" in answer.json()["message"]


def test_a_body_of_unknown_length_is_bounded_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "BODY_LIMIT", 1000)
    assert client.post(f"{API}/runs", content=(b" " * 600 for _ in range(2))).status_code == 413


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({"Content-Type": "application/json"}, b"{}"),
        ({"Content-Type": "multipart/form-data"}, b"--x"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--y\r\n"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--\r\n"),
    ],
)
def test_an_upload_that_is_none(client: TestClient, headers: dict[str, str], body: bytes) -> None:
    answer = client.post(f"{API}/pipelines/upload?name=x", headers=headers, content=body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("body: ")


def test_a_field_that_is_no_file(client: TestClient) -> None:
    answer = client.post(f"{API}/pipelines/upload?name=x", files={"other": ("a", b"b")}, data={"uploadfile": "text"})
    assert answer.json()["message"] == "body: got no file in the field uploadfile"


def test_what_is_missing_is_named(client: TestClient) -> None:
    assert "pipeline_spec" in client.post(f"{API}/pipelines/x/versions", json={}).json()["message"]
    assert "pipelineid" in upload(client, query="name=x", path="upload_version").json()["message"]
    assert "name" in upload(client, query="").json()["message"]


# --- experiments ------------------------------------------------------------------------------------------------


def test_experiments(client: TestClient) -> None:
    made = client.post(f"{API}/experiments", json={"display_name": "mornings", "description": "early"}).json()
    address = f"{API}/experiments/{made['experiment_id']}"
    assert client.get(address).json() == made
    assert client.get(f"{API}/experiments").json()["experiments"] == [made]
    assert client.post(f"{address}:archive").json()["storage_state"] == "ARCHIVED"
    assert client.post(f"{address}:unarchive").json()["storage_state"] == "AVAILABLE"
    assert client.post(f"{API}/experiments", json={"display_name": "mornings"}).status_code == 409
    assert client.delete(address).json() == {}
    assert client.get(address).status_code == 404


def test_lists_go_on_where_the_token_says(client: TestClient, room: Room) -> None:
    for name in "abcde":
        room.services.experiments.create(name)
    names, token = [], ""
    for _ in range(3):
        page = client.get(f"{API}/experiments?page_size=2&sort_by=display_name&page_token={token}").json()
        names += [item["display_name"] for item in page["experiments"]]
        token = page["next_page_token"]
        assert page["total_size"] == 5
    assert names == list("abcde")
    assert token == ""
