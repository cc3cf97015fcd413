"""The official packages, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from needs import absent

__all__ = ["ROOT", "Official", "python_with"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def python_with(name: str) -> Path:
    """The Python of an environment with an official client; the test skips where it cannot be made."""
    command = f"python -m tools.official {name}"
    made = subprocess.run([sys.executable, *command.split()[1:]], cwd=ROOT, capture_output=True, text=True)
    if made.returncode:
        absent(f"the environment {name} cannot be made; `{command}` says: {made.stderr.strip()[-400:]}")
    return Path(made.stdout.strip())


class Official:
    """kfp 1.8.22, which compiles what it is asked to."""

    def __init__(self, python: Path) -> None:
        self.python = python
        command = [str(python), str(HERE / "kfp_server.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def compiled(self, path: Path, function: str, *, written: bool) -> dict[str, Any]:
        """The document of a pipeline, read from YAML when it was `written`; AssertionError tells why there is none."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"path": str(path), "function": function, "written": written}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "document" in answer, answer["error"]
        document: dict[str, Any] = answer["document"]
        return document

    def close(self) -> None:
        """End its process."""
        self._process.communicate()
