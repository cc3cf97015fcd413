"""What a function component brings with it: functions and modules of the author's own, and code of another's making."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from authoring import container
from penstock import components
from penstock.compiler import load_pipelines
from penstock.components import FunctionComponent, component
from penstock.errors import InvalidPipeline

FACTOR = 3


def double(n: int) -> int:
    """Twice a number."""
    return 2 * n


def fourfold(n: int) -> int:
    """Uses another helper."""
    return double(double(n))


def triple(n: int) -> int:
    """Uses a name that no helper brings."""
    return FACTOR * n


def program(made: FunctionComponent, *arguments: Any) -> str:
    """The program of a component."""

    def pipeline() -> None:
        made(*arguments)

    return str(container(pipeline, made.__name__.replace("_", "-"))["command"][-1])


@pytest.fixture(name="printed")
def _printed(tmp_path: Path) -> Callable[[str], str]:
    """Runs a program in a Python that sees none of the author's files, and gives what it prints."""

    def run(text: str) -> str:
        path = tmp_path / "run" / "program.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    return run


@pytest.fixture(name="written")
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ModuleType]]:
    """Writes the files of a repository, and imports one of its modules."""
    folder = tmp_path / "repository"
    before = set(sys.modules)

    def write(name: str, files: dict[str, str]) -> ModuleType:
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.syspath_prepend(str(folder))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


# --- functions --------------------------------------------------------------------------------------------------


def test_functions_come_along(printed: Callable[[str], str]) -> None:
    @component(helpers=[double, fourfold])
    def show() -> None:
        """Uses both."""
        print(double(5), fourfold(5))

    assert printed(program(show)) == "10 20\n"


def test_a_component_comes_along_as_its_function(printed: Callable[[str], str]) -> None:
    @component
    def inner(n: int) -> int:
        return n + 1

    @component(helpers=[inner])
    def show() -> None:
        print(inner(1))

    assert printed(program(show)) == "2\n"


def test_a_helper_that_uses_a_name_from_outside_is_refused_at_its_line() -> None:
    @component(helpers=[triple])
    def show() -> None:
        print(triple(5))

    line = triple.__code__.co_firstlineno + 2
    with pytest.raises(InvalidPipeline) as caught:
        program(show)
    assert str(caught.value) == (
        f"{__file__}:{line}: 'FACTOR' (line {line}) is defined outside component 'triple'; import or define it inside."
    )


def test_who_uses_a_function_of_his_own_is_told_how_to_bring_it() -> None:
    @component
    def show() -> None:
        print(double(5))

    with pytest.raises(InvalidPipeline, match=r"define it inside\. Or carry it along: helpers=\[double\]\.$"):
        program(show)


def test_other_helpers_are_refused() -> None:
    @component(helpers=[FACTOR])
    def show() -> None:
        pass

    with pytest.raises(InvalidPipeline, match=r"helpers of 'show': expected functions and modules, got 3"):
        program(show)


# --- modules ----------------------------------------------------------------------------------------------------

PACKAGE = {
    "kit/__init__.py": "NAME = 'kit'",
    "kit/clean.py": """
        import json
        from . import marks
        from kit.deep.end import LAST
        import beside

        def clean(text):
            return json.dumps([marks.OPEN + text, LAST, beside.VALUE])
        """,
    "kit/marks.py": "OPEN = '{{' + 'é'",
    "kit/deep/__init__.py": "",
    "kit/deep/end.py": "LAST = 'end'",
    "kit/other.py": "raise RuntimeError('never imported')",
    "beside.py": "VALUE = 7",
}


def test_a_module_brings_what_it_imports_from_beside_it(
    written: Callable[..., ModuleType], printed: Callable[[str], str]
) -> None:
    clean = written("kit.clean", PACKAGE)

    @component(helpers=[clean])
    def show() -> None:
        from kit.clean import clean

        print(clean("x"))

    text = program(show)
    assert printed(text) == '["{{\\u00e9x", "end", 7]\n'
    assert "{{" not in text
    assert "never imported" not in text
    assert "repository" not in text, "no path of this machine"


def test_names_of_a_module_that_stand_in_the_authors_file(
    written: Callable[..., ModuleType], printed: Callable[[str], str]
) -> None:
    clean = written("kit.clean", PACKAGE)
    wash = clean.clean

    @component(helpers=[clean])
    def show() -> None:
        print(clean.clean("a") == wash("a"))

    assert printed(program(show)) == "True\n"


def test_what_the_function_imports_of_a_package_comes_along(
    written: Callable[..., ModuleType], printed: Callable[[str], str]
) -> None:
    kit = written("kit", PACKAGE)

    @component(helpers=[kit])
    def show() -> None:
        from kit.deep import end

        print(kit.NAME, end.LAST)

    assert printed(program(show)) == "kit end\n"


def test_an_error_in_a_module_shows_its_line(written: Callable[..., ModuleType], printed: Callable[[str], str]) -> None:
    bad = written("bad", {"bad.py": "def fail():\n    return 1 / 0\n"})

    @component(helpers=[bad])
    def show() -> None:
        bad.fail()

    assert 'File "bad.py", line 2, in fail' in printed(program(show))


def test_an_installed_module_is_refused() -> None:
    @component(helpers=[pytest])
    def show() -> None:
        pass

    with pytest.raises(InvalidPipeline, match=r"module 'pytest' is no Python file of your own.*packages_to_install"):
        program(show)


def test_a_program_too_large_for_a_command_is_refused(written: Callable[..., ModuleType]) -> None:
    large = written("large", {"large.py": "X = '" + "x" * 131_072 + "'"})

    @component(helpers=[large])
    def show() -> None:
        print(large.X)

    with pytest.raises(InvalidPipeline, match=r"the program of 'show' is 13\d,\d{3} bytes; limit 131,071"):
        program(show)


# --- under the older names --------------------------------------------------------------------------------------


def test_modules_by_name_and_code_before_the_function(
    written: Callable[..., ModuleType], printed: Callable[[str], str]
) -> None:
    written("kit.clean", PACKAGE)

    def show() -> None:
        from kit import deep

        print(TITLE, deep.__name__)  # type: ignore[name-defined] # noqa: F821

    made = components.func_to_container_op(show, extra_code="TITLE = 'T'", modules_to_capture=["kit", "kit.clean"])
    assert printed(program(made)) == "T kit.deep\n"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"extra_code": "x ="}, "extra_code, line 1: invalid syntax"),
        ({"modules_to_capture": ["no_such_module"]}, "no module 'no_such_module' is imported; import it first"),
    ],
)
def test_wrong_ones_are_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidPipeline, match=message):
        program(components.func_to_container_op(double, **option), 1)


def test_a_file_of_a_folder_finds_the_modules_beside_it(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("def f():\n    return 1\n")
    source = tmp_path / "pipeline.py"
    source.write_text(
        "import beside_it, penstock\nfrom penstock import dsl\n\n"
        "@penstock.component(helpers=[beside_it])\ndef go() -> int:\n    return beside_it.f()\n\n"
        "@dsl.pipeline(name='p')\ndef p():\n    go()\n"
    )
    try:
        assert "def f():" in str(container(load_pipelines(source), "go")["command"])
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("beside_it", None)
