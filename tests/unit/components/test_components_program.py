"""The programs of function components, executed by a Python that knows nothing of Penstock."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pytest

import penstock
from authoring import container
from penstock.components import (
    FunctionComponent,
    InputBinaryFile,
    InputPath,
    InputTextFile,
    OutputBinaryFile,
    OutputPath,
    OutputTextFile,
)


class Ran(NamedTuple):
    """What a step left behind."""

    outputs: dict[str, bytes]
    stdout: str
    stderr: str
    code: int


class Step:
    """Runs the container of a component's step, its files in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, made: FunctionComponent, *arguments: Any, files: dict[str, bytes] | None = None) -> Ran:
        def pipeline() -> None:
            made(*arguments)

        found = container(pipeline, made.__name__.replace("_", "-"))
        program, line = found["command"][-1], found.get("args", [])
        for name, data in (files or {}).items():
            path = self.folder / "inputs" / name / "data"
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
        return self.run([sys.executable, "-I", self._program(program), *map(self._moved, line)])

    def run(self, command: list[str]) -> Ran:
        """Run a command and read what lies in the folder of outputs."""
        done = subprocess.run(command, cwd=self.folder, capture_output=True, timeout=60, check=False)
        outputs = {path.parent.name: path.read_bytes() for path in self.folder.glob("outputs/*/data") if path.is_file()}
        return Ran(outputs, done.stdout.decode(), done.stderr.decode(), done.returncode)

    def _program(self, text: str) -> str:
        ast.parse(text, feature_version=(3, 8))
        path = self.folder / "program.py"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def _moved(self, argument: str) -> str:
        for kind in ("inputs", "outputs"):
            argument = argument.replace(f"/tmp/{kind}/", f"{self.folder}/{kind}/")
        return argument


@pytest.fixture(name="step")
def _step(tmp_path: Path) -> Step:
    return Step(tmp_path)


# --- parameters -------------------------------------------------------------------------------------------------


@penstock.component
def show(text: str, count: int, rate: float, flag: bool, items: list, table: dict, anything) -> dict:  # type: ignore
    """What arrives."""
    return {name: [type(value).__name__, value] for name, value in locals().items()}


def test_each_type_arrives_as_itself(step: Step) -> None:
    ran = step(show, "a", 3, 0.5, True, [1, "b"], {"k": None}, "x")
    assert json.loads(ran.outputs["Output"]) == {
        "text": ["str", "a"],
        "count": ["int", 3],
        "rate": ["float", 0.5],
        "flag": ["bool", True],
        "items": ["list", [1, "b"]],
        "table": ["dict", {"k": None}],
        "anything": ["str", "x"],
    }


def test_texts_that_spell_a_value_arrive_as_it(step: Step) -> None:
    found = json.loads(step(show, "1", "3", "1e3", "no", "[]", "{}", "").outputs["Output"])
    assert [found[name][1] for name in ("text", "count", "rate", "flag", "items", "table")] == [
        "1",
        3,
        1e3,
        False,
        [],
        {},
    ]


TEXTS = [
    "",
    " ",
    "-x",
    "--a",
    "yes",
    "1e3",
    "it's",
    '"',
    "'''",
    "a\nb\n",
    "\\",
    "$HOME `x`",
    "é ☃ 😀",
    "{}",
    "x" * 100_000,
]


def test_texts_arrive_byte_for_byte(step: Step) -> None:
    @penstock.component
    def keep(a: str, b: str, c: str, d: str, e: str, copy_path: OutputPath(str)) -> list:  # type: ignore
        with open(copy_path, "w", encoding="utf-8", newline="") as file:
            file.write("|".join([a, b, c, d, e]))
        return [a, b, c, d, e]

    for start in range(0, len(TEXTS), 5):
        texts = TEXTS[start : start + 5]
        found = step(keep, *texts).outputs
        assert json.loads(found["Output"]) == texts
        assert found["copy"] == "|".join(texts).encode()


