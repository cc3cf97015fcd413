"""Deadlines of all kinds, parallelism of both kinds, failFast."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from engine_documents import FAILS, START, by_name, document, ended, node, phases, script, told

from penstock.engine import new_run
from penstock.engine.protocol import Begin, Kill, Launched, Waiting
from penstock.testing.simulation import Outcome, Simulation
from penstock.workflow.status import NodeType, Phase

LONG = Outcome(seconds=1000, killed_code=143)


def single(more: str) -> str:
    return f"  - {{name: main, container: {{image: busybox}}, {more}}}"


@pytest.mark.parametrize("more", ["activeDeadlineSeconds: 5", "timeout: 5s", "activeDeadlineSeconds: '5'"])
def test_a_template_s_deadline(more: str) -> None:
    run = ended(single(more), {"main": LONG})
    assert (run.phase, run.message) == ("Failed", "Pod was active on the node longer than the specified deadline")
    assert run.finished_at == START + 5
    outputs = node(run, "").outputs
    assert outputs is not None
    assert outputs.exit_code == "143"


def test_a_deadline_may_be_a_parameter() -> None:
    templates = single("inputs: {parameters: [{name: t}]}, activeDeadlineSeconds: '{{inputs.parameters.t}}'")
    run = ended(templates, {"main": LONG}, spec="  arguments: {parameters: [{name: t, value: 7}]}\n")
    assert run.finished_at == START + 7


def test_in_time_nothing_happens() -> None:
    run = ended(single("timeout: 5s, activeDeadlineSeconds: 3"), {"main": Outcome(seconds=2)})
    assert run.phase == "Succeeded"
    assert not run.timers


def test_a_node_that_has_its_lock_but_no_room_ends_where_its_template_fails_fast() -> None:
    templates = """\
  - {name: locked, container: {image: busybox}, synchronization: {mutexes: [{name: m}]}}
  - name: main
    failFast: true
    dag:
      tasks:
      - {name: A, template: echo, withItems: [1, 2]}
      - {name: B, template: fail, withItems: [1, 2]}
      - name: C
        template: locked
        depends: A
        hooks: {h: {template: echo, expression: "tasks.C.status == 'Pending'"}}"""
    run = ended(templates, spec="  parallelism: 2\n")
    assert run.phase == "Failed"
    assert phases(run)["C"] == "Failed"
    assert not any(run.open.values())


def waiting(templates: str) -> Simulation:
    """A run whose pod is told to wait for a place, and is launched after ten seconds."""
    run = new_run(document(templates), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, lambda _: None)
    simulation.send(Begin(now=START))
    simulation.send(Waiting(now=START + 1, node_id="w", message="waits for a place"))
    return simulation


def test_a_timeout_counts_from_the_node_s_start_and_a_deadline_from_the_program_s() -> None:
    simulation = waiting(single("timeout: 5s"))
    assert node(simulation.run, "").message == "waits for a place"
    simulation.next()
    assert [command for command in simulation.commands if isinstance(command, Kill)]
    assert simulation.finish().finished_at == START + 5
    simulation = waiting(single("activeDeadlineSeconds: 5"))
    simulation.send(Launched(now=START + 10, node_id="w"))
    assert node(simulation.run, "").phase is Phase.RUNNING
    assert simulation.finish().finished_at == START + 15


def test_the_run_s_deadline_ends_running_and_pending_alike_and_spares_exit_handlers() -> None:
    templates = """\
  - name: main
    parallelism: 1
    steps: [[{name: a, template: long, withItems: [1, 2]}], [{name: b, template: echo}]]
  - {name: long, container: {image: busybox}}
  - {name: bye, container: {image: busybox}}"""
    run = ended(
        templates,
        {"long": LONG, "bye": Outcome(seconds=500)},
        spec="  activeDeadlineSeconds: 10\n  onExit: bye\n",
    )
    assert told(run)["[0].a(0:1)"] == "Step exceeded its deadline"
    assert phases(run)["[0].a(0:1)"] == "Failed"
    assert node(run, "[0].a(0:1)").outputs is None
    assert "[1]" not in phases(run)
    assert phases(run)["onExit"] == "Succeeded"
    assert run.phase == "Failed"


def test_retries_end_at_the_run_s_deadline() -> None:
    run = ended(single("retryStrategy: {limit: 1000}"), {"main": FAILS}, spec="  activeDeadlineSeconds: 4\n")
    assert run.phase == "Failed"
    assert len(run.nodes) < 10


def most_at_once(run_of: Callable[[], Simulation]) -> int:
    simulation, most = run_of(), 0
    while simulation.next():
        most = max(most, simulation.run.active_pods)
    assert simulation.run.finished
    return most


def simulated(templates: str, spec: str = "") -> Simulation:
    run = new_run(document(templates, spec), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script())
    simulation.at(Begin(now=START))
    return simulation


LOOP = "  - name: main\n{}    steps: [[{{name: l, template: echo, withSequence: {{count: 9}}}}]]"


def test_spec_parallelism_bounds_pods() -> None:
    assert most_at_once(lambda: simulated(LOOP.format(""))) == 9
    assert most_at_once(lambda: simulated(LOOP.format(""), "  parallelism: 3\n")) == 3


def test_template_parallelism_bounds_children() -> None:
    assert most_at_once(lambda: simulated(LOOP.format("    parallelism: 2\n"))) == 2
    assert most_at_once(lambda: simulated(LOOP.format("    parallelism: 0\n"))) == 9


def test_template_parallelism_of_a_dag() -> None:
    tasks = ", ".join(f"{{name: t{i}, template: echo}}" for i in range(6))
    templates = f"  - {{name: main, parallelism: 2, dag: {{tasks: [{tasks}]}}}}"
    assert most_at_once(lambda: simulated(templates)) == 2


def test_parallelism_0_of_the_run_lets_nothing_start() -> None:
    simulation = simulated(LOOP.format(""), "  parallelism: 0\n")
    while simulation.next():
        pass
    assert not simulation.run.finished
    assert not simulation.run.nodes


FAST = "template has failed or errored children and failFast enabled"


def test_fail_fast_of_steps() -> None:
    run = ended(
        "  - name: main\n    parallelism: 1\n    failFast: true\n"
        "    steps: [[{name: a, template: fail}, {name: b, template: echo}]]"
    )
    assert phases(run) == {"": "Failed", "[0]": "Failed", "[0].a": "Failed"}
    assert told(run)[""] == told(run)["[0]"] == FAST


def test_fail_fast_of_a_dag_lets_running_ones_end() -> None:
    run = ended(
        "  - name: main\n    parallelism: 2\n    failFast: true\n    dag: {tasks: ["
        "{name: task1, template: fail}, {name: task2, template: slow}, {name: task3, template: echo}]}\n"
        "  - {name: slow, container: {image: busybox}}",
        {"slow": Outcome(seconds=20)},
    )
    assert phases(run) == {"": "Failed", "task1": "Failed", "task2": "Succeeded"}
    assert told(run)[""] == FAST


def test_a_dag_s_own_fail_fast_stops_nothing() -> None:
    run = ended(
        "  - name: main\n    dag: {failFast: true, tasks: [{name: A, template: fail}, {name: B, template: slow}, "
        "{name: C, template: echo, dependencies: [B]}]}\n"
        "  - {name: slow, container: {image: busybox}}",
        {"slow": Outcome(seconds=20)},
    )
    assert phases(run) == {"": "Failed", "A": "Failed", "B": "Succeeded", "C": "Succeeded"}


def test_nodes_that_wait_keep_their_order() -> None:
    run = ended(LOOP.format("    parallelism: 1\n"))
    pods = [one for one in by_name(run).values() if one.type is NodeType.POD]
    assert sorted(pods, key=lambda one: one.started_at or 0) == sorted(pods, key=lambda one: one.name)
