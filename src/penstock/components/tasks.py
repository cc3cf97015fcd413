"""A component and its arguments → a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
from penstock.dsl import types
from penstock.dsl.descriptions import EXECUTOR_OUTPUT, Description, description
from penstock.dsl.naming import kubernetes_name, output_name, python_name
from penstock.dsl.ops import ContainerOp, InputArgumentPath, input_path, output_path
from penstock.dsl.references import Reference
from penstock.dsl.tracing import complain, located, types_checked, written_for_kfp
from penstock.errors import InvalidParameter, InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from penstock.components.spec import ComponentSpec, InputSpec

__all__ = ["ComponentOp", "Form", "argument_text", "bind", "form_of", "make_step"]


def bind(
    spec: ComponentSpec, called: str, aliases: Mapping[str, str], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by the names of inputs; required inputs come first among positional ones.

    `called` is how the author calls the component, `aliases` are further names of inputs.
    Raises InvalidPipeline for unknown, double and missing arguments.
    """
    order = sorted(spec.inputs, key=lambda port: port.optional or port.default is not None)
    if len(args) > len(order):
        raise InvalidPipeline(located(f"'{called}' takes {len(order)} parameters, got {len(args)}."))
    given: dict[str, Any] = {port.name: value for port, value in zip(order, args, strict=False)}
    for name, value in kwargs.items():
        port = name if name in spec.inputs_by_name else aliases.get(name, "")
        if not port:
            known = ", ".join(f"'{each.name}'" for each in order) or "none"
            raise InvalidPipeline(located(f"Unknown parameter '{name}' of '{called}'. Known: {known}."))
        if port in given:
            raise InvalidPipeline(located(f"'{called}' got parameter '{name}' twice."))
        given[port] = value
    _refuse_missing(spec, called, given)
    return given


def _refuse_missing(spec: ComponentSpec, called: str, given: Mapping[str, Any]) -> None:
    for port in spec.inputs:
        if port.name not in given and port.default is None and not port.optional:
            kind = types.kind_of(port.type)
            told = f" ({types.FRIENDLY[kind]})" if kind else ""
            names = ", ".join(f"'{name}'" for name in given) or "none"
            raise InvalidPipeline(
                located(f"Missing required parameter '{port.name}'{told} of '{called}'. Given: {names}.")
            )


class ComponentOp(ContainerOp):
    """A step that was made of a component, and is called as the component is."""

    named_by_author = False
    made_with: tuple[list[str], list[str]] = ([], [])
    """The command and the arguments that the component gave it; its author may have changed them since."""
    facts_read: Mapping[str, str] = {}
    """Inputs of which the command line holds what is said of them: name of the input → text."""


class Form(NamedTuple):
    """A component's command line with tags of inputs where values would stand."""

    command: list[str]
    args: list[str]
    parameters: Mapping[str, str]
    """Inputs that are read as values: name of the component's input → name in the template."""
    facts: Mapping[str, str]
    """Inputs of which is read what is said of them: as `parameters`."""


def form_of(op: ComponentOp) -> Form | None:
    """How all steps that got the same inputs of the component look; None where that is decided by values."""
    spec: ComponentSpec = op.component
    names = {name: output_name(name) for name in op.component_arguments}
    facts = {name: f"{names[name]}-facts" for name in op.facts_read}
    taken = [*(names[name] for name in op.value_arguments), *facts.values()]
    if not all(taken) or len({*taken}) < len(taken):
        return None
    values = {name: f"{{{{inputs.parameters.{each}}}}}" for name, each in names.items()}
    line = _CommandLine(spec, values, lambda name: f"{{{{inputs.parameters.{facts[name]}}}}}")
    command, args = line.expand(spec.container.command), line.expand(spec.container.args)
    if line.decided_by_values:
        return None
    return Form(command, args, {name: names[name] for name in op.value_arguments}, facts)


def make_step(spec: ComponentSpec, given: Mapping[str, Any]) -> ContainerOp:
    """Add a step to the pipeline being traced. Raises InvalidPipeline for an argument of the wrong type."""
    texts = _texts(spec, given)
    line = _CommandLine(spec, texts, lambda name: description(texts[name]))
    command = line.expand(spec.container.command)
    args = line.expand(spec.container.args)
    env = {name: "".join(line.expand([part])) for name, part in spec.container.env.items()}
    if written_for_kfp("1.8"):
        line.use_all(given)
    op = ComponentOp(
        spec.name,
        spec.container.image,
        command=command,
        arguments=args,
        file_outputs=line.output_files(),
        artifact_argument_paths=[
            InputArgumentPath(line.values.get(name), name, path) for name, path in line.input_files.items()
        ],
    )
    for name, value in env.items():
        op.container.add_env_variable({"name": name, "value": value})
    op.component = spec
    op.made_with = (command, args)
    op.value_arguments = line.values_read
    op.facts_read = line.facts_read
    op.pod_annotations.update(spec.annotations)
    op.pod_labels.update(spec.labels)
    if spec.annotations.get("volatile_component") == "true":
        op.execution_options.caching_strategy.max_cache_staleness = "P0D"
    if spec.container.executor_output is not None:
        _describe(op, *spec.container.executor_output)
    _name_outputs(op, spec)
    op.component_arguments = line.values
    return op


