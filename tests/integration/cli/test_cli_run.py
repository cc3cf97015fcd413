"""`penstock run`: exit codes, what is printed where, how it is stopped, and the history that stays."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from commandline import Rig, Started

Run = Callable[..., subprocess.CompletedProcess[str]]
Running = Callable[..., AbstractContextManager[Started]]

ESCAPE = "\x1b"
LONG = "main=echo started; sleep 600"


@pytest.fixture
def run(rig: Rig) -> Run:
    """Runs the workflow to its end."""
    return lambda *more: rig.call("run", "workflow.yaml", "--images", "images.toml", *more)


@pytest.fixture
def running(rig: Rig) -> Running:
    """Starts a run whose only step goes on for long."""

    def start(*more: str) -> AbstractContextManager[Started]:
        return rig.start("run", "workflow.yaml", "--images", "images.toml", "-p", LONG, *more)

    return start


def phases(rig: Rig) -> dict[str, str]:
    """Phases of the newest run's steps, by their names."""
    newest = json.loads(rig.call("runs", "list", "--output", "json").stdout)[0]
    document = json.loads(rig.call("runs", "get", newest["id"], "--output", "json").stdout)
    nodes = document["status"]["nodes"].values()
    return {re.sub(r"^.*\.", "", node["displayName"]): node["phase"] for node in nodes if node["type"] == "Pod"}


def test_a_run_that_succeeds_is_plain_lines_and_stays_in_the_history(rig: Rig, run: Run) -> None:
    answer = run("--name", "first")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert ESCAPE not in answer.stdout
    lines = [re.sub(r"\d\d:\d\d:\d\d  |\d+(\.\d+)? s", "", line) for line in answer.stdout.splitlines()]
    assert lines.index("greet  Pending") < lines.index("greet  Succeeded  ()")
    assert lines[-1] == "Run first succeeded after "
    assert run("--name", "second").returncode == 0
    history = json.loads(rig.call("runs", "list", "--output", "json").stdout)
    assert [(row["name"], row["state"]) for row in history] == [("second", "SUCCEEDED"), ("first", "SUCCEEDED")]
    assert rig.call("logs", "first", "greet").stdout == "hello\n"


def test_json_is_the_finished_document_and_nothing_else(run: Run) -> None:
    answer = run("--output", "json", "-p", "main=echo loud; echo aside >&2")
    document = json.loads(answer.stdout)
    assert (answer.returncode, document["kind"], document["status"]["phase"]) == (0, "Workflow", "Succeeded")
    assert "greet  Succeeded" in answer.stderr
    name = document["metadata"]["name"]
    nodes = document["status"]["nodes"]
    assert set(nodes[name]) >= {"id", "name", "displayName", "type", "phase", "startedAt", "finishedAt", "children"}
    greet = next(node for node in nodes.values() if node["displayName"] == "greet")
    assert (greet["type"], greet["boundaryID"], greet["templateName"]) == ("Pod", name, "greet")
    assert greet["id"] in nodes[name]["children"]
    assert greet["outputs"] == {"exitCode": "0"}


def test_a_step_that_fails_is_exit_code_1_and_the_command_that_shows_more(run: Run, rig: Rig) -> None:
    answer = run("-p", "main=echo because >&2; exit 3", "--name", "sad")
    assert answer.returncode == 1
    assert "greet: Failed" in answer.stdout
    assert "penstock logs sad 'greet'" in answer.stdout
    assert rig.call("logs", "sad", "greet").stdout == "because\n"
    assert phases(rig) == {"greet": "Failed", "onExit": "Succeeded"}


def test_json_is_printed_of_a_failed_run_too(run: Run) -> None:
    answer = run("-p", "main=exit 3", "--output", "json")
    assert (answer.returncode, json.loads(answer.stdout)["status"]["phase"]) == (1, "Failed")


def test_the_time_limit_terminates_and_is_exit_code_124(run: Run, rig: Rig) -> None:
    answer = run("-p", LONG, "--timeout", "1s")
    assert answer.returncode == 124
    assert "Time limit of 1.0 s is over: terminating the run" in answer.stdout
    assert "onExit" not in phases(rig)


