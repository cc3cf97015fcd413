"""Ended runs, once more: retried under their names, resubmitted, gone on with from a step. On fakes."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, chain, pod, staged, workflow

from penstock.errors import Conflict, InvalidInput, InvalidParameter, NotFound
from penstock.ports import Run
from penstock.testing import Act
from penstock.workflow.status import NodeType

FAILS = Act(code=1)


def passing(value: str = "{{inputs.parameters.x}}") -> dict[str, Any]:
    """`make` writes a file, `use` reads it, with a parameter of the run beside it."""
    make = pod("make", outputs={"artifacts": [{"name": "data", "path": "/tmp/data"}]})
    use = pod("use", inputs={"parameters": [{"name": "x"}], "artifacts": [{"name": "data", "path": "/tmp/in"}]})
    use["container"]["args"] = [value]
    arguments = {
        "parameters": [{"name": "x", "value": "{{inputs.parameters.x}}"}],
        "artifacts": [{"name": "data", "from": "{{tasks.make.outputs.artifacts.data}}"}],
    }
    tasks = [
        {"name": "make", "template": "make"},
        {"name": "use", "template": "use", "dependencies": ["make"], "arguments": arguments},
    ]
    given = {"parameters": [{"name": "x", "value": "1"}]}
    inner = {"name": "inner", "inputs": {"parameters": [{"name": "x"}]}, "dag": {"tasks": tasks}}
    inward = {"parameters": [{"name": "x", "value": "{{inputs.parameters.x}}"}]}
    outer = [{"name": "inner", "template": "inner", "arguments": inward}]
    main = {"name": "main", "inputs": {"parameters": [{"name": "x"}]}, "dag": {"tasks": outer}}
    return workflow(main, inner, make, use, arguments=given)


async def failed(stage: Stage, **more: Any) -> Run:
    """A run of `passing` whose second step failed once."""
    stage.acts = {"make": [Act(files={"/tmp/data": "stored"})], "use": [FAILS, Act(stdout="used")]}
    run = await stage.end(stage.create(passing(), **more))
    assert (run.state, stage.starts()) == ("FAILED", ["make", "use"])
    return run


# --- retry ------------------------------------------------------------------------------------------------------


@staged
async def test_a_run_is_tried_again_from_its_failed_step(stage: Stage) -> None:
    first = await failed(stage)
    stage.clock.advance(100)
    waiting = stage.runs.retry(first.id)
    assert (waiting.state, waiting.phase, waiting.message, waiting.finished_at) == ("PENDING", "", "", None)
    run = await stage.end(first.id)
    assert (run.id, run.name, run.state, run.message) == (first.id, first.name, "SUCCEEDED", "")
    assert run.started_at is not None
    assert first.started_at is not None
    assert run.started_at >= first.started_at + 100
    assert stage.starts() == ["make", "use", "use"]
    assert run.progress.succeeded == 2
    node = stage.nodes(run.id)["use"]
    log = stage.runs.log(run.id, node.id)
    assert log.path is not None
    assert "used" in log.path.read_text()
    gone = [e for e in stage.runs.events(run.id) if e.kind == "gone"]
    assert [e.data["ids"] for e in gone] == [[node.id]]
    assert stage.records.read(lambda store: store.intents()) == []


@staged
async def test_what_a_step_left_before_is_not_taken_for_what_it_makes_now(stage: Stage) -> None:
    make = pod("make", outputs={"artifacts": [{"name": "data", "path": "/tmp/data"}]})
    stage.acts = {"make": [Act(code=1, files={"/tmp/data": "old"}), Act(files={"/tmp/data": "new"})]}
    run = await stage.end(stage.create(workflow(make, entrypoint="make")))
    stage.runs.retry(run.id)
    assert (await stage.end(run.id)).state == "SUCCEEDED"
    (node,) = stage.nodes(run.id).values()
    source = stage.runs.artifact(run.id, node.id, "data")
    with stage.runs.open_artifact(source) as data:
        assert data.read() == b"new"


@staged
async def test_a_host_that_dies_before_it_retries_is_followed_by_one_that_does(stage: Stage) -> None:
    run = await failed(stage)
    await stage.leave()
    stage.runs.retry(run.id)
    with pytest.raises(Conflict, match="has not ended"):
        stage.runs.retry(run.id)
    await stage.restart()
    assert (await stage.end(run.id)).state == "SUCCEEDED"
    assert stage.starts() == ["make", "use", "use"]


@staged
async def test_a_retry_that_is_stopped_before_it_begins(stage: Stage) -> None:
    run = await failed(stage)
    await stage.leave()
    stage.runs.retry(run.id)
    assert stage.runs.stop(run.id).state == "CANCELING"
    await stage.restart()
    assert (await stage.end(run.id)).state == "CANCELED"
    assert stage.records.read(lambda store: store.intents()) == []
    stage.runs.retry(run.id)
    assert (await stage.end(run.id)).state == "SUCCEEDED"


@staged
async def test_a_retry_with_another_parameter(stage: Stage) -> None:
    run = await failed(stage)
    with pytest.raises(InvalidParameter, match="Unknown parameter 'y'"):
        stage.runs.retry(run.id, parameters={"y": 1})
    stage.runs.retry(run.id, parameters={"x": 2})
    again = await stage.end(run.id)
    assert (again.state, again.parameters) == ("SUCCEEDED", {"x": "2"})
    assert [step.args for step in stage.launcher.launched] == [(), ("1",), ("2",)]
    document = stage.runs.document(run.id)
    assert document["spec"]["arguments"]["parameters"] == [{"name": "x", "value": "2"}]


@staged
async def test_a_run_that_succeeded_is_tried_again_where_it_is_said(stage: Stage) -> None:
    run = await stage.end(stage.create(chain("a", "b", "c")))
    with pytest.raises(Conflict, match="has succeeded"):
        stage.runs.retry(run.id)
    with pytest.raises(Conflict, match="has succeeded"):
        stage.runs.retry(run.id, restart_successful=True)
    with pytest.raises(InvalidInput, match="restart_successful is missing"):
        stage.runs.retry(run.id, node_field_selector="displayName=b")
    with pytest.raises(InvalidInput, match="fits none of the 4 nodes"):
        stage.runs.retry(run.id, restart_successful=True, node_field_selector="displayName=x")
    stage.runs.retry(run.id, restart_successful=True, node_field_selector="displayName=b")
    assert (await stage.end(run.id)).state == "SUCCEEDED"
    assert stage.starts() == ["a", "b", "c", "b", "c"]


@staged
async def test_a_run_that_goes_on_is_not_tried_again(stage: Stage) -> None:
    stage.acts = {"a": [Act(held=True)]}
    id = stage.create(chain("a"))
    (step,) = await stage.started("a")
    with pytest.raises(Conflict, match="has not ended"):
        stage.runs.retry(id)
    with pytest.raises(Conflict, match="has not ended"):
        stage.runs.rerun(id, "a")
    stage.launcher.finish(step)
    await stage.end(id)


# --- new runs ---------------------------------------------------------------------------------------------------


@staged
async def test_a_run_is_resubmitted(stage: Stage) -> None:
    first = await failed(stage, name="mine", parameters={"x": 5})
    second = await stage.end(stage.runs.resubmit(first.id).id)
    assert (second.name, second.state, second.parameters) == ("mine", "SUCCEEDED", {"x": "5"})
    assert stage.starts() == ["make", "use", "make", "use"]
    metadata = stage.runs.document(second.id)["metadata"]
    assert metadata["name"].startswith("play-")
    assert metadata["labels"] == {"workflows.argoproj.io/resubmitted-from-workflow": first.workflow_name}


@staged
async def test_what_was_named_gets_a_name_made_of_that(stage: Stage) -> None:
    document = {**chain("a"), "metadata": {"name": "named"}}
    first = await stage.end(stage.create(document))
    second = await stage.end(stage.runs.resubmit(first.id, parameters={}).id)
    assert second.workflow_name.startswith("named-")
    assert second.name == second.workflow_name


@staged
async def test_a_memoized_run_skips_what_went_well(stage: Stage) -> None:
    first = await failed(stage)
    second = await stage.end(stage.runs.resubmit(first.id, memoized=True).id)
    assert second.state == "SUCCEEDED"
    assert stage.starts() == ["make", "use", "use"]
    before, node = stage.nodes(first.id)["make"], stage.nodes(second.id)["make"]
    assert (node.type, node.phase, node.message) == (NodeType.SKIPPED, "Skipped", f"original pod: {before.id}")
    with pytest.raises(Conflict, match="only one that failed"):
        stage.runs.resubmit(second.id, memoized=True)


@staged
async def test_a_rerun_reuses_what_is_upstream_and_owns_it(stage: Stage) -> None:
    first = await failed(stage)
    made = stage.runs.rerun(first.id, "use", parameters={"x": 3})
    run = await stage.end(made.id)
    assert (run.state, stage.starts()) == ("SUCCEEDED", ["make", "use", "use"])
    assert stage.launcher.launched[-1].args == ("3",)
    node = stage.nodes(run.id)["make"]
    assert node.outputs is not None
    assert (node.type, node.phase, node.outputs.exit_code) == (NodeType.POD, "Succeeded", "0")
    assert str(node.cached_from) == f"cached from run {first.name} step make"
    assert stage.notes(run.id) == [str(node.cached_from)]
    assert stage.runs.log(run.id, node.id).path is not None
    stage.runs.delete(first.id)
    await stage.until(lambda: stage.records.read(lambda store: store.intents()) == [])
    with stage.runs.open_artifact(stage.runs.artifact(run.id, node.id, "data")) as data:
        assert data.read() == b"stored"


@staged
async def test_a_step_that_is_not_there(stage: Stage) -> None:
    run = await failed(stage)
    with pytest.raises(NotFound, match="no step 'train'; its steps: 'make', 'use'"):
        stage.runs.rerun(run.id, "train")
