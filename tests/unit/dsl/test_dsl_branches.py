"""Conditions that are joined, chains of branches, and the value of the one that ran."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import penstock
from authoring import document, parameters, step, task, template
from penstock import components, dsl
from penstock.compiler import compile_pipeline
from penstock.engine import Run
from penstock.errors import InvalidPipeline
from penstock.testing.simulation import Outcome, simulate
from penstock.workflow import load


def when(condition: Callable[[Any, Any], Any]) -> str:
    """How a document spells a condition of a parameter and an output."""

    def p(n: int) -> None:
        with dsl.If(condition(n, step("a").output)):
            step("b")

    return str(task(p, "p", "condition-1")["when"])


A = "{{tasks.a.outputs.parameters.a-out}}"


@pytest.mark.parametrize(
    ("condition", "spelled"),
    [
        (lambda n, a: dsl.all_of(n > 1, a == "x"), f'({{n}} > 1) && ("{A}" == "x")'),
        (lambda n, a: dsl.any_of(n > 1, a != "x"), f'({{n}} > 1) || ("{A}" != "x")'),
        (lambda n, a: dsl.not_(n > 1), "!({n} > 1)"),
        (lambda n, a: dsl.all_of(n > 1), "{n} > 1"),
        (
            lambda n, a: dsl.all_of(dsl.any_of(n > 1, n < 0), dsl.not_(a == 'say "x"')),
            f'(({{n}} > 1) || ({{n}} < 0)) && (!("{A}" == "say \\"x\\""))',
        ),
    ],
)
def test_how_conditions_are_spelled(condition: Callable[[Any, Any], Any], spelled: str) -> None:
    assert when(condition) == spelled.replace("{n}", "{{inputs.parameters.n}}")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (lambda n, a: (n == 1) and (n == 2), r"condition \(n == 1\) has no truth value.*dsl\.all_of"),
        (lambda n, a: (n == 1) or (n == 2), r"dsl\.any_of"),
        (lambda n, a: not n, r"'n' has no truth value.*dsl\.not_"),
        (lambda n, a: dsl.all_of(n == 1, n == 2) and a == 1, r"\(n == 1\) and \(n == 2\)\) has no truth value"),
        (lambda n, a: not dsl.not_(n == 1), r"not \(n == 1\)\) has no truth value"),
        (lambda n, a: dsl.all_of(n == 1, True), r"dsl\.all_of takes a comparison .* got bool True"),
        (lambda n, a: dsl.any_of(), r"dsl\.any_of takes at least one condition"),
        (lambda n, a: dsl.not_("x"), r"dsl\.not_ takes a comparison .* got str 'x'"),
        (lambda n, a: "x" == "y", r"dsl\.If takes a comparison .* got bool False"),
    ],
)
def test_words_of_python_are_refused_with_the_right_ones(condition: Callable[[Any, Any], Any], message: str) -> None:
    with pytest.raises(InvalidPipeline, match=rf"{__file__}:\d+: .*{message}"):
        when(condition)


# --- chains -----------------------------------------------------------------------------------------------------


def three(n: int) -> None:
    """A chain of three, and a reader of what it made."""
    with dsl.If(n > 10):
        many = step("many")
    with dsl.Elif(n > 5):
        some = step("some")
    with dsl.Else():
        few = step("few")
    step("read", dsl.OneOf(many.output, some.output, few.output))


def test_each_block_runs_when_none_before_does() -> None:
    n = "{{inputs.parameters.n}}"
    found = {each["name"]: each.get("when") for each in template(three, "p")["dag"]["tasks"]}
    assert found == {
        "condition-1": f"{n} > 10",
        "condition-2": f"(!({n} > 10)) && ({n} > 5)",
        "condition-3": f"!(({n} > 10) || ({n} > 5))",
        "read": None,
    }


def test_the_reader_waits_for_all_and_takes_what_there_is() -> None:
    read = task(three, "p", "read")
    assert read["dependencies"] == ["condition-1", "condition-2", "condition-3"]
    assert parameters(read) == {
        "condition-1-out": "{{=tasks['condition-1'].outputs.parameters['many-out'] ?? "
        "tasks['condition-2'].outputs.parameters['some-out'] ?? "
        "tasks['condition-3'].outputs.parameters['few-out']}}"
    }


def ran(pipeline: Callable[..., Any], given: dict[str, str], outputs: dict[str, str]) -> Run:
    """The pipeline run by the engine, each step giving the output that it is told to."""
    script = {name: Outcome(parameters={f"{name}-out": value}) for name, value in outputs.items()}
    workflow = load(json.dumps(document(pipeline)))
    return simulate(workflow, lambda pod: script.get(pod.template_name, Outcome()), parameters=given, name="w")


def phases(run: Run) -> dict[str, str]:
    """How each task ended."""
    return {node.display_name: str(node.phase) for node in run.nodes.values() if node.display_name != "w"}


def values(run: Run, template: str) -> list[str]:
    """The last value that each step of that template read."""
    steps = [node for node in run.nodes.values() if node.template_name == template and node.type == "Pod"]
    return [str(step.inputs.parameters[-1].value) for step in steps if step.inputs is not None]


@pytest.mark.parametrize(("n", "made"), [("11", "MANY"), ("10", "SOME"), ("6", "SOME"), ("5", "FEW"), ("-1", "FEW")])
def test_one_block_runs_and_its_value_is_read(n: str, made: str) -> None:
    run = ran(three, {"n": n}, {"many": "MANY", "some": "SOME", "few": "FEW"})
    assert run.phase == "Succeeded"
    assert values(run, "read") == [made]
    blocks = [phase for name, phase in phases(run).items() if name.startswith("condition-")]
    assert sorted(blocks) == ["Skipped", "Skipped", "Succeeded"]


def nested(n: int) -> None:
    """A chain inside a block, what it made read outside, by a condition and in a loop; all under an exit handler."""
    with dsl.ExitHandler(step("bye")):
        with dsl.If(n > 0):
            with dsl.If(n > 5):
                a = step("a")
            with dsl.Else():
                b = step("b")
            inner = dsl.OneOf(a.output, b.output)
            step("near", inner)
        with dsl.Else():
            c = step("c")
        made = dsl.OneOf(inner, c.output)
        with dsl.If(made == "B"), dsl.ParallelFor([1, 2]) as item:
            step("read", item, made)


@pytest.mark.parametrize(("n", "read"), [("9", 0), ("1", 2), ("0", 0)])
def test_chains_within_chains(n: str, read: int) -> None:
    run = ran(nested, {"n": n}, {"a": "A", "b": "B", "c": "C"})
    assert run.phase == "Succeeded"
    assert len(values(run, "read")) == read
    if n != "0":
        assert values(run, "near") == ["A" if n == "9" else "B"]


def test_a_list_that_one_of_two_made_is_looped_over() -> None:
    def p(n: int) -> None:
        with dsl.If(n > 0):
            a = step("a")
        with dsl.Else():
            b = step("b")
        with dsl.ParallelFor(dsl.OneOf(a.output, b.output)) as item:
            step("read", item)

    run = ran(p, {"n": "0"}, {"a": "[1]", "b": '["x", "y"]'})
    assert sorted(values(run, "read")) == ["x", "y"]


def test_a_file_that_one_of_two_made_is_read() -> None:
    read = components.load_component_from_text(
        "{name: read, inputs: [{name: data}],"
        " implementation: {container: {image: i, command: [cat, {inputPath: data}]}}}"
    )

    def p(n: int) -> None:
        with dsl.If(n > 0):
            a = step("a")
        with dsl.Else():
            b = step("b")
        read(data=dsl.OneOf(a.output, b.output))

    (argument,) = task(p, "p", "read")["arguments"]["artifacts"]
    assert argument == {
        "name": "condition-1-out",
        "fromExpression": "tasks['condition-1'].status == 'Succeeded' ? "
        "tasks['condition-1'].outputs.artifacts['a-out'] : tasks['condition-2'].outputs.artifacts['b-out']",
        "raw": {"data": "replaced by the artifact that the expression gives"},
    }
    run = ran(p, {"n": "0"}, {})
    keys = {
        node.display_name: node.outputs.artifacts[-1].key
        for node in run.nodes.values()
        if node.display_name == "b" and node.outputs is not None
    }
    (reader,) = [node for node in run.nodes.values() if node.display_name == "read"]
    assert run.phase == "Succeeded"
    assert reader.inputs is not None
    assert reader.inputs.artifacts[0].key == keys["b"]


def test_a_failed_block_is_not_taken_for_a_skipped_one() -> None:
    workflow = load(json.dumps(document(three)))
    run = simulate(workflow, lambda _: Outcome(exit_code=1), parameters={"n": "11"}, name="w")
    assert run.phase == "Failed"
    assert phases(run)["read"] == "Omitted"


# --- what is refused --------------------------------------------------------------------------------------------


def refused(pipeline: Callable[..., Any], message: str) -> None:
    with pytest.raises(InvalidPipeline, match=rf"(test_dsl_branches|authoring)\.py:\d+: .*{message}"):
        compile_pipeline(dsl.pipeline(name="p")(pipeline))


def test_a_block_without_a_chain_before_it_is_refused() -> None:
    def alone(n: int) -> None:
        with dsl.Else():
            step("a")

    def apart(n: int) -> None:
        with dsl.If(n > 1):
            step("a")
        step("between")
        with dsl.Elif(n > 0):
            step("b")

    def after_the_last(n: int) -> None:
        with dsl.If(n > 1):
            step("a")
        with dsl.Else():
            step("b")
        with dsl.Else():
            step("c")

    def of_a_condition(n: int) -> None:
        with dsl.Condition(n > 1):
            step("a")
        with dsl.Else():
            step("b")

    for pipeline in (alone, after_the_last, of_a_condition):
        refused(pipeline, "dsl.Else stands right after a block of dsl.If or dsl.Elif")
    refused(apart, "dsl.Elif stands right after a block")


def test_one_of_wants_an_output_of_every_block() -> None:
    def chain(read: Callable[..., Any], *, end: bool = True) -> Callable[[int], None]:
        def p(n: int) -> None:
            before = step("before")
            with dsl.If(n > 1):
                a, again = step("a"), step("again")
            with dsl.Elif(n > 0):
                b = step("b")
            c = b
            if end:
                with dsl.Else():
                    c = step("c")
            read(before, a, again, b, c)

        return p

    refused(chain(lambda before, a, again, b, c: dsl.OneOf(a.output, b.output)), "each block of a chain that ends")
    refused(chain(lambda before, a, again, b, c: dsl.OneOf(a.output, b.output), end=False), "that ends with dsl.Else")
    refused(
        chain(lambda before, a, again, b, c: dsl.OneOf(a.output, again.output, b.output, c.output)),
        "two outputs of one block",
    )
    refused(chain(lambda before, a, again, b, c: dsl.OneOf(before.output, b.output, c.output)), "of one chain of")
    refused(chain(lambda before, a, again, b, c: dsl.OneOf("x", b.output)), "takes outputs of steps, got 'x'")
    refused(chain(lambda before, a, again, b, c: dsl.OneOf()), "of one chain of")


def test_outputs_of_one_of_are_of_one_type() -> None:
    @penstock.component
    def number() -> int:
        return 1

    @penstock.component
    def text() -> str:
        return "1"

    def p(n: int) -> None:
        with dsl.If(n > 1):
            a = number()
        with dsl.Else():
            b = text()
        step("read", dsl.OneOf(a.output, b.output))

    refused(p, "of one type; got outputs of the types Integer, String")


def test_one_of_in_a_branch_or_an_exit_step_cannot_be_read_outside() -> None:
    def outside(n: int) -> None:
        with dsl.Condition(n > 0):
            with dsl.If(n > 1):
                a = step("a")
            with dsl.Else():
                b = step("b")
            made = dsl.OneOf(a.output, b.output)
        step("read", made)

    def of_an_inner_block(n: int) -> None:
        with dsl.If(n > 1), dsl.Condition(n > 2):
            a = step("a")
        with dsl.Else():
            b = step("b")
        step("read", dsl.OneOf(a.output, b.output))

    refused(outside, "'read' reads 'out' of 'condition-2' from inside If 'condition-1'")
    refused(of_an_inner_block, "'read' reads 'out' of 'a' from inside If 'condition-2'")
