"""Runs are made, found, stopped and deleted in a browser, and what broke is plain to see."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from serving import ROOT, Server

Open = Callable[..., Page]


def test_a_link_lets_one_browser_in(browser: Browser, server: Server, login: object) -> None:
    """`login` has used it."""
    page = browser.new_page()
    page.goto(server.login)
    expect(page.get_by_role("heading", name=re.compile("Open the link"))).to_be_visible()
    page.close()


def test_a_run_is_made_by_the_form_and_stopped(server: Server, uploaded: str, opened: Open) -> None:
    page = opened(f"/runs/new?pipeline={uploaded}")
    page.get_by_label("count").fill("three")
    page.get_by_label("items").fill('{"a": 1}')
    page.get_by_label("Name of the run").fill("stop me")
    expect(page.get_by_text('"three" is not a whole number.')).to_be_visible()
    expect(page.get_by_text("This is JSON, but not a list")).to_be_visible()
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_label("count")).to_be_focused()

    page.get_by_label("count").fill("4")
    page.get_by_role("button", name="Reset to [1, 2]").click()
    page.get_by_label("label").fill("it's me")
    page.get_by_label("pace").fill("0.01")
    page.get_by_label("loud").select_option("True")
    command = page.get_by_label("Command that starts the same run")
    expect(command).to_have_text(
        r"penstock run ticking.yaml -p 'label=it'\''s me' -p pace=0.01 -p count=4 -p loud=True"
    )
    page.get_by_role("button", name="Start run").click()

    expect(page.get_by_role("heading", name="stop me", level=2)).to_be_visible()
    expect(page.get_by_role("list", name="Parameters")).to_contain_text("label it's me")
    page.get_by_role("button", name=re.compile("^running tick")).click()
    log = page.get_by_role("log")
    expect(log).to_contain_text(re.compile(r"it's me \d{3}"))

    log.hover()
    page.mouse.wheel(0, -100_000)
    expect(page.get_by_role("button", name="Follow", exact=True)).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name=re.compile(r"\d+ new lines?")).click()
    expect(page.get_by_role("button", name="Follow", exact=True)).to_have_attribute("aria-pressed", "true")

    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name=re.compile("^succeeded clean-up"))).to_be_visible()
    expect(page.locator(".head .mark-word")).to_have_text("stopped")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()


def test_a_clone_starts_from_what_the_other_had(server: Server, uploaded: str, broken: str, opened: Open) -> None:
    page = opened(f"/runs/new?clone={broken}")
    expect(page.get_by_label("Name of the run")).to_have_value("Clone of broken")
    page.get_by_label("depth").fill("7")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", name="Clone of broken", level=2)).to_be_visible()
    expect(page.get_by_role("list", name="Parameters")).to_contain_text("depth 7")


def test_what_the_server_refuses_is_said_where_it_was_asked(server: Server, uploaded: str, opened: Open) -> None:
    page = opened(f"/runs/new?pipeline={uploaded}")
    page.get_by_label("label").fill("{{workflow.name}}")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("alert")).to_contain_text("would be expanded")


def test_a_failed_run_opens_on_its_error(broken: str, opened: Open) -> None:
    page = opened(f"/runs/{broken}")
    panel = page.get_by_role("complementary", name="Step fail-once-more")
    expect(panel).to_be_visible()
    expect(panel.locator(".log-reason")).to_contain_text("ValueError: column 3 has 4 rows, expected 5")
    expect(panel.locator(".log-row.is-chosen")).to_be_in_viewport()
    expect(panel.get_by_role("group", name="Attempts").get_by_role("button")).to_have_count(2)
    panel.get_by_role("button", name=re.compile("Attempt 1")).click()
    expect(page).to_have_url(re.compile("attempt=1"))

    search = panel.get_by_role("searchbox")
    search.fill("line 39")
    expect(panel.get_by_role("status")).to_have_text("1 of 11")
    search.press("Enter")
    expect(panel.get_by_role("status")).to_have_text("2 of 11")
    expect(panel.locator(".log-row.is-current")).to_be_in_viewport()
    page.reload()
    expect(panel.get_by_role("searchbox")).to_have_value("line 39")

    panel.get_by_role("button", name="Close the panel").click()
    expect(panel).to_be_hidden()
    page.keyboard.press("n")
    expect(panel).to_be_visible()


def test_a_line_has_an_address(server: Server, broken: str, opened: Open) -> None:
    page = opened(f"/runs/{broken}?node={server.node(broken, 'fail-once-more')}&panel=log&L=200")
    expect(page.locator(".log-row.is-chosen")).to_have_text("200line 199")
    expect(page.locator(".log-row.is-chosen")).to_be_in_viewport()


def test_step_made_pages_and_notes_reach_nothing(server: Server, broken: str, opened: Open) -> None:
    page = opened(f"/runs/{broken}?node={server.node(broken, 'show')}")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#told")).to_have_text("page closed, cookies closed, API closed")
    notes = page.get_by_role("article", name=re.compile("^Notes"))
    expect(notes.get_by_role("heading", name="Findings")).to_be_visible()
    assert notes.locator("img").count() == 0
    assert notes.get_by_role("link").all_inner_texts() == ["a link"]
    expect(page).to_have_title(re.compile("^broken"))


def test_a_frame_is_as_tall_as_its_page(server: Server, broken: str, opened: Open) -> None:
    page = opened(f"/runs/{broken}?node={server.node(broken, 'show')}")
    expect(page.locator("iframe")).to_have_css("height", re.compile(r"^7[0-9]{2}(\.\d+)?px$"))


def test_a_bad_output_hides_no_good_one(server: Server, broken: str, opened: Open) -> None:
    page = opened(f"/runs/{broken}?node={server.node(broken, 'show')}")
    expect(page.get_by_role("article")).to_have_count(4)
    bad = page.locator(".card-error")
    expect(bad).to_contain_text("schema")
    expect(bad).to_contain_text('"source": "0,0,1"')


def test_the_list_is_filtered_by_its_address(broken: str, tumours: str, opened: Open) -> None:
    page = opened("/runs?filter=status%3Afailed")
    names = page.locator("tbody td:nth-child(3)")
    expect(names.filter(has_text="broken").first).to_be_visible()
    expect(names.filter(has_text="tumours of today")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("pipeline:nothing")
    expect(page.get_by_text("No run matches this query.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Show all")).click()
    expect(names.filter(has_text="tumours of today")).to_be_visible()
    expect(page).to_have_url(re.compile("/runs$"))


def test_a_run_appears_by_itself_and_is_deleted_with_a_question(server: Server, opened: Open) -> None:
    page = opened("/runs")
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    server.run(Path(__file__).parent / "pipelines.py", "to be deleted", function="broken")
    row = page.get_by_role("row", name=re.compile("to be deleted"))
    expect(row.get_by_title("failed")).to_be_visible()
    page.get_by_role("link", name="to be deleted").focus()
    page.keyboard.press("Space")
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    question = page.get_by_role("dialog", name="Delete 1 run?")
    expect(question).to_contain_text("to be deleted")
    question.get_by_role("button", name="Keep").click()
    expect(row).to_be_visible()
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Delete").click()
    expect(row).to_be_hidden()
    page.reload()
    expect(page.get_by_role("table")).to_be_visible()
    expect(row).to_be_hidden()


def test_a_file_that_is_no_pipeline_is_refused_in_words(opened: Open, tmp_path: Path) -> None:
    file = tmp_path / "list.yaml"
    file.write_text("- a\n- b\n")
    page = opened("/pipelines")
    page.get_by_label("Upload pipeline: file").set_input_files(file)
    expect(page.get_by_role("alert")).to_contain_text("expected")


def test_a_pipeline_has_versions(uploaded: str, ticking: Path, opened: Open) -> None:
    page = opened(f"/pipelines/{uploaded}")
    expect(page.get_by_role("heading", name="ticking", level=2)).to_be_visible()
    held: list[Route] = []
    # A slow reply must not undo what is done meanwhile.
    page.route(f"**/pipelines/{uploaded}", lambda route: held.append(route), times=1)
    page.get_by_label("Upload version: file").set_input_files(ticking)
    versions = page.get_by_role("navigation", name="Versions").get_by_role("link")
    expect(versions).to_have_count(2)
    expect(page.get_by_role("table").get_by_text("What each line says.")).to_be_visible()
    page.keyboard.press("]")
    source = page.get_by_label("Source of ticking")
    expect(source).to_contain_text("kind: Workflow")
    (route,) = held
    route.continue_()
    expect(page.get_by_role("button", name="Upload version", exact=True)).to_be_enabled()
    expect(source).to_be_visible()


def test_an_experiment_holds_its_runs(server: Server, uploaded: str, opened: Open) -> None:
    page = opened("/experiments")
    page.get_by_role("button", name="New experiment").click()
    page.get_by_label("Name of the experiment").fill("trees only")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("link", name="trees only", exact=True).click()
    expect(page.get_by_role("heading", name="No run in trees only yet")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Default", exact=True).click()
    expect(page.get_by_role("heading", name="Experiments Default")).to_be_visible()
    expect(page.get_by_role("table")).to_be_visible()


@pytest.mark.parametrize(("keys", "address"), [("gp", "/pipelines"), ("ge", "/experiments"), ("gr", "/runs")])
def test_keys_lead_to_pages(opened: Open, keys: str, address: str) -> None:
    page = opened("/experiments" if address == "/runs" else "/runs")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for key in keys:
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(f"{address}$"))


def test_the_keys_are_listed(opened: Open) -> None:
    page = opened("/runs")
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Follow the log")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_theme_is_the_readers(opened: Open) -> None:
    page = opened("/runs", scheme="dark")
    body = page.locator("body")
    expect(body).to_have_css("background-color", "rgb(16, 22, 21)")
    page.get_by_role("button", name="Theme: system").click()
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    page.reload()
    expect(page.get_by_role("button", name="Theme: light")).to_be_visible()
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")


def test_an_address_with_nothing_behind_it_says_so(opened: Open) -> None:
    page = opened("/runs/00000000-0000-0000-0000-000000000000")
    expect(page.get_by_role("alert")).to_contain_text("This run is not there.")
    page.goto("/nowhere")
    expect(page.get_by_role("heading", name="There is no page at this address")).to_be_visible()


def test_taxi_shows_its_matrix_and_its_curve(server: Server, opened: Open) -> None:
    run = server.run(ROOT / "examples" / "taxi" / "pipeline.py", "taxi")
    page = opened(f"/runs/{run}?tab=outputs")
    expect(page.locator(".card-confusion_matrix")).to_be_visible(timeout=120_000)
    expect(page.locator(".card-roc")).to_be_visible(timeout=120_000)


AGAIN = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "again-"},
    "spec": {
        "entrypoint": "main",
        "templates": [
            {
                "name": "main",
                "dag": {
                    "tasks": [
                        {"name": "good", "template": "good"},
                        {"name": "bad", "template": "bad", "dependencies": ["good"]},
                    ]
                },
            },
            {"name": "good", "container": {"image": "shell", "command": ["sh", "-c", "true"]}},
            {"name": "bad", "container": {"image": "shell", "command": ["sh", "-c", "exit 3"]}},
        ],
    },
}


def test_a_failed_run_is_tried_again_and_gone_on_with(server: Server, opened: Open) -> None:
    document = json.loads(json.dumps(AGAIN).replace("shell", "python:3.11"))
    id = server.call("POST", "/runs", {"display_name": "once more", "pipeline_spec": document})["run_id"]
    page = opened(f"/runs/{id}")
    expect(page.locator(".head .mark-word")).to_have_text("failed")
    before = server.call("GET", f"/runs/{id}")["finished_at"]
    page.get_by_role("button", name="Retry", exact=True).click()
    deadline = time.monotonic() + 60
    while server.call("GET", f"/runs/{id}").get("finished_at", "") <= before:
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    expect(page.locator(".head .mark-word")).to_have_text("failed")

    page.get_by_role("button", name=re.compile("^failed bad")).click()
    page.get_by_role("button", name="Run from here").click()
    expect(page).not_to_have_url(re.compile(id))
    expect(page.locator(".head .mark-word")).to_have_text("failed")
    page.get_by_role("button", name=re.compile("^succeeded good")).click()
    expect(page.get_by_text("cached from run once more step good")).to_be_visible()
    page.get_by_role("button", name="Resubmit").click()
    expect(page.locator(".head .mark-word")).to_have_text("failed")
    expect(page.get_by_role("button", name=re.compile("^succeeded good"))).to_be_visible()
