"""A browser, a served Penstock, and pages that are logged in to it. All of these tests share one server.

The browser goes with the last test of each file: Playwright keeps an event loop running in the tests' own thread.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect, sync_playwright
from serving import LONG, ROOT, TUMOURS, Server

from needs import require
from penstock.cli.source import compiled

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE = 20_000
"""Milliseconds that a page may take to show something: it waits for real steps, on a machine that does other work."""
PIPELINES = Path(__file__).parent / "pipelines.py"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = require("chromium", "apt-get install chromium fonts-dejavu-core")
    if not (ROOT / "src" / "penstock" / "web" / "index.html").is_file():
        pytest.fail("the page is not built; run: make page")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("served") / "home")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def visit(browser: Browser, server: Server) -> Iterator[Page]:
    """A page that what tests share is made by; the one-time link lets in the first of them."""
    context = browser.new_context(storage_state=server.cookie)
    page = context.new_page()
    page.goto(server.url if server.cookie else server.login)
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    server.cookie = context.storage_state()
    yield page
    context.close()


@pytest.fixture(scope="module")
def login(visit: Page) -> StorageState:
    """The cookie that the one-time link gave."""
    return visit.context.storage_state()


@pytest.fixture
def opened(browser: Browser, server: Server, login: StorageState) -> Iterator[Callable[..., Page]]:
    """Opens a logged-in page at an address. At the end, none of them may have complained."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text and _is_ours(message):
            complaints.append(message.text)

    def open_page(address: str, *, scheme: str = "light", width: int = 1440, height: int = 900) -> Page:
        context = browser.new_context(
            base_url=server.url,
            storage_state=login,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _is_ours(message: ConsoleMessage) -> bool:
    """Not from a frame with step-made HTML, which is refused a good deal."""
    return "/views/" not in message.location.get("url", "")


@pytest.fixture(scope="session")
def tumours(server: Server) -> str:
    """A run of the example; the id. It is under way when the first test sees it."""
    return server.run(TUMOURS, "tumours of today", {"epochs": 12})


@pytest.fixture(scope="module")
def finished(visit: Page, server: Server, tumours: str) -> str:
    """The same run, when it has succeeded."""
    visit.goto(f"{server.url}/runs/{tumours}")
    expect(visit.locator(".head .mark-word")).to_have_text("succeeded", timeout=LONG)
    return tumours


@pytest.fixture(scope="session")
def breaking(server: Server) -> str:
    """A run that will fail; the id."""
    return server.run(PIPELINES, "broken", function="broken")


@pytest.fixture(scope="module")
def broken(visit: Page, server: Server, breaking: str) -> str:
    """The same run, when it has failed."""
    visit.goto(f"{server.url}/runs/{breaking}")
    expect(visit.locator(".head .mark-word")).to_have_text("failed")
    return breaking


@pytest.fixture(scope="session")
def ticking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document of a pipeline that goes on until it is stopped."""
    file = tmp_path_factory.mktemp("documents") / "ticking.json"
    file.write_text(json.dumps(compiled(PIPELINES, "ticking")))
    return file


@pytest.fixture(scope="module")
def uploaded(visit: Page, server: Server, ticking: Path) -> str:
    """That pipeline, uploaded through the page where it is not there yet; its id."""
    if server.uploaded:
        return server.uploaded
    visit.goto(f"{server.url}/pipelines")
    visit.get_by_label("Upload pipeline: file").set_input_files(ticking)
    expect(visit.get_by_role("heading", name="ticking", level=2)).to_be_visible()
    server.uploaded = visit.url.rpartition("/")[2]
    return server.uploaded


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the screenshots; PENSTOCK_SCREENSHOTS names one that stays."""
    wanted = os.environ.get("PENSTOCK_SCREENSHOTS")
    folder = Path(wanted) if wanted else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
