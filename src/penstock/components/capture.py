"""A function's source, ready to stand in a program of its own, with the helpers that it was given.

Nothing else comes along: a name from outside that no helper brings is refused.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, NamedTuple

from penstock.components.modules import ARTIFACTS, ModuleText, carried, is_own
from penstock.dsl import artifacts
from penstock.dsl.signature import function_place, has_future_annotations
from penstock.dsl.tracing import complain
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from dis import Instruction
    from types import CodeType
    from typing import Any

__all__ = ["Source", "capture"]

_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")


class Source(NamedTuple):
    """The source of a program's functions, without decorators and without the annotations of their signatures."""

    text: str
    future_annotations: bool
    """Whether a file was written under `from __future__ import annotations`."""
    modules: Mapping[str, ModuleText] = {}
    """Modules that the program carries with it, by their names."""


class _Piece(NamedTuple):
    """One function of a program."""

    func: Callable[..., Any]
    text: str
    line: int
    """The line in its file where its `def` stands."""
    node: ast.FunctionDef


def capture(
    func: Callable[..., Any],
    helpers: Sequence[Any] = (),
    extra_code: str = "",
    given: Mapping[str, ModuleText] | None = None,
) -> Source:
    """The source of a function that uses nothing from outside but built-ins, `helpers` and the `given` modules.

    `helpers` are functions, and modules of the author's own, which bring what they import from beside them.
    `extra_code` stands before all else. Raises InvalidPipeline, with file and line, for a name from outside, for a
    lambda or coroutine, for other helpers, and when a source cannot be found.
    """
    modules = [helper for helper in helpers if isinstance(helper, ModuleType)]
    functions = [_function(helper, func) for helper in helpers if not isinstance(helper, ModuleType)]
    pieces = [_piece(each) for each in dict.fromkeys([*functions, func])]
    found = dict(given or {})
    for piece in pieces if modules else ():
        found.update(carried(modules, piece.node, _place(func)))
    brought = {piece.func.__name__: piece.func for piece in pieces}
    known = {*dir(builtins), *brought, *_bound(extra_code, func)}
    imports = dict.fromkeys(line for piece in pieces for line in _imports(piece, known, found))
    texts = [extra_code, "\n".join(imports), *(piece.text for piece in pieces)]
    return Source(
        "\n\n".join(text.strip("\n") + "\n" for text in texts if text.strip()),
        any(has_future_annotations(piece.func) for piece in pieces),
        found,
    )


def _function(helper: Any, func: Callable[..., Any]) -> Callable[..., Any]:
    found = getattr(helper, "python_func", helper)
    if not isinstance(found, FunctionType):
        raise InvalidPipeline(
            f"{_place(func)}: helpers of '{func.__name__}': expected functions and modules, got {helper!r}; "
            "put anything else into a module"
        )
    return found


def _piece(func: Callable[..., Any]) -> _Piece:
    lines, first = _lines(func)
    node = _definition(lines, func)
    return _Piece(func, _rebuilt(lines, node), first + node.lineno - 1, node)


