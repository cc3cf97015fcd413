"""A user's file → the pipeline that it defines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.compiler import compile_pipeline, load_pipelines
from penstock.errors import InvalidPipeline

HEADER = "from penstock import dsl\n"


def pipeline(name: str, body: str = "dsl.ContainerOp('a', 'x')") -> str:
    return f"@dsl.pipeline(name='{name}')\ndef {name}():\n    {body}\n"


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "authored.py"


def loaded(path: Path, text: str, function: str | None = None) -> str:
    path.write_text(HEADER + text)
    return load_pipelines(path, function).spec.name


def test_the_only_pipeline_is_taken(path: Path) -> None:
    assert loaded(path, pipeline("one")) == "one"
    assert loaded(path, pipeline("one") + "another_name = one\n") == "one"


def test_of_several_the_one_that_calls_the_others(path: Path) -> None:
    text = pipeline("inner") + pipeline("middle", "inner()") + pipeline("outer", "middle(); inner()")
    assert loaded(path, text) == "outer"


def test_of_several_one_can_be_named(path: Path) -> None:
    text = pipeline("one") + pipeline("two").replace("name='two'", "name='Number two'")
    assert loaded(path, text, "one") == "one"
    assert loaded(path, text, "two") == "Number two"
    assert loaded(path, text, "Number two") == "Number two"


def test_an_imported_pipeline_is_not_the_files_own(path: Path) -> None:
    path.with_name("imported_beside.py").write_text(HEADER + pipeline("imported"))
    try:
        assert loaded(path, "from imported_beside import imported\n" + pipeline("own")) == "own"
        assert loaded(path, "from imported_beside import imported\n") == "imported"
    finally:
        sys.modules.pop("imported_beside", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "{path}: no pipeline in it; decorate its function with @dsl.pipeline(name=…)"),
        (
            pipeline("one") + pipeline("two"),
            "{path}: 2 pipelines in it: one, two; choose one with --function NAME",
        ),
        (
            pipeline("one") + pipeline("two", "one()") + pipeline("three", "one()"),
            "{path}: 3 pipelines in it: one, three, two; choose one with --function NAME",
        ),
        ("\nraise ValueError('boom')\n", "{path}:3: ValueError: boom"),
        (
            "import no_such_module_anywhere\n",
            "{path}:2: ModuleNotFoundError: No module named 'no_such_module_anywhere'",
        ),
        ("def f(:\n", "{path}:2: SyntaxError: invalid syntax"),
        ("x = '\\0'\n\x00", "{path}"),
        ("import sys\nsys.exit(3)\n", "{path}:3: the file ends the program (SystemExit(3))"),
        (pipeline("one", "raise KeyError('k')") + pipeline("two"), "{path}:4: KeyError: 'k'"),
        (pipeline("one", "one()"), "{path}:4: RecursionError: maximum recursion depth exceeded"),
        ("@dsl.pipeline\nclass A: ...\n", "{path}:2: a pipeline is a function made with `def`; got <class"),
    ],
)
def test_a_file_without_the_one_pipeline_is_told(text: str, message: str, path: Path) -> None:
    path.write_text(HEADER + text)
    with pytest.raises(InvalidPipeline) as caught:
        compile_pipeline(load_pipelines(path))
    assert str(caught.value).startswith(message.format(path=path))


def test_a_function_that_there_is_not(path: Path) -> None:
    path.write_text(HEADER + pipeline("one"))
    with pytest.raises(InvalidPipeline) as caught:
        load_pipelines(path, "two")
    assert str(caught.value) == f"{path}: no pipeline 'two' in it; it has one"


def test_a_file_that_there_is_not(path: Path) -> None:
    with pytest.raises(InvalidPipeline, match="cannot be read: No such file or directory"):
        load_pipelines(path)


def test_what_is_meant_for_a_script_does_not_run(path: Path) -> None:
    assert loaded(path, pipeline("one") + "if __name__ == '__main__':\n    raise SystemExit\n") == "one"


def test_a_file_finds_what_lies_beside_it(path: Path) -> None:
    path.with_name("beside_it.py").write_text("NAME = 'from beside'\n")
    try:
        text = f"import beside_it\n{pipeline('one')}".replace("name='one'", "name=beside_it.NAME")
        assert loaded(path, text) == "from beside"
    finally:
        sys.modules.pop("beside_it", None)
