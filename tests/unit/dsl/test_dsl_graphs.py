"""Graph components, recursion, and subgraphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authoring import document, parameters, step, task, tasks, template, templates
from penstock import dsl
from penstock.errors import InvalidPipeline


def test_a_graph_component_is_a_dag_of_its_own() -> None:
    @dsl.graph_component
    def clean_up(value: Any, other: Any) -> None:
        step("a", value)
        step("b", other)

    def pipeline(x: str, y: str) -> None:
        graph = clean_up(dsl.PipelineParam("x"), other=step("make").output)
        step("after").after(graph)
        clean_up(dsl.PipelineParam("y"), dsl.PipelineParam("y"))

    found = templates(pipeline)
    assert tasks(found["p"])["graph-clean-up-1"]["dependencies"] == ["make"]
    assert parameters(tasks(found["p"])["graph-clean-up-1"]) == {
        "make-out": "{{tasks.make.outputs.parameters.make-out}}",
        "x": "{{inputs.parameters.x}}",
    }
    assert list(tasks(found["graph-clean-up-1"])) == ["a", "b"]
    assert tasks(found["p"])["after"]["dependencies"] == ["graph-clean-up-1"]
    assert list(tasks(found["graph-clean-up-2"])) == ["a-2", "b-2"]


def test_recursion_runs_the_same_dag_with_other_values() -> None:
    @dsl.graph_component
    def again(value: Any) -> None:
        made = step("a", value)
        with dsl.Condition(made.output != "done"):
            again(made.output)

    def pipeline(x: str) -> None:
        again(dsl.PipelineParam("x"))

    found = templates(pipeline)
    assert parameters(tasks(found["p"])["graph-again-1"]) == {"x": "{{inputs.parameters.x}}"}
    call = tasks(found["condition-2"])["graph-again-1"]
    assert call == {
        "name": "graph-again-1",
        "template": "graph-again-1",
        "arguments": {"parameters": [{"name": "x", "value": "{{inputs.parameters.a-out}}"}]},
    }
    assert parameters(tasks(found["graph-again-1"])["condition-2"]) == {"a-out": "{{tasks.a.outputs.parameters.a-out}}"}


def test_a_recursive_call_hands_on_what_the_graph_uses_beside_its_arguments() -> None:
    @dsl.graph_component
    def again(value: Any) -> None:
        made = step("a", value, dsl.PipelineParam("y"))
        with dsl.Condition(made.output != "done"):
            again(made.output)

    def pipeline(x: str, y: str) -> None:
        again(dsl.PipelineParam("x"))

    found = templates(pipeline)
    assert parameters(tasks(found["condition-2"])["graph-again-1"]) == {
        "x": "{{inputs.parameters.a-out}}",
        "y": "{{inputs.parameters.y}}",
    }
    assert parameters(tasks(found["graph-again-1"])["condition-2"])["y"] == "{{inputs.parameters.y}}"


def test_files_are_handed_on_by_recursion() -> None:
    @dsl.graph_component
    def again(value: Any) -> None:
        made = step("a", dsl.InputArgumentPath(value, input="data"))
        with dsl.Condition(step("check").output != "done"):
            again(made.output)

    def pipeline() -> None:
        again(step("make").output)

    call = task(pipeline, "condition-2", "graph-again-1")
    assert call["arguments"] == {"artifacts": [{"name": "make-out", "from": "{{inputs.artifacts.a-out}}"}]}


def test_a_loop_over_what_a_graph_got() -> None:
    @dsl.graph_component
    def each(values: Any) -> None:
        with dsl.ParallelFor(values) as value:
            step("a", value)

    def pipeline(xs: list) -> None:  # type: ignore[type-arg]
        each(dsl.PipelineParam("xs"))

    assert task(pipeline, "graph-each-1", "for-loop-2")["withParam"] == "{{inputs.parameters.xs}}"


def without_condition(value: Any) -> None:
    """Calls itself without end."""
    endless(step("a", value).output)


endless = dsl.graph_component(without_condition)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: endless(x), "'without_condition' calls itself without end; put the call under a dsl.Condition"),
        (
            lambda x: endless("text"),
            "'value' of graph component 'without_condition': expected a parameter or an output",
        ),
        (lambda x: endless(), "graph component 'without_condition': missing a required argument: 'value'"),
    ],
)
def test_misuse_of_graph_components(call: Callable[[Any], Any], message: str) -> None:
    def pipeline(x: str) -> None:
        call(dsl.PipelineParam("x"))

    with pytest.raises(InvalidPipeline, match=message):
        document(pipeline)


def test_a_graph_component_belongs_into_a_pipeline() -> None:
    with pytest.raises(InvalidPipeline, match="The graph component 'without_condition' can only be made inside"):
        endless(None)


def test_a_subgraph_bounds_how_much_runs_at_once() -> None:
    def pipeline() -> None:
        with dsl.SubGraph(parallelism=2):
            maker = step("make")
            with dsl.ParallelFor(maker.output) as item:
                step("a", item)

    found = template(pipeline, "subgraph-1")
    assert found["parallelism"] == 2
    assert tasks(found)["for-loop-2"]["withParam"] == "{{tasks.make.outputs.parameters.make-out}}"


@pytest.mark.parametrize("parallelism", [0, -1, "2", None])
def test_a_subgraph_has_a_bound(parallelism: Any) -> None:
    with pytest.raises(InvalidPipeline, match="parallelism: expected an integer of at least 1"):
        document(lambda: dsl.SubGraph(parallelism))
