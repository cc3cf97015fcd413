"""The engine's host: what it starts, stores, waits for and takes over. On fakes, with a clock that tests move."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, chain, pod, staged, workflow

from penstock import engine
from penstock.engine.protocol import Shutdown
from penstock.errors import NoSpace, NotFound
from penstock.ports import Step, StepId, StepState, Turn
from penstock.services import Report, Runs
from penstock.testing import Act
from penstock.workflow.status import Phase

HELD = Act(held=True)


async def interrupted(stage: Stage, **more: Any) -> str:
    """A run of one step that the machine interrupts once, on a host that does not start it again by itself."""
    await stage.leave()
    stage.host = stage.new_host(restart=False)
    stage.runs = Runs(stage.records, stage.objects, stage.host, stage.launcher, stage.clock)
    stage.serve()
    stage.acts["main"] = [HELD, Act()]
    id = stage.create(single(**more))
    (step,) = await stage.started("main")
    stage.launcher.interrupt(step)
    await stage.end(id)
    return id


@staged
async def test_where_interrupted_is_an_error_nothing_is_started_again(stage: Stage) -> None:
    id = await interrupted(stage)
    run = stage.runs.get(id)
    assert (run.phase, run.message) == ("Error", "interrupted by the machine; not started again")
    assert stage.starts() == ["main"]


@staged
async def test_but_a_retry_strategy_that_covers_errors_does(stage: Stage) -> None:
    id = await interrupted(stage, retryStrategy={"limit": 1, "retryPolicy": "OnError"})
    assert (stage.runs.get(id).state, stage.starts()) == ("SUCCEEDED", ["main", "main"])


def output(path: str = "/tmp/out", **more: Any) -> dict[str, Any]:
    return {"parameters": [{"name": "out", "valueFrom": {"path": path, **more}}]}


def single(**more: Any) -> dict[str, Any]:
    """A document of one step."""
    return workflow(pod("main", **more))


# --- the ordinary -----------------------------------------------------------------------------------------------


@staged
async def test_a_run_from_intent_to_end(stage: Stage) -> None:
    stage.acts["b"] = [Act(stdout="hello\n")]
    id = stage.create(chain("a", "b"))
    run = await stage.end(id)
    assert (run.state, run.phase, run.progress.succeeded) == ("SUCCEEDED", "Succeeded", 2)
    assert stage.starts() == ["a", "b"]
    assert stage.records.read(lambda store: store.intents()) == []
    node = stage.nodes(id)["b"]
    source = stage.runs.log(id, node.id)
    assert source.path is not None
    assert "stdout F hello" in source.path.read_text()
    assert stage.launcher.known() == []


@staged
async def test_a_transaction_has_something_to_store(stage: Stage) -> None:
    turns, commit = list[Turn](), Report.commit

    def counted(self: Report, turn: Turn) -> Any:
        turns.append(turn)
        return commit(self, turn)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Report, "commit", counted)
        id = stage.create(chain("a", "b", "c"))
        assert (await stage.end(id)).state == "SUCCEEDED"
    assert all(turn.nodes or turn.notes or turn.done for turn in turns)
    # The beginning, and for each step its end; that it runs is worth a turn of its own where it takes a while.
    assert len(turns) <= 1 + 2 * 3


@staged
async def test_what_was_never_started_is_not_looked_for(stage: Stage) -> None:
    asked, state = list[StepId](), stage.launcher.state

    def counted(step: StepId) -> StepState:
        asked.append(step)
        return state(step)

    stage.launcher.state = counted  # type: ignore[method-assign]
    id = stage.create(chain("a", "b"))
    await stage.until(lambda: stage.runs.get(id).state.terminal, "its end")
    assert not asked


@staged
async def test_steps_run_side_by_side(stage: Stage) -> None:
    stage.acts = {"b": [HELD], "c": [HELD]}
    tasks = [
        {"name": "a", "template": "a"},
        {"name": "b", "template": "b", "dependencies": ["a"]},
        {"name": "c", "template": "c", "dependencies": ["a"]},
    ]
    id = stage.create(workflow({"name": "main", "dag": {"tasks": tasks}}, pod("a"), pod("b"), pod("c")))
    for step in await stage.started("b", "c"):
        stage.launcher.finish(step)
    assert (await stage.end(id)).state == "SUCCEEDED"


@staged
async def test_outputs_go_from_step_to_step(stage: Stage) -> None:
    stage.acts["make"] = [Act(files={"/tmp/out": "first\n", "/tmp/data": "stored"})]
    make = pod("make", outputs={**output(), "artifacts": [{"name": "data", "path": "/tmp/data"}]})
    use = pod("use", inputs={"parameters": [{"name": "x"}], "artifacts": [{"name": "data", "path": "/tmp/in"}]})
    use["container"]["args"] = ["{{inputs.parameters.x}}"]
    arguments = {
        "parameters": [{"name": "x", "value": "{{tasks.make.outputs.parameters.out}}"}],
        "artifacts": [{"name": "data", "from": "{{tasks.make.outputs.artifacts.data}}"}],
    }
    tasks = [
        {"name": "make", "template": "make"},
        {"name": "use", "template": "use", "dependencies": ["make"], "arguments": arguments},
    ]
    id = stage.create(workflow({"name": "main", "dag": {"tasks": tasks}}, make, use))
    assert (await stage.end(id)).state == "SUCCEEDED"
    step = stage.launcher.launched[1]
    assert step.args == ("first",)
    assert step.inputs[0].path == "/tmp/in"
    assert Path(step.inputs[0].source).read_text() == "stored"


# --- how steps end ----------------------------------------------------------------------------------------------


@staged
async def test_a_failed_step_fails_the_run(stage: Stage) -> None:
    stage.acts["a"] = [Act(code=3)]
    id = stage.create(chain("a", "b"))
    run = await stage.end(id)
    assert run.state == "FAILED"
    assert stage.starts() == ["a"]
    node = stage.nodes(id)["a"]
    assert node.phase is Phase.FAILED
    assert "exit code 3" in node.message


@staged
async def test_a_missing_output_is_an_error_that_names_it_and_its_neighbours(stage: Stage) -> None:
    stage.acts["main"] = [Act(files={"/tmp/outs": "", "/tmp/other": ""})]
    id = stage.create(single(outputs=output()))
    assert (await stage.end(id)).state == "FAILED"
    node = next(iter(stage.nodes(id).values()))
    assert node.phase is Phase.ERROR
    assert "'out' at /tmp/out; directory holds 'other', 'outs'." in node.message
    assert "exited 0 but did not write" in node.message


@pytest.mark.parametrize("code", [0, 1])
@staged
async def test_an_output_that_is_missing_hides_no_other(stage: Stage, code: int) -> None:
    stage.acts["main"] = [Act(code=code, files={"/tmp/first": "1", "/tmp/third": "3", "/tmp/made": "made"})]
    parameters = [{"name": name, "valueFrom": {"path": f"/tmp/{name}"}} for name in ("first", "second", "third")]
    artifacts = [{"name": name, "path": f"/tmp/{name}"} for name in ("absent", "made")]
    id = stage.create(single(outputs={"parameters": parameters, "artifacts": artifacts}))
    assert (await stage.end(id)).state == "FAILED"
    node = next(iter(stage.nodes(id).values()))
    assert node.outputs is not None
    assert [artifact.name for artifact in node.outputs.artifacts] == ["made"]
    assert next(each.value for each in node.outputs.parameters if each.name == "first") == "1"
    missing = [name for name in ("second", "third", "absent", "made") if f"output {name!r}" in node.message]
    assert missing == ([] if code else ["second", "absent"])


@staged
async def test_a_missing_artifact_is_an_error_unless_it_is_optional(stage: Stage) -> None:
    artifacts = [{"name": "model", "path": "/tmp/model/x"}]
    id = stage.create(single(outputs={"artifacts": artifacts}))
    await stage.end(id)
    node = next(iter(stage.nodes(id).values()))
    assert node.phase is Phase.ERROR
    assert "'model' at /tmp/model/x; directory holds nothing." in node.message
    again = stage.create(single(outputs={"artifacts": [{**artifacts[0], "optional": True}]}))
    assert (await stage.end(again)).state == "SUCCEEDED"


@staged
async def test_a_failed_step_is_not_blamed_for_its_missing_output(stage: Stage) -> None:
    stage.acts["main"] = [Act(code=2)]
    id = stage.create(single(outputs=output()))
    await stage.end(id)
    node = next(iter(stage.nodes(id).values()))
    assert node.phase is Phase.FAILED
    assert "exit code 2" in node.message


@staged
async def test_a_default_stands_for_a_missing_output(stage: Stage) -> None:
    id = stage.create(single(outputs=output(default="none")))
    assert (await stage.end(id)).state == "SUCCEEDED"
    outputs = next(iter(stage.nodes(id).values())).outputs
    assert outputs is not None
    assert [(p.name, p.value) for p in outputs.parameters] == [("out", "none")]


@staged
async def test_a_parameter_that_is_too_large_is_an_error(stage: Stage) -> None:
    stage.acts["main"] = [Act(files={"/tmp/out": "x" * (5 * 1024 * 1024 + 1)})]
    id = stage.create(single(outputs=output()))
    await stage.end(id)
    assert "over 5,242,880 bytes; pass it as an artifact" in next(iter(stage.nodes(id).values())).message


@staged
async def test_an_unknown_exit_is_an_error_never_a_success(stage: Stage) -> None:
    stage.acts["main"] = [HELD]
    id = stage.create(single())
    (step,) = await stage.started("main")
    stage.launcher.finish(step, None, "the supervisor failed")
    assert (await stage.end(id)).state == "FAILED"
    node = next(iter(stage.nodes(id).values()))
    assert (node.phase, node.message) == (Phase.ERROR, "the supervisor failed")


@staged
async def test_an_image_that_is_no_longer_mapped_is_an_error(stage: Stage) -> None:
    stage.acts["a"] = [HELD]
    id = stage.create(chain("a", "b"))
    (step,) = await stage.started("a")
    stage.launcher._known_images = []
    stage.launcher.finish(step)
    await stage.end(id)
    node = stage.nodes(id)["b"]
    assert node.phase is Phase.ERROR
    assert "no rule" in node.message


@staged
async def test_standard_output_is_a_scripts_result(stage: Stage) -> None:
    stage.acts["sh"] = [Act(stdout="one\ntwo\n", stderr="noise\n")]
    script = {"name": "say", "script": {"image": "alpine", "command": ["sh"], "source": "echo hello"}}
    hear = pod("hear", inputs={"parameters": [{"name": "x"}]})
    hear["container"]["args"] = ["{{inputs.parameters.x}}"]
    arguments = {"parameters": [{"name": "x", "value": "{{steps.say.outputs.result}}"}]}
    steps = [[{"name": "say", "template": "say"}], [{"name": "hear", "template": "hear", "arguments": arguments}]]
    id = stage.create(workflow({"name": "main", "steps": steps}, script, hear))
    assert (await stage.end(id)).state == "SUCCEEDED"
    step, heard = stage.launcher.launched
    assert heard.args == ("one\ntwo",)
    assert step.command == ("sh", "/argo/staging/script")
    assert (step.inputs[0].content, step.inputs[0].mode) == (b"echo hello", 0o755)


# --- retries and deadlines --------------------------------------------------------------------------------------


@staged
async def test_retries_wait_their_backoff(stage: Stage) -> None:
    stage.acts["main"] = [Act(code=1), Act(code=1), Act()]
    backoff = {"duration": "10", "factor": 2}
    id = stage.create(single(retryStrategy={"limit": 3, "retryPolicy": "Always", "backoff": backoff}))
    await stage.until(lambda: len(stage.starts()) == 1 and stage.clock.next_wake, "the first wait")
    await stage.advance(9)
    assert len(stage.starts()) == 1
    await stage.advance(1)
    await stage.until(lambda: len(stage.starts()) == 2 and stage.clock.next_wake, "the second wait")
    await stage.advance(19)
    assert len(stage.starts()) == 2
    await stage.advance(1)
    assert (await stage.end(id)).state == "SUCCEEDED"
    assert len(stage.starts()) == 3


@staged
async def test_a_step_over_its_deadline_is_ended(stage: Stage) -> None:
    stage.acts["main"] = [HELD]
    id = stage.create(single(activeDeadlineSeconds=60))
    (step,) = await stage.started("main")
    await stage.until(lambda: stage.clock.next_wake, "the alarm")
    await stage.advance(59)
    assert stage.launcher.state(step) is StepState.RUNNING
    await stage.advance(1)
    assert (await stage.end(id)).state == "FAILED"
    assert stage.launcher.stops == [(step, 30.0)]
    assert "longer than the specified deadline" in next(iter(stage.nodes(id).values())).message


@staged
async def test_a_deaf_step_over_its_deadline_is_killed_after_the_grace(stage: Stage) -> None:
    stage.acts["main"] = [Act(held=True, deaf=True)]
    id = stage.create(single(activeDeadlineSeconds=60))
    (step,) = await stage.started("main")
    await stage.until(lambda: stage.clock.next_wake, "the alarm")
    await stage.advance(60)
    await stage.until(lambda: stage.launcher.stops, "TERM")
    await stage.advance(29)
    assert stage.launcher.state(step) is StepState.RUNNING
    await stage.advance(1)
    assert (await stage.end(id)).state == "FAILED"


@staged
async def test_a_run_over_its_deadline_ends(stage: Stage) -> None:
    stage.acts["a"] = [HELD]
    document = chain("a", "b")
    document["spec"]["activeDeadlineSeconds"] = 100
    id = stage.create(document)
    await stage.started("a")
    await stage.advance(100)
    assert (await stage.end(id)).state == "FAILED"
    assert stage.starts() == ["a"]


@staged
async def test_a_deadline_passes_while_no_server_runs(stage: Stage) -> None:
    stage.acts["main"] = [HELD]
    id = stage.create(single(activeDeadlineSeconds=60))
    (step,) = await stage.started("main")
    await stage.leave()
    await stage.advance(3600)
    assert stage.launcher.state(step) is StepState.RUNNING
    await stage.restart()
    assert (await stage.end(id)).state == "FAILED"
    assert stage.launcher.stops[0][0] == step


# --- places -----------------------------------------------------------------------------------------------------


def fan(count: int) -> dict[str, Any]:
    """A document of `count` steps side by side."""
    names = [f"s{i}" for i in range(count)]
    tasks = [{"name": name, "template": name} for name in names]
    return workflow({"name": "main", "dag": {"tasks": tasks}}, *(pod(name) for name in names))


@staged
async def test_at_most_max_steps_run_and_the_rest_say_that_they_wait(stage: Stage) -> None:
    stage.max_steps = 2
    await stage.restart()
    for i in range(5):
        stage.acts[f"s{i}"] = [HELD]
    id = stage.create(fan(5))
    first = await stage.started("s0", "s1")
    for name in ("s2", "s3", "s4"):
        await stage.until(lambda name=name: stage.nodes(id)[name].message, f"{name} says why it waits")
        node = stage.nodes(id)[name]
        assert node.phase is Phase.PENDING
        assert node.message == "waiting: all 2 places for steps are taken"
    assert stage.runs.get(id).progress.pending == 3
    stage.launcher.finish(first[0])
    await stage.started("s1", "s2")
    await stage.until(lambda: stage.nodes(id)["s2"].phase is Phase.RUNNING, "s2 is Running")
    assert stage.nodes(id)["s2"].message == ""
    while not stage.runs.get(id).state.terminal:
        for step in stage.launcher.running():
            stage.launcher.finish(step)
        await stage.quiet()
    assert (await stage.end(id)).state == "SUCCEEDED"
    assert stage.starts() == ["s0", "s1", "s2", "s3", "s4"]


@staged
async def test_runs_share_the_places(stage: Stage) -> None:
    stage.max_steps = 1
    await stage.restart()
    stage.acts = {"a": [HELD], "main": [HELD]}
    first = stage.create(chain("a"))
    (step,) = await stage.started("a")
    second = stage.create(single())
    await stage.until(lambda: any("waiting" in node.message for node in stage.nodes(second).values()), "it waits")
    stage.launcher.finish(step)
    (step,) = await stage.started("main")
    stage.launcher.finish(step)
    assert [(await stage.end(id)).state for id in (first, second)] == ["SUCCEEDED"] * 2


@staged
async def test_a_step_that_waits_for_its_place_can_be_stopped(stage: Stage) -> None:
    stage.max_steps = 1
    await stage.restart()
    stage.acts = {"s0": [HELD], "s1": [HELD]}
    id = stage.create(fan(2))
    await stage.started("s0")
    stage.runs.stop(id)
    assert (await stage.end(id)).state == "CANCELED"
    assert stage.starts() == ["s0"]


@staged
async def test_steps_that_run_already_keep_their_places_though_there_are_fewer(stage: Stage) -> None:
    stage.acts = {f"s{i}": [HELD] for i in range(3)} | {"main": [HELD]}
    id = stage.create(fan(3))
    steps = await stage.started("s0", "s1", "s2")
    stage.max_steps = 2
    await stage.restart()
    later = stage.create(single())
    await stage.until(lambda: any("waiting" in node.message for node in stage.nodes(later).values()), "it waits")
    stage.launcher.finish(steps[0])
    await stage.until(lambda: stage.nodes(id)["s0"].phase is Phase.SUCCEEDED, "s0 is told")
    assert "main" not in stage.running()
    stage.launcher.finish(steps[1])
    await stage.started("s2", "main")
    for step in stage.launcher.running():
        stage.launcher.finish(step)
    assert [(await stage.end(each)).state for each in (id, later)] == ["SUCCEEDED"] * 2


# --- a person's word -------------------------------------------------------------------------------------------


def approved() -> dict[str, Any]:
    """A document that waits for a person's word and hands it to a step."""
    approve = {
        "name": "approve",
        "suspend": {},
        "outputs": {"parameters": [{"name": "word", "valueFrom": {"supplied": {}}}]},
    }
    use = pod("use", inputs={"parameters": [{"name": "x"}]})
    use["container"]["args"] = ["{{inputs.parameters.x}}"]
    word = {"parameters": [{"name": "x", "value": "{{tasks.approve.outputs.parameters.word}}"}]}
    tasks = [
        {"name": "approve", "template": "approve"},
        {"name": "use", "template": "use", "depends": "approve", "arguments": word},
    ]
    return workflow({"name": "main", "dag": {"tasks": tasks}}, approve, use)


