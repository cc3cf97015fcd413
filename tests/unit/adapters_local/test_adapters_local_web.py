"""Requests on behalf of strangers: where they may go, what comes back, what it is called."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from penstock.adapters.local.claims import Claims
from penstock.adapters.local.hosted import done_here
from penstock.adapters.local.web import MAX_BODY, requested
from penstock.adapters.objects import LocalObjects
from penstock.engine.protocol import Exited, Pod
from penstock.errors import Final
from penstock.testing import FakeClock
from penstock.workflow.pods import DataRequest, HttpRequest


class Server(BaseHTTPRequestHandler):
    """Answers by path: /echo, /status/N, /to/URL, /loop, /large, /slow."""

    def do_GET(self) -> None:
        _, what, *rest = self.path.split("/", 2)
        size = int(self.headers.get("Content-Length") or 0)
        body = f"{self.command} {self.headers.get('X-Own', '')} {self.rfile.read(size).decode()}".encode()
        if what == "slow":
            self.server.released.wait(30)  # type: ignore[attr-defined]
        self.send_response(int(rest[0]) if what == "status" else 302 if what in ("to", "loop") else 200)
        if what in ("to", "loop"):
            self.send_header("Location", rest[0] if rest else self.path)
        self.end_headers()
        self.wfile.write(b"x" * (MAX_BODY + 1) if what == "large" else body)

    do_POST = do_GET  # noqa: N815 - the name that the library asks for

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    served.released = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.released.set()  # type: ignore[attr-defined]
    served.shutdown()
    thread.join()
    served.server_close()


def test_a_request_and_its_answer(server: str) -> None:
    asked = HttpRequest(url=f"{server}/echo", method="POST", headers=(("X-Own", "h"),), body=b"body")
    answer = requested(asked, ["127.0.0.1"])
    assert (answer.status, answer.body) == (200, "POST h body")
    assert "Server" in answer.headers


@pytest.mark.parametrize("allowed", ["127.0.0.0/8", "127.0.0.1", "{host}"])
def test_a_private_address_is_reached_where_the_setting_lists_it(server: str, allowed: str) -> None:
    host = server.removeprefix("http://")
    assert requested(HttpRequest(url=f"{server}/echo"), [allowed.replace("{host}", host)]).status == 200


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["::1"], ["::ffff:192.168.0.1"], ["93.184.216.34", "10.0.0.1"]],
)
def test_no_other_private_address_is_reached(addresses: Sequence[str]) -> None:
    with pytest.raises(Final, match=r"which is no public address; .* the setting http_allow"):
        requested(HttpRequest(url="http://example.com/"), ["10.2.0.0/16"], lambda *_: addresses)


def test_all_addresses_of_a_host_are_tried(server: str) -> None:
    asked = HttpRequest(url=server.replace("127.0.0.1", "example.com") + "/echo")
    assert requested(asked, ["127.0.0.0/8"], lambda *_: ["127.9.9.9", "127.0.0.1"]).status == 200


def test_every_hop_is_looked_at(server: str) -> None:
    other = server.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(Final, match=r"127\.0\.0\.2, which is no public address"):
        requested(HttpRequest(url=f"{server}/to/{other}/echo"), ["127.0.0.1"])
    assert requested(HttpRequest(url=f"{server}/to/{server}/echo"), ["127.0.0.1"]).body == "GET  "


def test_headers_that_hold_secrets_do_not_go_to_another_host(server: str) -> None:
    other = server.replace("127.0.0.1", "localhost")
    asked = HttpRequest(url=f"{server}/to/{other}/echo", headers=(("Authorization", "hush"), ("X-Own", "h")))
    assert requested(asked, ["127.0.0.0/8", "localhost"]).body == "GET h "


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.com", "expected http://"),
        ("http://", "expected http://"),
        ("http://example.com:x/", "the port is no number"),
        ("{server}/large", "the answer is over 1,048,576 bytes"),
    ],
)
def test_what_cannot_be_asked_or_answered(server: str, url: str, said: str) -> None:
    with pytest.raises(Final, match=said):
        requested(HttpRequest(url=url.replace("{server}", server)), ["127.0.0.1"])


def test_redirections_come_to_an_end(server: str) -> None:
    with pytest.raises(Final, match="stopped after 10 redirects"):
        requested(HttpRequest(url=f"{server}/loop"), ["127.0.0.1"])


def test_a_server_that_does_not_answer_is_not_waited_for(server: str) -> None:
    with pytest.raises(Final, match=r"no answer from 127\.0\.0\.1 within 0\.3 s"):
        requested(HttpRequest(url=f"{server}/slow", timeout=0.3), ["127.0.0.1"])


# --- what becomes of the step -----------------------------------------------------------------------------------


def done(tmp_path: Path, **what: object) -> Exited:
    pod = Pod(node_id="n", name="n", display_name="n", template_name="t", **what)  # type: ignore[arg-type]
    objects = LocalObjects(tmp_path / "objects", background=False)
    return done_here(pod, "run", Claims(tmp_path / "claims"), objects, FakeClock(), ["127.0.0.1"])


@pytest.mark.parametrize(
    ("path", "condition", "failed", "error"),
    [
        ("status/204", "", "", ""),
        ("status/500", "", "received non-2xx response code: 500", ""),
        ("status/404", "response.statusCode == 404", "", ""),
        ("echo", 'response.body contains "nothing"', "successCondition '{}' evaluated false", ""),
        ("echo", 'request.method == "GET" && response.headers["Server"][0] != ""', "", ""),
        ("echo", "response.statusCode", "", "unable to cast expression result '200' to bool"),
    ],
)
def test_when_an_answer_is_a_success(
    tmp_path: Path, server: str, path: str, condition: str, failed: str, error: str
) -> None:
    exited = done(tmp_path, http=HttpRequest(url=f"{server}/{path}", success_condition=condition))
    assert (exited.failed, exited.error) == (failed.replace("{}", condition), error)
    assert (exited.result is None) == bool(error)


def test_a_listing_is_transformed(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "objects", background=False)
    for key in ("keyed/in/a.csv", "keyed/in/deep/b.csv", "keyed/in/c.txt", "keyed/other.csv"):
        objects.write(key, b"x")
    asked = DataRequest(key="in", transformation=('filter(data, {# endsWith ".csv"})', "map(data, {# + '!'})"))
    assert done(tmp_path, data=asked).result == '["in/a.csv!","in/deep/b.csv!"]'
    assert done(tmp_path, data=DataRequest(key="none")).result == "[]"
    assert "unknown" in done(tmp_path, data=DataRequest(key="in", transformation=("absent(data)",))).error