def test_defaults_and_optional_parameters(step: Step) -> None:
    @penstock.component
    def defaults(
        a: int = 1,
        b: Optional[str] = None,  # noqa: UP045 (the older way to write it)
        c: float | None = None,
        d: list = [1],  # type: ignore[type-arg]  # noqa: B006
        e: str = "",
    ) -> list:  # type: ignore[type-arg]
        return [a, b, c, d, e]

    assert json.loads(step(defaults).outputs["Output"]) == [1, None, None, [1], ""]


def test_given_ones_come_before_defaults(step: Step) -> None:
    @penstock.component
    def defaults(a: int = 1, b: str | None = None, c: float | None = None) -> list:  # type: ignore[type-arg]
        return [a, b, c]

    assert json.loads(step(defaults, 2, "", 0.5).outputs["Output"]) == [2, "", 0.5]


def test_a_value_of_another_type_is_told_and_nothing_is_run(step: Step) -> None:
    def pipeline(text: str) -> None:
        show(text, 3, 0.5, True, [], {}, "")

    line = container(pipeline, "show")
    program = step._program(line["command"][-1])
    args = ["ten" if argument == "3" else argument for argument in line["args"]]
    ran = step.run([sys.executable, "-I", program, *args])
    assert ran.code == 1
    assert ran.stderr == "component 'show': count: expected int, got 'ten'\n"


# --- results ----------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """Two results."""

    total: int
    names: list  # type: ignore[type-arg]


@penstock.component
def by_tuple() -> Pair:
    return (3, ["a"])  # type: ignore[return-value]


@penstock.component
def by_dict() -> Pair:
    return {"names": ["a"], "total": 3}  # type: ignore[return-value]


@penstock.component
def by_own_tuple() -> Pair:
    from collections import namedtuple

    return namedtuple("Any", ["names", "total"])(["a"], 3)  # type: ignore


@penstock.component
def by_inline() -> NamedTuple("Inline", [("total", int), ("names", list)]):  # type: ignore
    return [3, ("a",)]


@pytest.mark.parametrize("made", [by_tuple, by_dict, by_own_tuple, by_inline])
def test_several_results(step: Step, made: FunctionComponent) -> None:
    assert step(made).outputs == {"names": b'["a"]', "total": b"3"}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (str, "'é\\n'", "é\n"),
        (int, "7", "7"),
        (float, "1", "1.0"),
        (float, "0.1 + 0.2", "0.30000000000000004"),
        (bool, "1 > 0", "True"),
        (list, "(1, 2)", "[1, 2]"),
        (dict, "{'b': 1, 'a': [None, True]}", '{"a": [null, true], "b": 1}'),
        (list, "'[1]'", "[1]"),
        ("CSV", "'a,b'", "a,b"),
        ("CSV", "3", "3"),
    ],
)
def test_one_result(step: Step, tmp_path: Path, kind: Any, value: str, expected: str) -> None:
    ran = step(written(tmp_path, f"return {value}", kind))
    assert ran.stderr == ""
    assert ran.outputs == {"Output": expected.encode()}


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (str, "3", "component 'made': output Output: expected str, got 3"),
        (int, "'3'", "component 'made': output Output: expected int, got '3'"),
        (int, "1.5", "component 'made': output Output: expected int, got 1.5"),
        (bool, "1", "component 'made': output Output: expected bool, got 1"),
        (list, "[object]", "component 'made': output Output: expected json, got [<class 'object'>]"),
        (int, "None", "component 'made': output Output: expected int, got None"),
        (Pair, "(1,)", "component 'made': the returned value: expected a tuple of 2 values (total, names), got (1,)"),
        (Pair, "None", "component 'made': the returned value: expected a tuple of 2 values (total, names), got None"),
    ],
)
def test_a_result_of_another_type_is_told(step: Step, tmp_path: Path, kind: Any, value: str, message: str) -> None:
    ran = step(written(tmp_path, f"return {value}", kind))
    assert ran.code == 1
    assert ran.stderr == message + "\n"


def test_numpy_like_values_are_written(step: Step, tmp_path: Path) -> None:
    body = """
        class Array:
            def tolist(self):
                return [1, 2]
        class Scalar:
            def __index__(self):
                return 3
        return {"array": Array(), "n": 3 if Scalar().__index__() else 0}
    """
    assert step(written(tmp_path, body, dict)).outputs == {"Output": b'{"array": [1, 2], "n": 3}'}


