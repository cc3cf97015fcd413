"""What Argo's own end-to-end tests assert, on small documents: one test a behaviour, in the order of their table."""

from __future__ import annotations

import pytest
from engine_documents import FAILS, START, by_name, document, driven, ended, node, phases, script, told

from penstock.engine import Run, new_run
from penstock.engine.protocol import Begin, Resume, Shutdown, Stop
from penstock.testing.simulation import Outcome, Simulation
from penstock.workflow.running import progress

ABSENT = "absent optional"
ECHO = "template: echo, arguments: {parameters: [{name: text, value: '%s'}]}"


def started(templates: str, outcomes: dict[str, Outcome] | None = None, spec: str = "") -> Simulation:
    run = new_run(document(templates, spec), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script(outcomes))
    simulation.send(Begin(now=START))
    return simulation


def text_of(run: Run, name: str) -> str | None:
    """The first input parameter of a node."""
    inputs = node(run, name).inputs
    assert inputs is not None
    return inputs.parameters[0].value


# --- branches that end badly ------------------------------------------------------------------------------------


def test_steps_go_on_after_a_failure_that_may_be() -> None:
    first = "[{name: A, template: echo}, {name: B, template: fail, continueOn: {failed: true}}]"
    run = ended(f"  - {{name: main, steps: [{first}, [{{name: C, template: echo}}]]}}")
    assert (run.phase, len(run.nodes)) == ("Succeeded", 6)
    failed = node(run, "[0].B")
    assert (failed.phase, len(failed.children)) == ("Failed", 1)


def test_a_dag_goes_on_after_a_failure_that_may_be() -> None:
    tasks = "{name: F, template: fail, continueOn: {failed: true}}, {name: P, template: echo, dependencies: [F]}"
    run = ended(f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}")
    assert (run.phase, phases(run)["F"], phases(run)["P"]) == ("Succeeded", "Failed", "Succeeded")


@pytest.mark.parametrize(
    ("templates", "name", "count"),
    [
        ("steps: [[{name: a, template: echo}], [{name: sleep, template: echo, withParam: '[]'}]]", "[1].sleep", 5),
        ("dag: {tasks: [{name: a, template: echo}, {name: sleep, template: echo, withParam: '[]'}]}", "sleep", 3),
    ],
)
def test_an_empty_loop_is_skipped(templates: str, name: str, count: int) -> None:
    run = ended(f"  - {{name: main, {templates}}}")
    assert (len(run.nodes), phases(run)[name], told(run)[name]) == (count, "Skipped", "Skipped, empty params")


@pytest.mark.parametrize("why", ["when: 'false'", "depends: a.Failed"])
def test_a_dag_that_needs_what_was_never_made_is_in_error(why: str) -> None:
    argument = ECHO % "of {{tasks.b.outputs.parameters.p}}"
    c = f"{{name: c, depends: 'b.Succeeded || b.Skipped || b.Omitted', {argument}}}"
    run = ended(
        f"  - {{name: main, dag: {{tasks: [{{name: a, template: echo}}, {{name: b, template: make, {why}}}, {c}]}}}}"
    )
    assert (run.phase, phases(run)["c"]) == ("Error", "Error")
    assert ABSENT in told(run)["c"]


@pytest.mark.parametrize(
    "step",
    [
        "{name: b, template: echo, "
        "arguments: {parameters: [{name: text, value: 'x {{steps.a.outputs.parameters.p}}'}]}}",
        "{name: b, template: echo, withParam: '{{steps.a.outputs.parameters.p}}'}",
    ],
)
def test_steps_that_need_what_was_never_made_fail(step: str) -> None:
    run = ended(f"  - {{name: main, steps: [[{{name: a, template: make, when: 'false'}}], [{step}]]}}")
    assert run.phase == "Failed"
    assert "Error" in phases(run).values()


