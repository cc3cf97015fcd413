"""Runs of examples, as a person makes them: `penstock run`, in a home of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.bootstrap import open_home
from penstock.services import Services
from penstock.settings import load

__all__ = ["EXAMPLES", "Finished", "penstock", "run"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LIMIT = 300
"""Seconds after which a run counts as hanging."""


def penstock(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What a command of the command line made."""
    program = Path(sys.executable).with_name("penstock")
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=LIMIT)


@dataclass(frozen=True)
class Finished:
    """A run that has ended: its document, as `--output json` printed it, and the home that holds the rest."""

    home: Path
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The workflow's name."""
        return str(self.document["metadata"]["name"])

    def nodes(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The nodes of the step of that name, in every round and try, that are pods, or were skipped."""
        found = self.document["status"]["nodes"].values()
        kinds = ("Pod", "Skipped", "DAG", "TaskGroup")
        steps = [n for n in found if n["type"] in kinds]
        # The exit step is shown by the workflow's name.
        return [n for n in steps if name in (n["displayName"].partition("(")[0], _exit_step(n))]

    def phases(self, name: str) -> Sequence[str]:
        """How the nodes of a step ended."""
        return [node["phase"] for node in self.nodes(name)]

    def result(self, name: str, output: str = "Output") -> str:
        """What the one step of that name returned."""
        (node,) = self.nodes(name)
        # A step that shares its template calls its outputs as its component does.
        (made,) = (a["name"] for a in node["outputs"]["artifacts"] if a["name"] in (output, f"{name}-{output}"))
        return self.artifact(node["id"], made).decode()

    def artifact(self, node_id: str, name: str, member: str = "") -> bytes:
        """The bytes of an artifact."""
        with _services(self.home) as services:
            source = services.runs.artifact(services.runs.find(self.name).id, node_id, name)
            with services.runs.open_artifact(source, member) as file:
                return bytes(file.read())

    def log(self, step: str) -> str:
        """What a step printed."""
        done = penstock("logs", self.name, step, "--home", self.home)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def views(self) -> Mapping[tuple[str, str], Any]:
        """What the steps show, by step and title."""
        with _services(self.home) as services:
            return {(v.step, v.title): v for v in services.runs.views(services.runs.find(self.name).id)}

    def metrics(self) -> Sequence[tuple[str, float, str]]:
        """Name, value and format of each metric of the run."""
        with _services(self.home) as services:
            return [(m.name, m.value, m.format) for m in services.runs.find(self.name).metrics]


def _exit_step(node: Mapping[str, Any]) -> str:
    return str(node["templateName"]) if node["displayName"].endswith(".onExit") else ""


@contextmanager
def _services(home: Path) -> Iterator[Services]:
    """The use cases of a home that nobody else holds."""
    opened = open_home(load({"home": str(home)}, environ={}))
    try:
        yield opened.services
    finally:
        opened.close()


def run(home: Path, source: Path, *words: str | Path, code: int = 0) -> Finished:
    """Run a pipeline's file to its end, which must give that exit code."""
    done = penstock("run", source, "--home", home, "--output", "json", *words)
    assert done.returncode == code, done.stderr
    return Finished(home, json.loads(done.stdout))
