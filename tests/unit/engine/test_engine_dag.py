"""DAG templates: what runs when, and what becomes of the whole."""

from __future__ import annotations

import pytest
from engine_documents import FAILS, by_name, ended, node, phases, told

from penstock.engine.protocol import Launch
from penstock.testing.simulation import Outcome
from penstock.workflow.status import NodeType


def dag(*tasks: str, more: str = "") -> str:
    lines = "".join(f"\n      - {task}" for task in tasks)
    return f"  - name: main\n{more}    dag:\n      tasks:{lines}"


def test_a_diamond_and_its_tree() -> None:
    run = ended(
        dag(
            "{name: A, template: echo}",
            "{name: B, template: echo, dependencies: [A]}",
            "{name: C, template: echo, dependencies: [A]}",
            "{name: D, template: echo, dependencies: [B, C]}",
        )
    )
    found = by_name(run)
    ids = {name: one.id for name, one in found.items()}
    assert run.phase == "Succeeded"
    assert found[""].type is NodeType.DAG
    assert found[""].children == (ids["A"],)
    assert found["A"].children == (ids["B"], ids["C"])
    assert found["B"].children == found["C"].children == (ids["D"],)
    assert found[""].outbound_nodes == (ids["D"],)
    assert {one.boundary_id for name, one in found.items() if name} == {"w"}
    assert found["D"].display_name == "D"


def test_no_verdict_while_a_branch_runs() -> None:
    run = ended(
        dag("{name: A, template: fail}", "{name: B, template: echo}", "{name: C, template: echo, dependencies: [B]}"),
        {"B": Outcome(seconds=50)},
    )
    assert phases(run) == {"": "Failed", "A": "Failed", "B": "Succeeded", "C": "Succeeded"}


@pytest.mark.parametrize(
    ("depends", "phase", "message"),
    [
        ("A", "Succeeded", ""),
        ("A && B.Failed", "Succeeded", ""),
        ("A.Failed", "Omitted", "omitted: depends condition not met"),
        ("B", "Omitted", "omitted: depends condition not met"),
        ("B || A", "Succeeded", ""),
        ("S", "Succeeded", ""),
        ("S.Succeeded", "Omitted", "omitted: depends condition not met"),
        ("S.Skipped && !A.Errored", "Succeeded", ""),
        ("L.AnySucceeded", "Succeeded", ""),
        ("L.AllFailed", "Omitted", "omitted: depends condition not met"),
        ("M.AllFailed", "Succeeded", ""),
    ],
)
def test_depends(depends: str, phase: str, message: str) -> None:
    run = ended(
        dag(
            "{name: A, template: echo}",
            "{name: B, template: fail}",
            "{name: S, template: echo, when: 'false'}",
            "{name: L, template: echo, withItems: [1, 2]}",
            "{name: M, template: fail, withItems: [1, 2]}",
            f"{{name: T, template: echo, depends: '{depends}'}}",
        ),
        {"L(1:2)": FAILS},
    )
    assert (phases(run)["T"], told(run).get("T", "")) == (phase, message)


def test_omission_passes_on_and_a_left_out_leaf_has_the_phase_of_its_branch() -> None:
    run = ended(
        dag(
            "{name: A, template: fail}",
            "{name: B, template: echo, dependencies: [A]}",
            "{name: C, template: echo, dependencies: [B]}",
        )
    )
    assert phases(run) == {"": "Failed", "A": "Failed", "B": "Omitted", "C": "Omitted"}
    assert node(run, "B").type is NodeType.SKIPPED


def test_continue_on() -> None:
    run = ended(
        dag(
            "{name: F, template: fail, continueOn: {failed: true}}",
            "{name: P, template: echo, dependencies: [F]}",
        )
    )
    assert phases(run) == {"": "Succeeded", "F": "Failed", "P": "Succeeded"}
    assert run.phase == "Succeeded"


def test_continue_on_an_error_is_not_on_a_failure() -> None:
    run = ended(
        dag("{name: F, template: fail, continueOn: {error: true}}", "{name: P, template: echo, dependencies: [F]}")
    )
    assert phases(run) == {"": "Failed", "F": "Failed", "P": "Omitted"}