def test_a_default_of_the_producer_stands_for_what_was_never_made() -> None:
    argument = ECHO % "{{tasks.a.outputs.parameters.p}}"
    tasks = f"{{name: a, template: default, when: 'false'}}, {{name: b, depends: a.Skipped, {argument}}}"
    assert text_of(ended(f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}"), "b") == "d"


def test_a_default_of_the_consumer_does_so_where_the_argument_is_nothing_else() -> None:
    argument = ECHO % "{{tasks.a.outputs.parameters.p}}"
    tasks = f"{{name: a, template: make, when: 'false'}}, {{name: b, depends: a.Skipped, {argument}}}"
    assert text_of(ended(f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}"), "b") == "hello"


def test_a_default_may_be_a_list_to_loop_over() -> None:
    tasks = "{name: a, template: listed, when: 'false'}, "
    tasks += "{name: consumer, template: echo, depends: a.Skipped, withParam: '{{tasks.a.outputs.parameters.p}}'}"
    listed = 'outputs: {parameters: [{name: p, valueFrom: {path: /p, default: \'["a", "b"]\'}}]}'
    run = ended(
        f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}\n  - {{name: listed, container: {{image: i}}, {listed}}}"
    )
    assert {"consumer(0:a)", "consumer(1:b)"} <= by_name(run).keys()


# --- loops ------------------------------------------------------------------------------------------------------


def test_each_item_is_judged_by_its_own_condition() -> None:
    items = "[{name: first, type: ''}, {name: second, type: x}]"
    step = f"{{name: fst, template: echo, withItems: {items}, when: \"'{{{{item.name}}}}' != ''\"}}"
    run = ended(f"  - {{name: main, steps: [[{step}]]}}")
    assert {name: phase for name, phase in phases(run).items() if "fst" in name} == {
        "[0].fst(0:name:first,type:)": "Succeeded",
        "[0].fst(1:name:second,type:x)": "Succeeded",
    }


@pytest.mark.parametrize("more", ["", ", retryStrategy: {limit: 1}"])
def test_outputs_of_a_loop_are_a_list_to_loop_over(more: str) -> None:
    tasks = "{name: a, template: one, withSequence: {count: 3}}, "
    tasks += "{name: print, template: echo, depends: a, withParam: '{{tasks.a.outputs.parameters.p}}'}"
    one = "outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}"
    run = ended(
        f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}\n  - {{name: one, container: {{image: i}}, {one}{more}}}",
        {"one": Outcome(parameters={"p": "res:1"})},
    )
    assert {"print(0:res:1)", "print(1:res:1)", "print(2:res:1)"} <= by_name(run).keys()


def test_a_task_whose_condition_is_not_met_is_omitted() -> None:
    tasks = "{name: a, template: fail}, {name: execute-1, template: echo, depends: 'a.Failed'}, "
    tasks += "{name: should-not-execute, template: echo, depends: 'a.Succeeded'}"
    run = ended(f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}")
    assert (phases(run)["execute-1"], phases(run)["should-not-execute"]) == ("Succeeded", "Omitted")


@pytest.mark.parametrize("when", ["'{{= 1 + 1 == 2 }}'", "\"{{= 'a' in ['a', 'b'] }}\"", "'{{=true}} && true'"])
def test_conditions_may_be_expressions(when: str) -> None:
    run = ended(f"  - {{name: main, steps: [[{{name: a, template: echo, when: {when}}}]]}}")
    assert phases(run)["[0].a"] == "Succeeded"


# --- limits -----------------------------------------------------------------------------------------------------


def test_the_limit_of_retries_may_be_a_parameter() -> None:
    spec = "  arguments: {parameters: [{name: limit, value: '1'}]}\n"
    run = ended(
        "  - {name: main, retryStrategy: {limit: '{{workflow.parameters.limit}}'}, container: {image: i}}",
        {"main": FAILS, "w(0)": FAILS, "w(1)": FAILS},
        spec=spec,
    )
    assert (run.phase, run.message, len(run.nodes)) == ("Failed", "No more retries left", 3)


