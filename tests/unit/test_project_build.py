"""The project's own files: locks, targets, import contracts, the build's hook."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    *("workflow", "dsl", "components", "compiler", "engine", "outputs", "services", "server", "client", "cli"),
    *("compat", "testing", "agent", "adapters/sql", "adapters/local"),
)
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def test_there_is_a_lock_for_each_environment() -> None:
    assert {path.stem for path in LOCKS} == {
        "base",
        "demo",
        "dev",
        "docs",
        "hera",
        "kfp-0.1",
        "kfp-1.8",
        "kfp-2",
        "node",
        "snakemake",
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_locks_hold_hashes_and_no_hosts(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links|--trusted-host", text)
    names = re.findall(r"^[A-Za-z0-9][^\n]*", text, re.MULTILINE)
    assert names
    assert all(line.rstrip("\\ ").partition(";")[0].count("==") == 1 for line in names)
    assert text.count("--hash=sha256:") >= len(names)


def locked(name: str) -> dict[str, set[str]]:
    """Versions by package; several where they depend on the Python."""
    versions: dict[str, set[str]] = {}
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    for package, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE):
        versions.setdefault(package, set()).add(version)
    return versions


@pytest.mark.parametrize("name", ["base", "demo", "docs", "node"])
def test_one_environment_can_hold_all_locks(name: str) -> None:
    dev = locked("dev")
    assert {package: found for package, found in locked(name).items() if not found <= dev.get(package, found)} == {}


def test_the_lock_of_the_base_has_what_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[><=\[; ]", line)[0].lower() for line in project["dependencies"]}
    assert declared <= {package.lower() for package in locked("base")}


def test_make_lists_its_targets() -> None:
    answer = subprocess.run(["make", "-C", str(ROOT), "--no-print-directory"], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    for target in ("help", "env", "format", "lint", "types", "page", "test", "bench", "docs", "demo", "argo"):
        assert re.search(rf"^  make {target}\s", answer.stdout, re.MULTILINE), target


def test_without_a_new_python_one_line_says_so(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("make", "sh"):
        (tools / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    answer = subprocess.run(
        [tools / "make", "-C", ROOT, "--no-print-directory", "env"],
        env={"PATH": str(tools), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode != 0
    assert answer.stderr.splitlines()[0].startswith("Error: no Python 3.11 or newer on PATH; install one (apt install")


def test_a_python_without_venv_names_the_package(tmp_path: Path) -> None:
    hidden = (
        "import importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: n != 'ensurepip' and f(n, *a) or None"
    )
    script = f"{hidden}; import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); import env; sys.exit(env.main([]))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert answer.returncode == 1
    assert re.fullmatch(r"Error: Python's venv is missing; install it: apt install python3\S*venv\n", answer.stderr)


def test_a_wheel_without_the_page_is_refused(tmp_path: Path) -> None:
    """No page was built, and there is no source to build it from."""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / "src" / "penstock").mkdir(parents=True)
    shutil.copy(ROOT / "src" / "penstock" / "__init__.py", tmp_path / "src" / "penstock" / "__init__.py")
    answer = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=tmp_path, capture_output=True, text=True
    )
    assert answer.returncode != 0
    assert "src/penstock/web/index.html is missing" in answer.stderr
    assert not list(tmp_path.glob("dist/*.whl"))


# --- import contracts -------------------------------------------------------------------------------------------


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True)


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    """A package of empty rooms under the project's own contracts."""
    shutil.copy(ROOT / ".importlinter", tmp_path / ".importlinter")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    package = tmp_path / "penstock"
    for room in ROOMS:
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").touch()
    for name in (
        "__init__",
        "errors",
        "settings",
        "ports",
        "paging",
        "keys",
        "bootstrap",
        "adapters/__init__",
        "workflow/status",
    ):
        (package / f"{name}.py").touch()
    # The one import that a contract passes over has to be there.
    (package / "__init__.py").write_text("import penstock.client\n")
    return tmp_path


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("server/routes", "penstock.services"),
        ("server/routes", "penstock.ports"),
        ("outputs/view", "penstock.workflow.status"),
        ("adapters/sql/rows", "penstock.ports"),
        ("client/local", "penstock.bootstrap"),
        ("cli/run", "penstock.bootstrap"),
        ("agent/push", "penstock.client"),
        ("bootstrap", "penstock.adapters.sql"),
    ],
)
def test_allowed_imports_pass(small_project: Path, module: str, imported: str) -> None:
    (small_project / "penstock" / f"{module}.py").write_text(f"import {imported}\n")
    answer = lint_imports(small_project)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("server/routes", "penstock.adapters.sql"),
        ("engine/turn", "penstock.ports"),
        ("dsl/ops", "penstock.workflow"),
        ("components/spec", "penstock.workflow"),
        ("adapters/sql/rows", "penstock.adapters.local"),
        ("adapters/local/host", "penstock.services"),
        ("client/http", "penstock.bootstrap"),
        ("cli/run", "penstock.services"),
        ("services/runs", "penstock.server"),
        ("agent/push", "penstock.services"),
        ("workflow/nodes", "penstock.newcomer"),
    ],
)
def test_other_imports_break_the_contract(small_project: Path, module: str, imported: str) -> None:
    (small_project / "penstock" / "newcomer.py").touch()
    (small_project / "penstock" / f"{module}.py").write_text(f"import {imported}\n")
    answer = lint_imports(small_project)
    assert answer.returncode != 0
    assert f"penstock.{module.replace('/', '.')} -> {imported}" in answer.stdout