def test_targets_alone_run_with_what_they_need() -> None:
    templates = """\
  - name: main
    dag:
      target: C E
      tasks:
      - {name: A, template: echo}
      - {name: B, template: echo, dependencies: [A]}
      - {name: C, template: echo, dependencies: [A]}
      - {name: D, template: fail}
      - {name: E, template: echo}"""
    assert phases(ended(templates)) == {"": "Succeeded", "A": "Succeeded", "C": "Succeeded", "E": "Succeeded"}


@pytest.mark.parametrize(
    ("condition", "phase", "message"),
    [
        ("'{{tasks.A.outputs.parameters.p}} == made'", "Succeeded", ""),
        ("'{{tasks.A.outputs.parameters.p}} != made'", "Skipped", "when 'made != made' evaluated false"),
        (
            "'{{tasks.A.outputs.parameters.p}} x'",
            "Error",
            "Invalid 'when' expression 'made x': Cannot transition token types from VARIABLE [made] to VARIABLE [x]",
        ),
    ],
)
def test_when(condition: str, phase: str, message: str) -> None:
    run = ended(dag("{name: A, template: make}", f"{{name: B, template: echo, dependencies: [A], when: {condition}}}"))
    assert (phases(run)["B"], told(run).get("B", "")) == (phase, message)
    assert node(run, "B").type is (NodeType.POD if phase == "Succeeded" else NodeType.SKIPPED)


CONSUMER = (
    "{name: B, template: T, depends: 'A.Skipped || A.Omitted || A.Succeeded', arguments: "
    "{parameters: [{name: text, value: 'V'}]}}"
)


def consumer(template: str, value: str) -> str:
    return CONSUMER.replace("T,", f"{template},").replace("V", value)


def test_a_skipped_producer_gives_its_default() -> None:
    run = ended(
        dag("{name: A, template: default, when: 'false'}", consumer("echo", "from {{tasks.A.outputs.parameters.p}}"))
    )
    inputs = node(run, "B").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == "from d"


def test_a_skipped_producer_without_default_leaves_the_consumer_its_own() -> None:
    run = ended(dag("{name: A, template: make, when: 'false'}", consumer("echo", "{{tasks.A.outputs.parameters.p}}")))
    inputs = node(run, "B").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == "hello"


@pytest.mark.parametrize("value", ["x{{tasks.A.outputs.parameters.p}}", "{{tasks.A.outputs.parameters.p}}"])
def test_an_absent_output_without_any_default_is_an_error(value: str) -> None:
    strict = "\n  - {name: strict, inputs: {parameters: [{name: text}]}, container: {image: busybox}}"
    run = ended(dag("{name: A, template: make, when: 'false'}", consumer("strict", value)) + strict)
    assert run.phase == "Error"
    assert phases(run)["B"] == "Error"
    assert "absent optional" in told(run)["B"]


def test_a_loop() -> None:
    run = ended(
        dag(
            "{name: L, template: echo, withItems: [a, {k: v, b: 1}], arguments: "
            "{parameters: [{name: text, value: '{{item}}'}]}}",
            "{name: B, template: echo, dependencies: [L]}",
        )
    )
    found = by_name(run)
    assert [one.type for one in (found["L"], found["L(0:a)"])] == [NodeType.TASK_GROUP, NodeType.POD]
    assert found["L"].children == (found["L(0:a)"].id, found["L(1:b:1,k:v)"].id)
    assert found["L(1:b:1,k:v)"].children == (found["B"].id,)
    assert [p.value for p in found["L(1:b:1,k:v)"].inputs.parameters] == ['{"b":1,"k":"v"}']  # type: ignore[union-attr]


def test_aggregates_follow_the_order_of_items_and_hold_those_that_succeeded() -> None:
    outcomes = {f"L({i}:{i})": Outcome(parameters={"p": str(i)}, seconds=10 - i) for i in range(12)}
    outcomes["L(3:3)"] = FAILS
    run = ended(
        dag(
            "{name: L, template: make, withSequence: {count: 12}, continueOn: {failed: true}}",
            "{name: B, template: echo, dependencies: [L], arguments: "
            "{parameters: [{name: text, value: '{{tasks.L.outputs.parameters.p}}'}]}}",
        ),
        outcomes,
    )
    inputs = node(run, "B").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == '["0","1","2","4","5","6","7","8","9","10","11"]'


