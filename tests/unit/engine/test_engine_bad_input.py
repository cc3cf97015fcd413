"""What strangers may send: each a clear error, before there is a run where it can be seen then, and soon otherwise."""

from __future__ import annotations

import pytest
from engine_documents import document, ended, node

from penstock.errors import InvalidDocument
from penstock.testing.simulation import Outcome

ECHO = "  - {name: main, steps: [[{name: s, template: echo, arguments: {parameters: [{name: text, value: %s}]}}]]}"


@pytest.mark.parametrize("around", ["", "inputs.parameters."])
def test_tags_nested_more_than_ten_deep_are_refused(around: str) -> None:
    for depth in (10, 11):
        text = ("{{" + around) * depth + "x" + "}}" * depth
        template = f"  - {{name: main, container: {{image: busybox, args: ['{text}']}}}}"
        if depth == 10 and not around:
            document(template)
        elif depth == 11:
            with pytest.raises(InvalidDocument, match=r"templates\.main has tags nested 11 deep; at most 10"):
                document(template)


def test_an_expression_of_a_megabyte_is_refused() -> None:
    with pytest.raises(InvalidDocument, match=r"has an expression of 1,000,00\d characters; limit 1,000,000"):
        document(ECHO % ("'{{=\"" + "x" * 1_000_000 + "\"}}'"))


@pytest.mark.parametrize(
    "expression", ["sprig.repeat(2000000, 'x')", "repeat('x', 2000000)", "join(map(1..2000000, 'x'), '')"]
)
def test_a_result_over_a_megabyte_is_an_error_before_it_is_made(expression: str) -> None:
    run = ended(ECHO % f'"{{{{={expression}}}}}"')
    assert run.phase in ("Error", "Failed")
    assert any("budget" in made.message or "limit" in made.message for made in run.nodes.values())


@pytest.mark.parametrize(
    "body",
    [
        "dag: {tasks: [{name: a, template: main}, {name: b, template: main}]}",
        "steps: [[{name: a, template: main}, {name: b, template: main}, {name: c, template: main}]]",
        "steps: [[{name: a, template: main, withSequence: {count: 5}}]]",
    ],
)
def test_recursion_that_starts_no_step_and_branches_fails_soon(body: str) -> None:
    run = ended(f"  - {{name: main, {body}}}")
    assert run.phase == "Failed"
    assert run.message.startswith("template 'main' calls itself again and again without starting a step; ")
    assert len(run.nodes) < 10_000


def test_recursion_that_does_not_branch_ends_at_depth_100_as_on_argo() -> None:
    run = ended("  - {name: main, steps: [[{name: a, template: main}]]}")
    assert run.phase == "Failed"
    assert any(made.message.startswith("Maximum recursion depth exceeded") for made in run.nodes.values())


def test_recursion_after_steps_goes_on_until_a_step_says_so() -> None:
    run = ended(
        "  - name: main\n    steps:\n    - [{name: look, template: make}]\n"
        "    - - {name: again, template: main, when: '{{steps.look.outputs.parameters.p}} == more'}\n"
        "      - {name: beside, template: main, when: '{{steps.look.outputs.parameters.p}} == never'}\n",
        {"make": Outcome(parameters={"p": "enough"})},
    )
    assert run.phase == "Succeeded"
    assert str(node(run, "[1].again").phase) == "Skipped"
