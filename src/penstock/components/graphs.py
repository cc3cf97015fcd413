"""Components that are made of others: their steps in a pipeline, and a pipeline as such a component."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.components.spec import ComponentSpec, GraphInput, GraphSpec, GraphTaskSpec, OutputSpec, TaskOutput
from penstock.components.tasks import argument_text, make_step
from penstock.dsl import tracing
from penstock.dsl.naming import python_name
from penstock.dsl.ops import ContainerOp
from penstock.dsl.pipelines import Pipeline
from penstock.dsl.references import MARKER, PipelineParam, ReferenceName
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Self

    from penstock.components.component import Component
    from penstock.components.spec import GraphArgument
    from penstock.dsl.nodes import Node

__all__ = ["GraphTask", "create_graph_component_from_pipeline_func", "make_graph"]


class GraphTask:
    """What a call of a graph component gives: its steps, and its outputs by name."""

    def __init__(self, name: str, steps: Mapping[str, ContainerOp | GraphTask], outputs: dict[str, Any]) -> None:
        self.name = name
        self.steps = dict(steps)
        self.outputs = outputs

    @property
    def output(self) -> Any:
        """The one output. Raises InvalidPipeline when there is none, or several."""
        found = {id(each): each for each in self.outputs.values()}
        if len(found) != 1:
            names = ", ".join(f"'{name}'" for name in self.outputs) or "none"
            raise InvalidPipeline(tracing.located(f".output of '{self.name}': its outputs are {names}"))
        return next(iter(found.values()))

    def after(self, *nodes: Node) -> Self:
        """Start its steps only when the given steps and groups have succeeded. Returns self."""
        for step in self.steps.values():
            step.after(*nodes)
        return self


def make_graph(spec: ComponentSpec, given: Mapping[str, Any]) -> GraphTask:
    """Add the steps of a graph component to the pipeline being traced. Raises InvalidPipeline for wrong arguments."""
    graph = spec.implementation
    assert isinstance(graph, GraphSpec)
    values = {port.name: given.get(port.name, port.default) for port in spec.inputs}
    for port in spec.inputs:
        if values[port.name] is not None:
            argument_text(port, values[port.name])
    made: dict[str, ContainerOp | GraphTask] = {}
    for name in _order(graph, spec.name):
        task = graph.tasks[name]
        found = {port: _value(each, values, made) for port, each in task.arguments.items()}
        known = {port: value for port, value in found.items() if value is not None}
        inner = task.component
        made[name] = make_graph(inner, known) if isinstance(inner.implementation, GraphSpec) else _step(task, known)
    outputs = {name: _value(each, values, made) for name, each in graph.output_values.items()}
    return GraphTask(spec.name, made, {**{python_name(name): each for name, each in outputs.items()}, **outputs})


def _step(task: GraphTaskSpec, given: Mapping[str, Any]) -> ContainerOp:
    step = make_step(task.component, given)
    if task.max_retries is not None:
        step.set_retry(task.max_retries)
    step.execution_options.caching_strategy.max_cache_staleness = task.max_cache_staleness
    return step


def _order(graph: GraphSpec, name: str) -> Iterator[str]:
    needs = {
        task: [each.task for each in spec.arguments.values() if isinstance(each, TaskOutput)]
        for task, spec in graph.tasks.items()
    }
    try:
        return iter(list(TopologicalSorter(needs).static_order()))
    except CycleError as error:
        circle = ", which waits for ".join(f"'{each}'" for each in reversed(error.args[1]))
        raise InvalidPipeline(tracing.located(f"component '{name}': a circle: {circle}")) from None


def _value(argument: GraphArgument, values: Mapping[str, Any], made: Mapping[str, ContainerOp | GraphTask]) -> Any:
    if isinstance(argument, GraphInput):
        return values[argument.name]
    return made[argument.task].outputs[argument.output] if isinstance(argument, TaskOutput) else argument


def create_graph_component_from_pipeline_func(
    pipeline_func: Pipeline | Callable[..., Any],
    output_component_file: str | Path | None = None,
    embed_component_specs: bool = False,
    annotations: Mapping[str, str] | None = None,
) -> Component:
    """A pipeline of components as one component; also written to `output_component_file` when given.

    The function may return a dict of its outputs. Components with an address are referred to by it, unless
    `embed_component_specs` asks for all to be written out. Raises InvalidPipeline for steps of no component, and for
    conditions, loops and exit handlers, which a graph component cannot have.
    """
    from penstock.components.component import Component

    pipeline = pipeline_func if isinstance(pipeline_func, Pipeline) else Pipeline(pipeline_func)
    trace = pipeline.trace()
    for node in trace.root.children:
        if not isinstance(node, ContainerOp) or node.component is None:
            what = f"step '{node.name}' of no component" if isinstance(node, ContainerOp) else f"'{node.name}'"
            raise InvalidPipeline(f"{node.place}: a graph component is made of components alone; got {what}")
    tasks = {name: _task(op, trace, embed_component_specs) for name, op in trace.ops.items()}
    results = trace.result if isinstance(trace.result, dict) else {}
    spec = ComponentSpec(
        pipeline.spec.name,
        GraphSpec(tasks, {name: _argument(str(value), trace) for name, value in results.items()}),
        description=pipeline.spec.description,
        inputs=pipeline.spec.inputs,
        outputs=tuple(OutputSpec(name, getattr(value, "param_type", None)) for name, value in results.items()),
        annotations=annotations,
    )
    if output_component_file:
        from penstock.workflow.yaml import dump_yaml

        Path(output_component_file).write_text(dump_yaml(spec.to_dict()), encoding="utf-8")
    return Component(spec)


def _task(op: Any, trace: tracing.Trace, embed: bool) -> GraphTaskSpec:
    spec: ComponentSpec = op.component
    if embed and "url" in spec.reference:
        spec = ComponentSpec(
            spec.name,
            spec.implementation,
            description=spec.description,
            inputs=spec.inputs,
            outputs=spec.outputs,
            annotations=spec.annotations,
            labels=spec.labels,
        )
    arguments = {name: _argument(text, trace) for name, text in op.component_arguments.items()}
    staleness = op.execution_options.caching_strategy.max_cache_staleness
    return GraphTaskSpec(spec, arguments, op.retry.limit if op.retry else None, staleness)


def _argument(text: str, trace: tracing.Trace) -> GraphArgument:
    marker = MARKER.fullmatch(text)
    if marker is None:
        if MARKER.search(text):
            raise InvalidPipeline(f"a graph component cannot join texts and values: {text!r}")
        return text
    reference = trace.references[ReferenceName.of(marker)]
    if not isinstance(reference, PipelineParam) or reference.op_name is None:
        return GraphInput(reference._id.name)
    spec: ComponentSpec = trace.ops[reference.op_name].component
    names = {trace.ops[reference.op_name].outputs[port.name]._id: port.name for port in spec.outputs}
    return TaskOutput(reference.op_name, names[reference._id])
