"""Daemons on the engine's host: their places, their addresses, and restarts while they go on."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, pod, staged, workflow

from penstock.ports import StepId
from penstock.testing import Act
from penstock.workflow.pods import Readiness

HELD = Act(held=True)


def served() -> dict[str, Any]:
    """A daemon, and a step that is given its address."""
    use = {"name": "use", "template": "use", "arguments": {"parameters": [{"name": "ip", "value": "{{steps.d.ip}}"}]}}
    return workflow(
        {"name": "main", "steps": [[{"name": "d", "template": "serve"}], [use]]},
        pod("serve", daemon=True),
        {"name": "use", "inputs": {"parameters": [{"name": "ip"}]}, "container": {"image": "i", "command": ["use"]}},
    )


@staged
async def test_a_daemon_holds_no_place_and_is_ended_at_the_end(stage: Stage) -> None:
    await stage.leave()
    stage.max_steps = 1
    stage.acts = {"serve": [HELD]}
    await stage.restart()
    run = stage.create(served())
    ended = await stage.end(run)
    nodes = stage.nodes(run)
    assert ended.phase == "Succeeded"
    assert (nodes["d"].phase, nodes["d"].daemoned) == ("Succeeded", False)
    given = nodes["use"].inputs
    assert given is not None
    assert given.parameters[0].value == nodes["d"].pod_ip != ""
    assert [step.network for step in stage.launcher.launched] == [run, run]
    await stage.until(lambda: not stage.launcher.known(), "the daemon is gone")


@staged
async def test_a_daemon_that_goes_on_is_adopted(stage: Stage) -> None:
    stage.acts = {"serve": [HELD], "use": [HELD]}
    run = stage.create(served())
    await stage.until(lambda: sorted(stage.running()) == ["serve", "use"], "both run")
    await stage.until(lambda: stage.nodes(run)["use"].phase == "Running", "it is said")
    await stage.restart()
    await stage.quiet()
    assert stage.starts() == ["serve", "use"]
    assert stage.nodes(run)["d"].daemoned
    (use,) = (id for id in stage.launcher.running() if id.node_id == stage.nodes(run)["use"].id)
    stage.launcher.finish(use)
    assert (await stage.end(run)).phase == "Succeeded"
    assert stage.starts() == ["serve", "use"]


def probed(**probe: Any) -> dict[str, Any]:
    """The same with a daemon that is asked whether it is ready."""
    document = served()
    serve = next(each for each in document["spec"]["templates"] if each["name"] == "serve")
    serve["container"]["readinessProbe"] = {"tcpSocket": {"port": 80}, **probe}
    return document


@staged
async def test_what_follows_a_daemon_waits_until_it_is_ready(stage: Stage) -> None:
    stage.acts = {"serve": [HELD]}
    asked: list[Readiness] = []

    def answers(_: StepId, how: Readiness) -> bool:
        asked.append(how)
        return len(asked) == 4

    stage.launcher.answers = answers
    run = stage.create(probed(initialDelaySeconds=5, periodSeconds="1", timeoutSeconds=2))
    await stage.until(lambda: stage.clock.next_wake is not None, "it waits for the first time")
    assert asked == []
    assert stage.clock.next_wake == stage.clock.now() + 5
    await stage.advance(5)
    for count, pause in ((1, 0.1), (2, 0.2), (3, 0.4)):
        await stage.until(lambda count=count: len(asked) == count, "it was asked")  # type: ignore[misc]
        assert stage.nodes(run)["d"].phase == "Pending"
        await stage.until(lambda: stage.clock.next_wake is not None, "it waits for the next time")
        await stage.advance(pause)
    assert (await stage.end(run)).phase == "Succeeded"
    assert asked == [Readiness(port=80, delay=5, pause=1, patience=2)] * 4
    assert stage.starts() == ["serve", "use"]


@staged
async def test_a_daemon_that_ends_before_it_is_ready_has_failed(stage: Stage) -> None:
    stage.acts = {"serve": [HELD]}
    stage.launcher.answers = lambda *_: False
    run = stage.create(probed())
    await stage.until(lambda: bool(stage.launcher.running()), "it runs")
    stage.launcher.finish(stage.launcher.running()[0], 3)
    assert (await stage.end(run)).phase == "Failed"
    assert stage.starts() == ["serve"]


@pytest.mark.parametrize("port", ["web", 0, 70000, "{{workflow.name}}"])
@staged
async def test_a_probe_of_no_port_is_an_error(stage: Stage, port: object) -> None:
    run = stage.create(probed(tcpSocket={"port": port}))
    assert (await stage.end(run)).phase in ("Failed", "Error")
    assert "is neither a number from 1 to 65535 nor one of `ports`" in stage.nodes(run)["d"].message
    assert stage.starts() == []


@staged
async def test_a_daemon_that_fails_is_told_of_and_the_steps_go_on(stage: Stage) -> None:
    stage.acts = {"serve": [HELD], "use": [HELD]}
    run = stage.create(served())
    serve, use = await _running(stage)
    stage.launcher.finish(serve, 3)
    await stage.until(lambda: stage.nodes(run)["d"].phase == "Failed", "its end is stored")
    stage.launcher.finish(use)
    assert (await stage.end(run)).phase == "Succeeded"
    assert stage.nodes(run)["d"].message == "main: Error (exit code 3)"


async def _running(stage: Stage) -> list[Any]:
    await stage.until(lambda: sorted(stage.running()) == ["serve", "use"], "both run")
    return sorted(stage.launcher.running(), key=stage.launcher.running().index)