@staged
async def test_a_run_waits_for_a_person_over_a_restart(stage: Stage) -> None:
    id = stage.create(approved())
    await stage.until(lambda: "approve" in stage.nodes(id), "the node that waits")
    await stage.restart()
    assert stage.nodes(id)["approve"].message == "waits to be resumed"
    stage.runs.resume(id, "approve", {"word": "go"})
    assert (await stage.end(id)).state == "SUCCEEDED"
    assert stage.launcher.launched[-1].args == ("go",)
    assert stage.records.read(lambda store: store.intents()) == []


@staged
async def test_a_word_that_was_given_while_nobody_served_is_heard(stage: Stage) -> None:
    id = stage.create(approved())
    await stage.until(lambda: "approve" in stage.nodes(id), "the node that waits")
    await stage.leave()
    stage.runs.resume(id, parameters={"word": "later"})
    await stage.restart()
    assert (await stage.end(id)).state == "SUCCEEDED"
    assert stage.launcher.launched[-1].args == ("later",)


@staged
async def test_a_run_that_waits_for_a_person_can_be_stopped(stage: Stage) -> None:
    id = stage.create(approved())
    await stage.until(lambda: "approve" in stage.nodes(id), "the node that waits")
    stage.runs.stop(id)
    assert (await stage.end(id)).state == "CANCELED"
    assert stage.starts() == []


