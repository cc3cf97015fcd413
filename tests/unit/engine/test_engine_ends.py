"""Exit handlers of the run, stop, terminate."""

from __future__ import annotations

import json

import pytest
from engine_documents import FAILS, START, by_name, document, ended, node, phases, script, told

from penstock.engine import new_run, step
from penstock.engine.protocol import Begin, Exited, Kill, Launch, Shutdown, Stop, Tick
from penstock.testing.simulation import Outcome, Simulation

LONG = Outcome(seconds=1000, killed_code=143)
HANDLER = """
  - name: handler
    inputs: {parameters: [{name: status}, {name: failures}, {name: duration}]}
    container: {image: busybox}"""
HOOK = """\
  hooks:
    exit:
      template: handler
      arguments:
        parameters:
        - {name: status, value: "{{workflow.status}}"}
        - {name: failures, value: '{{workflow.failures}}'}
        - {name: duration, value: "{{workflow.duration}}"}
"""


def steps(*groups: str) -> str:
    return "  - name: main\n    steps:" + "".join(f"\n    - [{group}]" for group in groups) + HANDLER


def test_the_handler_sees_how_the_run_ended() -> None:
    run = ended(steps("{name: a, template: fail}"), {"a": Outcome(exit_code=2, seconds=7)}, spec=HOOK)
    inputs = node(run, "onExit").inputs
    assert inputs is not None
    values = {p.name: p.value for p in inputs.parameters}
    assert values["status"] == "Failed"
    assert values["duration"] == "7.000000"
    failures = json.loads(json.loads(values["failures"] or ""))
    assert [(f["displayName"], f["phase"], f["templateName"]) for f in failures] == [
        ("w", "Failed", "main"),
        ("[0]", "Failed", ""),
        ("a", "Failed", "fail"),
    ]
    assert failures[2]["message"] == "main: Error (exit code 2)"
    assert (run.phase, phases(run)["onExit"]) == ("Failed", "Succeeded")
    assert node(run, "onExit").node_flag.hooked  # type: ignore[union-attr]
    assert node(run, "onExit").boundary_id == ""


def test_there_are_no_failures_of_a_success() -> None:
    run = ended(steps("{name: a, template: echo}"), spec=HOOK)
    inputs = node(run, "onExit").inputs
    assert inputs is not None
    assert [p.value for p in inputs.parameters] == ["Succeeded", '"null"', "1.000000"]


def test_a_failing_handler_fails_a_run_that_succeeded() -> None:
    run = ended(steps("{name: a, template: echo}"), spec="  onExit: fail\n")
    assert (run.phase, run.message) == ("Failed", "main: Error (exit code 1)")


def test_a_handler_never_rescues() -> None:
    run = ended(steps("{name: a, template: fail}"), spec="  onExit: echo\n")
    assert phases(run)["onExit"] == "Succeeded"
    assert run.phase == "Failed"
    assert run.message == told(run)[""]


def test_a_handler_of_steps() -> None:
    run = ended(
        steps("{name: a, template: echo}") + "\n  - {name: bye, steps: [[{name: b, template: echo}]]}",
        spec="  onExit: bye\n",
    )
    assert phases(run)["onExit[0].b"] == "Succeeded"


def under_way(templates: str, outcomes: dict[str, Outcome], spec: str = "") -> Simulation:
    """A run of which all that can start has started."""
    run = new_run(document(templates, spec), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script(outcomes))
    simulation.send(Begin(now=START))
    return simulation


def test_stop_kills_and_lets_handlers_run() -> None:
    templates = steps("{name: a, template: long, onExit: echo}", "{name: b, template: echo}")
    templates += "\n  - {name: long, container: {image: busybox}}"
    simulation = under_way(templates, {"long": LONG}, HOOK)
    commands = simulation.send(Stop(now=START + 5, strategy=Shutdown.STOP))
    assert [command for command in commands if isinstance(command, Kill)] == [
        Kill(node_id=node(simulation.run, "[0].a").id)
    ]
    assert not simulation.run.finished
    run = simulation.finish()
    assert phases(run) == {
        "": "Failed",
        "[0]": "Failed",
        "[0].a": "Failed",
        "[0].a.onExit": "Succeeded",
        "onExit": "Succeeded",
    }
    assert told(run)["[0].a"] == "workflow shutdown with strategy:  Stop"
    assert (run.phase, run.message) == ("Failed", "Stopped with strategy 'Stop'")


