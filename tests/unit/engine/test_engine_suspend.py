"""Suspend templates: waiting for a person or for a time, values that a person supplies, and ends from outside."""

from __future__ import annotations

import pytest
from engine_documents import START, by_name, document, node, phases, script, told

from penstock.engine import new_run
from penstock.engine.protocol import Begin, Note, Resume, Shutdown, Stop, Wake
from penstock.errors import InvalidDocument, UnsupportedField
from penstock.testing.simulation import Simulation, status_of
from penstock.workflow.status import NodeType

APPROVE = """
  - name: main
    steps:
    - [{name: approve, template: approve}]
    - - name: use
        template: echo
        arguments: {parameters: [{name: text, value: "{{steps.approve.outputs.parameters.message}}"}]}
  - name: approve
    suspend: {}
    outputs: {parameters: [{name: message, globalName: said, valueFrom: {supplied: {}}}]}
"""
WAIT = """
  - {name: main, steps: [[{name: wait, template: wait}], [{name: after, template: echo}]]}
  - {name: wait, inputs: {parameters: [{name: time, default: "20"}]}, suspend: {duration: "{{inputs.parameters.time}}"}}
"""


def waiting(templates: str, spec: str = "") -> Simulation:
    """A run of which nothing goes on any more."""
    run = new_run(document(templates, spec), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script())
    simulation.send(Begin(now=START))
    return simulation


def test_a_node_waits_until_it_is_resumed() -> None:
    simulation = waiting("  - {name: main, suspend: {}}")
    assert not simulation.next()
    root = node(simulation.run, "")
    assert (root.type, root.phase, root.message) == (NodeType.SUSPEND, "Running", "waits to be resumed")
    simulation.send(Resume(now=START + 9, node_id=root.id))
    assert (simulation.run.phase, told(simulation.run)) == ("Succeeded", {})
    assert node(simulation.run, "").finished_at == START + 9


def test_supplied_values_are_outputs_of_the_node_and_of_the_run() -> None:
    simulation = waiting(APPROVE)
    asked = status_of(simulation.run)["nodes"][by_name(simulation.run)["[0].approve"].id]["outputs"]["parameters"]
    assert asked == [{"name": "message", "globalName": "said", "valueFrom": {"supplied": {}}}]
    simulation.send(
        Resume(now=START + 1, node_id=node(simulation.run, "[0].approve").id, parameters={"message": "yes"})
    )
    run = simulation.finish()
    inputs = node(run, "[1].use").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == "yes"
    assert status_of(run)["outputs"]["parameters"] == [{"name": "said", "value": "yes"}]


def test_a_value_that_is_missing_lets_the_node_go_on_waiting_and_is_told() -> None:
    simulation = waiting(APPROVE)
    before = simulation.run
    id = node(before, "[0].approve").id
    (note,) = simulation.send(Resume(now=START + 1, node_id=id))
    assert isinstance(note, Note)
    assert note.node_id == id
    assert "'message' has not been set" in note.message
    assert simulation.run == before


@pytest.mark.parametrize("values", [{}, {"message": "given"}])
def test_a_default_stands_where_nobody_supplies_a_value(values: dict[str, str]) -> None:
    simulation = waiting(APPROVE.replace("{supplied: {}}", "{supplied: {}, default: usual}"))
    simulation.send(Resume(now=START + 1, node_id=node(simulation.run, "[0].approve").id, parameters=values))
    outputs = node(simulation.run, "[0].approve").outputs
    assert outputs is not None
    assert outputs.parameters[0].value == values.get("message", "usual")


def test_a_node_with_a_duration_goes_on_by_itself() -> None:
    simulation = waiting(WAIT)
    assert Wake(at=START + 20) in simulation.commands
    run = simulation.finish()
    assert run.phase == "Succeeded"
    assert node(run, "[0].wait").finished_at == START + 20


def test_a_node_with_a_duration_may_be_resumed_before() -> None:
    simulation = waiting(WAIT)
    simulation.send(Resume(now=START + 2, node_id=node(simulation.run, "[0].wait").id))
    assert node(simulation.run, "[0].wait").phase == "Succeeded"
    assert simulation.run.timers == {}


def test_a_duration_that_ends_without_a_value_is_an_error() -> None:
    simulation = waiting(APPROVE.replace("suspend: {}", "suspend: {duration: 5s}"))
    run = simulation.finish()
    assert phases(run) == {"": "Failed", "[0]": "Error", "[0].approve": "Error"}
    assert "'message' has not been set" in told(run)["[0].approve"]
    assert told(run)[""].startswith("step group deemed errored due to child w[0].approve error: raw output parameter")


def test_a_duration_that_is_none_is_an_error() -> None:
    run = waiting(WAIT.replace('"20"', "soon")).finish()
    assert "invalid duration" in told(run)["[0].wait"]
    assert run.phase == "Failed"


@pytest.mark.parametrize("strategy", list(Shutdown))
def test_a_stop_fails_what_waits(strategy: Shutdown) -> None:
    simulation = waiting(WAIT, "  onExit: echo\n")
    simulation.send(Stop(now=START + 1, strategy=strategy))
    run = simulation.finish()
    assert told(run)["[0].wait"] == f"Stopped with strategy '{strategy}'"
    assert run.message == f"Stopped with strategy '{strategy}'"
    assert ("onExit" in phases(run)) is (strategy is Shutdown.STOP)


def test_the_run_s_deadline_fails_what_waits() -> None:
    run = waiting(APPROVE, "  activeDeadlineSeconds: 30\n").finish()
    assert told(run)["[0].approve"] == "Step exceeded its deadline"
    assert run.phase == "Failed"


def test_who_is_resumed_twice_or_does_not_wait_changes_nothing() -> None:
    simulation = waiting(WAIT)
    id = node(simulation.run, "[0].wait").id
    simulation.send(Resume(now=START + 1, node_id=id))
    before = simulation.run
    for other in (id, before.name, "nobody"):
        assert simulation.send(Resume(now=START + 2, node_id=other)) == []
        assert simulation.run == before


@pytest.mark.parametrize(
    ("templates", "said"),
    [
        ("  - {name: main, suspend: {}, container: {image: i}}", "multiple template types"),
        ("  - {name: main, suspend: {}, parallelism: 2}", "only valid for steps and dag"),
        ("  - {name: main, suspend: {}, outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}}", "supplied"),
        ("  - {name: main, suspend: {}, outputs: {artifacts: [{name: a, path: /a}]}}", "outputs.artifacts"),
        (
            "  - {name: main, container: {image: i}, outputs: {parameters: [{name: p, valueFrom: {supplied: {}}}]}}",
            "outputs.parameters.p.path",
        ),
    ],
)
def test_what_a_suspend_template_cannot_have(templates: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        document(templates)


@pytest.mark.parametrize("field", ["timeout: 5s", "activeDeadlineSeconds: 5"])
def test_limits_that_would_not_end_a_wait_are_refused(field: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        document(f"  - {{name: main, suspend: {{}}, {field}}}")
    assert caught.value.path == f"templates.main.{field.partition(':')[0]}"


def test_defaults_for_pods_say_nothing_of_a_suspend_template() -> None:
    document("  - {name: main, suspend: {}}", "  templateDefaults: {timeout: 5s, container: {image: i}}\n")
