"""Pipelines that run in this process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from commandline import Rig
from penstock import component, dsl, errors
from penstock.client.local import LocalClient, run_pipeline_func_locally
from penstock.components import OutputPath


@component
def add(a: int, b: int) -> int:
    return a + b


@component
def write(count: int, text: OutputPath(str)) -> None:  # type: ignore[valid-type]
    with open(text, "w") as file:
        file.write("x" * count)


@dsl.pipeline(name="sum")
def sum_of(a: int, b: int = 3) -> None:
    write(add(a, b).output)


def test_a_pipeline_runs_here_and_its_home_keeps_it(rig: Rig) -> None:
    result = run_pipeline_func_locally(sum_of, {"a": 4}, home=rig.home)
    assert (result.state, result.success, result.outputs) == ("SUCCEEDED", True, {"add": {"Output": "7"}})
    assert result.get_output_file("write").read_text() == "x" * 7
    assert result.get_output_file("write", "text") == result.get_output_file("write")
    with pytest.raises(errors.NotFound, match=r"'add\.none' is no single output artifact; there are: "):
        result.get_output_file("add", "none")
    history = json.loads(rig.call("runs", "list", "--output", "json").stdout)
    assert [row["id"] for row in history] == [result.run_id]


def test_a_notebooks_own_loop_is_no_hindrance(tmp_path: Path) -> None:
    async def cell() -> str:
        return run_pipeline_func_locally(sum_of, {"a": 1}, home=tmp_path).state

    assert asyncio.run(cell()) == "SUCCEEDED"


def test_a_failure_is_a_result_and_bad_input_an_error(rig: Rig) -> None:
    client = LocalClient(rig.home)
    with pytest.raises(errors.RunNotStarted, match='"shell" = "host"'):
        client.create_run_from_pipeline_package(rig.folder / "workflow.yaml")
    with pytest.raises(errors.InvalidParameter, match="'a': expected integer"):
        client.create_run_from_pipeline_func(sum_of, {"a": "ten"})

    @component
    def fail() -> None:
        raise SystemExit(3)

    @dsl.pipeline(name="sad")
    def sad() -> None:
        fail()

    result = client.create_run_from_pipeline_func(sad, run_name="sad")
    assert (result.state, result.success) == ("FAILED", False)
