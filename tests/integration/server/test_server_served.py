"""A served home over real HTTP: a run from its start to its artifacts, streams, logs, and who is let in."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from penstock_up import API, Gate, Up, document, finished, sse


def start(client: httpx2.Client, script: str, gate: Gate | None = None) -> str:
    answer = client.post(f"{API}/runs", json={"pipeline_spec": document(script, gate.port if gate else 0)})
    assert answer.status_code == 200, answer.text
    run: str = answer.json()["run_id"]
    return run


def node_of(client: httpx2.Client, run: str) -> str:
    """Id of the one node of a run."""
    nodes = client.get(f"{API}/runs/{run}/nodes").json()["nodes"]
    assert len(nodes) == 1
    node: str = nodes[0]["id"]
    return node


def test_a_run_from_its_start_to_its_artifact(client: httpx2.Client) -> None:
    run = start(client, "echo hello; printf 0123456789 > /tmp/made")
    assert finished(client, run)["state"] == "SUCCEEDED"
    node = f"{API}/runs/{run}/nodes/{node_of(client, run)}"
    assert client.get(f"{node}/log").text.endswith(" stdout F hello\n")
    part = client.get(f"{node}/artifacts/made", headers={"Range": "bytes=3-5"})
    assert (part.status_code, part.text, part.headers["content-range"]) == (206, "345", "bytes 3-5/10")
    assert client.get(f"{node}/artifacts/made", headers={"Range": "bytes=10-"}).status_code == 416
    workflow = client.get(f"{API}/runs/{run}/workflow").json()
    assert workflow["status"]["phase"] == "Succeeded"
    assert [box["phase"] for box in client.get(f"{API}/runs/{run}/graph").json()["nodes"]] == ["Succeeded"]


def test_a_run_is_followed_and_a_client_comes_back_where_it_was(client: httpx2.Client, gate: Gate) -> None:
    run = start(client, "wait_", gate)
    with client.stream("GET", f"{API}/runs/{run}/events") as answer:
        seen = next(event["id"] for event in sse(answer) if event["data"].get("phase") == "Running")
    gate.open()
    with client.stream("GET", f"{API}/runs/{run}/events", headers={"Last-Event-ID": str(seen)}) as answer:
        rest = list(sse(answer))
    assert [event["id"] for event in rest[:-1]] == list(range(seen + 1, seen + len(rest)))
    assert rest[-1]["event"] == "end"
    assert rest[-2]["data"]["state"] == "SUCCEEDED"


def test_a_log_is_followed_until_its_step_ends(client: httpx2.Client, gate: Gate) -> None:
    run = start(client, "echo one; wait_; echo two; wait_", gate)
    with client.stream("GET", f"{API}/runs/{run}/events") as answer:
        node = next(event["data"]["id"] for event in sse(answer) if event["event"] == "node")
    with client.stream("GET", f"{API}/runs/{run}/nodes/{node}/log?follow=1") as answer:
        lines = answer.iter_lines()
        assert next(lines).endswith(" one")
        gate.open()
        assert next(lines).endswith(" two")
        gate.open()
        assert list(lines) == []
    assert finished(client, run)["state"] == "SUCCEEDED"


def test_a_run_is_stopped(client: httpx2.Client, gate: Gate) -> None:
    run = start(client, "wait_", gate)
    assert client.post(f"{API}/runs/{run}:stop", json={"strategy": "Stop"}).json()["state"] == "CANCELING"
    assert finished(client, run)["state"] == "CANCELED"
    assert client.post(f"{API}/runs/{run}:stop").status_code == 409
    assert client.delete(f"{API}/runs/{run}").status_code == 200
    assert client.get(f"{API}/runs/{run}").status_code == 404


def test_an_image_that_no_rule_maps_starts_nothing(client: httpx2.Client) -> None:
    spec = document("true")
    spec["spec"]["templates"][0]["container"]["image"] = "registry.example/none:1"
    before = client.get(f"{API}/runs").json()["total_size"]
    answer = client.post(f"{API}/runs", json={"pipeline_spec": spec})
    assert answer.status_code == 400
    assert "registry.example/none:1" in answer.json()["message"]
    assert client.get(f"{API}/runs").json()["total_size"] == before


def test_a_document_of_65_megabytes(client: httpx2.Client) -> None:
    answer = client.post(f"{API}/pipelines/upload?name=big", files={"uploadfile": ("big.yaml", b"#" * (65 << 20))})
    assert answer.status_code == 413
    assert "limit" in answer.json()["message"]
    assert client.get(f"{API}/runs/none").status_code == 404


@pytest.mark.parametrize(
    ("query", "told"), [("filter=x", "filter"), ("sort_by=x", "sort_by"), ("page_size=x", "page_size")]
)
def test_a_bad_question(client: httpx2.Client, query: str, told: str) -> None:
    answer = client.get(f"{API}/runs?{query}")
    assert (answer.status_code, answer.json()["message"].startswith(told)) == (400, True)


# --- who is let in ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
@pytest.mark.parametrize("path", ["/", "/healthz", f"{API}/runs"])
def test_a_rebound_name_and_a_foreign_page_are_refused(
    client: httpx2.Client, path: str, headers: dict[str, str]
) -> None:
    assert client.get(path, headers=headers).status_code == 403


@pytest.mark.parametrize("value", ["", "Bearer wrong", "Basic wrong"])
def test_a_missing_or_wrong_token(up: Up, value: str) -> None:
    with up.client(Authorization=value) as client:
        for method, path in (("GET", "runs"), ("POST", "runs"), ("DELETE", "runs/x"), ("GET", "runs/x/events")):
            assert client.request(method, f"{API}/{path}").status_code == 401


def test_a_login_link_lets_one_browser_in(up: Up) -> None:
    with httpx2.Client(base_url=up.url) as browser, httpx2.Client(base_url=up.url) as other:
        assert browser.get(up.login).headers["location"] == "/"
        assert browser.get(f"{API}/runs").status_code == 200
        assert other.get(up.login).status_code == 401
        assert other.get(f"{API}/runs").status_code == 401


def test_the_token_is_for_its_owner_and_in_no_log(up: Up) -> None:
    assert (up.home / "token").stat().st_mode & 0o077 == 0
    assert up.token not in "".join(up.said) + up.errors.read_text()


def test_the_page_is_served(client: httpx2.Client) -> None:
    import penstock

    if not (Path(penstock.__file__).parent / "web" / "index.html").is_file():
        assert "make page" in client.get("/").json()["message"]
        return
    page = client.get("/runs/some-id")
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
