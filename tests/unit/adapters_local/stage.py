"""The engine's host on fakes: a store in memory, a launcher that plays, a clock that stands still until it is moved."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.adapters.local.cache import Cache
from penstock.adapters.local.claims import Claims
from penstock.adapters.local.configuration import Configurations
from penstock.adapters.local.host import Host
from penstock.adapters.local.memos import Memos
from penstock.adapters.local.reserve import Reserve
from penstock.adapters.objects import LocalObjects
from penstock.ports import NodeRow, Run, Step, StepId
from penstock.services import Report, Runs
from penstock.testing import Act, FakeClock, FakeLauncher, MemoryRecords
from penstock.workflow.status import Node, Phase

__all__ = ["Stage", "pod", "staged", "workflow"]

PATIENCE = 60.0


def pod(name: str, **more: Any) -> dict[str, Any]:
    """A template that runs a container."""
    return {"name": name, "container": {"image": "alpine", "command": [name]}, **more}


def workflow(*templates: Mapping[str, Any], entrypoint: str = "main", **spec: Any) -> dict[str, Any]:
    """A document of these templates."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "play-"},
        "spec": {"entrypoint": entrypoint, "templates": list(templates), **spec},
    }


def chain(*names: str) -> dict[str, Any]:
    """A document of steps one after the other."""
    tasks = [
        {"name": name, "template": name, **({"dependencies": [before]} if before else {})}
        for name, before in zip(names, ("", *names), strict=False)
    ]
    return workflow({"name": "main", "dag": {"tasks": tasks}}, *(pod(name) for name in names))


class Stage:
    """All that a host needs. `acts` says, by the first word of a step's command, what its next starts do."""

    def __init__(self, folder: Path, max_steps: int = 10) -> None:
        self.folder = folder
        self.records, self.clock = MemoryRecords(), FakeClock()
        self.objects = LocalObjects(folder / "objects", background=False)
        self.acts: dict[str, list[Act]] = {}
        self.launcher = FakeLauncher(folder / "steps", script=self._act, clock=self.clock)
        self.max_steps = max_steps
        self.claims = Claims(folder / "claims")
        self.configuration = Configurations(folder, self.claims).read
        self.host = self.new_host()
        self.runs = self.new_runs()
        self.serving: asyncio.Task[None] | None = None

    def _act(self, step: Step) -> Act:
        acts = self.acts.get(step.command[0], [])
        return acts.pop(0) if len(acts) > 1 else acts[0] if acts else Act()

    def new_runs(self) -> Runs:
        return Runs(self.records, self.objects, self.host, self.launcher, self.clock, self.configuration)

    def new_host(self, **more: Any) -> Host:
        journal = Report(self.records, self.objects)
        return Host(
            journal,
            self.launcher,
            self.objects,
            self.clock,
            reserve=Reserve(self.folder / "reserve", 4096),
            memos=Memos(self.folder / "memos", self.objects),
            cache=Cache(self.folder / "cache", self.objects, self.launcher, self.clock),
            claims=self.claims,
            configuration=self.configuration,
            max_steps=self.max_steps,
            version=self.records.version,
            poll=0.01,
            **more,
        )

    # --- the host's life --------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Let the host serve."""
        self.serving = asyncio.create_task(self.host.run())

    async def leave(self) -> None:
        """The host is gone; what it started goes on."""
        if self.serving is not None:
            self.serving.cancel()
            await asyncio.gather(self.serving, return_exceptions=True)
            self.serving = None

    async def restart(self) -> None:
        """Another host takes over."""
        await self.leave()
        self.host = self.new_host()
        self.runs = self.new_runs()
        self.serve()

    # --- what a test does -------------------------------------------------------------------------------------------

    def create(self, document: Mapping[str, Any], **more: Any) -> str:
        return self.runs.create(json.dumps(document), **more).id

    async def until(self, true: Callable[[], object], what: str = "") -> None:
        """Poll; fails after a minute."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert self.serving is None or not self.serving.done(), self.serving
            assert time.monotonic() < deadline, f"never: {what}"
            await asyncio.sleep(0.002)

    async def end(self, run_id: str) -> Run:
        """The run when it has ended."""
        await self.until(lambda: self.runs.get(run_id).state.terminal, f"the end of {run_id}")
        await self.until(lambda: not self.launcher.known() or self.launcher.running(), "what ended is removed")
        return self.runs.get(run_id)

    async def patient_end(self, run_id: str) -> Run:
        """The same where the host waits, a second of its clock again and again, for what is refused."""
        deadline = time.monotonic() + PATIENCE
        while not self.runs.get(run_id).state.terminal:
            assert time.monotonic() < deadline, f"never: the end of {run_id}"
            await self.advance(1 if self.clock.next_wake is not None else 0)
        return await self.end(run_id)

    async def started(self, *commands: str) -> list[StepId]:
        """Ids of the steps that run now, as soon as they are those of these commands and the store says so."""
        wanted = sorted(commands)
        await self.until(lambda: sorted(self.running()) == wanted, f"{wanted} run, {self.running()} do")
        await self.until(lambda: all(map(self._told, self.launcher.running())), f"{wanted} are said to run")
        await self.quiet()
        return [self._id(command) for command in commands]

    def _told(self, step: StepId) -> bool:
        row = self.records.read(lambda store: store.node(step.run_id, step.node_id))
        return row is not None and row.node.phase is Phase.RUNNING

    def running(self) -> list[str]:
        steps = {step.id: step.command[0] for step in self.launcher.launched}
        return [steps[id] for id in self.launcher.running()]

    def _id(self, command: str) -> StepId:
        running = set(self.launcher.running())
        return next(s.id for s in self.launcher.launched if s.command[0] == command and s.id in running)

    async def quiet(self) -> None:
        """Let what is under way be done: some turns of the loop and of its threads."""
        for _ in range(5):
            await asyncio.to_thread(int)
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        await self.quiet()
        self.clock.advance(seconds)
        await self.quiet()

    def nodes(self, run_id: str) -> dict[str, Node]:
        """By display name; the last one of a name."""
        return {row.node.display_name: row.node for row in self.rows(run_id)}

    def rows(self, run_id: str) -> Sequence[NodeRow]:
        return self.records.read(lambda store: store.nodes(run_id))

    def notes(self, run_id: str) -> list[str]:
        events = self.records.read(lambda store: store.events(run_id, 0))
        return [str(event.data["message"]) for event in events if event.kind == "note"]

    def starts(self) -> list[str]:
        return [step.command[0] for step in self.launcher.launched]


def staged(story: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test on a stage whose host serves."""

    @functools.wraps(story)
    def run(tmp_path: Path, **more: Any) -> None:
        async def whole() -> None:
            stage = Stage(tmp_path)
            stage.serve()
            try:
                await story(stage, **more)
            finally:
                await stage.leave()

        asyncio.run(whole())

    named = [p for name, p in inspect.signature(story).parameters.items() if name != "stage"]
    tmp_path = inspect.Parameter("tmp_path", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = inspect.Signature([*named, tmp_path])  # type: ignore[attr-defined]
    return run
