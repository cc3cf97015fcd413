"""Ended runs that are tried again: what stays, what runs again, and what a new run takes over."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
import pytest
from engine_documents import FAILS, SUCCEEDS, by_name, ended, node, phases, script

from penstock import engine, workflow
from penstock.engine import Run, reset, restore
from penstock.engine.protocol import Begin, Launch, Shutdown, Stop
from penstock.testing.simulation import START, Outcome, Simulation
from penstock.workflow.status import Node, NodeType, Phase

LATER = START + 1000


def again(
    run: Run, outcomes: Mapping[str, Outcome] | None = None, chosen: Collection[str] = ()
) -> tuple[Run, list[str]]:
    """The run when it has ended once more, and the display names of what was launched for that."""
    kept = reset(run, LATER, [node(run, name).id for name in chosen])
    simulation = Simulation(rebuilt(run, kept.nodes), script(outcomes))
    simulation.now = LATER
    simulation.perform(engine.relaunch(simulation.run))
    simulation.send(Begin(now=LATER))
    simulation.finish()
    return simulation.run, [c.pod.display_name for c in simulation.commands if isinstance(c, Launch)]


def rebuilt(run: Run, nodes: Collection[Node], name: str = "") -> Run:
    return restore(
        run.workflow,
        name=name or run.name,
        uid=run.uid,
        parameters=run.parameters,
        created_at=run.created_at,
        nodes=nodes,
    )


DIAMOND = """\
  - name: main
    dag:
      tasks:
      - {name: a, template: echo}
      - {name: b, template: echo, dependencies: [a]}
      - {name: c, template: echo, dependencies: [a]}
      - {name: d, template: echo, dependencies: [b, c]}"""


def test_a_failed_step_and_what_came_after_it_run_again() -> None:
    run = ended(DIAMOND, {"b": FAILS})
    kept = reset(run, LATER)
    assert {run.nodes[id].display_name for id in kept.removed} == {"b", "d"}
    assert {run.nodes[id].display_name for id in kept.changed} == {"w", "a", "c"}
    assert {n.display_name: n.phase for n in kept.nodes} == {"w": "Running", "a": "Succeeded", "c": "Succeeded"}
    second, launched = again(run)
    assert launched == ["b", "d"]
    assert (second.phase, second.message, second.started_at) == ("Succeeded", "", LATER)
    assert node(second, "a").finished_at == node(run, "a").finished_at
    assert by_name(second).keys() == by_name(ended(DIAMOND)).keys()
    assert {n.name: sorted(n.children) for n in second.nodes.values()} == {
        n.name: sorted(n.children) for n in ended(DIAMOND).nodes.values()
    }


def test_what_fails_again_may_be_tried_once_more() -> None:
    run, launched = again(ended(DIAMOND, {"b": FAILS}), {"b": FAILS})
    assert (run.phase, launched) == ("Failed", ["b"])
    assert again(run)[1] == ["b", "d"]


def test_a_run_of_one_step() -> None:
    run = ended("  - {name: main, container: {image: busybox}}", {"main": FAILS})
    assert reset(run, LATER).nodes == ()
    assert again(run)[0].phase == "Succeeded"


def test_a_step_that_others_got_past_stays_as_it_is() -> None:
    templates = """\
  - name: main
    dag:
      tasks:
      - {name: a, template: fail}
      - {name: b, template: echo, depends: a.Failed}
      - {name: c, template: echo, depends: b}"""
    run = ended(templates, {"c": FAILS})
    second, launched = again(run)
    assert launched == ["c"]
    assert phases(second)["a"] == "Failed"


NESTED = """\
  - name: main
    steps:
    - - {name: first, template: echo}
    - - {name: inner, template: inner}
      - {name: beside, template: echo}
    - - {name: last, template: echo}
  - name: inner
    dag:
      tasks:
      - {name: p, template: echo}
      - {name: q, template: echo, dependencies: [p]}"""


def test_groups_around_a_failed_step_go_on() -> None:
    run = ended(NESTED, {"q": FAILS})
    second, launched = again(run)
    assert launched == ["q", "last"]
    assert second.phase == "Succeeded"
    assert phases(second) == phases(ended(NESTED))
    assert node(second, "[0]").finished_at == node(run, "[0]").finished_at
    assert node(second, "[1]").started_at == LATER


LOOP = """\
  - name: main
    dag:
      tasks:
      - {name: each, template: echo, withItems: [a, b, c], arguments: {parameters: [{name: text, value: "{{item}}"}]}}
      - {name: after, template: echo, dependencies: [each]}"""


def test_one_round_of_a_loop_runs_again() -> None:
    run = ended(LOOP, {"each(1:b)": FAILS})
    second, launched = again(run)
    assert launched == ["each(1:b)", "after"]
    assert (second.phase, phases(second)) == ("Succeeded", phases(ended(LOOP)))


def test_loops_are_laid_out_anew_where_parameters_changed() -> None:
    run = ended(LOOP, {"each(1:b)": FAILS})
    kept = reset(run, LATER, expand=True)
    assert [n.display_name for n in kept.nodes] == ["w", "each"]


RETRIED = """\
  - name: main
    dag:
      tasks:
      - {name: a, template: tried}
      - {name: b, template: echo, dependencies: [a]}
  - {name: tried, retryStrategy: {limit: 1}, container: {image: busybox}}"""


def test_a_step_that_used_up_its_attempts_gets_all_of_them_again() -> None:
    run = ended(RETRIED, {"tried": FAILS})
    second, launched = again(run, {"a(0)": FAILS})
    assert launched == ["a(0)", "a(1)", "b"]
    assert second.phase == "Succeeded"


def test_attempts_before_a_good_one_stay() -> None:
    run = ended(RETRIED, {"a(0)": FAILS, "b": FAILS})
    second, launched = again(run)
    assert launched == ["b"]
    assert phases(second)["a(0)"] == "Failed"


def test_of_groups_that_were_retried_the_last_attempt_goes_on() -> None:
    templates = """\
  - name: main
    retryStrategy: {limit: 1}
    dag:
      tasks:
      - {name: p, template: echo}
      - {name: q, template: echo, dependencies: [p]}"""
    run = ended(templates, {"q": FAILS})
    second, launched = again(run)
    assert launched == ["q"]
    assert (second.phase, phases(second)["(0)"], phases(second)["(1)"]) == ("Succeeded", "Failed", "Succeeded")


HANDLED = """\
  - name: main
    dag:
      tasks:
      - {name: a, template: echo, onExit: handler}
      - {name: b, template: echo, dependencies: [a]}
  - {name: handler, container: {image: busybox}}"""


def test_exit_handlers_run_again() -> None:
    run = ended(HANDLED, {"a": FAILS}, spec="  onExit: echo\n")
    second, launched = again(run)
    assert launched == ["a", "a.onExit", "b", "w.onExit"]
    assert second.phase == "Succeeded"


def test_a_failed_exit_handler_runs_again_alone() -> None:
    run = ended(HANDLED, {"fail": FAILS}, spec="  onExit: fail\n")
    assert run.phase == "Failed"
    second, launched = again(run, {"fail": SUCCEEDS})
    assert (launched, second.phase) == (["w.onExit"], "Succeeded")


def test_a_stopped_run_goes_on() -> None:
    stop = Stop(now=START + 0.5, strategy=Shutdown.STOP)
    run = ended(DIAMOND, events=[stop])
    assert run.phase == "Failed"
    second, launched = again(run)
    assert (launched, second.phase) == (["a", "b", "c", "d"], "Succeeded")


@pytest.mark.parametrize(
    ("templates", "chosen", "launched"),
    [
        (DIAMOND, ["b"], ["b", "d"]),
        (DIAMOND, [""], ["a", "b", "c", "d"]),
        (NESTED, ["[1].inner"], ["p", "q", "last"]),
        (NESTED, ["[1]"], ["beside", "p", "q", "last"]),
        (LOOP, ["each"], ["each(0:a)", "each(1:b)", "each(2:c)", "after"]),
        (RETRIED, ["a(0)"], ["a(0)", "b"]),
    ],
)
def test_chosen_nodes_run_again_though_they_went_well(templates: str, chosen: list[str], launched: list[str]) -> None:
    run = ended(templates)
    second, made = again(run, chosen=chosen)
    assert sorted(made) == sorted(launched)
    assert (second.phase, phases(second)) == ("Succeeded", phases(run))


# --- taking over ------------------------------------------------------------------------------------------------


def test_a_new_run_takes_over_what_went_well() -> None:
    templates = """\
  - name: main
    dag:
      tasks:
      - {name: a, template: make}
      - name: b
        template: use
        dependencies: [a]
        arguments: {artifacts: [{name: a, from: "{{tasks.a.outputs.artifacts.a}}"}]}
  - {name: use, inputs: {artifacts: [{name: a, path: /in}]}, container: {image: busybox}}"""
    run = ended(templates, {"b": FAILS})

    def shown(node: Node) -> Node:
        return msgspec.structs.replace(node, type=NodeType.SKIPPED, phase=Phase.SKIPPED, message=node.id)

    taken = engine.taken_over(run, reset(run, LATER).nodes, "again", shown)
    pod = node(run, "a")
    ours = next(n for n in taken.nodes if n.display_name == "a")
    assert (ours.id, ours.name, ours.boundary_id) == (workflow.node_id("again", "again.a"), "again.a", "again")
    assert (ours.type, ours.phase, ours.message) == ("Skipped", "Skipped", pod.id)
    assert pod.outputs is not None
    assert ours.outputs is not None
    (old,), (new,) = pod.outputs.artifacts, ours.outputs.artifacts
    assert taken.objects[old.key] == new.key
    assert new.key.startswith("artifacts/again/again-make-")
    simulation = Simulation(rebuilt(run, taken.nodes, "again"), script())
    simulation.send(Begin(now=LATER))
    second = simulation.finish()
    launched = [c.pod for c in simulation.commands if isinstance(c, Launch)]
    assert [(p.display_name, p.input_artifacts[0].key) for p in launched] == [("b", new.key)]
    assert second.phase == "Succeeded"