def _bound(extra_code: str, func: Callable[..., Any]) -> set[str]:
    """The names that the extra code gives."""
    try:
        code = compile(extra_code, "extra_code", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise InvalidPipeline(f"{_place(func)}: extra_code, line {error.lineno}: {error.msg}") from None
    return set(_stored(code, "STORE_NAME", nested=False))


def _place(func: Callable[..., Any]) -> str:
    return function_place(func, "component")


def _lines(func: Callable[..., Any]) -> tuple[list[str], int]:
    try:
        lines, first = inspect.getsourcelines(func)
    except (OSError, TypeError) as error:
        raise InvalidPipeline(f"{_place(func)}: the source of '{func.__name__}' cannot be found: {error}") from None
    return lines, max(first, 1)


def _definition(lines: list[str], func: Callable[..., Any]) -> ast.FunctionDef:
    text = "".join(lines)
    # A nested function is indented; a block around it keeps its text, and the inside of its texts, as it is.
    wrapped = f"if 1:\n{text}" if text[:1].isspace() else text
    try:
        tree = ast.parse(wrapped)
    except SyntaxError:
        tree = ast.parse("")
    shift = 1 if wrapped is not text else 0
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == func.__name__:
            ast.increment_lineno(node, -shift)
            return node
    raise InvalidPipeline(f"{_place(func)}: '{func.__name__}' cannot become a component; make it a function with `def`")


def _rebuilt(lines: list[str], node: ast.FunctionDef) -> str:
    """The definition with a plain header: names and defaults, no annotations, no decorators."""
    first = node.body[0]
    header_line = lines[node.lineno - 1]
    indent = header_line[: len(header_line) - len(header_line.lstrip())]
    header = f"{indent}def {node.name}({', '.join(_parameters(lines, node))}):\n"
    start = min([first.lineno, *(inner.lineno for inner in getattr(first, "decorator_list", ()))])
    if start == node.lineno or _shares_line(lines, node, start):
        statement = lines[start - 1].encode()[first.col_offset :].decode()
        body = f"{indent}    {statement}" + "".join(lines[start : node.end_lineno])
    else:
        body = "".join(lines[_after_header(node, start) : node.end_lineno])
    text = header + body
    text = text if text.endswith("\n") else text + "\n"
    return f"if 1:\n{text}" if indent else text


def _shares_line(lines: list[str], node: ast.FunctionDef, start: int) -> bool:
    """Whether the body starts on the line that ends the header."""
    before = lines[start - 1].encode()[: node.body[0].col_offset].decode()
    return bool(before.strip())


def _after_header(node: ast.FunctionDef, start: int) -> int:
    """The number of lines before the first one that belongs to the body: comments above it are dropped."""
    return max(start - 1, node.lineno)


def _parameters(lines: list[str], node: ast.FunctionDef) -> Iterator[str]:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    for argument, default in zip(positional, defaults, strict=True):
        yield _parameter(lines, argument, default)
    if arguments.kwonlyargs:
        yield "*"
    for argument, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(lines, argument, keyword_default)


def _parameter(lines: list[str], argument: ast.arg, default: ast.expr | None) -> str:
    if default is None:
        return argument.arg
    segment = ast.get_source_segment("".join(lines), default) or ast.unparse(default)
    return f"{argument.arg}=({segment})" if "\n" in segment else f"{argument.arg}={segment}"


def _imports(piece: _Piece, known: set[str], modules: Mapping[str, ModuleText]) -> Iterator[str]:
    """The imports that give a function what it uses of modules. Raises InvalidPipeline for a name from outside."""
    future = "from __future__ import annotations\n" if has_future_annotations(piece.func) else ""
    code = compile(future + piece.text, piece.func.__code__.co_filename, "exec", dont_inherit=True)
    for name in _outer_names(code, known | set(_stored(code, "STORE_GLOBAL"))):
        if not (name.startswith("__") and name.endswith("__")):
            value = _value(name, piece.func)
            line = _import_of(name, value, modules)
            if line is not None:
                yield line
            else:
                complain(_outer_name(piece, name, value))


def _value(name: str, func: Callable[..., Any]) -> Any:
    """What the name stands for in the author's file."""
    if name in func.__code__.co_freevars:
        cell = (func.__closure__ or ())[func.__code__.co_freevars.index(name)]
        with suppress(ValueError):  # not bound yet
            return cell.cell_contents
    return func.__globals__.get(name)


def _import_of(name: str, value: Any, modules: Mapping[str, ModuleText]) -> str | None:
    """How to import a value from a module that the program carries."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}" if value.__name__ in modules else None
    home, own = getattr(value, "__module__", None), getattr(value, "__name__", None)
    home = ARTIFACTS if home == artifacts.__name__ else home
    return f"from {home} import {own} as {name}" if home in modules and own is not None else None


def _outer_name(piece: _Piece, name: str, value: Any) -> str:
    where = piece.line + _use_of(name, piece.node) - piece.node.lineno
    what = f"{piece.func.__code__.co_filename}:{where}: '{name}' (line {where}) is defined outside component "
    advice = f" Or carry it along: helpers=[{name}]." if _could_help(value) else ""
    return f"{what}'{piece.func.__name__}'; import or define it inside.{advice}"


def _could_help(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return is_own(getattr(value, "__file__", None))
    return isinstance(value, FunctionType) and is_own(value.__code__.co_filename)


def _outer_names(code: CodeType, known: set[str]) -> Iterator[str]:
    """Names that the code reads and neither it nor `known` has. What a class's body binds, only that body sees."""
    own = known | set(_stored(code, "STORE_NAME", nested=False))
    for instruction in _instructions(code, *_LOADS):
        if instruction.argval not in (known if instruction.opname == "LOAD_GLOBAL" else own):
            yield str(instruction.argval)
    for inner in _nested(code):
        yield from _outer_names(inner, known)


def _stored(code: CodeType, operation: str, *, nested: bool = True) -> Iterator[str]:
    for instruction in _instructions(code, operation):
        yield str(instruction.argval)
    for inner in _nested(code) if nested else ():
        yield from _stored(inner, operation)


def _instructions(code: CodeType, *operations: str) -> Iterator[Instruction]:
    import dis

    return (instruction for instruction in dis.get_instructions(code) if instruction.opname in operations)


def _nested(code: CodeType) -> Iterator[CodeType]:
    return (constant for constant in code.co_consts if hasattr(constant, "co_code"))


def _use_of(name: str, node: ast.FunctionDef) -> int:
    used = [inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Name) and inner.id == name]
    inside = [number for number in used if number >= node.body[0].lineno]
    return min(inside or used or [node.lineno])
