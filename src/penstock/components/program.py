"""The program that a function component runs: the function's source, and a few lines that hand it its arguments.

It needs Python 3.8 or newer and its standard library, nothing of Penstock. Arguments come in pairs, `--name value`,
and are never split, quoted or interpreted: a value may start with a dash, be empty, or hold any text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.components.modules import ARTIFACTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.components.capture import Source

__all__ = [
    "EXECUTOR_OUTPUT",
    "MAX_BYTES",
    "OUTPUTS_FLAG",
    "START",
    "Argument",
    "Result",
    "Typed",
    "install_command",
    "program_text",
]

MAX_BYTES = 131_071
"""Largest program: Linux takes no longer text among a command's arguments."""

OUTPUTS_FLAG = "----output-paths"
"""After it stand the files for what the function returns, in their order."""

START = 'program_path=$(mktemp)\nprintf "%s" "$0" > "$program_path"\npython3 -u "$program_path" "$@"\n'
"""The shell's lines that start a program given as text; launchers recognise them."""


class Argument(NamedTuple):
    """How one parameter of the function gets its value."""

    flag: str
    parameter: str
    style: str
    """`str`, `int`, `float`, `bool`, `list`, `dict`; or a file: `path`, `out`, `rt`, `rb`, `wt`, `wb`."""
    optional: bool = False
    """Whether None is allowed: an empty text then stands for it, unless the parameter is a text."""


class Typed(NamedTuple):
    """A parameter that is an artifact."""

    parameter: str
    port: str
    direction: str
    """`in` or `out`."""
    kind: str
    """The name of its class."""

    @property
    def facts(self) -> Argument:
        """How the program is told what is known of the artifact."""
        return Argument(f"----facts-{self.port}", f"facts of {self.parameter}", "str")


class Result(NamedTuple):
    """What the function returns."""

    name: str
    style: str
    """`str`, `int`, `float`, `bool`, `json`, or `any`."""


EXECUTOR_OUTPUT = Argument("----executor-output", "executor output", "out")
"""The file into which a typed component writes what its artifacts are."""


def install_command(packages: Sequence[str]) -> list[str]:
    """The command that installs packages before it starts the rest, in kfp 1.8.22's words."""
    names = " ".join(repr(str(package)) for package in packages)
    install = f"PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet --no-warn-script-location {names}"
    return ["sh", "-c", f'({install} || {install} --user) && "$0" "$@"'] if packages else []


def program_text(
    function: str,
    source: Source,
    arguments: Sequence[Argument],
    results: Sequence[Result],
    single: bool,
    typed: Sequence[Typed] = (),
    *,
    by_position: bool = False,
) -> str:
    """The program. `single` says that the function returns its one result itself, not a tuple of results.

    `by_position`: arguments come without their flags, in their order, the files of results last.
    """
    flags = _literal([argument.flag for argument in arguments])
    positions = f"{_POSITIONS}\n\n_name_arguments({flags})\n\n\n" if by_position else ""
    if typed:
        taken = (each.facts for each in typed if each.direction == "in")
        arguments = [*arguments, *taken, EXECUTOR_OUTPUT]
    spec: dict[str, Any] = {
        "name": function,
        "arguments": {argument.flag: list(argument[1:]) for argument in arguments},
        "results": [list(result) for result in results],
        "single": single,
    }
    future = "from __future__ import annotations\n\n" if source.future_annotations else ""
    modules = f"{_CARRIER}\n\n_carry({_literal(_told(source))})\n\n\n" if source.modules else ""
    called = _typed(function, typed, results) if typed else function
    head = f"{future}{positions}{modules}{_shielded(source.text, function)}"
    return f"{head}\n\n{_RUNTIME}\n\n_run({called}, {_literal(spec)})\n"


def _typed(function: str, typed: Sequence[Typed], results: Sequence[Result]) -> str:
    """The function, handed artifacts where it has them among its parameters."""
    ports = _literal({each.parameter: list(each[1:]) for each in typed})
    names = _literal([result.name for result in results])
    return f'__import__("{ARTIFACTS}").typed({function}, {ports}, {names})'


def _told(source: Source) -> dict[str, Any]:
    return {name: list(module) for name, module in source.modules.items()}


def _literal(value: Any) -> str:
    """A value as Python source. No two opening braces meet in it, which Argo would take for a tag."""
    return ascii(value).replace("{{", "{\\x7b")