def test_no_annotation_means_no_result(step: Step, tmp_path: Path) -> None:
    made = written(tmp_path, "return 3", None)
    assert made.spec.outputs == ()
    assert step(made).outputs == {}


def test_an_exception_ends_the_step_with_a_traceback_of_the_authors_line(step: Step, tmp_path: Path) -> None:
    ran = step(written(tmp_path, "raise ValueError('boom')", int))
    assert ran.code == 1
    assert ran.stderr.endswith("ValueError: boom\n")
    assert "raise ValueError('boom')" in ran.stderr


# --- files ------------------------------------------------------------------------------------------------------


def test_files_in_and_out(step: Step) -> None:
    @penstock.component
    def copy(
        a_path: InputPath("CSV"),  # type: ignore[valid-type]
        b_file: InputTextFile(str),  # type: ignore[valid-type]
        c_file: InputBinaryFile(),  # type: ignore[valid-type]
        x_path: OutputPath("CSV"),  # type: ignore[valid-type]
        y_file: OutputTextFile(str),  # type: ignore[valid-type]
        z_file: OutputBinaryFile(),  # type: ignore[valid-type]
    ) -> None:
        with open(a_path) as source, open(x_path, "w") as target:
            target.write(source.read().upper())
        y_file.write(b_file.read())
        z_file.write(c_file.read())

    files = {"a": b"a", "b": "é\r\n".encode(), "c": b"\x00\xff"}
    ran = step(copy, "A", "B", "C", files=files)
    assert ran.outputs == {"x": b"A", "y": "é\r\n".encode(), "z": b"\x00\xff"}


def test_a_folder_as_output(step: Step, tmp_path: Path) -> None:
    @penstock.component
    def fill(out_path: OutputPath("Directory")):  # type: ignore
        import os

        os.makedirs(out_path)
        with open(os.path.join(out_path, "a"), "w") as file:
            file.write("1")

    assert step(fill).code == 0
    assert (tmp_path / "outputs" / "out" / "data" / "a").read_text() == "1"


def test_an_optional_file(step: Step) -> None:
    @penstock.component
    def read(a_path: InputPath("CSV") = None) -> bool:  # type: ignore
        return a_path is None

    assert step(read).outputs == {"Output": b"True"}


# --- source -----------------------------------------------------------------------------------------------------


def test_source_with_braces_is_no_tag(step: Step) -> None:
    @penstock.component
    def braces(name: str) -> str:
        table = {"a": {"b": {1: {2: "}}{{"}}}}
        return f"{{{{{name}}}}} {table['a']['b'][1][2]}"

    assert "{{" not in container(lambda: braces("x"), "braces")["command"][-1]
    assert step(braces, "x").outputs == {"Output": b"{{x}} }}{{"}


def test_a_function_brings_its_own_helpers(step: Step) -> None:
    @penstock.component
    def own(n: int) -> int:
        """Docstring with 'quotes' and \\ more."""
        import math

        def twice(x: int) -> int:
            return 2 * x

        class Box:
            value: int = twice(1)

        return max(twice(n), math.floor(2.5), Box.value, *[i + 1 for i in range(3)])

    assert step(own, 5).outputs == {"Output": b"10"}


def test_the_shell_starts_the_program(step: Step) -> None:
    def pipeline() -> None:
        show("it's $HOME", 1, 0.5, True, [], {}, "")

    found = container(pipeline, "show")
    assert found["image"] == "python:3.11"
    assert found["command"][:2] == ["sh", "-ec"]
    ran = step.run([*found["command"], *map(step._moved, found["args"])])
    assert ran.stderr == ""
    assert json.loads(ran.outputs["Output"])["text"] == ["str", "it's $HOME"]


def written(folder: Path, body: str, returns: Any) -> FunctionComponent:
    """A component `made` from a file with that body."""
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    path = folder / "authored.py"
    path.write_text(f"def made():\n{lines}\n", encoding="utf-8")
    module: dict[str, Any] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module)
    if returns is not None:
        module["made"].__annotations__["return"] = returns
    return FunctionComponent(module["made"])
