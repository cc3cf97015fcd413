"""A traced pipeline → a Workflow document."""

from __future__ import annotations

import gc
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from penstock.compiler import templates
from penstock.compiler.by_volume import passed_by_volume
from penstock.compiler.dialects import PENSTOCK, PIPELINE_ROOT, Dialect
from penstock.compiler.sharing import Shared, shared_steps
from penstock.compiler.wiring import Wiring, walk
from penstock.components.tasks import ComponentOp
from penstock.dsl.base import BaseOp
from penstock.dsl.failures import translated
from penstock.dsl.graphs import GraphCall
from penstock.dsl.groups import ExitHandler, Group
from penstock.dsl.naming import kubernetes_name, output_name
from penstock.dsl.ops import ContainerOp
from penstock.dsl.pipelines import Pipeline
from penstock.dsl.signature import InputSpec
from penstock.dsl.tracing import types_unchecked
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from penstock.dsl.conf import PipelineConf
    from penstock.dsl.pipelines import PipelineSpec
    from penstock.dsl.tracing import Trace

__all__ = ["compile_pipeline"]

_POD_FIELDS = {
    "KFP_POD_NAME": "metadata.name",
    "KFP_POD_UID": "metadata.uid",
    "KFP_NAMESPACE": "metadata.namespace",
    "WORKFLOW_ID": "metadata.labels['workflows.argoproj.io/workflow']",
    "KFP_RUN_ID": "metadata.labels['pipeline/runid']",
    "ENABLE_CACHING": "metadata.labels['pipelines.kubeflow.org/enable_caching']",
}
"""Variables of a step that has the label `add-pod-env: "true"`, and the fields of its pod that they hold."""


def compile_pipeline(
    pipeline: Pipeline | Callable[..., Any],
    *,
    name: str | None = None,
    conf: PipelineConf | None = None,
    dialect: Dialect = PENSTOCK,
    type_check: bool = True,
) -> dict[str, Any]:
    """The Workflow document of a pipeline, as JSON-able values; the same for the same source, to the byte.

    A plain function is taken for a pipeline. `conf` stands in for what the pipeline says of itself as a whole. Without
    `type_check`, values are connected to inputs of any type.
    Raises InvalidPipeline for what cannot be compiled.
    """
    if not isinstance(pipeline, Pipeline):
        pipeline = Pipeline(pipeline, name)
    with _all_kept(), nullcontext() if type_check else types_unchecked():
        return _compiled(pipeline, name, conf, dialect)


