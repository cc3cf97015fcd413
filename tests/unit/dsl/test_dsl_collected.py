"""`dsl.Collected`: what the rounds of a loop made, as a list, where the loop is over."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import dsl
from penstock.compiler import compile_pipeline
from penstock.errors import InvalidPipeline


def step(name: str, *arguments: Any) -> dsl.ContainerOp:
    return dsl.ContainerOp(name, "alpine", ["echo"], list(arguments), file_outputs={"out": "/out"})


def templates(pipeline: dsl.Pipeline) -> dict[str, Any]:
    return {t["name"]: t for t in compile_pipeline(pipeline)["spec"]["templates"]}


def test_the_loop_gives_the_output_of_its_step_and_the_reader_gets_the_list() -> None:
    @dsl.pipeline(name="p")
    def pipeline() -> None:
        with dsl.ParallelFor(["a", "b"]) as item:
            train = step("train", item)
        step("pick", dsl.Collected(train.output))

    made = templates(pipeline)
    loop = next(t for name, t in made.items() if name.startswith("for-loop"))
    assert loop["outputs"]["parameters"] == [
        {"name": "train-out", "valueFrom": {"parameter": "{{tasks.train.outputs.parameters.train-out}}"}}
    ]
    pick = next(t for t in made["p"]["dag"]["tasks"] if t["name"] == "pick")
    assert pick["dependencies"] == [loop["name"]]
    assert pick["arguments"]["parameters"] == [
        {"name": "train-out", "value": f"{{{{tasks.{loop['name']}.outputs.parameters.train-out}}}}"}
    ]
    assert made["pick"]["container"]["args"] == ["{{inputs.parameters.train-out}}"]


def test_without_it_a_value_does_not_leave_its_loop() -> None:
    @dsl.pipeline(name="p")
    def pipeline() -> None:
        with dsl.ParallelFor(["a", "b"]) as item:
            train = step("train", item)
        step("pick", train.output)

    with pytest.raises(InvalidPipeline, match=r"from inside loop .* return it with Collected"):
        compile_pipeline(pipeline)


def test_files_are_not_collected() -> None:
    @dsl.pipeline(name="p")
    def pipeline() -> None:
        with dsl.ParallelFor(["a", "b"]) as item:
            train = step("train", item)
        step("pick", dsl.InputArgumentPath(dsl.Collected(train.output)))

    with pytest.raises(InvalidPipeline, match="from inside loop"):
        compile_pipeline(pipeline)


def test_it_takes_outputs_of_loops_only() -> None:
    @dsl.pipeline(name="p")
    def pipeline() -> None:
        step("pick", dsl.Collected(step("alone").output))

    with pytest.raises(InvalidPipeline, match=r"an output of a step inside dsl\.ParallelFor"):
        compile_pipeline(pipeline)


def test_reading_the_list_once_does_not_open_the_loop_for_others() -> None:
    @dsl.pipeline(name="p")
    def pipeline() -> None:
        with dsl.ParallelFor(["a", "b"]) as item:
            train = step("train", item)
        step("pick", dsl.Collected(train.output))
        step("wrong", train.output)

    with pytest.raises(InvalidPipeline, match="'wrong' reads 'out' of 'train' from inside loop"):
        compile_pipeline(pipeline)


def test_the_list_can_be_looped_over_and_compared() -> None:
    @dsl.pipeline(name="p")
    def pipeline() -> None:
        with dsl.ParallelFor(["a", "b"]) as item:
            train = step("train", item)
        results = dsl.Collected(train.output)
        with dsl.ParallelFor(results) as result:
            step("show", result)
        with dsl.Condition(results != "[]"):
            step("tell", f"all: {results}")

    tasks = {task["name"]: task for task in templates(pipeline)["p"]["dag"]["tasks"]}
    tag = "{{tasks.for-loop-2.outputs.parameters.train-out}}"
    assert tasks["for-loop-3"]["withParam"] == tag
    assert tasks["condition-4"]["when"] == f'"{tag}" != "[]"'
    assert tasks["condition-4"]["arguments"]["parameters"] == [{"name": "train-out", "value": tag}]
