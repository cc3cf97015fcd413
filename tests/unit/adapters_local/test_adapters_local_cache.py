"""Steps that take over what equal ones made: which are equal, for how long, and what is shown. On fakes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, pod, staged, workflow

from penstock.adapters.local.cache import Cache
from penstock.adapters.objects import LocalObjects
from penstock.engine.caching import caching_of
from penstock.engine.protocol import Caching, Exited, Pod
from penstock.ports import Run, RunOptions
from penstock.testing import Act, FakeClock, FakeLauncher
from penstock.workflow.document import Template
from penstock.workflow.status import Node, Origin

FRONT = "pipelines.kubeflow.org/"
FUNCTION = ["python3", "-c", "import os\ndef add(a, b):\n    return a + b\n"]


def cached(name: str, label: str = "true", annotations: dict[str, str] = {}, **more: Any) -> dict[str, Any]:  # noqa: B006
    """A template whose steps are cached."""
    labels = {FRONT + "enable_caching": label} if label else {}
    noted = {FRONT + key: value for key, value in annotations.items()}
    return pod(name, metadata={"labels": labels, "annotations": noted}, **more)


def single(template: dict[str, Any]) -> dict[str, Any]:
    return workflow(template, entrypoint=template["name"])


MADE = {
    "parameters": [{"name": "out", "valueFrom": {"path": "/tmp/out"}}],
    "artifacts": [{"name": "data", "path": "/tmp/data"}, {"name": "more", "path": "/tmp/more", "optional": True}],
}


async def ran(stage: Stage, template: dict[str, Any], **more: Any) -> tuple[Run, Node]:
    """A run of one step, and the step, when it has succeeded."""
    run = await stage.end(stage.create(single(template), **more))
    assert run.state == "SUCCEEDED"
    (node,) = [row.node for row in stage.rows(run.id)]
    return run, node


# --- hits -------------------------------------------------------------------------------------------------------


@staged
async def test_an_equal_step_is_not_started_and_reads_as_if_it_had_run(stage: Stage) -> None:
    make = cached("make", outputs=MADE)
    stage.acts["make"] = [Act(files={"/tmp/out": "1\n", "/tmp/data": "stored"}, stdout="said\n")]
    first, origin = await ran(stage, make, name="first")
    stage.clock.advance(1000)
    second, node = await ran(stage, make)
    assert stage.starts() == ["make"]
    assert node.outputs is not None
    assert origin.outputs is not None
    assert (node.outputs.parameters, node.outputs.exit_code) == (origin.outputs.parameters, "0")
    assert [a.name for a in node.outputs.artifacts] == ["data"]
    assert node.started_at == node.finished_at == stage.clock.now()
    assert str(node.cached_from) == f"cached from run first step {first.workflow_name}"
    assert stage.notes(second.id) == [str(node.cached_from)]
    log = stage.runs.log(second.id, node.id)
    assert log.path is not None
    assert "said" in log.path.read_text()
    assert "cachedFrom" not in json.dumps(stage.runs.document(second.id))
    stage.runs.delete(first.id)
    await stage.until(lambda: stage.records.read(lambda store: store.intents()) == [])
    with stage.runs.open_artifact(stage.runs.artifact(second.id, node.id, "data")) as data:
        assert data.read() == b"stored"


@staged
async def test_an_entry_whose_artifact_is_gone_runs_again(stage: Stage) -> None:
    make = cached("make", outputs=MADE)
    stage.acts["make"] = [Act(files={"/tmp/out": "1", "/tmp/data": "stored"})]
    first, _ = await ran(stage, make)
    stage.runs.delete(first.id)
    await stage.until(lambda: stage.records.read(lambda store: store.intents()) == [])
    _, node = await ran(stage, make)
    assert (stage.starts(), node.cached_from) == (["make", "make"], None)
    _, third = await ran(stage, make)
    assert third.cached_from is not None


@staged
async def test_a_step_that_failed_is_run_again(stage: Stage) -> None:
    stage.acts["make"] = [Act(code=1), Act()]
    run = await stage.end(stage.create(single(cached("make"))))
    assert run.state == "FAILED"
    _, node = await ran(stage, cached("make"))
    assert (stage.starts(), node.cached_from) == (["make", "make"], None)


@staged
async def test_a_run_without_the_cache_runs_all_and_is_a_source(stage: Stage) -> None:
    off = RunOptions(cache=False)
    for _ in range(2):
        _, node = await ran(stage, cached("make"), options=off, name="forced")
        assert node.cached_from is None
    _, node = await ran(stage, cached("make"))
    assert node.cached_from is not None
    assert (stage.starts(), node.cached_from.run) == (["make", "make"], "forced")


@staged
async def test_what_a_person_runs_again_is_run(stage: Stage) -> None:
    first, _ = await ran(stage, cached("make"))
    stage.runs.retry(first.id, restart_successful=True, node_field_selector="templateName=make")
    await stage.end(first.id)
    await stage.end(stage.runs.rerun(first.id, first.workflow_name).id)
    assert stage.starts() == ["make", "make", "make"]


@staged
async def test_age_counts_on_the_wall_clock_and_never_backwards(stage: Stage) -> None:
    day = cached("make", annotations={"max_cache_staleness": "P1D"})
    await ran(stage, day)
    stage.clock.advance(86400)
    await ran(stage, day)
    assert len(stage.starts()) == 1
    stage.clock.advance(1)
    await ran(stage, day)
    assert len(stage.starts()) == 2
    stage.clock.set(stage.clock.now() - 10)
    await ran(stage, day)
    assert len(stage.starts()) == 3


def test_what_is_kept_is_as_old_as_the_wall_clock_says(tmp_path: Path) -> None:
    """The clock of what runs may be ahead of the wall clock, when that was set back."""
    objects, wall = LocalObjects(tmp_path / "objects", background=False), FakeClock()
    cache = Cache(tmp_path / "cache", objects, FakeLauncher(tmp_path / "steps"), wall)
    origin = Origin(run_id="r", run="r", node_id="n", step="n")
    cache.keep("0123", origin, "r", Exited(now=wall.now() + 3600, node_id="n", exit_code=0))
    wanted = Pod(node_id="m", name="m", display_name="m", template_name="m", image="i", caching=Caching())
    hit = asyncio.run(cache.hit("0123", wanted, "s"))
    assert hit is not None
    assert hit.cached_from == origin
    objects.close()


@staged
async def test_what_cannot_be_kept_is_said_and_the_step_succeeds(stage: Stage) -> None:
    (stage.folder / "cache").write_text("in the way")
    run, _ = await ran(stage, cached("make"))
    (note,) = stage.notes(run.id)
    assert note.startswith("not kept for equal steps: ")


@staged
async def test_of_two_equal_steps_at_once_one_runs_and_the_other_waits(stage: Stage) -> None:
    stage.acts["make"] = [Act(held=True)]
    first, second = stage.create(single(cached("make")), name="first"), stage.create(single(cached("make")))
    (step,) = await stage.started("make")
    await stage.until(lambda: any(row.node.message for id in (first, second) for row in stage.rows(id)))
    messages = {row.node.message for id in (first, second) for row in stage.rows(id)} - {""}
    assert [message.split(":")[0] for message in messages] == ["waiting for an equal step"]
    stage.launcher.finish(step)
    assert ((await stage.end(first)).state, (await stage.end(second)).state) == ("SUCCEEDED", "SUCCEEDED")
    assert stage.starts() == ["make"]


@staged
async def test_when_the_first_of_two_fails_the_second_runs(stage: Stage) -> None:
    stage.acts["make"] = [Act(held=True), Act()]
    first, second = stage.create(single(cached("make"))), stage.create(single(cached("make")))
    (step,) = await stage.started("make")
    await stage.until(lambda: any(row.node.message for id in (first, second) for row in stage.rows(id)))
    stage.launcher.finish(step, 1)
    states = {(await stage.end(id)).state for id in (first, second)}
    assert (states, stage.starts()) == ({"FAILED", "SUCCEEDED"}, ["make", "make"])


@staged
async def test_one_that_waits_can_be_stopped(stage: Stage) -> None:
    stage.acts["make"] = [Act(held=True)]
    runs = [stage.create(single(cached("make"))) for _ in range(2)]
    (step,) = await stage.started("make")
    await stage.until(lambda: any(row.node.message for id in runs for row in stage.rows(id)))
    (waits,) = (id for id in runs if id != step.run_id)
    stage.runs.stop(waits)
    await stage.until(lambda: stage.runs.get(waits).state.terminal)
    stage.launcher.finish(step)
    assert (await stage.end(step.run_id)).state == "SUCCEEDED"
    assert (await ran(stage, cached("make")))[1].cached_from is not None


@staged
async def test_a_host_that_takes_over_knows_what_runs(stage: Stage) -> None:
    stage.acts["make"] = [Act(held=True)]
    first = stage.create(single(cached("make")))
    (step,) = await stage.started("make")
    await stage.restart()
    second = stage.create(single(cached("make")))
    await stage.until(lambda: any(row.node.message for row in stage.rows(second)))
    stage.launcher.finish(step)
    assert ((await stage.end(first)).state, (await stage.end(second)).state) == ("SUCCEEDED", "SUCCEEDED")
    assert stage.starts() == ["make"]


# --- keys -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "equal"),
    [
        ({}, True),
        ({"name": "other"}, True),
        ({"container": {"image": "debian", "command": ["make"]}}, False),
        ({"container": {"image": "alpine", "command": ["make"], "args": ["x"]}}, False),
        ({"container": {"image": "alpine", "command": ["make"], "env": [{"name": "A", "value": "1"}]}}, False),
        ({"container": {"image": "alpine", "command": ["make"], "workingDir": "/x"}}, False),
        ({"inputs": {"artifacts": [{"name": "in", "path": "/in", "raw": {"data": "1"}}]}}, False),
        ({"outputs": {"artifacts": [{"name": "data", "path": "/data", "optional": True}]}}, False),
        ({"metadata": {"labels": {FRONT + "enable_caching": "false"}}}, False),
        ({"metadata": {}}, False),
    ],
)
def test_which_steps_are_equal(change: dict[str, Any], equal: bool, tmp_path: Any) -> None:
    @staged
    async def story(stage: Stage) -> None:
        await ran(stage, cached("make"))
        _, node = await ran(stage, {**cached("make"), **change})
        assert (node.cached_from is not None) is equal

    story(tmp_path)


@staged
async def test_a_key_of_ones_own_stands_for_all_of_it(stage: Stage) -> None:
    own = {"cache_key": "mine"}
    await ran(stage, cached("make", annotations=own))
    _, node = await ran(stage, cached("other", annotations=own))
    assert node.cached_from is not None
    _, node = await ran(stage, cached("other", annotations={"cache_key": "yours"}))
    assert node.cached_from is None


@staged
async def test_inputs_count_by_their_content(stage: Stage) -> None:
    def document(command: str) -> dict[str, Any]:
        use = cached("use", inputs={"artifacts": [{"name": "data", "path": "/in"}]})
        data = {"name": "data", "from": "{{tasks.make.outputs.artifacts.data}}"}
        tasks = [
            {"name": "make", "template": "make"},
            {"name": "use", "template": "use", "dependencies": ["make"], "arguments": {"artifacts": [data]}},
        ]
        make = pod("make", outputs={"artifacts": [{"name": "data", "path": "/tmp/data"}]})
        make["container"]["command"] = [command]
        return workflow({"name": "main", "dag": {"tasks": tasks}}, make, use)

    for command, text in (("a", "same"), ("b", "same"), ("c", "other")):
        stage.acts[command] = [Act(files={"/tmp/data": text})]
        assert (await stage.end(stage.create(document(command)))).state == "SUCCEEDED"
    assert stage.starts() == ["a", "use", "b", "c", "use"]


@pytest.mark.parametrize(
    ("label", "annotations", "command", "expected"),
    [
        ("true", {}, ["x"], Caching()),
        ("false", {"component_spec": "{}"}, FUNCTION, None),
        ("", {}, FUNCTION, None),
        ("", {"component_spec": "{}"}, ["x"], None),
        ("", {"component_spec": "{}"}, FUNCTION, Caching()),
        ("true", {"max_cache_staleness": "P0D"}, ["x"], None),
        ("true", {"max_cache_staleness": "PT1H30M"}, ["x"], Caching(max_age=5400.0)),
        ("true", {"max_cache_staleness": "P1W"}, ["x"], Caching(max_age=604800.0)),
        ("true", {"max_cache_staleness": "soon"}, ["x"], None),
        ("true", {"cache_key": "k"}, ["x"], Caching(key="k")),
    ],
)
def test_what_a_template_says(
    label: str, annotations: dict[str, str], command: list[str], expected: Caching | None
) -> None:
    import msgspec

    raw = {**cached("a", label, annotations), "container": {"image": "i", "command": command}}
    assert caching_of(msgspec.convert(raw, Template)) == expected