@contextmanager
def _all_kept() -> Iterator[None]:
    """No search for garbage inside the block: nearly all that is made there is kept to its end, and the search through
    it again and again costs a third of the time of a large pipeline."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _compiled(pipeline: Pipeline, name: str | None, conf: PipelineConf | None, dialect: Dialect) -> dict[str, Any]:
    trace = pipeline.trace()
    if not trace.ops:
        raise InvalidPipeline(f"{pipeline.place}: pipeline '{pipeline.spec.name}' has no step")
    handler = _exit_handler(trace)
    exit_op = handler.exit_op if handler else None
    conf = conf or trace.conf
    with translated(pipeline.place):
        _transform(trace, conf)
    trace.root.name = trace.names.unique(kubernetes_name(name or pipeline.spec.name))
    by_volume = conf.data_passing_method is not None
    shared = shared_steps(trace) if dialect.component_templates and not by_volume else {}
    wiring = Wiring(trace, dialect)
    found = _templates(trace, wiring, dialect, handler, shared)
    described = _described(pipeline.spec._replace(name=name) if name else pipeline.spec, dialect)
    spec = {
        "entrypoint": trace.root.name,
        "arguments": _arguments(described.inputs, wiring, dialect),
        "serviceAccountName": "pipeline-runner",
        **({"onExit": exit_op.name} if exit_op else {}),
        **conf.fields,
        "templates": found,
        **_volumes(trace, dialect),
    }
    made = _document(described, trace.root.name, spec, dialect)
    return passed_by_volume(made, conf.data_passing_method) if conf.data_passing_method else made


def _described(spec: PipelineSpec, dialect: Dialect) -> PipelineSpec:
    """What a document says of its pipeline; kfp 1.8 counts the folder of its results among the parameters."""
    if spec.root is None or not dialect.sdk:
        return spec
    return spec._replace(inputs=(*spec.inputs, InputSpec(PIPELINE_ROOT, None, spec.root)))


def _document(described: PipelineSpec, name: str, spec: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    mark = {templates.SDK_LABEL: dialect.sdk} if dialect.sdk else {}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "generateName": f"{name}-",
            "annotations": {"pipelines.kubeflow.org/pipeline_spec": described.to_json(), **mark},
            **({"labels": mark} if mark else {}),
        },
        "spec": spec,
    }


def _transform(trace: Trace, conf: PipelineConf) -> None:
    for op in trace.ops.values():
        if op.pod_labels.get("add-pod-env") == "true" and isinstance(op, ContainerOp):
            for variable, field in _POD_FIELDS.items():
                op.add_env_variable({"name": variable, "valueFrom": {"fieldRef": {"fieldPath": field}}})
    conf.transform(trace.ops.values())


def _volumes(trace: Trace, dialect: Dialect) -> dict[str, Any]:
    found = [volume for op in trace.ops.values() for volume in op.volumes] if dialect.shared_volumes else []
    return {"volumes": sorted(found, key=lambda volume: str(volume.get("name")))} if found else {}


def _arguments(inputs: tuple[InputSpec, ...], wiring: Wiring, dialect: Dialect) -> dict[str, Any]:
    arguments: dict[str, Any] = {"parameters": [_argument(port, dialect) for port in inputs]}
    if wiring.workflow_artifacts:
        names = [each["name"] for each in arguments["parameters"] if each["name"] in wiring.workflow_artifacts]
        arguments["artifacts"] = [_raw_artifact(name) for name in names]
    return arguments


def _argument(port: InputSpec, dialect: Dialect) -> dict[str, Any]:
    argument: dict[str, Any] = {"name": dialect.parameter(output_name(port.name))}
    if port.default is not None:
        argument["value"] = port.default
    elif port.optional and dialect.empty_optionals:
        argument["value"] = ""
    return argument


def _raw_artifact(parameter: str) -> dict[str, Any]:
    return {"name": parameter, "raw": {"data": f"{{{{workflow.parameters.{parameter}}}}}"}}


def _templates(
    trace: Trace, wiring: Wiring, dialect: Dialect, handler: ExitHandler | None, shared: Mapping[str, Shared]
) -> list[dict[str, Any]]:
    """All templates by name. What is read is looked at first, since it decides what groups take and give."""
    nodes = [*walk(trace.root), *([handler.exit_op] if handler else [])]
    steps: list[tuple[BaseOp, dict[str, Any]]] = []
    groups: list[Group] = [trace.root]
    for node in nodes:
        wiring.order(node)
        if isinstance(node, ComponentOp) and node.name in shared:
            templates.hand_over(node, shared[node.name].form, wiring)
        elif isinstance(node, BaseOp):
            steps.append((node, templates.step_template(node, wiring, dialect)))
            if dialect.conditions_handed_on:
                wiring.hand_conditions(node)
        elif isinstance(node, Group):
            templates.refuse_unused(node)
            templates.resolve_group(node, wiring, dialect)
            groups.append(node)
    wiring.call_again([node for node in nodes if isinstance(node, GraphCall)])
    for op, each in _firsts(trace, wiring, shared):
        steps.append((op, templates.shared_template(op, each.form, dialect)))
    found = [templates.with_outputs(template, op, wiring, dialect) for op, template in steps]
    for group in groups:
        wiring.refuse_circle(group)
        twice = handler is not None and handler.takes_task and dialect.exit_task and group is trace.root
        also = [handler.exit_op] if handler and twice else []
        for exit_op in also:
            wiring.of(group).inputs.update(dict.fromkeys(wiring.of(exit_op).inputs, ""))
        found.append(templates.group_template(group, wiring, dialect, also))
    return sorted(found, key=lambda template: str(template["name"]))


def _firsts(trace: Trace, wiring: Wiring, shared: Mapping[str, Shared]) -> list[tuple[ComponentOp, Shared]]:
    """The first step of each kind, whose template the others have, too; one of which other outputs are read differs."""
    found: dict[object, tuple[ComponentOp, Shared]] = {}
    for name, each in shared.items():
        op = trace.ops[name]
        assert isinstance(op, ComponentOp)
        first, _ = found.setdefault((each.key, frozenset(wiring.of(op).outputs)), (op, each))
        wiring.template_names[name] = first.name
    return list(found.values())


def _exit_handler(trace: Trace) -> ExitHandler | None:
    """The handler of the whole pipeline. Raises InvalidPipeline unless one handler covers the whole pipeline."""
    handlers = [node for node in walk(trace.root) if isinstance(node, ExitHandler)]
    if not handlers:
        _refuse_without_handler(trace)
        return None
    handler = handlers[0]
    if len(handlers) > 1 or handler.parent is not trace.root or trace.root.children != [handler]:
        raise InvalidPipeline(
            f"{handlers[-1].place}: a pipeline has at most one ExitHandler, and all its other steps stand inside it"
        )
    return handler


def _refuse_without_handler(trace: Trace) -> None:
    for op in trace.ops.values():
        if op.is_exit_handler:
            raise InvalidPipeline(f"{op.place}: '{op.name}' is an exit step, but no dsl.ExitHandler uses it")