def test_terminate_starts_nothing_more() -> None:
    templates = steps("{name: a, template: long, onExit: echo}")
    templates += "\n  - {name: long, container: {image: busybox}}"
    simulation = under_way(templates, {"long": LONG}, HOOK)
    simulation.send(Stop(now=START + 5, strategy=Shutdown.TERMINATE))
    run = simulation.finish()
    assert phases(run) == {"": "Failed", "[0]": "Failed", "[0].a": "Failed"}
    assert (run.phase, run.message) == ("Failed", "Stopped with strategy 'Terminate'")


def test_terminate_after_stop_ends_the_handler_and_stop_after_terminate_changes_nothing() -> None:
    simulation = under_way(steps("{name: a, template: echo}"), {"handler": LONG}, HOOK)
    while "onExit" not in phases(simulation.run):
        simulation.next()
    simulation.send(Stop(now=START + 5, strategy=Shutdown.STOP))
    assert told(simulation.run) == {}
    simulation.send(Stop(now=START + 6, strategy=Shutdown.TERMINATE))
    assert told(simulation.run)["onExit"] == "workflow shutdown with strategy:  Terminate"
    before = simulation.run
    assert simulation.send(Stop(now=START + 7, strategy=Shutdown.STOP)) == []
    assert simulation.run == before
    assert simulation.finish().phase == "Failed"


def test_stop_of_a_run_that_waits_for_its_next_attempt() -> None:
    templates = "  - {name: main, retryStrategy: {limit: 9, backoff: {duration: 1h}}, container: {image: busybox}}"
    simulation = under_way(templates, {"main": FAILS})
    while not simulation.run.timers:
        simulation.next()
    assert told(simulation.run)[""] == "Backoff for 3600 seconds"
    simulation.send(Stop(now=START + 5, strategy=Shutdown.STOP))
    assert (simulation.run.phase, simulation.run.message) == ("Failed", "Stopped with strategy 'Stop'")


def test_stop_of_a_run_that_waits_for_room() -> None:
    simulation = under_way(steps("{name: a, template: echo}"), {}, "  parallelism: 0\n")
    simulation.send(Stop(now=START + 1, strategy=Shutdown.STOP))
    assert (simulation.run.phase, simulation.run.message) == ("Failed", "Stopped with strategy 'Stop'")


@pytest.mark.parametrize("repeated", ["Exited", "Tick", "Begin"])
def test_repeated_events_say_nothing_new(repeated: str) -> None:
    simulation = under_way(steps("{name: a, template: echo}", "{name: b, template: echo}"), {})
    while "[1].b" not in phases(simulation.run):
        simulation.next()
    a = node(simulation.run, "[0].a").id
    events = {
        "Exited": Exited(now=START + 9, node_id=a, exit_code=1),
        "Tick": Tick(now=START + 9),
        "Begin": Begin(now=START + 9),
    }
    run, commands = step(simulation.run, events[repeated])
    assert commands == []
    assert run == simulation.run
    assert run.changed == ()


def test_a_run_that_has_ended_takes_no_event() -> None:
    run = ended("  - {name: main, container: {image: busybox}}")
    for event in (Tick(now=START), Stop(now=START, strategy=Shutdown.STOP), Begin(now=START)):
        assert step(run, event) == (run, [])


def test_an_exit_that_comes_after_a_kill_keeps_the_reason_of_the_kill() -> None:
    simulation = under_way("  - {name: main, container: {image: busybox}}", {"main": LONG})
    simulation.send(Stop(now=START + 5, strategy=Shutdown.STOP))
    simulation.send(Exited(now=START + 5, node_id="w", exit_code=0))
    assert (phases(simulation.run)[""], told(simulation.run)[""]) == (
        "Failed",
        "workflow shutdown with strategy:  Stop",
    )


def test_an_entrypoint_that_cannot_start_is_an_error_of_the_run() -> None:
    templates = "  - {name: main, inputs: {parameters: [{name: x, value: '{{workflow.outputs.parameters.g}}'}]}, "
    templates += "container: {image: busybox}, outputs: {parameters: [{name: p, globalName: g, value: '1'}]}}"
    run = ended(templates)
    assert by_name(run)[""].phase == "Succeeded"


def test_launches_come_before_the_run_s_end_only() -> None:
    simulation = under_way(steps("{name: a, template: echo}"), {}, "  onExit: echo\n")
    simulation.finish()
    launches = [command.pod.display_name for command in simulation.commands if isinstance(command, Launch)]
    assert launches == ["a", "w.onExit"]
