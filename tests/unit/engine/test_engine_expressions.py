"""Expressions where a document may have them: arguments, conditions, outputs, artifacts, retries."""

from __future__ import annotations

import pytest
from engine_documents import FAILS, ended, node, phases, told

from penstock.testing.simulation import Outcome

FLIP = """\
  - name: main
    outputs:
      parameters: [{name: q, valueFrom: {expression: "%s"%s}}]
      artifacts: [{name: b, fromExpression: "tasks.flip.outputs.result == 'heads' ? %s"}]
    dag:
      tasks:
      - {name: flip, template: flip}
      - {name: heads, template: make, depends: flip, when: "{{tasks.flip.outputs.result}} == heads"}
      - {name: tails, template: make, depends: flip, when: "{{tasks.flip.outputs.result}} == tails"}
  - {name: flip, script: {image: python, command: [python], source: print("heads")}}"""
CHOICE = "tasks.heads.outputs.artifacts.a : tasks.tails.outputs.artifacts.a"
PICK = "tasks.heads.outputs.parameters.p ?? tasks.tails.outputs.parameters.p"


@pytest.mark.parametrize("side", ["heads", "tails"])
def test_the_output_of_the_branch_that_ran(side: str) -> None:
    outcomes = {"flip": Outcome(result=side), "heads": Outcome(parameters={"p": "H"})}
    run = ended(FLIP % (PICK, "", CHOICE), outcomes | {"tails": Outcome(parameters={"p": "T"})})
    outputs = node(run, "").outputs
    assert outputs is not None
    assert outputs.parameters[0].value == side[0].upper()
    made = node(run, side).outputs
    assert made is not None
    assert [(a.name, a.key) for a in outputs.artifacts] == [("b", made.artifacts[0].key)]


@pytest.mark.parametrize(
    ("expression", "default", "phase", "value"),
    [
        ("asInt('4') * 2", "", "Succeeded", "8"),
        ("tasks.tails.outputs.parameters.p", "", "Error", None),
        ("tasks.tails.outputs.parameters.p", ", default: d", "Succeeded", "d"),
        ("1 +", ", default: d", "Succeeded", "d"),
        ("1 +", "", "Error", None),
        ("[1, 'a']", "", "Succeeded", "[1 a]"),
    ],
)
def test_values_of_output_expressions(expression: str, default: str, phase: str, value: str | None) -> None:
    run = ended(FLIP % (expression, default, CHOICE), {"flip": Outcome(result="heads")})
    assert run.phase == phase
    outputs = node(run, "").outputs
    assert (outputs.parameters[0].value if outputs is not None else None) == value


def test_an_output_expression_sees_the_inputs_of_its_template() -> None:
    templates = """\
  - name: main
    inputs: {parameters: [{name: size, value: "2"}]}
    outputs: {parameters: [{name: q, valueFrom: {expression: "asInt(inputs.parameters.size) == 2 ? 'two' : 'no'"}}]}
    steps:
    - [{name: a, template: work, when: "{{inputs.parameters.size}} != 2"}]
  - {name: work, container: {image: a}}"""
    outputs = node(ended(templates), "").outputs
    assert outputs is not None
    assert outputs.parameters[0].value == "two"


def test_a_condition_may_be_made_by_an_expression() -> None:
    templates = """\
  - name: main
    inputs: {parameters: [{name: kinds, value: '["always","test"]'}]}
    steps:
    - - name: a
        template: work
        when: '"{{= item.kind }}" in ("{{= fromJSON(inputs.parameters.kinds) | join(`","`) }}","")'
        withItems: [{kind: test}, {kind: other}]
  - {name: work, container: {image: a}}"""
    run = ended(templates)
    assert sorted(phases(run).values()).count("Skipped") == 1
    assert run.phase == "Succeeded"


def test_arguments_and_conditions() -> None:
    templates = """\
  - name: main
    inputs: {parameters: [{name: number, value: "21"}]}
    dag:
      tasks:
      - name: A
        template: echo
        arguments: {parameters: [{name: text, value: "{{=asInt(inputs.parameters.number) * 2}}"}]}
      - {name: B, template: echo, depends: A, when: "{{=tasks.A.status == 'Succeeded' && workflow.name == 'w'}}"}
      - {name: C, template: echo, depends: A, when: "{{=tasks.A.status != 'Succeeded'}}"}
      - name: L
        template: echo
        withItems: [{k: v}, {k: w}]
        arguments: {parameters: [{name: text, value: "{{=sprig.upper(item.k)}}"}]}"""
    run = ended(templates)
    assert node(run, "A").inputs.parameters[0].value == "42"  # type: ignore[union-attr]
    assert (phases(run)["B"], phases(run)["C"]) == ("Succeeded", "Skipped")
    assert node(run, "L(1:k:w)").inputs.parameters[0].value == "W"  # type: ignore[union-attr]


def test_an_unknown_function_stays_until_its_place_refuses_it() -> None:
    run = ended("  - {name: main, dag: {tasks: [{name: A, template: echo, when: '{{=nope(1)}} == 1'}]}}")
    assert phases(run)["A"] == "Error"
    assert told(run)["A"].startswith("Invalid 'when' expression '{{=nope(1)}} == 1': Invalid token: '{{='")


RETRY = '  - {name: main, container: {image: busybox}, retryStrategy: {limit: 5, expression: "%s"}}'


@pytest.mark.parametrize(
    ("expression", "tries", "message"),
    [
        ("asInt(lastRetry.exitCode) > 1", 1, "retryStrategy.expression evaluated to false"),
        ("asInt(lastRetry.exitCode) == 1 && asInt(retries) < 2", 3, "retryStrategy.expression evaluated to false"),
        ("lastRetry.status == 'Failed'", 6, "No more retries left"),
        ("lastRetry.message contains 'exit code 1'", 6, "No more retries left"),
        ("lastRetry.status", 1, "unable to cast expression result 'Failed' to bool"),
        ("nope", 1, "unable to evaluate expression 'nope': unknown name nope"),
    ],
)
def test_retries_by_expression(expression: str, tries: int, message: str) -> None:
    run = ended(RETRY % expression, {"main": FAILS})
    assert len(run.nodes) == 1 + tries
    assert run.message == message


def test_with_an_expression_errors_are_tried_again_too_and_an_unknown_exit_is_minus_one() -> None:
    lost = Outcome(exit_code=None, error="lost")
    run = ended(RETRY % "lastRetry.exitCode == '-1'", {"main(0)": lost, "main": lost})
    assert len(run.nodes) == 7
    assert (run.phase, run.message) == ("Error", "No more retries left")


def test_clock_and_chance_are_those_of_the_event() -> None:
    text = "{{=sprig.date('2006-01-02 15:04', sprig.now())}} {{=sprig.randNumeric(6)}}"
    templates = (
        "  - name: main\n    steps: [[{name: s, template: echo, arguments: {parameters: [{name: text, value: "
        f'"{text}"}}]}}}}]]\n'
    )
    first, second = (node(ended(templates), "[0].s").inputs for _ in range(2))
    assert first is not None
    assert first == second
    assert (first.parameters[0].value or "").startswith("2023-11-14 22:13 ")
