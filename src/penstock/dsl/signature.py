"""What a Python function's signature says: the inputs of a pipeline or of a component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.dsl import types
from penstock.dsl.references import PipelineParam
from penstock.dsl.tracing import complain, located, written_for_kfp
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Mapping

__all__ = [
    "Docstring",
    "InputSpec",
    "OutputSpec",
    "docstring",
    "function_place",
    "has_future_annotations",
    "input_of",
    "read_annotations",
]

_FUTURE_ANNOTATIONS = 0x1000000
"""Flag of code that was compiled under `from __future__ import annotations`."""


class InputSpec(NamedTuple):
    """An input of a pipeline or component."""

    name: str
    type: Any = None
    """The type's name, a dict with properties, or None when it is unknown."""
    default: str | None = None
    """The default as text; None when there is none."""
    optional: bool = False
    """Whether a value may be left out: there is a default, or None is allowed."""
    description: str | None = None
    annotations: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The port as JSON, in the form of `component.yaml`; what is unset is left out."""
        fields: dict[str, Any] = self._asdict()
        return {key: value for key, value in fields.items() if value is not None and value is not False}


class OutputSpec(NamedTuple):
    """An output of a component."""

    name: str
    type: Any = None
    """The type's name, a dict with properties, or None when it is unknown."""
    description: str | None = None
    annotations: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The port as JSON, in the form of `component.yaml`; what is unset is left out."""
        fields: dict[str, Any] = self._asdict()
        return {key: value for key, value in fields.items() if value is not None}


class Docstring(NamedTuple):
    """The parts of a docstring that a document shows."""

    summary: str | None
    params: dict[str, str]


def function_place(func: Callable[..., Any], what: str) -> str:
    """`file:line` where `func` is defined, for messages. Raises InvalidPipeline for what is no function."""
    code = getattr(func, "__code__", None)
    if code is None:
        raise InvalidPipeline(located(f"a {what} is a function made with `def`; got {func!r}"))
    return f"{code.co_filename}:{code.co_firstlineno}"


def has_future_annotations(func: Callable[..., Any]) -> bool:
    """Whether the function's file begins with `from __future__ import annotations`."""
    return bool(func.__code__.co_flags & _FUTURE_ANNOTATIONS)


def read_annotations(func: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of `func` as the objects its author meant, whether or not they were written as text.

    A text that its author put in quotes, for example `'GcsUri[text/json]'`, stays a text.
    """
    found = dict(getattr(func, "__annotations__", {}))
    if has_future_annotations(func):
        return {name: _evaluated(text, func) for name, text in found.items()}
    return found


def _evaluated(text: Any, func: Callable[..., Any]) -> Any:
    try:
        cells = zip(func.__code__.co_freevars, func.__closure__ or (), strict=True)
        enclosing = {name: cell.cell_contents for name, cell in cells}
        return eval(text, func.__globals__, enclosing) if isinstance(text, str) else text  # noqa: S307 (its own code)
    except Exception:
        return text


def input_of(parameter: inspect.Parameter, annotation: Any, description: str | None, place: str) -> InputSpec:
    """The input that one parameter of a function declares.

    Raises InvalidPipeline for a default that is not of the declared type, and for None where the type does not allow
    it.
    """
    inner, allows_none = types.split_optional(annotation)
    type_name = types.type_name(inner)
    name, default = parameter.name, parameter.default
    if isinstance(default, PipelineParam):
        # kfp 0.1 calls it as the function does.
        name = name if written_for_kfp("0.1") else default.name
        default = parameter.empty if default.value is None else default.value
    if default is parameter.empty:
        return InputSpec(name, type_name, description=description)
    if default is None:
        if type_name is not None and not allows_none:
            complain(f"{place}: '{name}' is not optional; declare Optional[{_spelled(inner)}] = None.")
        return InputSpec(name, type_name, optional=True, description=description)
    _check_default(name, default, type_name, place)
    return InputSpec(name, type_name, types.value_text(default), True, description)


def _check_default(name: str, default: object, type_name: object, place: str) -> None:
    if not types.fits_exactly(default, type_name):
        kind = types.kind_of(type_name)
        assert kind is not None
        complain(
            f"{place}: the default of '{name}' does not match its type: expected {types.FRIENDLY[kind]}, "
            f"got {types.told(default)}."
        )


def _spelled(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def docstring(func: Callable[..., Any]) -> Docstring:
    """The summary (first paragraph) and the descriptions of parameters, in Google's or reStructuredText's form."""
    import inspect

    lines = (inspect.getdoc(func) or "").splitlines()
    summary: list[str] = []
    for line in lines:
        if not line.strip():
            break
        summary.append(line.strip())
    return Docstring(" ".join(summary) or None, {**_google_params(lines), **_rest_params(lines)})


def _google_params(lines: list[str]) -> dict[str, str]:
    import re

    found: dict[str, str] = {}
    start = next((i for i, line in enumerate(lines) if line.strip() in ("Args:", "Arguments:", "Parameters:")), None)
    last = ""
    for line in lines[start + 1 :] if start is not None else ():
        if line.strip() and not line.startswith((" ", "\t")):
            break
        entry = re.match(r"\s+(\*{0,2}\w+)\s*(?:\([^)]*\))?:\s*(.*)", line)
        if entry and not _continues(line, lines, start):
            last = entry[1].lstrip("*")
            found[last] = entry[2].strip()
        elif last and line.strip():
            found[last] = f"{found[last]}\n{line.strip()}".strip()
    return {name: text for name, text in found.items() if text}


def _continues(line: str, lines: list[str], start: int | None) -> bool:
    """Whether an indented line goes on with the entry before it: it stands deeper than the section's first entry."""
    assert start is not None
    first = next(text for text in lines[start + 1 :] if text.strip())
    return len(line) - len(line.lstrip()) > len(first) - len(first.lstrip())


def _rest_params(lines: list[str]) -> dict[str, str]:
    import re

    found = (re.match(r"\s*:param\s+(?:\w+\s+)?(\w+):\s*(.*)", line) for line in lines)
    return {entry[1]: entry[2].strip() for entry in found if entry and entry[2].strip()}
