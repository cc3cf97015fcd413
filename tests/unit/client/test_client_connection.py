"""Answers to values, refusals to errors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from penstock import errors
from penstock.client import Client, values
from penstock.client.connection import Connection
from penstock.client.values import Run
from penstock.errors import PenstockError
from penstock.server import wire

Handler = Callable[[httpx2.Request], httpx2.Response]


def connection(handler: Handler, token: str = "secret") -> Connection:
    return Connection("http://127.0.0.1:1", token, transport=httpx2.MockTransport(handler))


def refused(status: int, **answer: Any) -> PenstockError:
    with pytest.raises(PenstockError) as caught:
        connection(lambda _: httpx2.Response(status, **answer)).call("GET", "/runs/x", Run)
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 3, errors.InvalidInput),
        (401, 16, errors.Unauthenticated),
        (403, 7, errors.Forbidden),
        (404, 5, errors.NotFound),
        (409, 6, errors.AlreadyExists),
        (409, 9, errors.Conflict),
        (413, 8, errors.TooLarge),
        (500, 13, errors.Unavailable),
        (503, 14, errors.Unavailable),
        (507, 8, errors.NoSpace),
    ],
)
def test_a_refusal_is_the_error_that_the_server_meant(status: int, code: int, kind: type[PenstockError]) -> None:
    error = refused(
        status, json={"code": code, "message": "'epochs': expected integer, got string \"ten\".", "details": []}
    )
    assert (type(error), str(error)) == (kind, "'epochs': expected integer, got string \"ten\".")


def test_a_page_where_data_was_expected_is_named() -> None:
    page = {"text": "<html>log in</html>", "headers": {"content-type": "text/html; charset=utf-8"}}
    for status in (200, 403):
        error = refused(status, **page)
        assert "Got HTML from http://127.0.0.1:1/apis/v2beta1/runs/x; is this the login page?" in str(error)


def test_a_refusal_without_words_tells_its_status() -> None:
    assert "answered 404 Not Found" in str(refused(404))


def test_no_server_is_unavailable_and_says_what_to_do() -> None:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("Connection refused", request=request)

    with pytest.raises(errors.Unavailable, match=r"http://127.0.0.1:1: no Penstock server answers .* `penstock up`"):
        connection(fail).call("GET", "/runs", Run)


@pytest.mark.parametrize("host", ["ftp://x", "http://[", "http://", "http://x:port", "x"])
def test_an_impossible_address_is_the_callers_mistake(host: str) -> None:
    with pytest.raises(errors.InvalidInput, match="host: got"):
        Connection(host, "")


def test_the_token_goes_with_each_request_and_empty_queries_do_not() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"run_id": "r", "created_at": "2026-01-02T03:04:05.000006Z", "newer": 1})

    run = connection(answer).call("GET", "/runs/r", Run, query={"a": 1, "b": "", "c": None})
    assert (run.id, run.created_at and run.created_at.year) == ("r", 2026)
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert seen[0].url.query == b"a=1"


@pytest.mark.parametrize(
    "name",
    [
        *("Experiment", "ExperimentList", "InputSpec", "Metric", "NodeList", "Note", "Pipeline", "PipelineList"),
        *("PipelineVersion", "PipelineVersionList", "Progress", "Run", "RunList", "RuntimeConfig", "Status"),
        "VersionReference",
    ],
)
def test_the_client_reads_all_that_the_server_writes(name: str) -> None:
    ours, theirs = getattr(values, name), getattr(wire, name)
    assert set(ours.__struct_encode_fields__) == set(theirs.__struct_encode_fields__)


def test_the_package_hands_out_the_client_and_a_client_loads_no_http_before_it_is_used() -> None:
    script = (
        "import sys, penstock; assert penstock.Client is __import__('penstock.client').client.Client;"
        "penstock.Client('http://127.0.0.1:1', 't'); print('httpx2' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (answer.stdout, answer.stderr) == ("False False\n", "")
    with Client("http://127.0.0.1:1", "t") as client:
        assert client.host == "http://127.0.0.1:1"