@pytest.mark.parametrize("limit", ["activeDeadlineSeconds: '{{inputs.parameters.s}}'", "timeout: 5s"])
def test_a_template_has_a_limit_of_its_own(limit: str) -> None:
    leaf = f"inputs: {{parameters: [{{name: s, value: '5'}}]}}, {limit}, container: {{image: i}}"
    run = ended(
        f"  - {{name: main, steps: [[{{name: a, template: long}}]]}}\n  - {{name: long, {leaf}}}",
        {"long": Outcome(seconds=60)},
    )
    assert run.phase == "Failed"
    assert run.finished_at == START + 5


@pytest.mark.parametrize("name", ["a(0)", "a"])
def test_no_retry_is_one_attempt_all_the_same(name: str) -> None:
    run = ended(
        "  - {name: main, steps: [[{name: a, template: once}]]}\n"
        "  - {name: once, retryStrategy: {limit: 0}, container: {image: i}}",
        {"once": FAILS},
    )
    found = node(run, f"[0].{name}")
    assert found.phase == "Failed"
    assert (found.node_flag is not None and found.node_flag.retried) is (name == "a(0)")
    assert progress(run.nodes.values()) == "0/1"


@pytest.mark.parametrize("kind", ["steps: [[%s, %s]]", "dag: {tasks: [%s, %s]}"])
def test_fail_fast_of_a_template_starts_nothing_more(kind: str) -> None:
    inner = kind % ("{name: a, template: fail}", "{name: b, template: echo, withItems: [1, 2]}")
    run = ended(f"  - {{name: main, parallelism: 1, failFast: true, {inner}}}")
    assert (run.phase, run.message) == ("Failed", "template has failed or errored children and failFast enabled")
    assert not any("b(" in name for name in by_name(run))


# --- handlers and hooks -----------------------------------------------------------------------------------------


def test_handlers_are_given_how_it_ended() -> None:
    given = ECHO % "{{workflow.status}}"
    spec = f"  hooks: {{exit: {{{given}}}}}\n"
    run = ended("  - {name: main, container: {image: i}}", spec=spec)
    assert text_of(run, "onExit") == "Succeeded"


def test_terminate_while_the_handler_runs_fails_all_of_it() -> None:
    spec = "  onExit: bye\n"
    templates = "  - {name: main, container: {image: i}}\n"
    templates += "  - {name: bye, steps: [[{name: a, template: long}], [{name: b, template: echo}]]}\n"
    simulation = started(f"{templates}  - {{name: long, container: {{image: i}}}}", {"long": Outcome(seconds=90)}, spec)
    driven(simulation, lambda run: "onExit[0].a" in by_name(run))
    simulation.send(Stop(now=START + 5, strategy=Shutdown.TERMINATE))
    found = phases(simulation.finish())
    assert {name: found[name] for name in ("onExit", "onExit[0]")} == {"onExit": "Failed", "onExit[0]": "Failed"}


def test_a_task_that_crashes_has_its_handler_all_the_same() -> None:
    given = ECHO % "{{steps.a.outputs.parameters.p}}"
    hooks = f"hooks: {{exit: {{{given}}}}}"
    run = ended(
        f"  - {{name: main, steps: [[{{name: a, template: make, {hooks}}}]]}}",
        {"make": Outcome(exit_code=137, parameters={"p": "made"})},
    )
    assert phases(run)["[0].a"] == "Failed"
    assert text_of(run, "[0].a.onExit") == "made"


def test_stop_lets_the_handlers_run_and_starts_nothing_else() -> None:
    spec = "  onExit: echo\n"
    steps = "[{name: A, template: long, onExit: echo}], [{name: B, template: echo}]"
    templates = f"  - {{name: main, steps: [{steps}]}}\n  - {{name: long, container: {{image: i}}}}"
    for strategy, handlers in ((Shutdown.STOP, {"[0].A.onExit", "onExit"}), (Shutdown.TERMINATE, set())):
        simulation = started(templates, {"long": Outcome(seconds=90)}, spec)
        driven(simulation, lambda run: phases(run).get("[0].A") == "Running")
        simulation.send(Stop(now=START + 5, strategy=strategy))
        found = phases(simulation.finish())
        assert found["[0].A"] == "Failed"
        assert {name for name in found if name.endswith("onExit")} == handlers
        assert not any(name.startswith("[1]") for name in found)


