"""Every page, light and dark: axe finds nothing serious, nothing runs out of sight, and a picture is taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from serving import Server

Open = Callable[..., Page]

PAGES = {
    "runs": ("/runs", "table.table"),
    "graph": ("/runs/{tumours}", ".box"),
    "views": ("/runs/{tumours}?node={evaluate}", ".card-confusion_matrix"),
    "loop": ("/runs/{tumours}?node={evaluate}&open={loop}", ".is-chosen"),
    "report": ("/runs/{tumours}?node={report}", "iframe"),
    "log": ("/runs/{tumours}?node={train}&panel=log", ".log-row"),
    "data": ("/runs/{tumours}?node={train}&panel=data", ".rows"),
    "details": ("/runs/{tumours}?node={train}&panel=details", ".words"),
    "timeline": ("/runs/{tumours}?tab=timeline", ".timeline-row"),
    "steps": ("/runs/{tumours}?tab=steps", "tr .plain"),
    "outputs": ("/runs/{tumours}?tab=outputs", ".card-web-app"),
    "config": ("/runs/{tumours}?tab=config", ".source pre"),
    "failed": ("/runs/{broken}", ".log-reason"),
    "bad-views": ("/runs/{broken}?node={show}", ".card-error"),
    "new-run": ("/runs/new?pipeline={uploaded}", ".command"),
    "pipelines": ("/pipelines", "table.table"),
    "pipeline": ("/pipelines/{uploaded}", ".versions a"),
    "experiments": ("/experiments", "table.table"),
}
NARROW = ("runs", "views", "new-run", "outputs")


@pytest.fixture(scope="module")
def places(server: Server, finished: str, broken: str, uploaded: str) -> dict[str, str]:
    nodes = {name: server.node(finished, name) for name in ("train", "evaluate", "report")}
    nodes["loop"] = next(
        box["id"] for box in server.call("GET", f"/runs/{finished}/graph")["nodes"] if box["expandable"]
    )
    nodes["show"] = server.node(broken, "show")
    return {"tumours": finished, "broken": broken, "uploaded": uploaded, **nodes}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_fit_to_be_seen(name: str, opened: Open, places: dict[str, str], pictures: Path) -> None:
    page = _shown(opened, name, places)
    page.screenshot(path=pictures / f"{name}-light.png")
    assert _serious(page, {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}) == []
    _holds_its_width(page)
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=pictures / f"{name}-dark.png")
    assert _serious(page, {"type": "rule", "values": ["color-contrast"]}) == []


@pytest.mark.parametrize("name", NARROW)
def test_a_narrow_window_cuts_nothing(name: str, opened: Open, places: dict[str, str], pictures: Path) -> None:
    page = _shown(opened, name, places, width=900, height=700)
    page.screenshot(path=pictures / f"{name}-narrow.png")
    _holds_its_width(page)


def _shown(opened: Open, name: str, places: dict[str, str], **look: object) -> Page:
    address, sign = PAGES[name]
    page = opened(address.format(**places), **look)
    expect(page.locator(sign).first).to_be_visible()
    page.evaluate("document.fonts.ready")
    for frame in page.locator("iframe").all():
        # It has been drawn when it has told its height.
        expect(frame).to_have_attribute("style", re.compile("--told"))
    return page


def _serious(page: Page, rules: dict[str, object]) -> list[tuple[str, list[str]]]:
    """Rules that are broken in a serious way, and where."""
    found = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in serious]


def _holds_its_width(page: Page) -> None:
    """No page scrolls sideways; what is wide scrolls inside its own box."""
    over = "[...document.querySelectorAll('body, #content, .page, .split-main, .panel, .panel-body')]"
    wide = page.evaluate(f"{over}.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className || e.id)")
    assert wide == []
