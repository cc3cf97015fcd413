"""Hooks with an expression: when they run, what they are given, and what waits for them."""

from __future__ import annotations

import pytest
from engine_documents import FAILS, START, document, driven, ended, node, phases, script, told

from penstock.engine import Run, new_run
from penstock.engine.protocol import Begin, Shutdown, Stop
from penstock.errors import InvalidDocument
from penstock.testing.simulation import Outcome, Simulation
from penstock.workflow.status import Node, NodeFlag


def steps(hooks: str, template: str = "make", more: str = "") -> str:
    """Two groups of steps, the first with hooks."""
    first = f"{{name: a-1, template: {template}, hooks: {{{hooks}}}{more}}}"
    return f"  - {{name: main, steps: [[{first}], [{{name: b, template: echo}}]]}}"


def dag(hooks: str, template: str = "make") -> str:
    """Two tasks, the first with hooks."""
    first = f"{{name: a, template: {template}, hooks: {{{hooks}}}}}"
    return f"  - {{name: main, dag: {{tasks: [{first}, {{name: b, template: echo, depends: a}}]}}}}"


def hook(phase: str, place: str = "steps['a-1']", template: str = "echo") -> str:
    return f"{phase.lower()}: {{expression: \"{place}.status == '{phase}'\", template: {template}}}"


def started(templates: str, outcomes: dict[str, Outcome] | None = None, spec: str = "") -> Simulation:
    run = new_run(document(templates, spec), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script(outcomes))
    simulation.send(Begin(now=START))
    return simulation


def test_a_hook_runs_once_in_the_phase_that_it_names() -> None:
    hooks = ", ".join(hook(phase) for phase in ("Running", "Succeeded", "Failed"))
    run = ended(steps(hooks))
    assert phases(run) == {
        "": "Succeeded",
        "[0]": "Succeeded",
        "[0].a-1": "Succeeded",
        "[0].a-1.hooks.running": "Succeeded",
        "[0].a-1.hooks.succeeded": "Succeeded",
        "[1]": "Succeeded",
        "[1].b": "Succeeded",
    }
    made = node(run, "[0].a-1.hooks.running")
    assert made.node_flag == NodeFlag(hooked=True)
    assert (made.boundary_id, made.display_name) == ("w", "a-1.hooks.running")
    assert made.id in node(run, "[0].a-1").children


def test_hooks_of_a_dag() -> None:
    hooks = ", ".join(hook(phase, "tasks.a") for phase in ("Running", "Failed"))
    run = ended(dag(hooks, "fail"))
    assert phases(run) == {
        "": "Failed",
        "a": "Failed",
        "a.hooks.running": "Succeeded",
        "a.hooks.failed": "Succeeded",
        "b": "Omitted",
    }


@pytest.mark.parametrize(
    ("templates", "next_one"), [(steps(hook("Running")), "[1].b"), (dag(hook("Running", "tasks.a")), "b")]
)
def test_what_waits_for_a_task_waits_for_its_hooks(templates: str, next_one: str) -> None:
    simulation = started(templates, {"echo": Outcome(seconds=50), "a-1.hooks.running": Outcome(seconds=50)})
    driven(simulation, lambda run: next_one in phases(run))
    ends = [found.finished_at for name, found in by_hooks(simulation.run)]
    assert ends == [START + 50]
    assert node(simulation.run, next_one).started_at == START + 50


def by_hooks(run: Run) -> list[tuple[str, Node]]:
    return [(found.name, found) for found in run.nodes.values() if ".hooks." in found.name]


def test_the_exit_handler_runs_after_the_hooks() -> None:
    hooks = hook("Running") + ", exit: {template: default}"
    simulation = started(steps(hooks), {"echo": Outcome(seconds=50)})
    driven(simulation, lambda run: "[0].a-1.onExit" in phases(run))
    assert phases(simulation.run)["[0].a-1.hooks.running"] == "Succeeded"
    assert phases(simulation.finish())["[1].b"] == "Succeeded"


