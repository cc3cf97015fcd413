"""Runs a Workflow through the engine without a process: scripted outcomes, a clock that jumps.

`simulate` drives the engine as a host does; `trees.compare` holds what comes out to another status.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from penstock.engine import Run, new_run, step
from penstock.engine.locks import Holder, LockTable
from penstock.engine.protocol import (
    Acquire,
    Begin,
    Command,
    Event,
    Exited,
    Granted,
    Kill,
    Launch,
    Launched,
    Pod,
    Recall,
    Recalled,
    Release,
    Remember,
    Tick,
    Wake,
)
from penstock.workflow.configuration import NOTHING, Configuration, configured_parameters
from penstock.workflow.document import Workflow
from penstock.workflow.inputs import bind
from penstock.workflow.pods import ContainerExit
from penstock.workflow.running import status_document
from penstock.workflow.status import Artifact, NodeOutputs

__all__ = ["Outcome", "Simulation", "simulate", "status_of"]

START = 1_700_000_000.0
"""When a simulated run is made (seconds since the epoch)."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a pod ends, `seconds` after its launch. `killed_code` is its exit code when it is killed before.

    `artifacts` are names of output artifacts that were stored; None stands for all that the pod declares. `ends`: a
    daemon ends by itself, too. `containers` are the exit codes of those of a set that fail, by name.
    """

    exit_code: int | None = 0
    error: str = ""
    message: str = ""
    parameters: Mapping[str, str] = {}
    artifacts: tuple[str, ...] | None = None
    result: str | None = None
    seconds: float = 1.0
    killed_code: int | None = 143
    ends: bool = False
    containers: Mapping[str, int] = {}


Script = Callable[[Pod], Outcome | None]
"""How a pod ends; None for one that finds no place yet: nothing is heard of it unless a test says so."""


def _succeeds(_pod: Pod) -> Outcome:
    return Outcome()


class Simulation:
    """A run, its clock and what is going to happen. `events` and `commands` keep all that went in and came out.

    `locks` and `cache` may be those of another simulation, as runs of one home share them.
    """

    def __init__(self, run: Run, script: Script = _succeeds) -> None:
        self.run = run
        self.script = script
        self.now = run.created_at
        self.events: list[Event] = []
        self.commands: list[Command] = []
        self.running: dict[str, Pod] = {}
        self.locks = LockTable()
        self.cache: dict[tuple[str, str], tuple[NodeOutputs | None, float | None]] = {}
        self._queue: list[tuple[float, int, Event]] = []
        self._count = 0

    def at(self, event: Event) -> None:
        """Let `event` happen at its time."""
        self._count += 1
        heapq.heappush(self._queue, (event.now, self._count, event))

    def send(self, event: Event) -> list[Command]:
        """Give the engine an event now, and do what it asks for."""
        self.now = max(self.now, event.now)
        self.events.append(event)
        self.run, commands = step(self.run, event)
        self.perform(commands)
        return commands

    def perform(self, commands: Iterable[Command]) -> None:
        """Do what the engine asks for, at the time that it is."""
        for command in commands:
            self.commands.append(command)
            self._do(command)

    def next(self) -> bool:
        """Let the next thing happen; False when there is nothing more."""
        if not self._queue:
            return False
        self.send(heapq.heappop(self._queue)[2])
        return True

    def finish(self, limit: int = 1_000_000) -> Run:
        """Let everything happen. Raises AssertionError for a run that does not end."""
        for _ in range(limit):
            if self.run.finished or not self.next():
                break
        open_nodes = [node.name for node in self.run.nodes.values() if not node.phase.fulfilled]
        assert self.run.finished, f"the run does not end; open: {open_nodes[:10]}"
        return self.run

    def _do(self, command: Command) -> None:
        if isinstance(command, Launch):
            self._launch(command.pod)
        elif isinstance(command, Kill):
            self.at(Exited(now=self.now, node_id=command.node_id, exit_code=self._killed_code(command.node_id)))
        elif isinstance(command, Wake):
            self.at(Tick(now=max(command.at, self.now)))
        elif isinstance(command, (Acquire, Release)):
            self._lock(command)
        elif isinstance(command, Recall):
            outputs, made_at = self.cache.get((command.cache, command.key), (None, None))
            self.at(Recalled(now=self.now, node_id=command.node_id, outputs=outputs, made_at=made_at))
        elif isinstance(command, Remember):
            self.cache[command.cache, command.key] = (command.outputs, command.made_at)

    def _lock(self, command: Acquire | Release) -> None:
        holder = Holder(self.run.uid, command.node_id)
        if isinstance(command, Release):
            granted = self.locks.drop(holder)
        elif command.held:
            self.locks.keep(holder, command.locks)
            return
        else:
            priority, since = self.run.workflow.spec.priority, self.run.created_at
            granted = self.locks.ask(holder, command.locks, priority=priority, since=since)
        for each in granted:
            if each.run_id == self.run.uid:
                self.at(Granted(now=self.now, node_id=each.node_id))

    def _killed_code(self, node_id: str) -> int | None:
        pod = self.running.get(node_id)
        outcome = self.script(pod) if pod is not None else None
        return outcome.killed_code if outcome is not None else 143

    def _launch(self, pod: Pod) -> None:
        outcome = self.script(pod)
        if outcome is None:
            return
        self.running[pod.node_id] = pod
        self.at(Launched(now=self.now, node_id=pod.node_id, ip="10.0.0.1" if pod.daemon else ""))
        if outcome.ends or not pod.daemon:
            self.at(exited(pod, outcome, self.now + outcome.seconds))


def _declared(pod: Pod) -> list[str]:
    read = pod.resource.outputs if pod.resource is not None else ()
    return [output.name for output in pod.output_parameters] + [output.name for output in read]


def exited(pod: Pod, outcome: Outcome, now: float) -> Exited:
    """The event of a pod that ends with `outcome` at `now`."""
    wanted = outcome.artifacts
    return Exited(
        now=now,
        node_id=pod.node_id,
        exit_code=None if pod.http is not None and not outcome.exit_code else outcome.exit_code,
        error=outcome.error,
        message=outcome.message,
        containers=tuple(
            ContainerExit(name=each.name, code=outcome.containers.get(each.name, 0)) for each in pod.containers
        ),
        parameters={name: outcome.parameters[name] for name in _declared(pod) if name in outcome.parameters},
        artifacts=tuple(
            Artifact(name=artifact.name, path=artifact.path, key=artifact.key, archive=artifact.archive)
            for artifact in pod.output_artifacts
            if wanted is None or artifact.name in wanted
        ),
        result=outcome.result,
    )


def simulate(
    workflow: Workflow,
    script: Script = _succeeds,
    *,
    parameters: Mapping[str, object] | None = None,
    name: str = "",
    events: Iterable[Event] = (),
    max_iterations: int = 100_000,
    config: Configuration = NOTHING,
) -> Run:
    """The finished run of `workflow`, each pod ending as `script` says. `events` happen beside, at their times.

    Raises what `bind` raises, and AssertionError for a run that does not end.
    """
    run = new_run(
        workflow,
        name=name or workflow.name or f"{workflow.generate_name}sim",
        uid="00000000-0000-4000-8000-000000000000",
        parameters=bind(workflow, parameters or {}, configured_parameters(workflow, config)),
        created_at=START,
        max_iterations=max_iterations,
        config=config,
    )
    simulation = Simulation(run, script)
    simulation.at(Begin(now=START))
    for event in events:
        simulation.at(event)
    return simulation.finish()


def status_of(run: Run) -> dict[str, Any]:
    """`status` of a run as Argo writes it."""
    document = status_document(
        run.workflow.raw,
        nodes=run.nodes.values(),
        phase=run.phase,
        message=run.message,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )
    status: dict[str, Any] = document["status"]
    return status
