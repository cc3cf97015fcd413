"""Make `.venv` and install one of the locks into it, with Penstock itself, editable. Needs Python's own library only.

`python tools/env.py NAME…` for locks `requirements/NAME.txt`. What is installed already (a stamp beside the
environment's settings tells, by the hash of everything that decides) takes no time.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
HOLDS_PENSTOCK = ("demo", "dev")
"""Locks that come with Penstock, editable; the others hold tools only."""
INCLUDED = {"dev": ("demo",)}
"""What an installed lock stands in for."""


def say(text: str) -> None:
    """Tell where we are, at once."""
    print(text, flush=True)


def main(names: list[str]) -> int:
    """Install the locks; the exit code of what failed, else 0."""
    reason = _missing()
    if reason:
        print(f"Error: {reason}", file=sys.stderr)
        return 1
    try:
        _make_venv()
        for name in names:
            _install(name)
    except subprocess.CalledProcessError as error:
        print(f"Error: {' '.join(map(str, error.cmd[:4]))} … ended with {error.returncode}", file=sys.stderr)
        return 1
    return 0


def _missing() -> str:
    """What this Python lacks for making an environment, with the way out."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever Python is there runs this file
        return f"Python {sys.version.split()[0]} is too old; install Python 3.11 or newer, or name it: make PYTHON=…"
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        return f"Python's venv is missing; install it: apt install {_venv_package()}"
    return ""


def _venv_package() -> str:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return f"{version}-venv" if Path(sys.executable).name == version else "python3-venv"


def _make_venv() -> None:
    if _works():
        return
    say(f"Environment: making .venv with Python {sys.version.split()[0]}")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def _works() -> bool:
    """False too where the Python that made the environment is gone, or making it was interrupted."""
    if not PYTHON.exists():
        return False
    probe = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([str(PYTHON), "-c", probe], stderr=subprocess.DEVNULL).returncode == 0


def _install(name: str) -> None:
    wanted = _digest(name)
    if _stamp(name) == wanted:
        return
    lock = ROOT / "requirements" / f"{name}.txt"
    count = sum(1 for line in lock.read_text(encoding="utf-8").splitlines() if line[:1].isalnum())
    say(f"Environment: installing {count} packages of requirements/{name}.txt; the first time takes a minute or two")
    begin = time.monotonic()
    _pip("--require-hashes", "--requirement", str(lock))
    if name in HOLDS_PENSTOCK:
        _pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    STAMPS.mkdir(exist_ok=True)
    for each in (name, *INCLUDED.get(name, ())):
        (STAMPS / each).write_text(_digest(each), encoding="utf-8")
    say(f"Environment: ready after {time.monotonic() - begin:.0f} s")


def _pip(*arguments: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    environment = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    subprocess.run([str(PYTHON), "-m", "pip", "install", *quiet, *arguments], check=True, env=environment)


def _digest(name: str) -> str:
    """Hash of all that decides what an environment holds."""
    parts = [(ROOT / "requirements" / f"{name}.txt").read_bytes(), str(ROOT).encode()]
    if name in HOLDS_PENSTOCK:
        parts.append((ROOT / "pyproject.toml").read_bytes())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stamp(name: str) -> str:
    path = STAMPS / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
