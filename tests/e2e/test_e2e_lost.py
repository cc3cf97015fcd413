"""The server goes away under an open page, and comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from serving import Server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server of its own, for it will be stopped."""
    server = Server(tmp_path / "home")
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, own: Server) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(own.login)
    yield page
    context.close()


def test_nothing_yet_says_how_to_begin(page: Page, own: Server) -> None:
    expect(page.get_by_role("heading", name="No run yet")).to_be_visible()
    expect(page.get_by_label("Commands that make the first run")).to_contain_text("penstock run")
    page.goto(f"{own.url}/pipelines")
    expect(page.get_by_role("heading", name="No pipeline yet")).to_be_visible()
    page.goto(f"{own.url}/runs/new")
    expect(page.get_by_role("heading", name="No pipeline to run yet")).to_be_visible()


def test_a_lost_connection_is_one_line_and_mends_itself(page: Page, own: Server) -> None:
    pipelines = Path(__file__).parent / "pipelines.py"
    run = own.run(pipelines, "outlives its server", {"pace": 0.2}, function="ticking")
    page.goto(f"{own.url}/runs/{run}")
    page.get_by_role("button", name=re.compile("^running tick")).click()
    log = page.get_by_role("log")
    expect(log).to_contain_text("tick 3")

    own.stop()
    lost = page.get_by_text(re.compile("No connection to Penstock. Last news"))
    expect(lost).to_be_visible()
    expect(log).to_contain_text("tick 3")

    own.start()
    expect(lost).to_be_hidden()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".head .mark-word")).to_have_text("stopped")
    expect(page.get_by_role("button", name=re.compile("^succeeded clean-up"))).to_be_visible()
