"""Environments of others' programs, to compare with in tests and measurements: the official clients, with Penstock
beside them, and programs of other kinds.

`python -m tools.official NAME…` makes them, in `.official/NAME`, of the locks `requirements/NAME.txt`: `kfp-0.1`,
`kfp-1.8`, `kfp-2`, `hera` and `snakemake`; `base` is Penstock alone. One that is there already (a stamp in it tells)
takes no time. They need the package index, or uv's cache.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

__all__ = ["NAMES", "python_of"]

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".official"
NAMES = ("kfp-0.1", "kfp-1.8", "kfp-2", "hera", "snakemake")
BESIDE = ("base", "kfp-1.8", "kfp-2")
"""Those that hold Penstock too."""


def python_of(name: str, interpreter: str = sys.executable) -> Path:
    """The Python of an environment, which is made first, by `interpreter`, where it is missing or its lock has changed.

    Raises CalledProcessError when it cannot be made.
    """
    folder = HOME / name
    HOME.mkdir(exist_ok=True)
    # Tests that run at the same time want it at the same time.
    with (HOME / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _read(folder / "stamp") != _digest(name):
            _make(name, folder, interpreter)
    return folder / "bin" / "python"


def _make(name: str, folder: Path, interpreter: str) -> None:
    lock = ROOT / "requirements" / f"{name}.txt"
    python = str(folder / "bin" / "python")
    _uv("venv", "--clear", "--python", interpreter, str(folder))
    install = ("pip", "install", "--python", python, "--compile-bytecode")
    # A lock is whole; what old packages ask for beside it would contradict it.
    _uv(*install, "--no-deps", "--require-hashes", "--build-constraint", str(lock), "-r", str(lock))
    if name in BESIDE:
        build = () if name != "base" else ("--build-constraint", str(ROOT / "requirements" / "demo.txt"))
        _uv(*install, "--no-deps", *(build or ("--no-build-isolation",)), "--editable", str(ROOT))
    (folder / "stamp").write_text(_digest(name), encoding="utf-8")


def _uv(*arguments: str) -> None:
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or "uv"
    # What a machine says of its own packages is for its own environments.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "VIRTUAL_ENV"))}
    environment.setdefault("UV_SYSTEM_CERTS", "1")
    subprocess.run([uv, *arguments, "--quiet", "--no-config"], check=True, env=environment)


def _digest(name: str) -> str:
    parts = [(ROOT / "requirements" / f"{name}.txt").read_bytes(), (ROOT / "pyproject.toml").read_bytes()]
    return hashlib.sha256(b"\0".join([*parts, str(ROOT).encode(), sys.version.encode()])).hexdigest()


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    for each in sys.argv[1:] or NAMES:
        print(python_of(each))
