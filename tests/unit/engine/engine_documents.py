"""Small documents for tests of the engine, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from penstock.engine import Run
from penstock.engine.protocol import Event, Pod
from penstock.testing.simulation import START, Outcome, Simulation, simulate
from penstock.workflow import Workflow, load
from penstock.workflow.status import Node

__all__ = ["FAILS", "START", "SUCCEEDS", "by_name", "document", "ended", "node", "phases", "script", "told"]

HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
"""
TEMPLATES = """
  - {name: echo, inputs: {parameters: [{name: text, default: hello}]}, container: {image: busybox, args: ["{{inputs.parameters.text}}"]}}
  - {name: fail, container: {image: busybox}}
  - {name: make, container: {image: busybox}, outputs: {parameters: [{name: p, valueFrom: {path: /p}}], artifacts: [{name: a, path: /a}]}}
  - {name: default, container: {image: busybox}, outputs: {parameters: [{name: p, valueFrom: {path: /p, default: d}}]}}
"""  # noqa: E501 - one template a line reads as a table

SUCCEEDS = Outcome()
FAILS = Outcome(exit_code=1)


def document(templates: str, spec: str = "") -> Workflow:
    """A Workflow of `templates` (YAML, two blanks in) beside `echo`, `fail`, `make` and `default`."""
    return load(f"{HEAD}spec:\n  entrypoint: main\n{spec}  templates:\n{templates}\n{TEMPLATES}")


def script(outcomes: Mapping[str, Outcome] | None = None) -> Callable[[Pod], Outcome]:
    """How pods end: by the display name, else by the template's name; `fail` fails, `make` makes p = "made"."""
    own = outcomes or {}

    def outcome(pod: Pod) -> Outcome:
        usual = {"fail": FAILS, "make": Outcome(parameters={"p": "made"})}
        return own.get(pod.display_name) or own.get(pod.template_name) or usual.get(pod.template_name, SUCCEEDS)

    return outcome


def ended(
    templates: str,
    outcomes: Mapping[str, Outcome] | None = None,
    *,
    spec: str = "",
    events: Iterable[Event] = (),
    **options: Any,
) -> Run:
    """The finished run of a document."""
    return simulate(document(templates, spec), script(outcomes), events=events, **options)


def by_name(run: Run) -> dict[str, Node]:
    """Nodes by their names, without the run's name before them."""
    return {found.name.removeprefix("w").lstrip("."): found for found in run.nodes.values()}


def node(run: Run, name: str) -> Node:
    """The node of that name."""
    return by_name(run)[name]


def phases(run: Run) -> dict[str, str]:
    """Phases by name."""
    return {name: str(found.phase) for name, found in by_name(run).items()}


def told(run: Run) -> dict[str, str]:
    """Messages by name, where there is one."""
    return {name: found.message for name, found in by_name(run).items() if found.message}


def driven(simulation: Simulation, until: Callable[[Run], bool]) -> Simulation:
    """Let things happen until something is so."""
    while not until(simulation.run):
        assert simulation.next(), "nothing more happens"
    return simulation