def _shielded(text: str, function: str) -> str:
    """The function's source, or, where it holds `{{`, a text of it that Argo takes for no tag."""
    if "{{" not in text:
        return text.rstrip("\n") + "\n"
    return (
        "import linecache as _linecache\n\n"
        f"_source = {_literal(text)}\n"
        f'_linecache.cache["{function}.py"] = (len(_source), None, _source.splitlines(True), "{function}.py")\n'
        f'exec(compile(_source, "{function}.py", "exec"))\n'
    )


_CARRIER = """\
def _carry(sources):
    import importlib.util
    import linecache
    import sys

    class Carried:
        def find_spec(self, name, path=None, target=None):
            if name in sources:
                package = sources[name][0].endswith("__init__.py")
                return importlib.util.spec_from_loader(name, self, is_package=package)

        def create_module(self, spec):
            return None

        def exec_module(self, module):
            file, text = sources[module.__name__]
            linecache.cache[file] = (len(text), None, text.splitlines(True), file)
            exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)

    sys.meta_path.insert(0, Carried())"""

_POSITIONS = """\
def _name_arguments(flags):
    import sys

    named = [word for pair in zip(flags, sys.argv[1:]) for word in pair]
    sys.argv[1:] = named + ["----output-paths"] + sys.argv[1 + len(flags):]"""

_RUNTIME = """\
def _run(function, spec):
    import json
    import os
    import sys

    truths = dict.fromkeys(["true", "t", "yes", "y", "on", "1"], True)
    truths.update(dict.fromkeys(["false", "f", "no", "n", "off", "0"], False))
    files = []

    def fail(what, expected, got):
        sys.exit("component %r: %s: expected %s, got %r" % (spec["name"], what, expected, got))

    def parent_made(path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        return path

    def opened(path, mode):
        if "b" in mode:
            file = open(path, mode)
        else:
            file = open(path, mode, encoding="utf-8", newline="")
        files.append(file)
        return file

    def read(flag, text):
        parameter, style, optional = spec["arguments"][flag]
        if style in ("path", "str"):
            return text
        if style == "out":
            return parent_made(text)
        if style in ("rt", "rb", "wt", "wb"):
            return opened(parent_made(text) if style[0] == "w" else text, style)
        if optional and not text:
            return None
        try:
            if style == "bool":
                return truths[text.strip().lower()]
            if style in ("list", "dict"):
                value = json.loads(text)
                if not isinstance(value, dict if style == "dict" else list):
                    raise ValueError(text)
                return value
            return {"int": int, "float": float}[style](text)
        except (KeyError, ValueError):
            fail(parameter, style, text)

    def plain(value):
        for method in ("tolist", "item", "to_dict"):
            if hasattr(value, method):
                return getattr(value, method)()
        raise TypeError("%s is no JSON value" % type(value).__name__)

    def written(name, style, value):
        try:
            if style == "str":
                return value if isinstance(value, str) else fail("output " + name, "str", value)
            if style == "json":
                return value if isinstance(value, str) else json.dumps(value, default=plain, sort_keys=True)
            if style in ("int", "float", "bool") and not isinstance(value, str):
                if style == "int":
                    return str(value.__index__())
                if style == "float":
                    return str(float(value))
                if type(value).__name__ in ("bool", "bool_"):
                    return str(bool(value))
            elif style == "any":
                return str(value)
        except (AttributeError, TypeError, ValueError):
            pass
        fail("output " + name, style, value)

    given = [os.fsencode(text).decode("utf-8", "surrogateescape") for text in sys.argv[1:]]
    values = dict()
    paths = []
    while given:
        flag = given.pop(0)
        if flag == "----output-paths":
            paths, given = given, []
        else:
            values[spec["arguments"][flag][0]] = read(flag, given.pop(0))

    outcome = function(**values)
    for file in files:
        file.close()
    names = [name for name, style in spec["results"]]
    if spec["single"]:
        outcome = [outcome]
    elif isinstance(outcome, dict):
        outcome = [outcome[name] for name in names]
    elif names:
        if not isinstance(outcome, (tuple, list)) or len(outcome) != len(names):
            fail("the returned value", "a tuple of %d values (%s)" % (len(names), ", ".join(names)), outcome)
        if hasattr(outcome, "_fields"):
            outcome = [getattr(outcome, name) for name in names]
    for (name, style), path, value in zip(spec["results"], paths, outcome or []):
        with open(parent_made(path), "wb") as file:
            file.write(written(name, style, value).encode("utf-8", "surrogateescape"))"""
