"""The command line as a whole: help, start, errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.cli import main as room
from penstock.errors import HomeError, InvalidInput

COMMANDS = ("up", "demo", "compile", "run", "runs", "logs", "pipeline", "experiment", "doctor")


def penstock(*arguments: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *python, "-c", "from penstock.cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_help_lists_the_commands_without_importing_any() -> None:
    answer = penstock("--help", python=("-X", "importtime"))
    assert answer.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in answer.stdout
    imported = answer.stderr
    for heavy in ("rich", "sqlalchemy", "asyncio", "starlette", "penstock.cli.commands", "msgspec"):
        assert f" {heavy}\n" not in imported, heavy


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_without_what_only_its_work_needs(command: str) -> None:
    answer = penstock(command, "--help", python=("-X", "importtime"))
    assert answer.returncode == 0
    assert answer.stdout.startswith(f"Usage: penstock {command}")
    for heavy in ("rich", "sqlalchemy", "asyncio", "starlette", "httpx2", "penstock.bootstrap", "penstock.compiler"):
        assert f" {heavy}\n" not in answer.stderr, heavy


def test_help_tells_how_names_are_completed() -> None:
    assert "_PENSTOCK_COMPLETE=bash_source" in " ".join(penstock("--help").stdout.split())
    script = subprocess.run(
        [sys.executable, "-c", "from penstock.cli.main import main; main()"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "_PENSTOCK_COMPLETE": "bash_complete", "COMP_WORDS": "penstock pip", "COMP_CWORD": "1"},
    )
    assert script.stdout.strip() == "plain,pipeline"


@pytest.mark.parametrize("arguments", [["nothing"], ["run"], ["run", "f.py", "--what"], ["runs", "what"]])
def test_wrong_usage_is_exit_code_2_on_standard_error(arguments: list[str]) -> None:
    answer = penstock(*arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "Error: " in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("error", "code"), [(InvalidInput("x: got 1"), 2), (HomeError("home"), 2), (KeyboardInterrupt(), 130)]
)
def test_an_error_is_one_line_and_the_exit_code_of_its_class(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(room.cli, "main", fail)
    with pytest.raises(SystemExit) as exit_:
        room.main([])
    assert exit_.value.code == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (f"Error: {error}\n" if str(error) else "")


def test_a_reader_that_leaves_early_is_no_fault() -> None:
    script = "from penstock.cli.main import main; main()"
    command = f'{sys.executable} -c "{script}" --help | head -n 1'
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert answer.stdout.startswith("Usage")
    assert answer.stderr == ""


def test_compile_writes_whole_files_or_none(tmp_path: Path) -> None:
    source = tmp_path / "broken.py"
    source.write_text("raise RuntimeError('no')\n")
    answer = penstock("compile", str(source), "-o", str(tmp_path / "out.yaml"))
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".yaml"] == []