@pytest.mark.parametrize(
    ("items", "phase", "message"),
    [
        ("[]", "Skipped", "Skipped, empty params"),
        ('{"a": 1}', "Error", "items: expected list, got dict; withParam value could not be parsed as a JSON list"),
        ("nonsense", "Error", "withParam value could not be parsed as a JSON list: nonsense"),
        (str(list(range(11))), "Error", "11 items exceed max_iterations 10"),
    ],
)
def test_loops_over_what_a_step_made(items: str, phase: str, message: str) -> None:
    run = ended(
        dag(
            "{name: A, template: make}",
            "{name: L, template: echo, dependencies: [A], withParam: '{{tasks.A.outputs.parameters.p}}'}",
        ),
        {"A": Outcome(parameters={"p": items})},
        max_iterations=10,
    )
    assert phases(run)["L"] == phase
    assert told(run)["L"].startswith(message)
    assert run.phase == ("Succeeded" if phase == "Skipped" else "Error")


def test_when_is_judged_for_each_item() -> None:
    run = ended(
        dag("{name: L, template: echo, withItems: [1, 2], when: '{{item}} == 2'}"),
    )
    assert phases(run) == {"": "Succeeded", "L": "Succeeded", "L(0:1)": "Skipped", "L(1:2)": "Succeeded"}
    assert told(run)["L(0:1)"] == "when '1 == 2' evaluated false"


def test_recursion_ends_at_depth_100() -> None:
    run = ended(dag("{name: again, template: main}"))
    assert run.phase == "Error"
    deepest = max(run.nodes.values(), key=lambda one: len(one.name))
    assert deepest.name.count("again") == 99
    assert deepest.message.startswith("Maximum recursion depth exceeded.")


def test_a_task_s_exit_handler_has_its_outputs_and_what_follows_waits_for_it() -> None:
    templates = dag(
        "{name: A, template: make, hooks: {exit: {template: echo, arguments: "
        "{parameters: [{name: text, value: '{{tasks.A.status}} {{tasks.A.outputs.parameters.p}}'}]}}}}",
        "{name: B, template: echo, dependencies: [A]}",
        "{name: S, template: echo, when: 'false', onExit: echo}",
    )
    run = ended(templates, {"A.onExit": Outcome(seconds=30)})
    found = by_name(run)
    assert found["A.onExit"].inputs.parameters[0].value == "Succeeded made"  # type: ignore[union-attr]
    assert found["A.onExit"].node_flag.hooked  # type: ignore[union-attr]
    assert found["B"].started_at is not None
    assert found["A.onExit"].finished_at is not None
    assert found["B"].started_at >= found["A.onExit"].finished_at
    assert "S.onExit" not in found


def test_a_template_named_by_a_parameter() -> None:
    run = ended(
        dag("{name: A, template: '{{inputs.parameters.which}}'}", more="    inputs: {parameters: [{name: which}]}\n"),
        spec="  arguments: {parameters: [{name: which, value: echo}]}\n",
    )
    assert phases(run) == {"": "Succeeded", "A": "Succeeded"}


def test_an_inline_template() -> None:
    run = ended(dag("{name: A, inline: {container: {image: busybox, args: ['{{workflow.name}}']}}}"))
    assert phases(run) == {"": "Succeeded", "A": "Succeeded"}
    assert node(run, "A").type is NodeType.POD


def test_a_display_name() -> None:
    shown = """
  - name: shown
    annotations: {workflows.argoproj.io/display-name: "step-{{inputs.parameters.number}}"}
    inputs: {parameters: [{name: number}]}
    container: {image: busybox}"""
    task = "{{name: {0}, template: shown, arguments: {{parameters: [{{name: number, value: '{1}'}}]}}}}"
    run = ended(dag(task.format("A", "1"), task.format("B", "not allowed")) + shown)
    assert node(run, "A").display_name == "step-1"
    assert node(run, "B").phase == "Error"
    assert node(run, "B").message.startswith("displayName must match the regex ")


def test_commands_are_launches_of_what_may_start() -> None:
    from engine_documents import START, document, script

    from penstock.engine import new_run, step
    from penstock.engine.protocol import Begin

    workflow = document(dag("{name: A, template: echo}", "{name: B, template: echo, dependencies: [A]}"))
    run = new_run(workflow, name="w", uid="u", parameters={}, created_at=START)
    run, commands = step(run, Begin(now=START))
    (launch,) = commands
    assert isinstance(launch, Launch)
    assert (launch.pod.display_name, launch.pod.args) == ("A", ("hello",))
    assert step(run, Begin(now=START + 1)) == (run, [])
    assert script()(launch.pod).exit_code == 0
