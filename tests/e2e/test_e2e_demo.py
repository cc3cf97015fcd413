"""The demo in a browser: a run of `tumours` is watched while it goes on, then all that it made is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from serving import LONG, TUMOURS, Server

Open = Callable[..., Page]


def test_the_graph_changes_and_the_log_moves_without_a_reload(server: Server, opened: Open) -> None:
    page = opened("/")
    page.goto(f"/runs/{server.run(TUMOURS, 'tumours, watched', {'epochs': 40})}")
    page.evaluate("window.stays = true")
    steps = page.get_by_role("list", name="Steps of the graph")
    expect(steps.get_by_role("button", name=re.compile("^succeeded prepare"))).to_be_visible(timeout=LONG)
    loop = steps.get_by_role("button", name=re.compile(r"train · evaluate ×3"))
    expect(loop).to_contain_text("running")

    loop.click()
    panel = page.get_by_role("complementary")
    panel.get_by_role("button", name=re.compile("· network")).click()
    panel.get_by_role("button", name=re.compile("train")).click()
    log = panel.get_by_role("log")
    expect(log).to_contain_text(re.compile(r"epoch\s+1/40"))
    expect(panel.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
    expect(log).to_contain_text("trained network", timeout=LONG)
    expect(log.locator(".fg-green", has_text="trained")).to_be_visible()

    expect(page.locator(".head .mark-word")).to_have_text("succeeded", timeout=LONG)
    for name in ("pick-best", "publish", "report", "say-how-it-ended"):
        expect(steps.get_by_role("button", name=re.compile(f"^succeeded {name}"))).to_be_visible()
    assert page.evaluate("window.stays") is True


def test_a_loop_opens_and_keeps_open(finished: str, opened: Open) -> None:
    page = opened(f"/runs/{finished}")
    page.get_by_role("button", name="Open train · evaluate").click()
    expect(page.get_by_role("button", name=re.compile("^succeeded evaluate · boosting"))).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name=re.compile("^succeeded evaluate"))).to_have_count(3)
    page.go_back()
    expect(page.get_by_role("button", name=re.compile("^succeeded evaluate"))).to_have_count(0)


def test_a_curve_reads_its_thresholds(finished: str, server: Server, opened: Open) -> None:
    page = opened(f"/runs/{finished}?node={server.node(finished, 'evaluate')}")
    card = page.get_by_role("article", name=re.compile("^ROC of"))
    curve = card.get_by_role("img", name=re.compile(r"ROC curve, area 0\.9"))
    curve.hover()
    expect(card.locator("figcaption")).to_contain_text(re.compile(r"threshold .* true positives"))
    with page.expect_download() as saved:
        card.get_by_role("button", name="SVG").click()
    assert saved.value.path().read_text().startswith("<svg")


def test_a_matrix_switches_to_percent(finished: str, server: Server, opened: Open) -> None:
    page = opened(f"/runs/{finished}?node={server.node(finished, 'evaluate')}")
    card = page.get_by_role("article", name=re.compile("^Confusion matrix"))
    expect(card.get_by_role("cell", name=re.compile(r"^\d+$"))).to_have_count(4)
    card.get_by_role("button", name="Percent of target").click()
    expect(card.get_by_role("cell", name=re.compile("%$"))).to_have_count(4)


def test_a_table_sorts_by_number_and_has_pages(finished: str, server: Server, opened: Open) -> None:
    page = opened(f"/runs/{finished}?node={server.node(finished, 'prepare')}")
    card = page.get_by_role("article", name=re.compile("^Means"))
    card.get_by_role("button", name="benign").click()
    values = [float(text) for text in card.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert values == sorted(values)
    card.get_by_role("button", name="Next").click()
    expect(card.get_by_text("11–20 of 30")).to_be_visible()


def test_notes_and_a_report_are_shown(finished: str, server: Server, opened: Open) -> None:
    page = opened(f"/runs/{finished}?node={server.node(finished, 'pick-best')}")
    expect(page.get_by_role("article", name=re.compile("^The best")).locator("strong")).to_be_visible()

    page.goto(f"/runs/{finished}?node={server.node(finished, 'report')}")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Three models compared")).to_be_visible()
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"


def test_outputs_gathers_all_of_it(finished: str, opened: Open) -> None:
    page = opened(f"/runs/{finished}?tab=outputs")
    expect(page.get_by_role("article", name=re.compile("^ROC of"))).to_have_count(3)
    expect(page.get_by_role("article", name=re.compile("^Confusion matrix of"))).to_have_count(3)
    metrics = page.get_by_role("region", name="Metrics").locator("tbody tr")
    assert [row.split("\t")[0] for row in metrics.all_inner_texts()][:3] == [
        "evaluate · linear",
        "evaluate · network",
        "evaluate · boosting",
    ]


def test_a_step_tells_what_went_in_and_came_out(finished: str, server: Server, opened: Open) -> None:
    page = opened(f"/runs/{finished}?node={server.node(finished, 'train')}&panel=data")
    inputs = page.get_by_role("region", name="Inputs")
    expect(inputs.get_by_text("epochs")).to_be_visible()
    with page.expect_download() as saved:
        inputs.get_by_role("link", name=re.compile("^Download prepare-train")).click()
    assert saved.value.path().read_text().startswith("mean_radius,")
    inputs.get_by_role("link", name="prepare", exact=True).click()
    expect(page.get_by_role("complementary", name="Step prepare")).to_be_visible()


def test_tabs_share_the_selection_and_keys_walk(finished: str, opened: Open) -> None:
    page = opened(f"/runs/{finished}")
    expect(page.get_by_role("button", name=re.compile("prepare"))).to_be_visible()
    page.keyboard.press("]")
    expect(page.get_by_role("button", name=re.compile("say-how-it-ended"))).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Step prepare")
    expect(panel).to_be_visible()
    page.keyboard.press("]")
    expect(page.locator("tr.chosen")).to_contain_text("prepare")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_the_document_is_there_to_copy(finished: str, server: Server, opened: Open) -> None:
    import yaml

    page = opened(f"/runs/{finished}?tab=config")
    shown = yaml.safe_load(page.get_by_label(re.compile("^Source of")).inner_text())
    kept = server.call("GET", f"/runs/{finished}/workflow")
    del kept["status"]
    assert shown == kept