# --- stop and delete --------------------------------------------------------------------------------------------


def with_handler() -> dict[str, Any]:
    return workflow(pod("main"), pod("bye"), onExit="bye")


@staged
async def test_after_a_stop_the_exit_handler_runs(stage: Stage) -> None:
    stage.acts["main"] = [HELD]
    id = stage.create(with_handler())
    await stage.started("main")
    stage.runs.stop(id)
    run = await stage.end(id)
    assert run.state == "CANCELED"
    assert stage.starts() == ["main", "bye"]


@staged
async def test_after_a_terminate_it_does_not(stage: Stage) -> None:
    stage.acts["main"] = [HELD]
    id = stage.create(with_handler())
    await stage.started("main")
    stage.runs.stop(id, Shutdown.TERMINATE)
    await stage.end(id)
    assert stage.starts() == ["main"]


@staged
async def test_a_run_may_be_stopped_before_a_host_has_seen_it(stage: Stage) -> None:
    await stage.leave()
    id = stage.create(chain("a"))
    stage.runs.stop(id)
    await stage.restart()
    assert (await stage.end(id)).state == "CANCELED"


@staged
async def test_a_stop_while_no_server_runs_is_done_by_the_next(stage: Stage) -> None:
    stage.acts["main"] = [HELD]
    id = stage.create(single())
    (step,) = await stage.started("main")
    await stage.leave()
    stage.runs.stop(id)
    await stage.restart()
    assert (await stage.end(id)).state == "CANCELED"
    assert stage.launcher.stops[0][0] == step