def test_a_hook_is_given_outputs_of_its_task() -> None:
    given = "arguments: {parameters: [{name: text, value: '{{tasks.a.outputs.parameters.p}}'}]}"
    run = ended(dag(hook("Succeeded", "tasks.a").replace("}", f", {given}}}")))
    inputs = node(run, "a.hooks.succeeded").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == "made"


def test_a_hook_that_fails_does_not_fail_its_step() -> None:
    run = ended(steps(hook("Running", template="fail")))
    assert phases(run)["[0].a-1.hooks.running"] == "Failed"
    assert run.phase == "Succeeded"


def test_a_hook_of_a_task_that_is_tried_again_sees_the_phase_of_the_whole() -> None:
    templates = dag(hook("Failed", "tasks.a") + ", " + hook("Succeeded", "tasks.a"), "flaky")
    templates += "\n  - {name: flaky, retryStrategy: {limit: 1}, container: {image: busybox}}"
    run = ended(templates, {"a(0)": FAILS})
    assert "a.hooks.failed" not in phases(run)
    assert phases(run)["a.hooks.succeeded"] == "Succeeded"


def test_a_hook_waits_for_room_while_its_phase_lasts() -> None:
    simulation = started(dag(hook("Running", "tasks.a")), {}, "  parallelism: 1\n")
    assert phases(simulation.finish()) == {"": "Succeeded", "a": "Succeeded", "b": "Succeeded"}
    simulation = started(dag(hook("Succeeded", "tasks.a")), {}, "  parallelism: 1\n")
    assert phases(simulation.finish())["a.hooks.succeeded"] == "Succeeded"


def test_an_output_that_a_failed_step_did_not_make_is_empty_to_its_exit_handler() -> None:
    run = ended(
        "  - name: main\n    steps:\n    - - name: a\n        template: makes\n        hooks: {exit: {template: echo, "
        "arguments: {parameters: [{name: text, value: '<{{steps.a.outputs.parameters.p}}>'}]}}}\n"
        "  - name: makes\n    outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}\n"
        "    container: {image: busybox}\n",
        {"a": Outcome(exit_code=1)},
    )
    inputs = node(run, "[0].a.onExit").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == "<>"


def test_after_a_stop_no_hook_starts_but_the_exit_handler_does() -> None:
    hooks = hook("Failed") + ", exit: {template: echo}"
    simulation = started(steps(hooks), {"make": Outcome(seconds=99)})
    driven(simulation, lambda run: phases(run)["[0].a-1"] == "Running")
    simulation.send(Stop(now=START + 1, strategy=Shutdown.STOP))
    assert phases(simulation.finish()) == {
        "": "Failed",
        "[0]": "Failed",
        "[0].a-1": "Failed",
        "[0].a-1.onExit": "Succeeded",
    }


@pytest.mark.parametrize(
    ("expression", "said"),
    [("nonsense(", "unable to evaluate expression"), ("1 + 1", "unable to cast expression result '2' to bool")],
)
def test_an_expression_that_cannot_be_answered_ends_what_it_belongs_to(expression: str, said: str) -> None:
    hooks = f"h: {{expression: '{expression}', template: echo}}"
    run = ended(steps(hooks))
    assert said in told(run)["[0]"]
    assert said in run.message
    assert {name: phase for name, phase in phases(run).items() if name != "[0].a-1"} == {"": "Failed", "[0]": "Error"}
    run = ended(dag(hooks))
    assert said in told(run)[""]
    assert phases(run) == {"": "Error", "a": "Error"}
    assert run.phase == "Error"
    run = ended(steps(""), spec=f"  hooks: {{{hooks}}}\n")
    assert said in run.message
    assert run.phase == "Error"


def test_what_hooks_cannot_be() -> None:
    with pytest.raises(InvalidDocument, match="Expression required"):
        document(steps("h: {template: echo}"))
    with pytest.raises(InvalidDocument, match="'nothing' undefined"):
        document(steps("h: {expression: 'true', template: nothing}"))


def of_the_run(*phases: str) -> str:
    given = "arguments: {parameters: [{name: text, value: '{{workflow.status}}'}]}"
    hooks = [hook(phase, "workflow").replace("}", f", {given}}}") for phase in phases]
    return f"  hooks: {{{', '.join(hooks)}, exit: {{template: echo}}}}\n"


