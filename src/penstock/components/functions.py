"""A Python function → a component."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, TypeVar, cast, get_args

from penstock.components import program
from penstock.components.capture import capture
from penstock.components.modules import runtime
from penstock.components.placeholders import (
    If,
    InputMetadata,
    InputPathOf,
    InputValue,
    IsPresent,
    OutputPathOf,
    Part,
)
from penstock.components.ports import ArtifactPort, FilePort
from penstock.components.spec import ComponentSpec, ContainerSpec, ExecutorOutput
from penstock.dsl import artifacts, types
from penstock.dsl.artifact_ports import Direction
from penstock.dsl.artifacts import Artifact
from penstock.dsl.descriptions import EXECUTOR_OUTPUT
from penstock.dsl.naming import component_title
from penstock.dsl.ops import output_path
from penstock.dsl.signature import InputSpec, OutputSpec, docstring, function_place, input_of, read_annotations
from penstock.dsl.tracing import written_for_kfp
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from penstock.dsl.signature import Docstring

__all__ = ["DEFAULT_IMAGE", "Interface", "function_component", "function_interface"]

DEFAULT_IMAGE = "python:3.11"
"""The image of a function component that names none."""

_EXECUTOR_OUTPUT = output_path(EXECUTOR_OUTPUT)

_STYLES: dict[type | None, str] = {list: "list", dict: "dict", str: "str", int: "int", float: "float", bool: "bool"}


class _Port(NamedTuple):
    """One parameter of the function, as the component and as the program see it."""

    spec: InputSpec | OutputSpec
    argument: program.Argument
    typed: program.Typed | None = None


class Interface(NamedTuple):
    """What a function's signature says: its ports, and what it returns."""

    name: str
    description: str | None
    ports: tuple[_Port, ...]
    results: tuple[OutputSpec, ...]
    single: bool
    """Whether the function returns its one result itself, not a tuple."""

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """The inputs, in the order of the parameters."""
        return tuple(port.spec for port in self.ports if isinstance(port.spec, InputSpec))

    @property
    def outputs(self) -> tuple[OutputSpec, ...]:
        """The outputs: those written to files first, then what is returned."""
        return (*(port.spec for port in self.ports if isinstance(port.spec, OutputSpec)), *self.results)


def function_interface(func: Callable[..., Any], name: str | None = None) -> Interface:
    """Read a function's signature. Raises InvalidPipeline, with file and line, for what no component can have."""
    place = function_place(func, "component")
    found, doc = read_annotations(func), docstring(func)
    ports = tuple(
        _port(parameter, found.get(parameter.name), doc, place)
        for parameter in inspect.signature(func).parameters.values()
    )
    results, single = _results(found.get("return"), {port.spec.name for port in ports}, place)
    interface = Interface(name or component_title(func.__name__), doc.summary, ports, results, single)
    _refuse_equal(interface.inputs, place)
    _refuse_equal(interface.outputs, place)
    return interface


def _refuse_equal(ports: Sequence[InputSpec | OutputSpec], place: str) -> None:
    names = [port.name for port in ports]
    for name in names:
        if names.count(name) > 1:
            raise InvalidPipeline(f"{place}: two ports of the component are called '{name}'; rename one")


def _port(parameter: inspect.Parameter, annotation: Any, doc: Docstring, place: str) -> _Port:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise InvalidPipeline(f"{place}: '{parameter}': a component's parameters are named one by one")
    inner, allows_none = types.split_optional(annotation)
    inner = _file_of(inner, f"{place}: '{parameter.name}'")
    description = doc.params.get(parameter.name)
    if isinstance(inner, FilePort):
        return _file_port(parameter, inner, description, place)
    spec = input_of(parameter, annotation, description, place)._replace(name=parameter.name)
    style = _STYLES.get(types.kind_of(spec.type), "str")
    # An empty text is kept where a text is wanted; elsewhere it spells nothing else than None.
    return _Port(spec, program.Argument(_flag(spec.name), parameter.name, style, allows_none and style != "str"))


def _file_of(annotation: Any, what: str) -> Any:
    """`InputPath("CSV")`, alone or in `Annotated[str, …]`, and `Input[Dataset]` as a port; all else as it is.

    Raises InvalidPipeline, naming `what`, for an artifact of no class, and one that is neither read nor made.
    """
    if _is_artifact(annotation):
        kind = annotation.__name__
        raise InvalidPipeline(
            f"{what} is an artifact; write Input[{kind}] for one that is read, Output[{kind}] for one that is made"
        )
    for each in (annotation, *getattr(annotation, "__metadata__", ())):
        if isinstance(each, type) and issubclass(each, FilePort):
            return each()
        if isinstance(each, FilePort):
            return each
        if isinstance(each, Direction):
            return ArtifactPort(_artifact_class(get_args(annotation)[0], what), each)
    return annotation


def _is_artifact(annotation: Any) -> TypeGuard[type[Artifact]]:
    return isinstance(annotation, type) and issubclass(annotation, Artifact)


def _artifact_class(given: Any, what: str) -> type[Artifact]:
    if isinstance(given, TypeVar):
        return Artifact
    if not isinstance(given, type) or artifacts.__dict__.get(given.__name__) is not given:
        names = ", ".join(sorted(artifacts.__all__))
        raise InvalidPipeline(f"{what}: expected the class of an artifact ({names}), got {given!r}")
    return cast("type[Artifact]", given)