@staged
async def test_a_deleted_run_leaves_nothing(stage: Stage) -> None:
    stage.acts["a"] = [HELD]
    id = stage.create(chain("a", "b"))
    await stage.started("a")
    stage.runs.delete(id)
    await stage.until(lambda: not stage.records.read(lambda store: store.intents()), "the intent is done")
    with pytest.raises(NotFound):
        stage.runs.get(id)
    assert stage.launcher.known() == []
    assert stage.starts() == ["a"]


# --- taking over ------------------------------------------------------------------------------------------------


@staged
async def test_a_running_step_is_adopted_and_a_finished_one_not_repeated(stage: Stage) -> None:
    stage.acts["b"] = [HELD]
    id = stage.create(chain("a", "b", "c"))
    (step,) = await stage.started("b")
    await stage.restart()
    await stage.quiet()
    stage.launcher.finish(step)
    assert (await stage.end(id)).state == "SUCCEEDED"
    assert stage.starts() == ["a", "b", "c"]


@staged
async def test_a_step_that_ended_while_no_server_ran_is_brought_home(stage: Stage) -> None:
    stage.acts["a"] = [Act(held=True, files={"/tmp/out": "made"})]
    id = stage.create(workflow(pod("a", outputs=output()), entrypoint="a"))
    (step,) = await stage.started("a")
    await stage.leave()
    stage.launcher.finish(step)
    await stage.restart()
    assert (await stage.end(id)).state == "SUCCEEDED"
    outputs = next(iter(stage.nodes(id).values())).outputs
    assert outputs is not None
    assert outputs.parameters[0].value == "made"
    assert stage.starts() == ["a"]