def test_hooks_of_the_run() -> None:
    run = ended(steps(""), spec=of_the_run("Running", "Succeeded", "Failed"))
    assert {name: phase for name, phase in phases(run).items() if "[" not in name} == {
        "": "Succeeded",
        "hooks.running": "Succeeded",
        "hooks.succeeded": "Succeeded",
        "onExit": "Succeeded",
    }
    values = {name: found.inputs.parameters[0].value for name, found in by_hooks(run) if found.inputs is not None}
    assert values == {"w.hooks.running": "Running", "w.hooks.succeeded": "Succeeded"}
    assert node(run, "hooks.running").node_flag == NodeFlag(hooked=True)
    assert {node(run, "hooks.running").id, node(run, "hooks.succeeded").id} <= set(node(run, "").children)


def test_the_run_waits_for_its_hooks_and_not_for_their_success() -> None:
    hooks = of_the_run("Failed").replace("template: echo, arg", "template: late, arg")
    templates = "  - {name: late, inputs: {parameters: [{name: text}]}, container: {image: busybox}}\n"
    run = ended(templates + steps("", "fail"), {"late": Outcome(exit_code=3, seconds=50)}, spec=hooks)
    assert (run.phase, phases(run)["hooks.failed"]) == ("Failed", "Failed")
    assert node(run, "onExit").started_at == node(run, "hooks.failed").finished_at


def test_hooks_of_a_loop_of_tasks_are_those_of_the_whole() -> None:
    run = ended(
        "  - name: main\n    dag:\n      tasks:\n"
        "      - name: a\n        template: echo\n        withItems: [one, two]\n"
        "        hooks:\n"
        "          running: {template: fail, expression: tasks.a.status == 'Running'}\n"
        "          done:\n            template: echo\n            expression: tasks.a.status == 'Succeeded'\n"
        "            arguments: {parameters: [{name: text, value: '{{tasks.a.status}}'}]}\n"
        "      - {name: b, template: echo, depends: a.Succeeded}\n"
    )
    assert phases(run) == {
        "": "Succeeded",
        "a": "Succeeded",
        "a(0:one)": "Succeeded",
        "a(1:two)": "Succeeded",
        "a.hooks.running": "Failed",
        "a.hooks.done": "Succeeded",
        "b": "Succeeded",
    }
    done = node(run, "a.hooks.done")
    assert done.inputs is not None
    assert done.inputs.parameters[0].value == "Succeeded"
    assert done.started_at is not None
    assert done.started_at >= max(node(run, name).finished_at or 0 for name in ("a(0:one)", "a(1:two)"))


def test_hooks_of_a_loop_of_steps_are_those_of_each_item() -> None:
    run = ended(
        "  - name: main\n    steps:\n"
        "    - - {name: before, template: echo}\n"
        "      - name: a\n        template: make\n        withItems: [one, two]\n"
        "        hooks:\n"
        "          running:\n            template: fail\n"
        "            expression: \"steps['a(0:one)'].status == 'Running' && '{{item}}' == 'one'\"\n"
        "          ended:\n            template: echo\n"
        "            expression: \"'{{item}}' == 'two' && steps['a(1:two)'].status == 'Succeeded'\"\n"
        "            arguments:\n"
        "              parameters: [{name: text, value: '{{item}} {{steps.a(1:two).outputs.parameters.p}}'}]\n"
        "          exit:\n            template: echo\n"
        "            arguments: {parameters: [{name: text, value: 'end of {{item}}'}]}\n"
        "    - - {name: b, template: echo}\n"
    )
    assert phases(run)["[0].a(0:one).hooks.running"] == "Failed"
    assert "[0].a(1:two).hooks.running" not in phases(run)
    assert phases(run)["[1].b"] == "Succeeded"
    ended_hook = node(run, "[0].a(1:two).hooks.ended")
    assert ended_hook.inputs is not None
    assert ended_hook.inputs.parameters[0].value == "two made"
    exits = [node(run, f"[0].a({item}).onExit").inputs for item in ("0:one", "1:two")]
    assert [inputs.parameters[0].value for inputs in exits if inputs is not None] == ["end of one", "end of two"]
