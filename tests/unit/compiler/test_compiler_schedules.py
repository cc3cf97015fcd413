"""Pipelines with a schedule: the document, and which schedules are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from penstock import dsl
from penstock.cli.main import cli
from penstock.compiler import compile_pipeline, compile_schedule
from penstock.errors import InvalidPipeline
from penstock.workflow import load_yaml
from penstock.workflow.scheduled import ScheduledWorkflow


@dsl.pipeline(name="Nightly run", schedule=dsl.Schedule("@daily"))
def nightly(rows: int = 3, name: str = "x"):
    """Runs each night."""
    dsl.ContainerOp("a", "alpine", arguments=[rows, name])


@dsl.pipeline(name="needy")
def needy(rows: int):
    """Needs a value."""
    dsl.ContainerOp("a", "alpine", arguments=[rows])


def test_the_document_holds_the_workflow_and_its_trigger() -> None:
    made = compile_schedule(nightly)
    workflow = compile_pipeline(nightly)
    assert made["apiVersion"] == "kubeflow.org/v1beta1"
    assert made["kind"] == "ScheduledWorkflow"
    assert made["metadata"] == {"name": "nightly-run", "annotations": workflow["metadata"]["annotations"]}
    assert made["spec"] == {
        "enabled": True,
        "maxConcurrency": 1,
        "noCatchup": False,
        "trigger": {"cronSchedule": {"cron": "0 0 0 * * *"}},
        "workflow": {"spec": workflow["spec"]},
    }
    assert made["status"] == {}
    assert msgspec.convert(made, ScheduledWorkflow)


def test_all_that_a_schedule_says_is_written() -> None:
    schedule = dsl.Schedule(
        every="1h30m",
        overlap="latest-only",
        catchup=False,
        start=datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        end=datetime(2027, 1, 1, tzinfo=UTC),
        max_concurrency=3,
        arguments={"rows": 5, "name": ""},
    )
    spec = compile_schedule(nightly, schedule)["spec"]
    assert spec["trigger"] == {
        "periodicSchedule": {
            "intervalSecond": 5400,
            "startTime": "2026-01-01T10:00:00Z",
            "endTime": "2027-01-01T00:00:00Z",
        }
    }
    assert spec["workflow"]["parameters"] == [{"name": "rows", "value": "5"}, {"name": "name", "value": ""}]
    assert (spec["maxConcurrency"], spec["noCatchup"], spec["overlapPolicy"]) == (3, True, "latest-only")


def test_a_time_zone_stands_beside_the_cron() -> None:
    spec = compile_schedule(nightly, dsl.Schedule("0 9 * * 1-5", zone="Europe/Berlin"))["spec"]
    assert spec["trigger"]["cronSchedule"] == {"cron": "0 0 9 * * 1-5", "timeZone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "a schedule is given by cron or by every: one of them"),
        ({"cron": "@daily", "every": "1h"}, "a schedule is given by cron or by every: one of them"),
        ({"cron": "x"}, "cron: expected five fields"),
        ({"cron": "@daily", "zone": "CET5"}, "Unknown time zone 'CET5'. Next three runs in 'CET' would be "),
        ({"every": "often"}, "every: duration: got 'often', expected 300, 300s, 5m or 1h30m"),
        ({"every": 0}, "every: expected a whole number of seconds, at least 1; got 0"),
        ({"every": "1500ms"}, "every: expected a whole number of seconds, at least 1; got '1500ms'"),
        ({"every": 10}, "every=10 makes 8,640 runs a day; set allow_high_frequency"),
        ({"every": 60, "overlap": "allow"}, "overlap: expected one of wait, skip, replace, latest-only, got 'allow'"),
        ({"every": 60, "max_concurrency": 11}, "max_concurrency: expected an integer from 1 to 10, got 11"),
        ({"every": 60, "start": datetime(2026, 1, 1)}, "start: 2026-01-01 00:00:00 has no time zone"),
        ({"every": 60, "arguments": {"row": 1}}, "arguments: Unknown parameter 'row'. Known: rows, name."),
        ({"every": 60, "arguments": {"rows": "ten"}}, "'rows': expected integer, got string \"ten\"."),
    ],
)
def test_a_wrong_schedule_is_told_with_its_line(fields: dict[str, Any], message: str) -> None:
    schedule = dsl.Schedule(**fields)
    with pytest.raises(InvalidPipeline) as error:
        compile_schedule(nightly, schedule)
    assert str(error.value).startswith(f"{schedule.place}: {message}")
    assert schedule.place.startswith(f"{__file__}:")


def test_every_second_is_taken_where_it_is_meant() -> None:
    made = compile_schedule(nightly, dsl.Schedule(every=1, allow_high_frequency=True))
    assert made["spec"]["trigger"] == {"periodicSchedule": {"intervalSecond": 1}}


def test_a_pipeline_needs_a_schedule_and_a_schedule_all_values() -> None:
    with pytest.raises(InvalidPipeline, match="pipeline 'needy' has no schedule; give it one"):
        compile_schedule(needy)
    with pytest.raises(InvalidPipeline, match="Missing required parameter 'rows'; a schedule needs a value for it"):
        compile_schedule(needy, dsl.Schedule("@daily"))


SOURCE = """
from penstock import dsl

@dsl.pipeline(name="a"{more})
def a():
    dsl.ContainerOp("a", "alpine")
"""


def compiled(folder: Path, more: str, *words: str) -> Any:
    """The document that the command makes of a file."""
    source = folder / "a.py"
    source.write_text(SOURCE.format(more=more))
    done = CliRunner().invoke(cli, ["compile", str(source), *words])
    assert done.exit_code == 0, done.output
    return load_yaml((folder / "a.yaml").read_bytes())


def test_the_command_line_makes_a_schedule(tmp_path: Path) -> None:
    made = compiled(tmp_path, "", "--cron", "0 9 * * 1-5", "--zone", "Europe/Berlin", "--no-catchup", "--overlap=skip")
    assert made["kind"] == "ScheduledWorkflow"
    assert made["spec"]["trigger"] == {"cronSchedule": {"cron": "0 0 9 * * 1-5", "timeZone": "Europe/Berlin"}}
    assert (made["spec"]["noCatchup"], made["spec"]["overlapPolicy"]) == (True, "skip")


def test_the_command_line_counts_before_the_pipeline(tmp_path: Path) -> None:
    more = ', schedule=dsl.Schedule("@daily")'
    assert compiled(tmp_path, more)["spec"]["trigger"] == {"cronSchedule": {"cron": "0 0 0 * * *"}}
    assert compiled(tmp_path, more, "--every", "1d")["spec"]["trigger"] == {
        "periodicSchedule": {"intervalSecond": 86400}
    }
    assert compiled(tmp_path, "", "--as-kfp", "1.8", "--every", "1d")["kind"] == "ScheduledWorkflow"


def test_the_file_may_be_named_as_dsl_compile_takes_it(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text(SOURCE.format(more=""))
    done = CliRunner().invoke(cli, ["compile", "--py", str(source), "--output", str(tmp_path / "a.json")])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "a.json").read_text())["kind"] == "Workflow"
    for words in ([], [str(source), "--py", str(source)]):
        refused = CliRunner().invoke(cli, ["compile", *words])
        assert refused.exit_code != 0
        assert "expected one file, as FILE.py or with --py" in str(refused.exception)