@staged
async def test_a_run_that_was_acknowledged_only_is_begun_by_the_next_server(stage: Stage) -> None:
    await stage.leave()
    id = stage.create(chain("a"))
    await stage.restart()
    assert (await stage.end(id)).state == "SUCCEEDED"


@staged
async def test_what_nobody_needs_is_removed_at_the_start(stage: Stage) -> None:
    await stage.leave()
    stage.acts["old"] = [HELD]
    for run_id in ("gone", "another"):
        await stage.launcher.launch(Step(id=StepId(run_id=run_id, node_id="n"), name="s", image="i", command=("old",)))
    await stage.restart()
    await stage.until(lambda: not stage.launcher.known(), "removed")


@staged
async def test_an_interrupted_step_is_started_again(stage: Stage) -> None:
    stage.acts["main"] = [HELD, Act(files={"/tmp/out": "x"})]
    id = stage.create(single(outputs=output()))
    (step,) = await stage.started("main")
    stage.launcher.interrupt(step)
    assert (await stage.end(id)).state == "SUCCEEDED"
    assert [s.id.incarnation for s in stage.launcher.launched] == [1, 2]
    (row,) = stage.rows(id)
    assert row.incarnation == 2
    assert any("interrupted by the machine; started again (start 2)" in note for note in stage.notes(id))