def _file_port(parameter: inspect.Parameter, file: FilePort, description: str | None, place: str) -> _Port:
    name = _port_name(parameter.name, file.style)
    argument = program.Argument(_flag(name), parameter.name, file.style)
    type_name = types.type_name(file.type)
    typed = None
    if isinstance(file, ArtifactPort):
        typed = program.Typed(parameter.name, name, "out" if file.is_output else "in", file.type.__name__)
    if file.is_output:
        if parameter.default is not parameter.empty:
            raise InvalidPipeline(f"{place}: '{parameter.name}' is an output; it takes no default")
        return _Port(OutputSpec(name, type_name, description), argument, typed)
    if parameter.default not in (parameter.empty, None):
        raise InvalidPipeline(f"{place}: '{parameter.name}' is a file; its only default is None")
    return _Port(InputSpec(name, type_name, None, parameter.default is None, description), argument, typed)


def _port_name(parameter: str, style: str) -> str:
    """`data_path` and `data_file` are called `data`: what is passed is the data, not a path."""
    name = parameter.removesuffix("_path") if style in ("path", "out") else parameter
    return name.removesuffix("_file")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _results(annotation: Any, taken: set[str], place: str) -> tuple[tuple[OutputSpec, ...], bool]:
    """The outputs that a return annotation declares, and whether it is one value."""
    if _is_artifact(annotation) or any(isinstance(each, Direction) for each in getattr(annotation, "__metadata__", ())):
        raise InvalidPipeline(
            f"{place}: an artifact cannot be returned; make it a parameter, for example model: Output[Model]"
        )
    if annotation is None or annotation is type(None):
        return (), False
    fields = getattr(annotation, "_fields", None)
    if fields is not None:
        kinds = getattr(annotation, "__annotations__", {})
        return tuple(OutputSpec(name, types.type_name(kinds.get(name))) for name in fields), False
    return (OutputSpec("Output_2" if "Output" in taken else "Output", types.type_name(annotation)),), True


def function_component(
    func: Callable[..., Any],
    interface: Interface,
    *,
    base_image: str | None = None,
    packages_to_install: Sequence[str] = (),
    annotations: Mapping[str, str] | None = None,
    helpers: Sequence[Any] = (),
    extra_code: str = "",
) -> ComponentSpec:
    """The component of a function. Raises InvalidPipeline when it uses a name from outside, and for a large program."""
    typed = [port.typed for port in interface.ports if port.typed is not None]
    # As kfp 0.1 has it, which knows no argument that may be left out.
    optional = any(spec.optional and spec.default is None for spec in interface.inputs)
    by_position = written_for_kfp("0.1") and not optional
    source = program.program_text(
        func.__name__,
        capture(func, helpers, extra_code, runtime() if typed else None),
        [port.argument for port in (_ordered(interface) if by_position else interface.ports)],
        [program.Result(port.name, _result_style(port)) for port in interface.results],
        interface.single,
        typed,
        by_position=by_position,
    )
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > program.MAX_BYTES:
        raise InvalidPipeline(
            f"{function_place(func, 'component')}: the program of '{func.__name__}' is {size:,} bytes; limit "
            f"{program.MAX_BYTES:,}. Carry fewer helpers, or put them into the image."
        )
    command: tuple[Part, ...] = (*program.install_command(packages_to_install), "sh", "-ec", program.START, source)
    words: Sequence[Part] = _command_line(interface)
    if by_position:
        command = ("python3", "-c", source)
        words = [part for word in words for part in _without_flag(word)]
    container = ContainerSpec(base_image or DEFAULT_IMAGE, command, tuple(words))
    if typed:
        made = tuple(each.port for each in typed if each.direction == "out")
        container = container._replace(executor_output=ExecutorOutput(_EXECUTOR_OUTPUT, made))
    return ComponentSpec(
        interface.name,
        container,
        description=interface.description,
        inputs=interface.inputs,
        outputs=interface.outputs,
        annotations=annotations,
    )


def _result_style(port: OutputSpec) -> str:
    kind = types.kind_of(port.type)
    return "json" if kind in (list, dict) else _STYLES.get(kind, "any")


def _command_line(interface: Interface) -> list[Part]:
    """Inputs first, then files to write, then the files of returned values: the order of kfp 1.8."""
    parts: list[Part] = []
    for port in _ordered(interface):
        parts.extend(_flagged(port))
    if any(port.typed for port in interface.ports):
        parts.extend([program.EXECUTOR_OUTPUT.flag, _EXECUTOR_OUTPUT])
    if interface.results:
        parts.extend([program.OUTPUTS_FLAG, *(OutputPathOf(port.name) for port in interface.results)])
    return parts


def _without_flag(word: Part) -> Sequence[Part]:
    """The values of a command line, for a program that knows them by their places."""
    parts = word.then if isinstance(word, If) else (word,)
    return [part for part in parts if not isinstance(part, str)]


def _ordered(interface: Interface) -> list[_Port]:
    return sorted(interface.ports, key=lambda port: isinstance(port.spec, OutputSpec))


def _flagged(port: _Port) -> list[Part]:
    spec, argument = port.spec, port.argument
    if isinstance(spec, OutputSpec):
        return [argument.flag, OutputPathOf(spec.name)]
    is_file = argument.style in ("path", "rt", "rb")
    parts: tuple[Part, ...] = (argument.flag, InputPathOf(spec.name) if is_file else InputValue(spec.name))
    if port.typed is not None:
        parts += (port.typed.facts.flag, InputMetadata(spec.name))
    return [If(IsPresent(spec.name), parts)] if spec.optional else list(parts)
