"""Conditions, loops and exit handlers: groups of steps that become DAGs of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authoring import document, parameters, step, task, tasks, template, templates
from penstock import dsl
from penstock.errors import InvalidPipeline
from penstock.workflow import when

# --- conditions -------------------------------------------------------------------------------------------------


def test_a_condition_is_a_dag_with_a_when() -> None:
    def pipeline() -> None:
        flip = step("flip")
        with dsl.Condition(flip.output == "heads", name="Heads up"):
            step("win", flip.output)

    found = templates(pipeline)
    assert tasks(found["p"])["condition-heads-up-1"] == {
        "name": "condition-heads-up-1",
        "template": "condition-heads-up-1",
        "when": '"{{tasks.flip.outputs.parameters.flip-out}}" == "heads"',
        "dependencies": ["flip"],
        "arguments": {"parameters": [{"name": "flip-out", "value": "{{tasks.flip.outputs.parameters.flip-out}}"}]},
    }
    assert found["condition-heads-up-1"]["inputs"] == {"parameters": [{"name": "flip-out"}]}
    assert parameters(tasks(found["condition-heads-up-1"])["win"]) == {"flip-out": "{{inputs.parameters.flip-out}}"}


@pytest.mark.parametrize(
    ("compare", "expected"),
    [
        (lambda x: x == "a", '"{{V}}" == "a"'),
        (lambda x: x != 1, '"{{V}}" != "1"'),
        (lambda x: x > 0.5, "{{V}} > 0.5"),
        (lambda x: x >= -1, "{{V}} >= -1"),
        (lambda x: x > 3, "{{V}} > 3"),
        (lambda x: x <= "b", '"{{V}}" <= "b"'),
        (lambda x: x == True, '"{{V}}" == "True"'),  # noqa: E712 (a reference, whose == makes a comparison)
        (lambda x: x == x, '"{{V}}" == "{{V}}"'),
    ],
)
def test_operators(compare: Callable[[Any], Any], expected: str) -> None:
    def pipeline(x: str) -> None:
        with dsl.Condition(compare(dsl.PipelineParam("x"))):
            step("a")

    assert task(pipeline, "p", "condition-1")["when"] == expected.replace("V", "inputs.parameters.x")


@pytest.mark.parametrize("text", ["it's", 'it"s', "a\\b", "a\nb", "a && b", "x' in 'x' or 'a", "{}", "é", ""])
def test_an_operand_is_data(text: str) -> None:
    def pipeline(x: str) -> None:
        with dsl.Condition(dsl.PipelineParam("x") == text):
            step("a")

    written = task(pipeline, "p", "condition-1")["when"]
    _, _, operand = written.partition(" == ")
    assert when.should_execute(f"{operand} == {operand}")
    assert not when.should_execute(f'{operand} == "something else"')


def test_conditions_nest() -> None:
    def pipeline(x: int) -> None:
        with dsl.Condition(dsl.PipelineParam("x") > 1):
            maker = step("a")
            with dsl.Condition(maker.output == "b"):
                step("b", dsl.PipelineParam("x"))

    found = templates(pipeline)
    assert tasks(found["condition-1"])["condition-2"]["when"] == '"{{tasks.a.outputs.parameters.a-out}}" == "b"'
    assert parameters(tasks(found["condition-1"])["condition-2"]) == {"x": "{{inputs.parameters.x}}"}
    assert parameters(tasks(found["p"])["condition-1"]) == {"x": "{{inputs.parameters.x}}"}


def test_a_value_made_in_a_branch_does_not_leave_it() -> None:
    def pipeline(x: int) -> None:
        with dsl.Condition(dsl.PipelineParam("x") > 1, name="big"):
            maker = step("a")
        step("eval", maker.output)

    with pytest.raises(InvalidPipeline, match=r"'eval' reads 'out' of 'a' from inside If 'big' .*return it with OneOf"):
        document(pipeline)


@pytest.mark.parametrize(
    "use",
    [
        lambda x: dsl.Condition((x == 1) and (x == 2)),
        lambda x: dsl.Condition((x == 1) or (x == 2)),
        lambda x: dsl.Condition(not x),
        lambda x: dsl.Condition(1 < x < 3),
        lambda x: x in ("a", "b"),
        lambda x: bool(x),
    ],
)
def test_what_the_compiler_cannot_see_is_refused(use: Callable[[Any], Any]) -> None:
    def pipeline(x: int) -> None:
        use(dsl.PipelineParam("x"))

    with pytest.raises(InvalidPipeline, match="no truth value while the pipeline is traced"):
        document(pipeline)


@pytest.mark.parametrize("condition", [True, "x", None, 1])
def test_a_condition_takes_a_comparison(condition: Any) -> None:
    with pytest.raises(InvalidPipeline, match="takes a comparison with a parameter or an output in it"):
        document(lambda: dsl.Condition(condition))


def test_a_group_has_a_step() -> None:
    def pipeline(x: int) -> None:
        step("a")
        with dsl.Condition(dsl.PipelineParam("x") == 1):
            pass

    with pytest.raises(InvalidPipeline, match="the condition 'condition-1' has no step in it"):
        document(pipeline)


# --- loops ------------------------------------------------------------------------------------------------------


def test_a_loop_over_constants() -> None:
    def pipeline() -> None:
        with dsl.ParallelFor(["a", "b"], parallelism=2) as item:
            step("a", item, f"--{item}")

    found = templates(pipeline)
    assert tasks(found["p"])["for-loop-2"] == {
        "name": "for-loop-2",
        "template": "for-loop-2",
        "withItems": ["a", "b"],
        "arguments": {"parameters": [{"name": "loop-item-param-1", "value": "{{item}}"}]},
    }
    assert found["for-loop-2"]["parallelism"] == 2
    assert found["a"]["container"]["args"] == [
        "{{inputs.parameters.loop-item-param-1}}",
        "--{{inputs.parameters.loop-item-param-1}}",
    ]


def test_a_loop_over_dicts() -> None:
    def pipeline() -> None:
        with dsl.ParallelFor([{"a": 1, "b": [2]}, {"a": 3, "b": [4]}]) as item:
            step("a", item.a, item["b"])

    loop = task(pipeline, "p", "for-loop-2")
    assert loop["withItems"] == [{"a": 1, "b": [2]}, {"a": 3, "b": [4]}]
    assert parameters(loop) == {
        "loop-item-param-1-subvar-a": "{{item.a}}",
        "loop-item-param-1-subvar-b": "{{item.b}}",
    }


def test_a_loop_over_a_parameter() -> None:
    def pipeline(names: list) -> None:  # type: ignore[type-arg]
        with dsl.ParallelFor(names) as item:
            step("a", item)

    loop = task(pipeline, "p", "for-loop-1")
    assert loop["withParam"] == "{{workflow.parameters.names}}"
    assert parameters(loop) == {"names-loop-item": "{{item}}"}


def test_a_loop_over_an_output() -> None:
    def pipeline() -> None:
        maker = step("make")
        with dsl.ParallelFor(maker.output) as item:
            step("a", item.name)

    loop = task(pipeline, "p", "for-loop-1")
    assert loop["withParam"] == "{{tasks.make.outputs.parameters.make-out}}"
    assert loop["dependencies"] == ["make"]
    assert parameters(loop) == {"make-out-loop-item-subvar-name": "{{item.name}}"}


def test_loops_nest() -> None:
    def pipeline() -> None:
        with dsl.ParallelFor([[1, 2], [3]]) as row, dsl.ParallelFor(row) as cell:
            step("a", row, cell)

    found = templates(pipeline)
    inner = tasks(found["for-loop-2"])["for-loop-3"]
    assert inner["withParam"] == "{{inputs.parameters.loop-item-param-1}}"
    assert parameters(inner) == {
        "loop-item-param-1": "{{inputs.parameters.loop-item-param-1}}",
        "loop-item-param-1-loop-item": "{{item}}",
    }


def test_two_loops_over_the_same_list() -> None:
    def pipeline(names: list) -> None:  # type: ignore[type-arg]
        with dsl.ParallelFor(names) as outer, dsl.ParallelFor(names) as inner:
            step("a", outer, inner)

    assert template(pipeline, "a")["container"]["args"] == [
        "{{inputs.parameters.names-loop-item}}",
        "{{inputs.parameters.names-loop-item-2}}",
    ]


def test_an_empty_list_is_skipped() -> None:
    def pipeline() -> None:
        with dsl.ParallelFor([]) as item:
            step("a", item)

    assert task(pipeline, "p", "for-loop-2")["withParam"] == "[]"


def test_items_hold_references() -> None:
    def pipeline(x: str) -> None:
        with dsl.ParallelFor([dsl.PipelineParam("x"), "b"]) as item:
            step("a", item)

    assert task(pipeline, "p", "for-loop-2")["withItems"] == ["{{workflow.parameters.x}}", "b"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({"a": 1}, "items: expected list, got dict"),
        ("abc", "items: expected list, got string"),
        (3, "items: expected list, got integer"),
        (None, "items: expected list, got NoneType"),
        (range(3), "items: expected list, got range"),
        ([{"a": 1}, {"b": 1}], "all items must be dicts with the same keys, or none a dict"),
        ([{"a": 1}, 1], "all items must be dicts with the same keys, or none a dict"),
        ([{1, 2}], r"items\[0\]: \{1, 2\} cannot be written as JSON"),
    ],
)
def test_a_loop_runs_over_a_list(items: Any, message: str) -> None:
    def pipeline() -> None:
        with dsl.ParallelFor(items):
            step("a")

    with pytest.raises(InvalidPipeline, match=message) as caught:
        document(pipeline)
    assert str(caught.value).startswith(f"{__file__}:")


@pytest.mark.parametrize("kind", [int, float, bool, dict])
def test_a_loop_over_a_parameter_of_another_type_is_refused(kind: type) -> None:
    def pipeline(n: Any) -> None:
        with dsl.ParallelFor(n):
            step("a")

    pipeline.__annotations__["n"] = kind
    with pytest.raises(InvalidPipeline, match="items: expected list, got 'n' of type "):
        document(pipeline)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda item: item.b, r"item\.b: the items have the keys a"),
        (lambda item: item.a.b, "only one level of fields"),
        (lambda item: list(item), r"loop over it with dsl\.ParallelFor"),
    ],
)
def test_fields_of_items(read: Callable[[Any], Any], message: str) -> None:
    def pipeline() -> None:
        with dsl.ParallelFor([{"a": 1}]) as item:
            read(item)

    with pytest.raises(InvalidPipeline, match=message):
        document(pipeline)


def test_an_item_stays_in_its_loop() -> None:
    def pipeline() -> None:
        with dsl.ParallelFor([1]) as item:
            step("a", item)
        step("b", item)

    with pytest.raises(InvalidPipeline, match="'b' uses an item of the loop 'for-loop-2' outside of it"):
        document(pipeline)


@pytest.mark.parametrize("parallelism", [-1, 1.5, "2", True])
def test_parallelism_is_a_number(parallelism: Any) -> None:
    with pytest.raises(InvalidPipeline, match="parallelism: expected an integer of at least 0"):
        document(lambda: dsl.ParallelFor([1], parallelism))


# --- exit handlers ----------------------------------------------------------------------------------------------


def test_an_exit_handler() -> None:
    def pipeline(x: str) -> None:
        with dsl.ExitHandler(step("clean", dsl.PipelineParam("x"), "{{workflow.status}}")):
            step("a")

    made = document(pipeline)
    assert made["spec"]["onExit"] == "clean"
    found = templates(pipeline)
    assert list(tasks(found["p"])) == ["exit-handler-1"]
    assert list(tasks(found["exit-handler-1"])) == ["a"]
    assert found["clean"]["container"]["args"] == ["{{inputs.parameters.x}}", "{{workflow.status}}"]


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        ("beside", "a pipeline has at most one ExitHandler, and all its other steps stand inside it"),
        ("nested", "a pipeline has at most one ExitHandler, and all its other steps stand inside it"),
        ("output", r"the exit step 'clean' uses 'a-out'; it runs whatever became of the other steps"),
        ("after", r"the exit step 'clean' runs after everything else; it cannot be \.after\(\) a step"),
        ("waited for", "'b' cannot wait for the exit step 'clean'"),
        ("read", "'b' cannot wait for the exit step 'clean'"),
        ("alone", "'clean' is an exit step, but no dsl.ExitHandler uses it"),
    ],
)
def test_misuse_of_exit_handlers(misuse: str, message: str) -> None:
    def pipeline() -> None:
        if misuse == "alone":
            step("clean", is_exit_handler=True)
            return
        clean = step("clean")
        if misuse == "after":
            clean.after(step("a"))
        with dsl.ExitHandler(clean):
            maker = step("a")
            if misuse == "nested":
                with dsl.ExitHandler(step("other")):
                    step("b")
            if misuse == "output":
                clean.container.set_env_variable("X", maker.output)
            if misuse == "waited for":
                step("b").after(clean)
            if misuse == "read":
                step("b", clean.output)
        if misuse == "beside":
            step("b")

    with pytest.raises(InvalidPipeline, match=message):
        document(pipeline)


def test_groups_are_ordered_like_steps() -> None:
    def pipeline(x: int) -> None:
        first = step("a")
        with dsl.Condition(dsl.PipelineParam("x") == 1) as condition:
            inner = step("b")
        step("c").after(condition)
        step("d").after(inner)
        with dsl.ParallelFor([1]) as _:
            step("e").after(first)

    found = tasks(template(pipeline, "p"))
    assert found["c"]["dependencies"] == ["condition-1"]
    assert found["d"]["dependencies"] == ["condition-1"]
    assert found["for-loop-3"]["dependencies"] == ["a"]