@staged
async def test_a_step_interrupted_while_no_server_ran_is_started_again(stage: Stage) -> None:
    stage.acts["main"] = [HELD, Act()]
    id = stage.create(single())
    (step,) = await stage.started("main")
    await stage.leave()
    stage.launcher.interrupt(step)
    await stage.restart()
    assert (await stage.end(id)).state == "SUCCEEDED"
    assert len(stage.starts()) == 2


@staged
async def test_a_step_interrupted_too_often_is_an_error(stage: Stage) -> None:
    stage.acts["main"] = [HELD]
    id = stage.create(single())
    for start in (1, 2, 3, 4):
        await stage.until(lambda start=start: len(stage.starts()) == start, f"start {start}")
        (step,) = await stage.started("main")
        stage.launcher.interrupt(step)
        if start == 2:
            await stage.restart()
    assert (await stage.end(id)).state == "FAILED"
    node = next(iter(stage.nodes(id).values()))
    assert node.phase is Phase.ERROR
    assert node.message == "interrupted by the machine 4 times; not started again"
    assert len(stage.starts()) == 4


@staged
async def test_a_stopped_step_that_was_interrupted_is_not_started_again(stage: Stage) -> None:
    stage.acts["main"] = [Act(held=True, deaf=True)]
    id = stage.create(single())
    (step,) = await stage.started("main")
    stage.runs.stop(id)
    await stage.until(lambda: stage.launcher.stops, "TERM")
    stage.launcher.interrupt(step)
    assert (await stage.end(id)).state == "CANCELED"
    assert len(stage.starts()) == 1


