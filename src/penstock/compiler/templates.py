"""One step or group → one template of the document."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from penstock.compiler.wiring import Port, Wiring
from penstock.components.program import MAX_BYTES
from penstock.dsl.branches import OneOf
from penstock.dsl.graphs import Graph, GraphCall
from penstock.dsl.groups import Condition, Group, ParallelFor
from penstock.dsl.kubernetes import plain
from penstock.dsl.references import (
    MARKER,
    Comparison,
    Joined,
    LoopItem,
    Negated,
    PipelineParam,
    Predicate,
    Reference,
    ReferenceName,
)
from penstock.dsl.resources import ResourceOp
from penstock.dsl.tracing import complain
from penstock.dsl.types import value_text
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock.compiler.dialects import Dialect
    from penstock.components.tasks import ComponentOp, Form
    from penstock.dsl.base import BaseOp
    from penstock.dsl.nodes import Node

__all__ = ["SDK_LABEL", "group_template", "hand_over", "shared_template", "step_template", "with_outputs"]

_ANNOTATION = "pipelines.kubeflow.org/"
SDK_LABEL = _ANNOTATION + "kfp_sdk_version"
"""The label, and annotation, that names the version of kfp that made a document."""

_CONVENTIONAL = {
    "mlpipeline-ui-metadata": "/mlpipeline-ui-metadata.json",
    "mlpipeline-metrics": "/mlpipeline-metrics.json",
}
_MARKED = "{{pipelineparam:"
"""What a text with a reference in it has."""

_SPECIAL_IN_WHEN = re.compile(r"""(["'\\])""")
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")


def step_template(op: BaseOp, wiring: Wiring, dialect: Dialect) -> dict[str, Any]:
    """The template of a step, its texts with the document's tags in place of markers."""

    def resolve(text: str) -> str:
        return _replaced(text, op, wiring, lambda reference: wiring.parameter(reference, op))

    # In the order of the inputs' own names, as kfp has them; an artifact is called as what it holds.
    files = sorted(op.artifact_inputs.items())
    artifacts = [_input_artifact(name, path, text, op, wiring) for name, (path, text) in files]
    settings = _deep({**_scheduling(op, dialect), "metadata": _metadata(op, dialect)}, resolve)
    body = _deep(op.body(), resolve)
    placed = bool(settings["nodeSelector"])
    _refuse_long(body.get("container", {}), op)
    late = _late(body.get("container", {}), settings)
    ports = wiring.of(op)
    parameters = sorted((*(port.name for port in ports.inputs if port.kind == "parameters"), *ports.values))
    inputs = {
        "parameters": [{"name": n} | ({"value": ports.values[n]} if n in ports.values else {}) for n in parameters],
        "artifacts": _told_apart(artifacts, op, wiring),
    }
    found = _without_empty(
        {"name": op.name, "inputs": _without_empty(inputs), **_written(body, dialect), **settings, "podSpecPatch": late}
    )
    return {"nodeSelector": {}, **found} if placed and dialect.empty_lists else found


def hand_over(op: ComponentOp, form: Form, wiring: Wiring) -> None:
    """Look at what the task of a shared template hands to it."""
    texts = wiring.of(op).texts
    given = {form.parameters[name]: text for name, text in op.value_arguments.items()}
    facts = {form.facts[name]: text for name, text in op.facts_read.items()}
    for name, text in {**given, **facts}.items():
        texts[Port("parameters", name)] = _in_dag(text, op, wiring)
    for name, (_, text) in op.artifact_inputs.items():
        whole = MARKER.fullmatch(text)
        port = Port("artifacts", name)
        if whole is None or _is_no_file(wiring.find(ReferenceName.of(whole), op), wiring):
            texts[port] = _in_dag(text, op, wiring)
        else:
            wiring.of(op).inputs[port] = wiring.local(wiring.find(ReferenceName.of(whole), op), op, "artifacts")
    _refuse_long(op.body()["container"], op)


def _in_dag(text: str, op: BaseOp, wiring: Wiring) -> str:
    return _replaced(text, op, wiring, lambda reference: wiring.local(reference, op))


def shared_template(op: ComponentOp, form: Form, dialect: Dialect) -> dict[str, Any]:
    """The template of a step and of those that are like it, without its outputs."""
    # No reference stands in them; what is late is taken out of copies.
    settings = _deep({**_scheduling(op, dialect), "metadata": _metadata(op, dialect)}, str)
    body = _deep(op.body(), str)
    body["container"].update(command=form.command, args=form.args)
    late = _late(body["container"], settings)
    inputs = {
        "parameters": [{"name": name} for name in sorted((*form.parameters.values(), *form.facts.values()))],
        "artifacts": [{"name": name, "path": path} for name, (path, _) in sorted(op.artifact_inputs.items())],
    }
    named = {"name": op.name, "inputs": _without_empty(inputs)}
    return _without_empty({**named, **_written(body, dialect), **settings, "podSpecPatch": late})


def _refuse_long(container: dict[str, Any], op: BaseOp) -> None:
    """No program can be started with a longer text; what is known only when it runs is looked at then."""
    texts = (*container.get("command", ()), *container.get("args", ()))
    for text in (*texts, *(each.get("value", "") for each in container.get("env", ()))):
        # No character is longer than four bytes.
        size = len(text.encode("utf-8", "surrogatepass")) if len(text) * 4 > MAX_BYTES else 0
        if size > MAX_BYTES:
            name = next((name for name, each in op.component_arguments.items() if each == text), "")
            told = f"'{name}'" if name else "an argument"
            complain(
                f"{op.place}: step '{op.name}': {told} is {size:,} bytes; limit {MAX_BYTES:,}. Pass it as an artifact."
            )


def _written(body: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """What a step does, as the document has it."""
    if "resource" in body:
        manifest = _manifest(body["resource"]["manifest"], dialect)
        return {"resource": {**_without_empty(body["resource"]), "manifest": manifest}}
    container = body["container"]
    return {"container": container if dialect.empty_lists else _without_empty(container)}


def _manifest(value: dict[str, Any], dialect: Dialect) -> str:
    if dialect.manifests == "go":
        from penstock.workflow.yaml import dump_yaml

        return dump_yaml(value)
    import yaml

    return yaml.safe_dump(value, default_flow_style=False)


def with_outputs(template: dict[str, Any], op: BaseOp, wiring: Wiring, dialect: Dialect) -> dict[str, Any]:
    """The template with its outputs, which are known when every reader has been looked at."""
    read = {port.name for port in wiring.of(op).outputs if port.kind == "parameters"}
    sources = sorted((wiring.output_of(op, name), source) for name, source in op.sources.items())
    if isinstance(op, ResourceOp):
        values = [{"name": name, "valueFrom": {"jsonPath": path}} for name, path in sources]
        return {**template, "outputs": {"parameters": values}} if values else template
    all_given = dialect.files == "parameters"
    paths = (*op.artifact_paths.items(), *(() if all_given else sources))
    artifacts = [{"name": name, "path": path} for name, path in paths]
    if dialect.conventional_outputs:
        artifacts = [*_conventional(op), *artifacts]
    given = [(name, path) for name, path in sources if all_given or name in read]
    outputs = {
        "parameters": [{"name": name, "valueFrom": {"path": path}} for name, path in given],
        "artifacts": artifacts,
    }
    found = _without_empty(outputs)
    return {**template, "outputs": found} if found else template


def _conventional(op: BaseOp) -> list[dict[str, Any]]:
    """The files that pages and metrics are read from, for a step that declares no other place for them."""
    taken = {*op.artifact_paths.values(), *op.sources.values()}
    return [
        {"name": name, "path": path, "optional": True}
        for name, path in _CONVENTIONAL.items()
        if name not in op.artifact_paths and path not in taken
    ]


def _input_artifact(name: str, path: str, text: str, op: BaseOp, wiring: Wiring) -> dict[str, Any]:
    """An input file: handed over as an artifact when it is one value, else written from a text."""
    whole = MARKER.fullmatch(text)
    if whole is None or _is_no_file(wiring.find(ReferenceName.of(whole), op), wiring):
        data = _replaced(text, op, wiring, lambda reference: wiring.parameter(reference, op))
        return {"name": name, "path": path, "raw": {"data": data}}
    reference = wiring.find(ReferenceName.of(whole), op)
    return {"name": wiring.artifact(reference, op), "path": path}


def _is_no_file(reference: Reference, wiring: Wiring) -> bool:
    """Whether the value may be read from an object of Kubernetes, which leaves no file to choose."""
    choices = [output for _, output in reference._choices] if isinstance(reference, OneOf) else []
    makers = [wiring.trace.ops.get(output._id.step) for output in choices]
    return any(map(_is_no_file, choices, [wiring] * len(choices))) or any(isinstance(op, ResourceOp) for op in makers)


def _told_apart(artifacts: list[dict[str, Any]], op: BaseOp, wiring: Wiring) -> list[dict[str, Any]]:
    """Two inputs that read the same value get two names."""
    ports = wiring.of(op)
    seen: set[str] = set()
    for artifact in artifacts:
        name, number = artifact["name"], 2
        while artifact["name"] in seen:
            artifact["name"] = f"{name}-{number}"
            number += 1
        if artifact["name"] != name and Port("artifacts", name) in ports.inputs:
            ports.inputs[Port("artifacts", artifact["name"])] = ports.inputs[Port("artifacts", name)]
        seen.add(artifact["name"])
    return artifacts


def _scheduling(op: BaseOp, dialect: Dialect) -> dict[str, Any]:
    volumes = [] if dialect.shared_volumes else op.volumes
    return {
        "retryStrategy": _retry(op),
        "activeDeadlineSeconds": op.timeout,
        "nodeSelector": op.node_selector,
        "tolerations": op.tolerations,
        "affinity": op.affinity,
        "volumes": sorted(volumes, key=lambda volume: str(volume.get("name"))),
        "initContainers": [plain(container) for container in op.init_containers],
        "sidecars": [plain(container) for container in op.sidecars],
    }


def _retry(op: BaseOp) -> dict[str, Any]:
    if op.retry is None:
        return {}
    backoff = {
        "duration": op.retry.duration,
        "factor": op.retry.factor,
        "maxDuration": op.retry.max_duration,
    }
    return _without_empty({"limit": op.retry.limit, "retryPolicy": op.retry.policy, "backoff": _without_empty(backoff)})


def _metadata(op: BaseOp, dialect: Dialect) -> dict[str, Any]:
    annotations = dict(op.pod_annotations)
    if op.display_name:
        annotations[_ANNOTATION + "task_display_name"] = op.display_name
    if op.component is not None:
        annotations[_ANNOTATION + "component_spec"] = op.component.summary
        if dialect.sdk:
            annotations[_ANNOTATION + "component_ref"] = json.dumps(op.component.reference, sort_keys=True)
    if op.value_arguments and dialect.sdk:
        annotations[_ANNOTATION + "arguments.parameters"] = json.dumps(op.value_arguments, sort_keys=True)
    staleness = op.execution_options.caching_strategy.max_cache_staleness
    if staleness:
        annotations[_ANNOTATION + "max_cache_staleness"] = str(staleness)
    if op.cache_key:
        annotations[_ANNOTATION + "cache_key"] = op.cache_key
    sdk = {SDK_LABEL: dialect.sdk, _ANNOTATION + "pipeline-sdk-type": "kfp"} if dialect.sdk else {}
    labels = {**sdk, **op.pod_labels, _ANNOTATION + "enable_caching": str(op.enable_caching).lower()}
    return _without_empty({"annotations": annotations, "labels": labels})


def _late(container: dict[str, Any], settings: dict[str, Any]) -> str:
    """What is known only at run time and cannot stand in a template: Argo takes it as a patch of the pod (JSON)."""
    patch: dict[str, Any] = _without_empty({"nodeSelector": _taken_out(settings["nodeSelector"])})
    amounts = {kind: _taken_out(each) for kind, each in container.get("resources", {}).items()}
    if any(amounts.values()):
        container["resources"] = _without_empty(container["resources"])
        patch["containers"] = [{"name": "main", "resources": _without_empty(amounts)}]
    return json.dumps(patch) if patch else ""


def _taken_out(fields: dict[str, Any]) -> dict[str, Any]:
    """Remove the fields that hold a tag, and return them."""
    return {key: fields.pop(key) for key, value in list(fields.items()) if "{{" in f"{key}{value}"}


def group_template(group: Group, wiring: Wiring, dialect: Dialect, also: Sequence[BaseOp] = ()) -> dict[str, Any]:
    """The DAG template of a group: its tasks, in the order of their names; `also` are more, which take what the group
    takes."""
    ports = wiring.of(group)
    found = [*(_task(each, wiring, dialect) for each in group.children), *(_twin(each, wiring) for each in also)]
    tasks = sorted(found, key=lambda task: str(task["name"]))
    template = {
        "name": group.name,
        "inputs": _ports({port: {} for port in ports.inputs}),
        "outputs": _ports({port: _output(port.kind, tag) for port, tag in ports.outputs.items()}),
        "dag": {"tasks": tasks},
    }
    made = _without_empty(template)
    return {**made, "parallelism": group.parallelism} if group.parallelism is not None else made


def _twin(op: BaseOp, wiring: Wiring) -> dict[str, Any]:
    """The task of a step that stands in no group, and reads parameters of the pipeline alone."""
    handed = _ports({port: {"value": _tagged(f"inputs.parameters.{port.name}")} for port in wiring.of(op).inputs})
    return _without_empty({"name": op.name, "template": op.name, "arguments": handed})


def _output(kind: str, tag: str) -> dict[str, Any]:
    if tag.startswith("="):
        return {"valueFrom": {"expression": tag[1:]}} if kind == "parameters" else {"fromExpression": tag[1:]}
    return {"valueFrom": {"parameter": _tagged(tag)}} if kind == "parameters" else {"from": _tagged(tag)}


def _task(node: Node, wiring: Wiring, dialect: Dialect) -> dict[str, Any]:
    called = node.graph.name if isinstance(node, GraphCall) else node.name
    task: dict[str, Any] = {"name": node.name, "template": wiring.template_names.get(called, called)}
    if isinstance(node, Condition):
        task["when"] = _when(node, wiring, dialect)
    if isinstance(node, ParallelFor):
        task.update(_items(node, wiring))
    ports = wiring.of(node)
    task["dependencies"] = sorted(ports.dependencies)
    texts = {port: _text_argument(port.kind, text) for port, text in ports.texts.items()}
    task["arguments"] = _ports({port: _argument(port.kind, tag) for port, tag in ports.inputs.items()} | texts)
    made = _without_empty(task)
    return {"dependencies": [], **made} if dialect.empty_lists and _loops_over_outputs(node) else made


def _loops_over_outputs(node: Node) -> bool:
    """kfp 1.8 lists what such a loop waits for, also where there is nothing."""
    return isinstance(node, ParallelFor) and isinstance(node.items, Reference) and bool(node.items._id.step)


def _argument(kind: str, tag: str) -> dict[str, Any]:
    if kind == "parameters":
        return {"value": _tagged(tag)}
    if tag.startswith("="):
        # Argo takes an expression here, but only beside something else, which it then replaces.
        return {"fromExpression": tag[1:], "raw": {"data": "replaced by the artifact that the expression gives"}}
    whole = tag.startswith("inputs.") or ".outputs.artifacts." in tag
    return {"from": _tagged(tag)} if whole else {"raw": {"data": _tagged(tag)}}


def _text_argument(kind: str, text: str) -> dict[str, Any]:
    return {"value": text} if kind == "parameters" else {"raw": {"data": text}}


def _ports(ports: dict[Port, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {"parameters": [], "artifacts": []}
    for port in sorted(ports, key=lambda port: port.name):
        found[port.kind].append({"name": port.name, **ports[port]})
    return _without_empty(found)


def resolve_group(group: Group, wiring: Wiring, dialect: Dialect) -> None:
    """Look at what a group's task reads, so that it is handed in before templates are written."""
    if isinstance(group, Condition):
        _when(group, wiring, dialect)
    if isinstance(group, ParallelFor):
        _items(group, wiring)


def _items(loop: ParallelFor, wiring: Wiring) -> dict[str, Any]:
    if isinstance(loop.items, Reference):
        return {"withParam": _tagged(_listed(loop.items, loop, wiring))}
    if not loop.items:
        # Argo takes an empty `withItems` for no loop at all; an empty `withParam` skips the task.
        return {"withParam": "[]"}
    return {
        "withItems": _deep(loop.items, lambda text: _replaced(text, loop, wiring, lambda r: _listed(r, loop, wiring)))
    }


def _listed(reference: Reference, loop: ParallelFor, wiring: Wiring) -> str:
    """The tag of a value that a loop goes over; the workflow's own parameters are seen from everywhere."""
    given = isinstance(reference, LoopItem) or any(isinstance(group, Graph) for group in wiring.path(loop))
    if reference._id.step or given:
        return wiring.local(reference, loop)
    return f"workflow.parameters.{reference._id.full}"


def _when(condition: Condition, wiring: Wiring, dialect: Dialect) -> str:
    return _predicate(condition.condition, condition, wiring, dialect)


def _predicate(predicate: Predicate, condition: Condition, wiring: Wiring, dialect: Dialect) -> str:
    if isinstance(predicate, Negated):
        return f"!({_predicate(predicate.part, condition, wiring, dialect)})"
    if isinstance(predicate, Joined):
        parts = (_predicate(part, condition, wiring, dialect) for part in predicate.parts)
        return {"and": " && ", "or": " || "}[predicate.word].join(f"({part})" for part in parts)
    assert isinstance(predicate, Comparison)
    return _comparison(predicate, condition, wiring, dialect)


def _comparison(comparison: Comparison, condition: Condition, wiring: Wiring, dialect: Dialect) -> str:
    if dialect.sdk and isinstance(comparison.left, PipelineParam) and isinstance(comparison.right, LoopItem):
        # In kfp 1.8 an item is a parameter of a kind of its own, and Python asks the right side first then.
        comparison = Comparison(_MIRRORED[comparison.operator], comparison.right, comparison.left)
    sides = [_operand(side, condition, wiring) for side in (comparison.left, comparison.right)]
    texts = dialect.quoted == "texts" and not all(plain for _, plain in sides)
    quoted = comparison.operator in ("==", "!=") or texts
    left, right = (f'"{text}"' if quoted else text for text, _ in sides)
    return f"{left} {comparison.operator} {right}"


def _operand(operand: object, condition: Condition, wiring: Wiring) -> tuple[str, bool]:
    """An operand's text, and whether it may be compared as a number."""
    if isinstance(operand, PipelineParam) and operand.value is not None:
        operand = operand.value
    if isinstance(operand, Reference):
        found = wiring.find(operand._id, condition)
        return _tagged(wiring.local(found, condition)), True
    text = value_text(operand)
    escaped = _SPECIAL_IN_WHEN.sub(r"\\\1", text)
    return _replaced(escaped, condition, wiring, lambda r: wiring.local(r, condition)), bool(_NUMBER.fullmatch(text))


def _replaced(text: str, reader: Any, wiring: Wiring, tag: Callable[[Reference], str]) -> str:
    if _MARKED not in text:
        return text
    return MARKER.sub(lambda match: _tagged(tag(wiring.find(ReferenceName.of(match), reader))), text)


def _tagged(tag: str) -> str:
    return f"{{{{{tag}}}}}"


def _deep(value: Any, resolve: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return resolve(value) if _MARKED in value else value
    if isinstance(value, dict):
        return {_deep(key, resolve): _deep(inner, resolve) for key, inner in value.items()}
    if isinstance(value, list):
        return [_deep(inner, resolve) for inner in value]
    return value


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, [], {}, "")}


def refuse_unused(group: Group) -> None:
    """A group without a step would be a DAG without a task, which Argo refuses."""
    if not group.children:
        raise InvalidPipeline(f"{group.place}: the {group.kind} '{group.title or group.name}' has no step in it")