def test_death_by_a_signal_is_told() -> None:
    run = ended("  - {name: main, container: {image: i}}", {"w": Outcome(exit_code=143)})
    assert "(exit code 143)" in run.message


def test_the_handler_runs_though_the_run_is_over_its_time() -> None:
    spec = "  activeDeadlineSeconds: 5\n  onExit: echo\n"
    run = ended("  - {name: main, container: {image: i}}", {"w": Outcome(seconds=90)}, spec=spec)
    assert (run.phase, phases(run)["onExit"]) == ("Failed", "Succeeded")


# --- waits ------------------------------------------------------------------------------------------------------


def waiting(value: str) -> str:
    outputs = f"outputs: {{parameters: [{{name: message, valueFrom: {{supplied: {{}}{value}}}}}]}}"
    argument = ECHO % "{{steps.approve.outputs.parameters.message}}"
    steps = f"[{{name: approve, template: wait}}], [{{name: release, {argument}}}]"
    return f"  - {{name: main, steps: [{steps}]}}\n  - {{name: wait, suspend: {{duration: '0'}}, {outputs}}}"


def test_a_wait_ends_with_its_default() -> None:
    run = ended(waiting(", default: default message"))
    assert text_of(run, "[1].release") == "default message"


def test_a_wait_without_a_default_fails_naming_what_is_missing() -> None:
    run = ended(waiting(""))
    assert run.phase in ("Failed", "Error")
    assert "'message'" in told(run)["[0].approve"]


def test_a_wait_takes_the_value_that_it_is_given() -> None:
    simulation = started(waiting("").replace("duration: '0'", ""))
    simulation.send(Resume(now=START, node_id=node(simulation.run, "[0].approve").id, parameters={"message": "Hello"}))
    assert text_of(simulation.finish(), "[1].release") == "Hello"


# --- values -----------------------------------------------------------------------------------------------------


def test_a_step_that_made_nothing_gives_its_default() -> None:
    argument = ECHO % "{{steps.a.outputs.parameters.p}}"
    run = ended(f"  - {{name: main, steps: [[{{name: a, template: default}}], [{{name: b, {argument}}}]]}}")
    assert text_of(run, "[1].b") == "d"


def test_result_and_exit_code_are_known() -> None:
    argument = ECHO % "{{steps.a.outputs.result}} {{steps.a.exitCode}}"
    run = ended(
        f"  - {{name: main, steps: [[{{name: a, template: make}}], [{{name: b, {argument}}}]]}}",
        {"make": Outcome(result="said", parameters={"p": "x"})},
    )
    assert text_of(run, "[1].b") == "said 0"


def test_items_are_known_to_functions_of_sprig() -> None:
    argument = ECHO % "{{=sprig.upper(item)}}"
    run = ended(f"  - {{name: main, steps: [[{{name: a, withItems: [example], {argument}}}]]}}")
    assert text_of(run, "[0].a(0:example)") == "EXAMPLE"


def test_tasks_may_have_the_names_of_functions() -> None:
    argument = ECHO % "{{=tasks.split.outputs.parameters.p}}"
    tasks = f"{{name: split, template: make}}, {{name: map, depends: split, {argument}}}"
    assert text_of(ended(f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}"), "map") == "made"


@pytest.mark.parametrize("own", ["value: own", "default: own"])
def test_an_argument_goes_before_a_template_s_own_value(own: str) -> None:
    inputs = f"inputs: {{parameters: [{{name: text, {own}}}]}}"
    argument = "arguments: {parameters: [{name: text, value: arg-value}]}"
    run = ended(
        f"  - {{name: main, steps: [[{{name: a, template: leaf, {argument}}}]]}}\n"
        f"  - {{name: leaf, container: {{image: i}}, {inputs}}}"
    )
    assert text_of(run, "[0].a") == "arg-value"