# --- what the machine refuses -----------------------------------------------------------------------------------


class Refusing:
    """Raises for the first calls, then lets them through."""

    def __init__(self, call: Any, times: int, error: Exception) -> None:
        self.call, self.left, self.error = call, times, error

    def __call__(self, *arguments: Any) -> Any:
        if self.left:
            self.left -= 1
            raise self.error
        return self.call(*arguments)


@staged
async def test_a_full_disk_at_a_launch_is_waited_for_and_said_once(stage: Stage) -> None:
    stage.launcher.launch = Refusing(stage.launcher.launch, 3, NoSpace("/home: no space left"))  # type: ignore[method-assign]
    id = stage.create(single())
    assert (await stage.patient_end(id)).state == "SUCCEEDED"
    assert [n for n in stage.notes(id) if "no space" in n] == ["/home: no space left; trying again every 1 s"]


@staged
async def test_a_full_disk_at_the_end_of_a_step_loses_nothing(stage: Stage) -> None:
    stage.acts["main"] = [Act(files={"/tmp/model": "weights"})]
    stage.objects.put = Refusing(stage.objects.put, 2, NoSpace("objects: no space left"))  # type: ignore[method-assign]
    id = stage.create(single(outputs={"artifacts": [{"name": "model", "path": "/tmp/model"}]}))
    assert (await stage.patient_end(id)).state == "SUCCEEDED"
    assert stage.starts() == ["main"]


@staged
async def test_a_full_disk_under_the_store_holds_the_run(stage: Stage) -> None:
    await stage.leave()
    id = stage.create(chain("a", "b"))
    write = stage.records.write
    stage.records.write = Refusing(write, 4, NoSpace("database: no space left"))  # type: ignore[method-assign]
    await stage.restart()
    assert (await stage.patient_end(id)).state == "SUCCEEDED"
    assert stage.starts() == ["a", "b"]


@staged
async def test_a_run_whose_engine_fails_ends_in_error_and_the_others_go_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stage.acts = {"a": [HELD], "main": [HELD]}
    bad, good = stage.create(chain("a", "b")), stage.create(single())
    first, second = await stage.started("a", "main")
    step = engine.step

    def broken(run: Any, event: Any) -> Any:
        if run.uid == bad:
            raise RuntimeError("a bug")
        return step(run, event)

    monkeypatch.setattr(engine, "step", broken)
    stage.launcher.finish(first)
    run = await stage.end(bad)
    assert (run.state, run.message) == ("FAILED", "the engine failed on this run; the server's log has the reason")
    assert "a bug" in caplog.text
    stage.launcher.finish(second)
    assert (await stage.end(good)).state == "SUCCEEDED"


@staged
async def test_a_stored_document_that_this_version_refuses_ends_in_error(stage: Stage) -> None:
    stage.acts["a"] = [HELD]
    id = stage.create(chain("a"))
    await stage.started("a")
    await stage.leave()
    stage.records._tables.run_documents[id] = "{}"
    await stage.restart()
    run = await stage.end(id)
    assert run.state == "FAILED"
    assert run.phase == "Error"
    await stage.until(lambda: not stage.launcher.known(), "its step is gone")


@staged
async def test_what_another_process_wrote_is_noticed(stage: Stage) -> None:
    """`Runs` of another process cannot wake this host; it looks at the store's version."""

    class Deaf:
        def wake(self) -> None:
            pass

    await stage.quiet()
    other = Runs(stage.records, stage.objects, Deaf(), stage.launcher, stage.clock)
    id = other.create(json.dumps(chain("a"))).id
    assert (await stage.end(id)).state == "SUCCEEDED"


@staged
async def test_a_launch_that_is_slow_can_be_stopped(stage: Stage) -> None:
    launched, go = stage.launcher.launch, asyncio.Event()

    async def slow(step: Step) -> None:
        await go.wait()
        await launched(step)

    stage.launcher.launch = slow  # type: ignore[method-assign]
    stage.acts["main"] = [HELD]
    id = stage.create(single())
    await stage.until(lambda: stage.rows(id), "the node is there")
    await stage.quiet()
    stage.runs.stop(id)
    await stage.until(lambda: stage.runs.get(id).shutdown, "asked")
    await stage.quiet()
    go.set()
    assert (await stage.end(id)).state == "CANCELED"
