"""The OpenAPI document: whole, true to the routes, and true to real answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies
from server_room import API, BEARER, DOCUMENT, HOST, Room, step
from starlette.testclient import TestClient

from penstock.server.application import ROUTES
from penstock.server.openapi import document
from penstock.server.routing import Route
from penstock.workflow.status import Artifact, NodeOutputs

HEADERS = BEARER | {"Host": HOST}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
]
STREAMS = {f"{API}/runs/{{run_id}}/events", f"{API}/runs/{{run_id}}/nodes/{{node_id}}/log"}
"""Answers that go on for as long as a run does, which has no end here."""


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The document."""
    return document(ROUTES)


def test_it_is_served(client: TestClient, described: dict[str, Any]) -> None:
    assert client.get(f"{API}/openapi.json").json() == json.loads(json.dumps(described))


def test_it_has_every_route_and_no_other(described: dict[str, Any]) -> None:
    told = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert told == {(route.method, route.path) for route in ROUTES}
    assert len(told) == len(ROUTES)


def test_operations_have_names_of_their_own_and_a_summary(described: dict[str, Any]) -> None:
    operations = [operation for methods in described["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for operation in operations)


def test_every_shape_that_is_referred_to_is_there(described: dict[str, Any]) -> None:
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert referred == set(described["components"]["schemas"])


def test_paths_tell_their_parameters(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        for operation in methods.values():
            told = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert told == set(re.findall(r"{(\w+)}", path))


# --- real answers -----------------------------------------------------------------------------------------------


class Served(Room):
    """A server with one of everything."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        pipeline, version = self.services.pipelines.create(json.dumps(DOCUMENT), name="greet")
        run = self.run(version_id=version.id)
        self.objects.write("artifacts/made", b"made")
        self.commit(run, step("n1", outputs=NodeOutputs(artifacts=(Artifact(name="made", key="artifacts/made"),))))
        self.write_log("n1", "hello\n")
        self.known = {
            "run_id": run,
            "node_id": "n1",
            "artifact_name": "made",
            "index": "0",
            "pipeline_id": pipeline.id,
            "pipeline_version_id": version.id,
            "name": "greet",
            "experiment_id": self.services.experiments.default().id,
        }


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A server with one of everything."""
    return Served(tmp_path)


@pytest.fixture
def api(served: Served) -> Any:
    """The document as a client that knows nothing else reads it from the server."""
    return schemathesis.openapi.from_asgi(f"{API}/openapi.json", served.app, headers=HEADERS)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.path not in STREAMS], ids=lambda r: f"{r.method} {r.path}")
def test_answers_are_as_described(api: Any, served: Served, route: Route) -> None:
    """Whatever is asked is answered without a fault of ours, with a status, a type and a shape that are told."""

    @hypothesis.settings(max_examples=12, derandomize=True, deadline=None, database=None)
    @hypothesis.given(case=api[route.path][route.method].as_strategy(), known=strategies.booleans())
    def asked(case: Any, known: bool) -> None:
        if known:
            case.path_parameters = {name: served.known[name] for name in case.path_parameters or {}}
        case.call_and_validate(headers=HEADERS, checks=CHECKS)

    asked()
