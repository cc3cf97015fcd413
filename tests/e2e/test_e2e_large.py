"""What is large is drawn as far as it is in sight: a graph of 2,000 steps, a log of 100,000 lines, 450 runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from playwright.sync_api import Page, Route, expect
from serving import Server

from penstock.services.graph import graph

Open = Callable[..., Page]


def test_of_a_large_graph_only_what_is_near_has_elements(broken: str, opened: Open) -> None:
    picture = msgspec.json.encode(graph(_wide_document(), []))
    page = opened("/runs")
    page.route("**/graph*", lambda route: route.fulfill(body=picture, content_type="application/json"))
    page.goto(f"/runs/{broken}?node=none")
    expect(page.locator(".far")).to_have_count(1)
    expect(page.locator(".box")).to_have_count(0)
    for _ in range(14):
        page.get_by_role("button", name="Zoom in").click()
    expect(page.locator(".box").first).to_be_visible()
    assert page.locator(".box").count() < 300
    page.keyboard.press("0")
    expect(page.locator(".box")).to_have_count(0)


def _wide_document() -> dict[str, Any]:
    """40 layers of 50 tasks, each waiting for two of the layer above."""
    tasks = [
        {
            "name": f"t{layer}-{i}",
            "template": "s",
            "dependencies": [f"t{layer - 1}-{i}", f"t{layer - 1}-{(i + 1) % 50}"] if layer else [],
        }
        for layer in range(40)
        for i in range(50)
    ]
    templates = [{"name": "main", "dag": {"tasks": tasks}}, {"name": "s", "container": {"image": "x"}}]
    return {"metadata": {"name": "wide"}, "spec": {"entrypoint": "main", "templates": templates}}


def test_of_a_long_log_only_what_is_near_has_elements(server: Server, broken: str, opened: Open) -> None:
    text = "".join(f"2026-01-02T03:04:05.000000Z stdout F \033[3{n % 8}mline\033[0m {n}\n" for n in range(1, 100_001))
    page = opened("/runs")
    page.route("**/log*", lambda route: route.fulfill(body=text, content_type="text/plain"))
    page.goto(f"/runs/{broken}?node={server.node(broken, 'show')}&panel=log")
    rows = page.locator(".log-row")
    expect(rows.first).to_have_text("1line 1")
    assert rows.count() < 200
    page.get_by_role("log").focus()
    page.keyboard.press("End")
    expect(rows.last).to_have_text("100000line 100000")
    assert rows.count() < 200
    search = page.get_by_label("Search the log")
    search.fill("line 77777")
    search.press("Enter")
    expect(page.locator(".log-row.is-current")).to_be_in_viewport()
    expect(page.locator(".log-row.is-current")).to_have_text("77777line 77777")


def test_a_long_list_comes_in_parts(opened: Open) -> None:
    page = opened("/pipelines")
    page.route("**/apis/v2beta1/runs?*", _many_runs)
    page.goto("/runs")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(200)
    page.get_by_role("button", name="Show older runs").click()
    expect(rows).to_have_count(400)
    page.reload()
    page.get_by_role("button", name="Show older runs").click()
    expect(rows).to_have_count(450)
    expect(page.get_by_role("button", name="Show older runs")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"pages=3"))


def _many_runs(route: Route) -> None:
    start = int(parse_qs(urlsplit(route.request.url).query).get("page_token", ["0"])[0])
    end = min(450, start + 200)
    runs = [{"run_id": str(n), "display_name": f"run {n}", "state": "SUCCEEDED"} for n in range(start, end)]
    answer = {"runs": runs, "total_size": 450, "next_page_token": str(end) if end < 450 else ""}
    route.fulfill(body=json.dumps(answer), content_type="application/json")
