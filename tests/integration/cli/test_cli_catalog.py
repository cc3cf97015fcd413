"""`penstock pipeline` and `penstock experiment`: for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from commandline import Rig, Started
from penstock.workflow import load_yaml


def answer(rig: Rig, *arguments: str) -> Any:
    """What a command tells a program."""
    done = rig.call(*arguments, "--output", "json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_pipeline_from_upload_to_delete(rig: Rig) -> None:
    made = answer(rig, "pipeline", "upload", "workflow.yaml")
    assert (made["pipeline"]["name"], made["version"]["name"]) == ("hello", "hello")
    again = rig.call("pipeline", "upload", "workflow.yaml")
    assert (again.returncode, again.stdout) == (2, "")
    assert "a pipeline named 'hello' exists" in again.stderr
    second = rig.call("pipeline", "upload", "workflow.yaml", "--name", "hello", "--version", "second")
    assert second.stdout == "Uploaded version second of pipeline hello\n"
    assert [row["name"] for row in answer(rig, "pipeline", "list")] == ["hello"]
    found = answer(rig, "pipeline", "get", made["pipeline"]["id"])
    assert [version["name"] for version in found["versions"]] == ["second", "hello"]
    assert [port["name"] for port in found["versions"][0]["inputs"]] == ["main", "bye"]
    shown = rig.call("pipeline", "get", "hello").stdout
    assert "Input:     main = echo hello" in shown
    unknown = rig.call("pipeline", "delete-version", "hello", "third")
    assert (unknown.returncode, "has no version 'third'; its versions: 'second', 'hello'" in unknown.stderr) == (
        2,
        True,
    )
    gone = rig.call("pipeline", "delete-version", "hello", "second")
    assert gone.stdout == "Deleted version of pipeline hello: second\n"
    assert [version["name"] for version in answer(rig, "pipeline", "get", "hello")["versions"]] == ["hello"]
    assert rig.call("pipeline", "delete", "hello").stdout == "Deleted pipeline hello\n"
    assert answer(rig, "pipeline", "list") == []


def test_a_version_needs_its_pipeline(rig: Rig) -> None:
    unnamed = rig.call("pipeline", "upload", "workflow.yaml", "--version", "second")
    assert (unnamed.returncode, "--name" in unnamed.stderr) == (2, True)
    missing = rig.call("pipeline", "upload", "workflow.yaml", "--name", "none", "--version", "second")
    assert (missing.returncode, "no pipeline has the id or name 'none'" in missing.stderr) == (2, True)


def test_an_experiment_from_create_to_delete(rig: Rig) -> None:
    made = answer(rig, "experiment", "create", "night", "--description", "every night")
    assert (made["name"], made["description"]) == ("night", "every night")
    assert rig.call("experiment", "create", "night").returncode == 2
    assert rig.call("experiment", "archive", "night").stdout == "Archived experiment night\n"
    assert [row["storage_state"] for row in answer(rig, "experiment", "list")] == ["ARCHIVED"]
    assert "State:     Archived" in rig.call("experiment", "get", "night").stdout
    assert answer(rig, "experiment", "get", made["id"])["name"] == "night"
    assert rig.call("experiment", "unarchive", "night").stdout == "Unarchived experiment night\n"
    assert [row["id"] for row in answer(rig, "experiment", "delete", "night")] == [made["id"]]
    assert answer(rig, "experiment", "list") == []


@pytest.mark.parametrize("group", ["pipeline", "experiment"])
def test_one_that_is_not_there_keeps_the_others(group: str, rig: Rig) -> None:
    if group == "pipeline":
        rig.call("pipeline", "upload", "workflow.yaml", "--name", "kept")
    else:
        rig.call("experiment", "create", "kept")
    gone = rig.call(group, "delete", "kept", "none")
    assert (gone.returncode, gone.stdout) == (2, "")
    assert f"no {group} has the id or name 'none'" in gone.stderr
    assert "kept" in rig.call(group, "list").stdout


def test_runs_are_archived_and_brought_back(rig: Rig) -> None:
    rig.call("run", "workflow.yaml", "--images", "images.toml", "--name", "old")
    assert rig.call("runs", "archive", "old").stdout == "Archived run old\n"
    assert [row["storage_state"] for row in answer(rig, "runs", "list")] == ["ARCHIVED"]
    assert [row["storage_state"] for row in answer(rig, "runs", "unarchive", "old")] == ["AVAILABLE"]


def test_what_the_machine_offers_is_told_to_programs(rig: Rig) -> None:
    found = json.loads(rig.call("doctor", "--output", "json").stdout)
    assert {"Penstock", "Python", "SQLite"} <= {each["name"] for each in found}
    assert load_yaml(rig.call("doctor", "--output", "yaml").stdout)[0]["name"] == "Penstock"


def test_logs_for_programs_are_one_object_a_line(rig: Rig) -> None:
    rig.call("run", "workflow.yaml", "--images", "images.toml", "--name", "told", "-p", "main=echo out; echo err >&2")
    lines = [json.loads(line) for line in rig.call("logs", "told", "--output", "json").stdout.splitlines()]
    assert [(line["step"].rpartition(".")[2], line["text"]) for line in lines] == [
        ("greet", "out"),
        ("greet", "err"),
        ("onExit", "bye"),
    ]
    assert [line["stream"] for line in lines] == ["stdout", "stderr", "stdout"]


def test_programs_may_read_yaml_and_people_a_table(rig: Rig) -> None:
    made = answer(rig, "experiment", "create", "night")
    listed = rig.call("experiment", "list", "--output", "yaml").stdout
    assert load_yaml(listed) == answer(rig, "experiment", "list") == [made]
    assert rig.call("experiment", "list", "--output", "table").stdout == rig.call("experiment", "list").stdout
    assert rig.call("experiment", "list", "--output", "xml").returncode == 2


def test_recurring_runs_are_refused_with_what_to_do(rig: Rig) -> None:
    for arguments in (("create", "hello", "--cron", "@daily"), ("list",), ("get", "x"), ("delete", "x", "y")):
        refused = rig.call("recurring", *arguments)
        assert refused.returncode != 0
        words = " ".join(word for word in arguments if word not in ("--cron", "@daily"))
        assert (
            f"recurring {words}: the server has no recurring runs yet; `penstock recurring document" in refused.stderr
        )
    assert "document" in rig.call("recurring", "--help").stdout


def test_a_workflow_that_is_there_gets_a_schedule(rig: Rig) -> None:
    made = rig.call("recurring", "document", "workflow.yaml", "--every", "1h", "-p", "main=echo again", "-o", "-")
    assert (made.returncode, made.stderr) == (0, "")
    document = load_yaml(made.stdout)
    assert (document["kind"], document["metadata"]["name"]) == ("ScheduledWorkflow", "hello")
    assert document["spec"]["trigger"] == {"periodicSchedule": {"intervalSecond": 3600}}
    assert document["spec"]["workflow"]["parameters"] == [{"name": "main", "value": "echo again"}]
    assert rig.call("recurring", "document", "workflow.yaml", "--cron", "@daily").stderr == (
        "Scheduled workflow.yaml in workflow.scheduled.yaml\n"
    )
    for arguments, message in (
        (["workflow.yaml"], "workflow.yaml: a document has no schedule; give one with --cron or --every"),
        (["workflow.yaml", "-p", "main=x"], "-p: goes with --cron or --every"),
        (["workflow.yaml", "--every", "1h", "-p", "none=x"], "workflow.yaml: arguments: Unknown parameter 'none'"),
        (["workflow.yaml", "--every", "1h", "--function", "f"], "--function: workflow.yaml is a document"),
        (["none.yaml", "--every", "1h"], "none.yaml: no such file"),
    ):
        refused = rig.call("recurring", "document", *arguments)
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"Error: {message}")


@pytest.fixture(name="server")
def _server(rig: Rig, up: Callable[..., Started]) -> tuple[str, ...]:
    """The options that name a server of another home, and its token."""
    up("--images", "images.toml")
    address = json.loads((rig.home / "server.json").read_text())["url"]
    return ("--server", address, "--token", (rig.home / "token").read_text().strip())


def test_commands_work_on_a_server_as_on_a_home(rig: Rig, server: tuple[str, ...]) -> None:
    there = {"PENSTOCK_HOME": str(rig.folder / "another home")}

    def call(*arguments: str) -> str:
        done = rig.call(*arguments, *server, env=there)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    made = json.loads(call("pipeline", "upload", "workflow.yaml", "--name", "far", "--output", "json"))
    assert made["pipeline"]["name"] == "far"
    assert call("pipeline", "upload", "workflow.yaml", "--name", "far", "--version", "two").endswith("pipeline far\n")
    assert [row["id"] for row in json.loads(call("pipeline", "list", "--output", "json"))] == [made["pipeline"]["id"]]
    assert "Input:     main = echo hello" in call("pipeline", "get", "far")
    assert call("experiment", "create", "night") == "Created experiment night\n"
    assert "an experiment named 'night' exists" in rig.call("experiment", "create", "night", *server, env=there).stderr
    assert "night" in call("experiment", "list")
    assert call("experiment", "archive", "night") == "Archived experiment night\n"
    assert call("experiment", "unarchive", "night") == "Unarchived experiment night\n"
    assert "About" not in call("experiment", "get", "night")
    assert call("experiment", "delete", "night") == "Deleted experiment night\n"
    rig.call("run", "workflow.yaml", "--name", "one")  # whoever serves the home runs it
    listed = json.loads(call("runs", "list", "--output", "json"))
    home = json.loads(rig.call("runs", "list", "--output", "json").stdout)
    for name in ("id", "name", "workflow_name", "experiment_id", "parameters", "state", "phase", "progress", "metrics"):
        assert listed[0][name] == home[0][name], name
    for name in ("created_at", "started_at", "finished_at"):
        assert listed[0][name] == pytest.approx(home[0][name], abs=1e-3), name
    assert "greet" in call("runs", "get", "one")
    assert json.loads(call("runs", "get", listed[0]["workflow_name"], "--output", "json"))["status"]["phase"]
    assert call("runs", "archive", "one") == "Archived run one\n"
    assert call("runs", "unarchive", "one") == "Unarchived run one\n"
    assert call("runs", "delete", "one") == "Deleted run one\n"
    assert call("pipeline", "delete-version", "far", "two") == "Deleted version of pipeline far: two\n"
    assert call("pipeline", "delete", "far") == "Deleted pipeline far\n"


def test_a_run_of_a_server_is_stopped_there(rig: Rig, server: tuple[str, ...]) -> None:
    with rig.start("run", "workflow.yaml", "--name", "long", "-p", "main=sleep 300") as started:
        rig.wait(lambda: "RUNNING" in rig.call("runs", "list", "--output", "json").stdout)
        stopped = rig.call("runs", "stop", "long", *server)
        assert (stopped.returncode, stopped.stdout) == (0, "Canceled run long\n")
        started.end()


def test_a_server_is_named_whole(rig: Rig) -> None:
    for arguments, message in (
        (("--token", "t"), "--token: is for a server; name it with --server ADDRESS"),
        (("--server", "http://127.0.0.1:1", "--home", "h"), "--home and --server: got both"),
        (("--server", "http://127.0.0.1:1"), "http://127.0.0.1:1: no Penstock server answers"),
    ):
        refused = rig.call("runs", "list", *arguments)
        assert refused.returncode != 0
        assert refused.stderr.startswith(f"Error: {message}")
