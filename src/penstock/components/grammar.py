"""The grammar of `component.yaml`: values read from YAML → a component, and the place of everything that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from penstock.components.graph_grammar import GraphReader
from penstock.components.placeholders import (
    Concat,
    If,
    InputMetadata,
    InputPathOf,
    InputUri,
    InputValue,
    IsPresent,
    OutputPathOf,
    OutputUri,
    Part,
)
from penstock.components.plain_values import expected, fields_of, items_of, listed, optional_text, text_of, texts_of
from penstock.components.spec import ComponentSpec, ContainerSpec, ExecutorOutput, GraphSpec
from penstock.dsl.signature import InputSpec, OutputSpec
from penstock.dsl.tracing import written_for_kfp
from penstock.dsl.types import value_text
from penstock.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

P = TypeVar("P", InputSpec, OutputSpec)

__all__ = ["component_from_plain"]

_Named = InputValue | InputPathOf | InputMetadata | InputUri | OutputPathOf | OutputUri | IsPresent
_NAMED: dict[str, type[_Named]] = {
    "inputValue": InputValue,
    "inputPath": InputPathOf,
    "inputMetadata": InputMetadata,
    "inputUri": InputUri,
    "outputPath": OutputPathOf,
    "outputUri": OutputUri,
    "isPresent": IsPresent,
    # Kubeflow Pipelines 0.1 called them so.
    "value": InputValue,
    "file": InputPathOf,
    "output": OutputPathOf,
}
_TOP = ("name", "description", "metadata", "inputs", "outputs")
_NEEDS_A_STORE = ("inputUri", "outputUri")
_NEEDS_KFP_2 = ("executorInput", "outputMetadata", "inputOutputPortName")


def component_from_plain(value: Any, load: Callable[[str], ComponentSpec]) -> ComponentSpec:
    """The component that a `component.yaml` describes, its YAML read already; `load` fetches what a graph refers to.

    Raises InvalidDocument, with the place, for unknown keys and placeholders, missing ones, values of another kind,
    and for ports that are not declared or declared twice; and what `load` raises.
    """
    fields = fields_of(value, "", required=("implementation",), known=_TOP)
    metadata = fields_of(fields.get("metadata", {}), "metadata", known=("annotations", "labels"))
    inputs = tuple(_ports(fields.get("inputs", []), "inputs", _input))
    outputs = tuple(_ports(fields.get("outputs", []), "outputs", _output))
    return ComponentSpec(
        optional_text(fields, "name") or "Component",
        _implementation(fields["implementation"], inputs, outputs, load),
        description=optional_text(fields, "description"),
        inputs=inputs,
        outputs=outputs,
        annotations=texts_of(metadata.get("annotations", {}), "metadata.annotations"),
        labels=texts_of(metadata.get("labels", {}), "metadata.labels"),
    )


def _implementation(
    value: Any, inputs: tuple[InputSpec, ...], outputs: tuple[OutputSpec, ...], load: Callable[[str], ComponentSpec]
) -> ContainerSpec | GraphSpec:
    fields = fields_of(value, "implementation", known=("container", "graph"))
    if len(fields) != 1:
        raise InvalidDocument("expected a container or a graph", path="implementation")
    if "container" in fields:
        return _Container(inputs, outputs).read(fields["container"], "implementation.container")
    names = [port.name for port in inputs]
    reader = GraphReader(names, [port.name for port in outputs], load, component_from_plain)
    return reader.read(fields["graph"], "implementation.graph")


# --- ports ------------------------------------------------------------------------------------------------------


def _ports(value: Any, path: str, read: Callable[[Any, str], P]) -> Iterator[P]:
    taken: set[str] = set()
    for place, item in items_of(value, path):
        port = read(item, place)
        if port.name in taken:
            raise InvalidDocument(f"'{port.name}' is declared twice; rename one", path=f"{place}.name")
        taken.add(port.name)
        yield port


def _input(value: Any, path: str) -> InputSpec:
    known = ("description", "type", "default", "optional", "annotations")
    fields = fields_of(value, path, required=("name",), known=known)
    default, optional = fields.get("default"), fields.get("optional", False)
    if isinstance(default, dict | list):
        raise expected(
            "a text, number or boolean (write lists and objects as JSON in quotes)", default, f"{path}.default"
        )
    if not isinstance(optional, bool):
        raise expected("true or false", optional, f"{path}.optional")
    return InputSpec(
        text_of(fields["name"], f"{path}.name"),
        _type(fields, path),
        None if default is None else value_text(default),
        optional,
        optional_text(fields, "description"),
        fields.get("annotations"),
    )


def _output(value: Any, path: str) -> OutputSpec:
    fields = fields_of(value, path, required=("name",), known=("description", "type", "annotations"))
    return OutputSpec(
        text_of(fields["name"], f"{path}.name"),
        _type(fields, path),
        optional_text(fields, "description"),
        fields.get("annotations"),
    )


def _type(fields: Mapping[str, Any], path: str) -> Any:
    found = fields.get("type")
    if found is not None and not isinstance(found, str | dict):
        raise expected("the name of a type, or a map with its properties", found, f"{path}.type")
    return found


# --- the container ----------------------------------------------------------------------------------------------


class _Container:
    """Reads a container, and holds its placeholders to the ports that the component declares."""

    def __init__(self, inputs: Iterable[InputSpec], outputs: Iterable[OutputSpec]) -> None:
        self.inputs = [port.name for port in inputs]
        self.outputs = [port.name for port in outputs]

    def read(self, value: Any, path: str) -> ContainerSpec:
        known = ("command", "args", "env", "fileOutputs", "executorOutput")
        fields = fields_of(value, path, required=("image",), known=known)
        files = texts_of(fields.get("fileOutputs", {}), f"{path}.fileOutputs")
        for name in files:
            self._declared(name, self.outputs, "output", f"{path}.fileOutputs")
        env = fields.get("env", {})
        if not isinstance(env, dict):
            raise expected("a map", env, f"{path}.env")
        return ContainerSpec(
            text_of(fields["image"], f"{path}.image"),
            self._parts(fields.get("command", []), f"{path}.command"),
            self._parts(fields.get("args", []), f"{path}.args"),
            {name: self._part(part, f"{path}.env.{name}") for name, part in env.items()},
            files,
            self._told(fields["executorOutput"], f"{path}.executorOutput") if "executorOutput" in fields else None,
        )

    def _told(self, value: Any, path: str) -> ExecutorOutput:
        fields = fields_of(value, path, required=("path", "artifacts"))
        names = tuple(text_of(item, place) for place, item in items_of(fields["artifacts"], f"{path}.artifacts"))
        for name in names:
            self._declared(name, self.outputs, "output", f"{path}.artifacts")
        return ExecutorOutput(text_of(fields["path"], f"{path}.path"), names)

    def _parts(self, value: Any, path: str) -> tuple[Part, ...]:
        return tuple(self._part(item, place) for place, item in items_of(value, path))

    def _part(self, value: Any, path: str) -> Part:
        if isinstance(value, str | bool | int | float):
            return value_text(value)
        if not isinstance(value, dict) or len(value) != 1:
            raise expected("a text, or one placeholder such as {inputValue: NAME}", value, path)
        ((key, inner),) = value.items()
        return self._placeholder(key, inner, f"{path}.{key}")

    def _placeholder(self, key: str, value: Any, path: str) -> Part:
        if key == "concat":
            return Concat(self._parts(value, path))
        if key == "if":
            return self._if(value, path)
        if key in _NAMED and (key not in _NEEDS_A_STORE or written_for_kfp("1.8")):
            outputs = _NAMED[key] in (OutputPathOf, OutputUri)
            name = text_of(value, path)
            self._declared(name, self.outputs if outputs else self.inputs, "output" if outputs else "input", path)
            return _NAMED[key](name)
        raise InvalidDocument(_why_not(key), path=path)

    def _if(self, value: Any, path: str) -> If:
        fields = fields_of(value, path, required=("cond", "then"), known=("else",))
        condition = fields["cond"]
        return If(
            condition if isinstance(condition, bool) else self._part(condition, f"{path}.cond"),
            self._branch(fields["then"], f"{path}.then"),
            self._branch(fields.get("else", []), f"{path}.else"),
        )

    def _branch(self, value: Any, path: str) -> tuple[Part, ...]:
        return self._parts(value, path) if isinstance(value, list) else (self._part(value, path),)

    @staticmethod
    def _declared(name: str, known: list[str], kind: str, path: str) -> None:
        if name not in known:
            raise InvalidDocument(f"the component has no {kind} '{name}'; its {kind}s: {listed(known)}", path=path)


def _why_not(key: str) -> str:
    if key in _NEEDS_A_STORE:
        return f"{key} is not supported: steps get and leave files; use {key.replace('Uri', 'Path')}"
    if key in _NEEDS_KFP_2:
        return f"{key} belongs to Kubeflow Pipelines 2 and is not supported here; use inputValue, inputPath, outputPath"
    known = ("inputValue", "inputPath", "inputMetadata", "outputPath", "concat", "if", "isPresent")
    return f"unknown placeholder; expected one of {', '.join(known)}"
