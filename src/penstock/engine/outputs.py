"""Outputs of DAG and steps templates, taken from their tasks. (Argo: `getTemplateOutputsFromScope`.)"""

from __future__ import annotations

import msgspec

from penstock.engine.arguments import part_of, unresolvable
from penstock.engine.state import Fault
from penstock.engine.variables import TaskScope, artifact_of
from penstock.workflow import gojson
from penstock.workflow.document import ArtifactSpec, ParameterSpec, Template, ValueFrom
from penstock.workflow.expressions import ExpressionError, evaluate
from penstock.workflow.status import Artifact, NodeOutputs, Parameter

__all__ = ["outputs_from_scope"]


def outputs_from_scope(scope: TaskScope, template: Template) -> NodeOutputs | None:
    """Outputs that `template` declares, None where it declares none. Raises Fault for one that cannot be had."""
    declared = template.outputs
    if not declared.parameters and not declared.artifacts:
        return None
    artifacts = [_artifact(scope, artifact) for artifact in declared.artifacts]
    return NodeOutputs(
        parameters=tuple(_parameter(scope, parameter) for parameter in declared.parameters),
        artifacts=tuple(artifact for artifact in artifacts if artifact is not None),
    )


def _parameter(scope: TaskScope, declared: ParameterSpec) -> Parameter:
    source = declared.value_from
    if source is None:
        return Parameter(name=declared.name, value=declared.value or "", global_name=declared.global_name)
    if source.expression:
        return Parameter(name=declared.name, value=_evaluated(scope, source), global_name=declared.global_name)
    tag = source.parameter.strip().removeprefix("{{").removesuffix("}}").strip()
    known = tag in scope
    value = scope[tag] if known else source.default
    if not known and source.default is None:
        raise Fault(f'Unable to resolve: "{tag}"')
    value = source.default if value is None else value
    if value is None:
        raise Fault(
            f'output parameter "{declared.name}": "{source.parameter}" is an absent optional '
            "(skipped/omitted node output with no default)"
        )
    return Parameter(name=declared.name, value=value, global_name=declared.global_name)


def _evaluated(scope: TaskScope, source: ValueFrom) -> str:
    try:
        value = evaluate(source.expression, scope)
        problem = f'failed to evaluate expression "{source.expression}"'
    except ExpressionError as error:
        value, problem = None, str(error)
    value = source.default if value is None else value
    if value is None:
        raise Fault(problem)
    return value if isinstance(value, str) else gojson.shown(value)


def _artifact(scope: TaskScope, declared: ArtifactSpec) -> Artifact | None:
    if declared.from_expression:
        picked = artifact_of(scope, declared.from_expression)
        if picked is None and not declared.optional:
            raise Fault(f'failed to evaluate expression "{declared.from_expression}"')
        return picked and msgspec.structs.replace(picked, name=declared.name, global_name=declared.global_name)
    if not declared.from_:
        return None
    tag = declared.from_.strip().removeprefix("{{").removesuffix("}}").strip()
    found = part_of(scope.artifact(tag), declared.sub_path)
    if found is not None and found.given:
        return msgspec.structs.replace(found, name=declared.name, global_name=declared.global_name)
    if declared.optional:
        return None
    raise Fault(f"unable to resolve outputs from scope: {unresolvable(tag, scope)}")
