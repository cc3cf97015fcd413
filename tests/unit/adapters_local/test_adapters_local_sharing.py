"""What runs of one home share: mutexes, caches, and who is next for a place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stage import Stage, pod, staged, workflow

from penstock.adapters.local.memos import Memos
from penstock.engine.protocol import Recall, Remember
from penstock.testing import Act
from penstock.workflow.status import Artifact, Node, NodeOutputs

HELD = Act(held=True)
MUTEX = {"synchronization": {"mutexes": [{"name": "m"}]}}
MEMO = {"memoize": {"key": "k", "cache": {"configMap": {"name": "c"}}}}


def alone(name: str, **more: Any) -> dict[str, Any]:
    """A run of one step."""
    return workflow(pod(name, **more), entrypoint=name)


async def begun(stage: Stage, run_id: str) -> Node:
    """The only node of a run that waits, and says for what."""
    await stage.until(lambda: any(node.message for node in stage.nodes(run_id).values()), "it waits")
    (node,) = stage.nodes(run_id).values()
    return node


@staged
async def test_a_mutex_holds_between_runs_and_over_a_restart(stage: Stage) -> None:
    stage.acts = {"one": [HELD], "two": [HELD]}
    first = stage.create(alone("one", **MUTEX))
    (holder,) = await stage.started("one")
    second = stage.create(alone("two", **MUTEX))
    node = await begun(stage, second)
    assert (node.phase, node.message) == ("Pending", "Waiting for default/Mutex/m lock")
    await stage.restart()
    await stage.quiet()
    assert stage.running() == ["one"]
    stage.launcher.finish(holder)
    (waiter,) = await stage.started("two")
    stage.launcher.finish(waiter)
    assert [(await stage.end(run)).state for run in (first, second)] == ["SUCCEEDED"] * 2


@staged
async def test_a_run_that_is_deleted_holds_nothing_any_more(stage: Stage) -> None:
    stage.acts = {"one": [HELD]}
    first = stage.create(workflow(pod("one"), entrypoint="one", **MUTEX))
    await stage.started("one")
    second = stage.create(workflow(pod("two"), entrypoint="two", **MUTEX))
    await stage.until(lambda: stage.runs.get(second).phase == "Pending", "the second run waits")
    assert stage.runs.get(second).state == "PENDING"
    stage.runs.delete(first)
    assert (await stage.end(second)).state == "SUCCEEDED"


@staged
async def test_a_memoized_step_runs_once_in_a_home_until_what_it_made_is_gone(stage: Stage) -> None:
    outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/p"}}], "artifacts": [{"name": "a", "path": "/a"}]}
    document = alone("one", outputs=outputs, **MEMO)
    stage.acts = {"one": [Act(files={"/p": "made", "/a": "content"})]}
    first = stage.create(document)
    await stage.end(first)
    await stage.restart()
    second = stage.create(document)
    await stage.end(second)
    assert stage.starts() == ["one"]
    (node,) = stage.nodes(second).values()
    assert node.memoization_status is not None
    assert node.memoization_status.hit
    assert node.outputs is not None
    assert [p.value for p in node.outputs.parameters] == ["made"]
    stage.runs.delete(first)
    key = node.outputs.artifacts[0].key
    await stage.until(lambda: stage.objects.stat(key) is None, "the artifact is gone")
    await stage.end(stage.create(document))
    assert stage.starts() == ["one", "one"]


@staged
async def test_the_run_of_a_higher_priority_gets_the_next_place(stage: Stage) -> None:
    stage.max_steps = 1
    await stage.restart()
    stage.acts = {name: [HELD] for name in ("one", "two", "three")}
    runs = [stage.create(alone("one"))]
    (holder,) = await stage.started("one")
    for name, priority in (("two", 0), ("three", 5)):
        runs.append(stage.create(workflow(pod(name), entrypoint=name, priority=priority)))
        await begun(stage, runs[-1])
    stage.launcher.finish(holder)
    for name in ("three", "two"):
        (holder,) = await stage.started(name)
        stage.launcher.finish(holder)
    assert [(await stage.end(run)).state for run in runs] == ["SUCCEEDED"] * 3


def test_an_entry_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    memos = Memos(tmp_path / "memos", Stage(tmp_path).objects)
    asked = Recall(node_id="n", cache="c", key="k")
    outputs = NodeOutputs(artifacts=(Artifact(name="a", raw="given"),))
    assert memos.recall(asked, 5.0).made_at is None
    memos.remember(Remember(node_id="n", cache="c", key="k", outputs=outputs, made_at=3.0))
    assert (memos.recall(asked, 5.0).outputs, memos.recall(asked, 5.0).made_at) == (outputs, 3.0)
    (file,) = (tmp_path / "memos").iterdir()
    file.write_text("{")
    assert memos.recall(asked, 5.0).made_at is None


@staged
async def test_what_is_stored_under_a_key_is_read_by_other_runs_and_replaced(stage: Stage) -> None:
    output = {"artifacts": [{"name": "o", "path": "/o", "s3": {"key": "k/o"}}]}
    stage.acts = {"one": [Act(files={"/o": "first"}), Act(files={"/o": "second"}), Act()]}
    for content in (b"first", b"second"):
        assert (await stage.end(stage.create(alone("one", outputs=output)))).state == "SUCCEEDED"
        stored = stage.objects.reach("keyed/k/o")
        assert stored is not None
        assert stored.read_bytes() == content
    assert (await stage.end(stage.create(alone("one", outputs=output)))).state == "FAILED", "it made nothing"
    for key, path in (("k/o", "file"), ("k", "folder")):
        taken = {"artifacts": [{"name": "i", "path": f"/{path}", "s3": {"key": key}}]}
        await stage.end(stage.create(alone("two", inputs=taken)))
        (item,) = stage.launcher.launched[-1].inputs
        assert item.source == str(stage.objects.reach(f"keyed/{key}"))