def test_ctrl_c_stops_and_exit_handlers_run(running: Running, rig: Rig) -> None:
    with running() as run:
        run.until("greet  Running")
        run.interrupt()
        assert run.end() == 130
    assert "Stopping the run; its exit handlers run. Ctrl-C again terminates it" in str(run)
    assert phases(rig) == {"greet": "Failed", "onExit": "Succeeded"}


def test_a_second_ctrl_c_terminates(running: Running, rig: Rig) -> None:
    with running("-p", "bye=sleep 600") as run:
        run.until("greet  Running")
        run.interrupt()
        run.until("onExit  Running")
        run.interrupt()
        assert run.end() == 130
    assert "Terminating the run" in str(run)
    assert phases(rig) == {"greet": "Failed", "onExit": "Failed"}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [((), {"greet": "Failed", "onExit": "Succeeded"}), (("--force",), {"greet": "Failed"})],
)
def test_stop_ends_it_from_another_process(running: Running, rig: Rig, flags: Any, expected: dict[str, str]) -> None:
    with running("--name", "long") as run:
        run.until("greet  Running")
        answer = rig.call("runs", "stop", "long", *flags)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert "Run long canceled" in answer.stdout
        assert run.end() == 130
    assert phases(rig) == expected
    again = rig.call("runs", "stop", "long", *flags)
    assert (again.returncode, again.stdout) == (1, "")
    assert "run 'long' has ended" in again.stderr


def test_a_run_that_is_deleted_ends_its_following(running: Running, rig: Rig) -> None:
    with running("--name", "gone") as run:
        run.until("greet  Running")
        assert rig.call("runs", "delete", "gone").returncode == 0
        assert run.end() == 1
    assert "was deleted before it ended" in str(run)


def test_a_run_that_is_killed_is_gone_on_with_by_the_next_one(running: Running, run: Run, rig: Rig) -> None:
    with running("--name", "killed") as first:
        first.until("greet  Running")
    second = run("--name", "next")
    assert second.returncode == 0
    stopped = rig.call("runs", "stop", "killed")
    assert "Run killed canceled" in stopped.stdout


def test_a_terminal_shows_a_table_that_changes(rig: Rig) -> None:
    code, got = rig.on_terminal("run", "workflow.yaml", "--images", "images.toml", "--name", "seen")
    assert code == 0
    assert f"{ESCAPE}[1A" in got, "lines are drawn over"
    plain = re.sub(rf"{ESCAPE}\[[0-9;?]*[A-Za-z]", "", got)
    assert re.search(r"✓ +greet +Succeeded", plain)
    assert "Run seen succeeded after" in plain


def test_what_a_pipelines_file_prints_is_no_result(rig: Rig) -> None:
    source = """
from penstock import component, dsl

print("a file that talks")

@component
def add(a: int, b: int = 2) -> int:
    return a + b

@dsl.pipeline(name="sum")
def sum(a: int):
    add(add(a).output)
"""
    rig.file("talks.py", source)
    answer = rig.call("run", "talks.py", "-p", "a=40", "--output", "json")
    assert answer.returncode == 0
    nodes = json.loads(answer.stdout)["status"]["nodes"].values()
    assert ["42"] in [[p["value"] for p in n["outputs"].get("parameters", ())] for n in nodes if n["type"] == "Pod"]
    assert "a file that talks" in answer.stderr


def test_a_run_goes_into_the_experiment_that_is_named(rig: Rig, run: Run) -> None:
    missing = run("--experiment", "night")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no experiment has the id or name 'night'" in missing.stderr
    made = json.loads(rig.call("experiment", "create", "night", "--output", "json").stdout)
    assert run("--experiment", "night").returncode == 0
    assert [row["experiment_id"] for row in json.loads(rig.call("runs", "list", "--output", "json").stdout)] == [
        made["id"]
    ]
