"""The page's files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from penstock.server.page import POLICY, Page


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """A client of a page that was built into a folder."""
    (tmp_path / "web" / "assets").mkdir(parents=True)
    for name, text in {"index.html": "<p>shell", "icon.svg": "<svg/>", "assets/a-Xy1.js": "1", ".sources": "x"}.items():
        path = tmp_path / "web" / name
        path.write_text(text)
        if name.endswith((".html", ".js")):
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "secret.txt").write_text("not the page's")
    return TestClient(_Served(Page(tmp_path / "web")), raise_server_exceptions=False)


class _Served:
    """The page behind the answers for failures, as the server has it."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        from penstock.server.failures import answer

        try:
            await self._page(scope, receive, send)  # type: ignore[arg-type]
        except Exception as error:
            await answer(error)(scope, receive, send)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/new", "/runs/1f-2", "/pipelines/x", "/experiments", "/whatever"])
def test_every_address_of_the_page_is_its_shell(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, "<p>shell")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"] == POLICY


def test_files_with_a_hash_are_kept_for_ever(client: TestClient) -> None:
    answer = client.get("/assets/a-Xy1.js")
    assert answer.text == "1"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_files_are_sent_packed_to_who_takes_them_so(client: TestClient) -> None:
    packed = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert (packed.headers["content-encoding"], packed.text) == ("gzip", "<p>shell")
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["etag"] != plain.headers["etag"]
    assert plain.headers["vary"] == "Accept-Encoding"


def test_what_a_browser_has_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/icon.svg").headers["etag"]
    again = client.get("/icon.svg", headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js", "/assets/none", "/none.txt", "/.sources", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt", "//etc/hosts.x", "/apis/v9/runs",
    ],
)  # fmt: skip
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace("secret.txt", "")


def test_files_are_only_read(client: TestClient) -> None:
    assert client.post("/").status_code == 404
    assert client.head("/").content == b""


def test_a_page_that_was_not_built_says_how(tmp_path: Path) -> None:
    answer = TestClient(_Served(Page(tmp_path / "none"))).get("/")
    assert (answer.status_code, "make page" in answer.json()["message"]) == (503, True)


def test_the_policy_lets_no_script_in_but_our_own() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