def _describe(op: ContainerOp, path: str, artifacts: Iterable[str]) -> None:
    """The step says in a file what its artifacts are; no output of the author's."""
    op.sources[EXECUTOR_OUTPUT] = path
    op.descriptions = {op.outputs[name]._id: Description(op.outputs[name], name) for name in artifacts}


def _name_outputs(op: ContainerOp, spec: ComponentSpec) -> None:
    """Outputs are also found under their names as Python would spell them, and know their types."""
    for port in spec.outputs:
        reference = op.outputs.get(port.name)
        if reference is not None:
            reference._type = port.type
            op.outputs.setdefault(python_name(port.name), reference)
            if written_for_kfp("0.1"):
                op.outputs.setdefault(kubernetes_name(port.name), reference)


def _texts(spec: ComponentSpec, given: Mapping[str, Any]) -> dict[str, str]:
    """Each input's value as text: what was given, else the default; inputs without either are left out."""
    texts: dict[str, str] = {}
    for port in spec.inputs:
        value = given.get(port.name, port.default)
        if value is not None:
            texts[port.name] = argument_text(port, value)
        elif port.name in given and not port.optional:
            raise InvalidPipeline(
                located(f"'{port.name}' is not optional; declare Optional[{types.python_word(port.type)}] = None.")
            )
    return texts


def argument_text(port: InputSpec, value: Any) -> str:
    """The text of an argument, or the marker of a reference. Raises InvalidPipeline for one of another type."""
    if isinstance(value, ContainerOp):
        names = ", ".join(f"'{name}'" for name in value.outputs) or "none"
        raise InvalidPipeline(located(f"'{port.name}' got the step '{value.name}'; pass one of its outputs ({names})."))
    if isinstance(value, Reference):
        return _connected(port, value)
    try:
        return types.checked_text(value, port.type, what=f"'{port.name}'")
    except InvalidParameter as error:
        # kfp takes a text for written out already.
        _refuse(str(error), taken=isinstance(value, str) or written_for_kfp("0.1"))
        return types.value_text(value)


def _refuse(message: str, *, taken: bool) -> None:
    """Raise InvalidPipeline; or only warn, where the file was written for a kfp that takes such a thing."""
    if not taken:
        raise InvalidPipeline(located(message))
    complain(located(message))


def _connected(port: InputSpec, value: Reference) -> str:
    if types_checked() and not types.connects(value._type, port.type):
        _refuse(
            f"'{port.name}': expected type {types.spelled(port.type)}, got '{value._id.full}' of type "
            f"{types.spelled(value._type)}; where that is meant, pass it with .ignore_type().",
            taken=written_for_kfp("0.1"),
        )
    return str(value)


class _CommandLine:
    """A component's command line with its placeholders filled in."""

    def __init__(self, spec: ComponentSpec, values: Mapping[str, str], facts: Callable[[str], str]) -> None:
        """`facts` gives what is said of an input."""
        self.spec = spec
        self.values = values
        self._facts = facts
        self.input_files: dict[str, str] = {}
        self.values_read: dict[str, str] = {}
        """The inputs whose values were written into the command line."""
        self.facts_read: dict[str, str] = {}
        """The same for what is said of inputs."""
        self.decided_by_values = False
        """Whether a value decided which parts there are."""
        self._written: dict[str, str] = dict(spec.container.file_outputs)

    def expand(self, parts: Iterable[Part]) -> list[str]:
        """The texts of parts; a part that stands for nothing is left out."""
        return [text for part in parts for text in self._part(part)]

    def use_all(self, given: Iterable[str]) -> None:
        """As kfp 1.8 does: an argument that was not read is a file, and so is an output that was not named."""
        read = {*self.values_read, *self.input_files}
        self.input_files.update((name, input_path(name)) for name in (*self.values, *given) if name not in read)
        for port in self.spec.outputs:
            self._written.setdefault(port.name, output_path(port.name))

    def output_files(self) -> dict[str, str]:
        """The files of the outputs that the command line or the component names, in the order of the outputs."""
        return {port.name: self._written[port.name] for port in self.spec.outputs if port.name in self._written}

    def _part(self, part: Part) -> list[str]:
        match part:
            case InputValue(name):
                return [self.values_read.setdefault(name, self.values[name])] if name in self.values else []
            case InputPathOf(name):
                return [self.input_files.setdefault(name, input_path(name))] if name in self.values else []
            case InputMetadata(name):
                return [self.facts_read.setdefault(name, self._facts(name))] if name in self.values else []
            case OutputPathOf(name):
                return [self._written.setdefault(name, output_path(name))]
            case InputUri(name):
                if name not in self.values:
                    return []
                self.input_files.setdefault(name, input_path(name))
                return [f"{{{{$.inputs.artifacts['{name}'].uri}}}}"]
            case OutputUri(name):
                self._written.setdefault(name, output_path(name))
                return [f"{{{{$.outputs.artifacts['{name}'].uri}}}}"]
            case IsPresent(name):
                return [str(name in self.values)]
            case Concat(items):
                return ["".join(self.expand(items))]
            case If(condition, then, otherwise):
                return self.expand(then if self._holds(condition) else otherwise)
            case _:
                return [part]

    def _holds(self, condition: Part | bool) -> bool:
        if isinstance(condition, bool):
            return condition
        self.decided_by_values |= not isinstance(condition, IsPresent)
        text = "".join(self._part(condition)).strip().lower()
        return text in ("true", "t", "yes", "y", "on", "1")
