"""`penstock compile`: what it writes, where, and what it says of files that cannot be compiled."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.cli.main import main
from penstock.compiler import compile_pipeline, load_pipelines
from penstock.workflow import load_yaml

ONE = """
from penstock import dsl

@dsl.pipeline(name="One")
def one(x: int = 1):
    dsl.ContainerOp("a", "alpine", arguments=[x])
"""
TWO = ONE + ONE.replace("one", "two").replace("One", "Two")


@pytest.fixture(name="file")
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "authored.py"
    path.write_text(ONE)
    return path


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["compile", *arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


def test_the_document_stands_beside_the_source(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("authored.py") == 0
    assert load_yaml(file.with_suffix(".yaml").read_text()) == compile_pipeline(load_pipelines(file))
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Compiled authored.py to authored.yaml\n")


def test_or_where_the_option_says(file: Path) -> None:
    assert call("authored.py", "-o", "made.json") == 0
    assert load_yaml(Path("made.json").read_text()) == compile_pipeline(load_pipelines(file))
    assert not file.with_suffix(".yaml").exists()


def test_or_on_standard_output_alone(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("print('loud')\n" + ONE)
    assert call("authored.py", "-o", "-") == 0
    said = capsys.readouterr()
    assert load_yaml(said.out) == compile_pipeline(load_pipelines(file))
    assert said.err == "loud\n"
    assert list(file.parent.iterdir()) == [file]


def test_one_of_several_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(TWO)
    assert call("authored.py", "-o", "-", "--function", "two") == 0
    assert load_yaml(capsys.readouterr().out)["metadata"]["generateName"] == "two-"


def test_of_several_the_one_that_calls_the_others(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(TWO + "@dsl.pipeline(name='Both')\ndef both():\n    one()\n    two()\n")
    assert call("authored.py", "-o", "-") == 0
    assert load_yaml(capsys.readouterr().out)["metadata"]["generateName"] == "both-"


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        (ONE + "raise ValueError('boom')\n", [], "{file}:7: ValueError: boom"),
        ("x = 1\n", [], "authored.py: no pipeline in it; decorate its function with @dsl.pipeline(name=…)"),
        (TWO, [], "authored.py: 2 pipelines in it: one, two; choose one with --function NAME"),
        (TWO, ["--function", "three"], "authored.py: no pipeline 'three' in it; it has one, two"),
        (
            ONE.replace("x: int = 1", "x: int = 'a'"),
            [],
            "{file}:4: the default of 'x' does not match its type",
        ),
        (ONE.replace("[x]", "[y]"), [], "{file}:6: NameError: name 'y' is not defined"),
        (ONE + "    with dsl.ParallelFor({'a': 1}): pass\n", [], "{file}:7: items: expected list, got dict"),
        ("def f(:\n", [], "{file}:1: SyntaxError: invalid syntax"),
        (ONE, ["-o", "made.txt"], "made.txt: expected a file that ends in one of .yaml, .yml, .json"),
        (ONE, ["-o", "no/where.yaml"], "no/where.yaml: cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_compiled_is_one_line_and_leaves_nothing(
    source: str, arguments: list[str], message: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(source)
    assert call("authored.py", *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Error: " + message.format(file=file))
    assert said.err.count("\n") == 1
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.py", "missing.py: no such file; expected a pipeline's source (.py)"),
        (".", ".: not a file; expected a pipeline's source"),
        ("made.yaml", "made.yaml: is a document already; expected a pipeline's source (.py)"),
    ],
)
def test_what_is_no_source(name: str, message: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(name, "-o", "out.yaml") == 2
    assert capsys.readouterr().err.startswith("Error: " + message)
    assert list(file.parent.iterdir()) == [file]


def test_a_document_that_was_there_is_kept_by_a_compile_that_fails(file: Path) -> None:
    Path("made.yaml").write_text("before")
    file.write_text("raise ValueError")
    assert call("authored.py", "-o", "made.yaml") == 2
    assert Path("made.yaml").read_text() == "before"


def test_a_document_that_a_cluster_would_refuse_is_told_with_its_heaviest_parts(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    step = "dsl.ContainerOp(f'step-{n}', 'alpine', arguments=['x' * (99_000 + n)])"
    file.write_text(
        f"from penstock import dsl\n@dsl.pipeline(name='heavy')\ndef heavy():\n  for n in range(16):\n    {step}\n"
    )
    assert call(str(file)) == 0
    said = capsys.readouterr().err
    assert re.search(r"Warning: the document is 1,5\d\d,\d{3} bytes; a cluster refuses more than 1,500,000", said)
    assert "The heaviest: template 'step-15' 99," in said
    for more in (["--cron", "@daily"], ["-o", "-"]):
        assert call(str(file), *more) == 0
        assert "The heaviest: template 'step-15'" in capsys.readouterr().err


def test_the_flags_of_dsl_compile(file: Path) -> None:
    flags = ["--py", "authored.py", "--function", "one", "--namespace", "ns", "--mode", "V1_LEGACY"]
    assert call(*flags, "--output", "made.tar.gz", "--disable-type-check") == 0
    assert Path("made.tar.gz").exists()


TYPED = """
from penstock import component, dsl

@component
def text() -> str:
    return "a"

@component
def number(n: int):
    print(n)

@dsl.pipeline(name="Typed")
def typed():
    number(text().output)
"""


def test_types_are_checked_unless_they_are_not_to_be(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(TYPED)
    assert call("authored.py") == 2
    assert "'n': expected type Integer, got 'text-Output' of type String" in capsys.readouterr().err
    assert call("authored.py", "--disable-type-check") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["authored.py", "--mode", "V2_COMPATIBLE"],
            "--mode: got 'V2_COMPATIBLE', expected V1_LEGACY: an Argo Workflow",
        ),
        ([], "expected one file, as FILE.py or with --py, or one --package"),
        (["authored.py", "--package", "p"], "expected one file, as FILE.py or with --py, or one --package"),
        (["--package", "p"], "--package: say with --namespace which of its modules defines the pipeline"),
        (["--package", "p", "--namespace", "m"], "--package: say with --output where the document goes"),
        (["--package", "p", "--namespace", "m", "-o", "a.yaml"], "p: no such file; expected a Python package"),
    ],
)
def test_flags_that_do_not_go_together(
    arguments: list[str], message: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == 2
    assert capsys.readouterr().err.startswith(f"Error: {message}")


PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "flows"
version = "1"
"""


@pytest.fixture(name="package")
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose pipeline reads another module of it, built with what is here already."""
    folder = tmp_path / "flows"
    (folder / "flows").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "flows" / "__init__.py").write_text("from .one import one\n")
    (folder / "flows" / "names.py").write_text("IMAGE = 'alpine'\n")
    (folder / "flows" / "one.py").write_text(ONE.replace('"alpine"', "IMAGE") + "from .names import IMAGE\n")
    wheel = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(wheel, cwd=folder, check=True, capture_output=True)
    monkeypatch.setenv("UV_OFFLINE", "1")
    return next(tmp_path.glob("*.whl"))


def test_a_package_is_installed_for_as_long_as_it_takes(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = list(sys.path)
    assert call("--package", str(package), "--namespace", "flows.one", "-o", "-") == 0
    made = load_yaml(capsys.readouterr().out)
    assert made["metadata"]["generateName"] == "one-"
    assert made["spec"]["templates"][0]["container"]["image"] == "alpine"
    assert sys.path == before


def test_what_is_no_package_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--package", "authored.py", "--namespace", "flows", "-o", "-") == 2
    assert "authored.py: cannot be installed: " in capsys.readouterr().err
