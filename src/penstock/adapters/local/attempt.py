"""One attempt of a step on this machine: launch it, watch it, bring home what it made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.adapters.local.claims import Claims
from penstock.adapters.local.collect import collect
from penstock.adapters.local.forms import given_key, has_form
from penstock.adapters.local.hosted import done_here
from penstock.adapters.local.reserve import Reserve
from penstock.engine.protocol import Exited, Pod
from penstock.errors import Final, NoSpace, Retryable
from penstock.failpoints import passing
from penstock.ports import Clock, ImageRule, Input, Launcher, Objects, Step, StepExit, StepId, StepState
from penstock.workflow.metrics import Measurement
from penstock.workflow.nodes import artifact_key
from penstock.workflow.pods import Readiness
from penstock.workflow.status import Artifact

__all__ = ["INTERRUPTIONS", "Attempt", "Workshop"]

INTERRUPTIONS = 3
"""How often a step is started again that the machine interrupted."""

PATIENCE = 1.0
"""Seconds before something is tried again that may succeed later (a full disk, a busy database)."""

_FIRST_PAUSE = 0.1
"""Seconds between the first two times that a daemon is asked whether it is ready."""

SCRIPT = "/argo/staging/script"
"""Where the source of a script template lies in its step, as Argo has it."""


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What steps are made with. `interruptions`: how often one is started again that the machine interrupted. `of_wall`
    turns a time of the wall clock, which launchers tell, into one of `clock`. `measure` counts metrics of documents.
    `refused` are the reasons of what is being tried again just now.
    """

    launcher: Launcher
    objects: Objects
    clock: Clock
    reserve: Reserve
    claims: Claims
    interruptions: int = INTERRUPTIONS
    of_wall: Callable[[float], float] = lambda at: at
    http_allow: Sequence[str] = ()
    measure: Callable[[Measurement], None] = lambda _: None
    refused: dict[object, Retryable] = field(default_factory=dict)

    async def patiently(self, work: Callable[[], Awaitable[None]], refused: Callable[[Retryable], None]) -> None:
        """Do something that a full disk or a busy machine may forbid, until it succeeds.

        `refused` hears of the first refusal only.
        """
        trying = object()
        try:
            while True:
                try:
                    await work()
                    return
                except Retryable as error:
                    if trying not in self.refused:
                        refused(error)
                    self.refused[trying] = error
                    await self.clock.sleep_until(self.clock.now() + PATIENCE)
        finally:
            self.refused.pop(trying, None)

    async def store(self, work: Callable[[], Awaitable[None]], refused: Callable[[Retryable], None]) -> None:
        """The same for what must be stored before space can be freed: it may use the reserve."""

        async def with_reserve() -> None:
            try:
                await work()
            except NoSpace:
                self.reserve.give()
                await work()

        await self.patiently(with_reserve, refused)

    async def remove_claims(self, run_id: str) -> None:
        """Remove the claims that a run has made for itself."""

        async def remove() -> None:
            for name in await asyncio.to_thread(self.claims.owned, run_id):
                await asyncio.to_thread(self.claims.remove, name)

        await self.patiently(remove, lambda error: log.warning("run %s: its claims stay for now: %s", run_id, error))

    async def remove(self, id: StepId) -> None:
        """Remove all that is left of a step."""
        passing("remove.before")
        await self.launcher.remove(id)
        passing("remove.after")
        self.reserve.keep()


@dataclass(slots=True)
class Attempt:
    """An attempt of the step `pod`, started for the `incarnation`-th time.

    `found` is what a former host left of this start, and `begun` says that it was launched, now or then. `launched` is
    called when its first process exists, with the address of a daemon, `again` (and awaited) before it is started once
    more with the next incarnation, `note` with what a person should know. `network`: the run's steps reach one another.
    """

    workshop: Workshop
    run_id: str
    workflow_name: str
    pod: Pod
    images: Mapping[str, ImageRule]
    incarnation: int
    launched: Callable[[str], None]
    again: Callable[[int], Awaitable[None]]
    note: Callable[[str], None]
    found: StepState = StepState.ABSENT
    begun: bool = field(init=False)
    network: bool = False
    _keys: dict[str, str] = field(default_factory=dict)
    """Where something else is given of an input, by its name."""
    _told: bool = False
    _grace: float | None = None
    """Set when the step is to end, maybe before its launch has returned."""

    def __post_init__(self) -> None:
        self.begun = self.found is not StepState.ABSENT

    @property
    def id(self) -> StepId:
        """What the launcher knows this start by."""
        return StepId(run_id=self.run_id, node_id=self.pod.node_id, incarnation=self.incarnation)

    async def run(self) -> Exited:
        """What became of the step. Steps that run or have ended under this id already are adopted, not repeated."""
        if self.pod.unmet and self.found is StepState.ABSENT:
            return self._error(self.pod.unmet)
        if self.pod.starts_nothing:
            return await self._done_here()
        try:
            while True:
                exit = await self._one_start()
                if exit is not None:
                    return await self._brought_home(exit)
                if self._grace is not None:
                    return self._error("the step was ended, and nobody knows its exit code")
                if self.incarnation > self.workshop.interruptions:
                    times = "" if self.incarnation == 1 else f" {self.incarnation} times"
                    return self._error(f"interrupted by the machine{times}; not started again")
                await self._start_over()
        except Final as error:
            return self._error(str(error))

    async def _done_here(self) -> Exited:
        shop, found = self.workshop, list[Exited]()

        async def perform() -> None:
            found.append(
                await asyncio.to_thread(
                    done_here, self.pod, self.run_id, shop.claims, shop.objects, shop.clock, shop.http_allow
                )
            )

        await shop.patiently(perform, self._refused)
        return found[0]

    async def stop(self, grace: float) -> None:
        """End the step: TERM, then KILL after `grace` seconds."""
        self._grace = grace
        await self._told_to_stop(grace)

    async def _told_to_stop(self, grace: float) -> None:
        await self.workshop.store(lambda: self.workshop.launcher.stop(self.id, grace), self._refused)

    async def _one_start(self) -> StepExit | None:
        """How the step ended, None where the machine interrupted it."""
        launcher = self.workshop.launcher
        if self.found is StepState.INTERRUPTED:
            return None
        passing("launch.before")
        if self.found is StepState.ABSENT and any(has_form(artifact.key) for artifact in self.pod.input_artifacts):
            await self.workshop.patiently(self._unpack, self._refused)
        await self.workshop.patiently(lambda: launcher.launch(self._step()), self._refused)
        passing("launch.after")
        await self._told_of()
        if self._grace is not None:
            await self._told_to_stop(self._grace)
        exit = await launcher.wait(self.id)
        # Without an exit record: interrupted, or killed before it could leave a trace.
        interrupted = exit.code is None and launcher.state(self.id) is not StepState.EXITED
        return None if interrupted else exit

    async def _told_of(self) -> None:
        """Say that the step has begun; of a daemon, when others reach it."""
        launcher, found = self.workshop.launcher, [""]
        if self.pod.daemon:

            async def ask() -> None:
                found[0] = await launcher.address(self.id)

            await self.workshop.patiently(ask, self._refused)
            if self.pod.ready is not None:
                await self._answered(self.pod.ready)
        if not self.pod.daemon or launcher.state(self.id) is StepState.RUNNING:
            self.launched(found[0])

    async def _answered(self, asked: Readiness) -> None:
        """Return when the daemon is ready, or runs no more. It is asked often at first, then as often as is said."""
        found, ended = [False], asyncio.ensure_future(self.workshop.launcher.wait(self.id))

        async def ask() -> None:
            found[0] = await self.workshop.launcher.ready(self.id, asked)

        pause = min(_FIRST_PAUSE, asked.pause)
        try:
            await self._passed(asked.delay, ended)
            while not ended.done():
                await self.workshop.patiently(ask, self._refused)
                if found[0]:
                    return
                await self._passed(pause, ended)
                pause = min(pause * 2, asked.pause)
        finally:
            ended.cancel()

    async def _passed(self, seconds: float, ended: asyncio.Future[StepExit]) -> None:
        """Return after that time, or when the step has ended."""
        clock = self.workshop.clock
        passed = asyncio.ensure_future(clock.sleep_until(clock.now() + seconds))
        both: list[asyncio.Future[Any]] = [passed, ended]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        passed.cancel()

    async def _start_over(self) -> None:
        """Start again, after that is recorded."""
        former = self.id
        self.incarnation += 1
        self.found = StepState.ABSENT
        self.note(f"interrupted by the machine; started again (start {self.incarnation})")
        await self.again(self.incarnation)
        await self.workshop.remove(former)

    async def _brought_home(self, exit: StepExit) -> Exited:
        shop, found = self.workshop, list[Exited]()

        async def bring() -> None:
            found.append(
                await collect(shop.launcher, shop.objects, self.workflow_name, self.pod, self.id, exit, shop.clock)
            )

        await shop.store(bring, self._refused)
        return found[0]

    def _refused(self, error: Retryable) -> None:
        if not self._told:
            self._told = True
            self.note(f"{error}; trying again every {PATIENCE:g} s")

    def _error(self, message: str) -> Exited:
        return Exited(now=self.workshop.clock.now(), node_id=self.pod.node_id, error=message)

    def _step(self) -> Step:
        pod = self.pod
        inputs = [given for artifact in pod.input_artifacts if (given := self._input(artifact)) is not None]
        command = pod.command
        if pod.script is not None:
            inputs.append(Input(path=SCRIPT, content=pod.script.encode(), mode=0o755))
            command = (*command, SCRIPT)
        return Step(
            id=self.id,
            name=pod.display_name,
            image=pod.image,
            command=command,
            args=pod.args,
            working_dir=pod.working_dir,
            env=pod.env,
            inputs=tuple(inputs),
            mounts=pod.mounts,
            volumes=tuple(map(self.workshop.claims.mounted, pod.volumes)),
            hosts=pod.hosts,
            tty=pod.tty,
            init=pod.init,
            limits=pod.limits,
            containers=pod.containers,
            sidecars=pod.sidecars,
            network=self.run_id if self.network else "",
            outputs=(*(o.path for o in pod.output_parameters), *(o.path for o in pod.output_artifacts)),
            images=self.images,
        )

    async def _unpack(self) -> None:
        """Make what is given of inputs that lie in another archive form than the step wants."""
        for artifact in self.pod.input_artifacts:
            made = artifact_key(self.workflow_name, f"{self.pod.name}@inputs", artifact.name)
            try:
                key = await asyncio.to_thread(given_key, self.workshop.objects, artifact, made)
            except Final as error:
                raise Final(f"input artifact {artifact.name!r}: {error}") from None
            self._keys[artifact.name] = key

    def _input(self, artifact: Artifact) -> Input | None:
        """The input, None for an optional one of which nothing is there."""
        mode = None if artifact.mode is None else artifact.mode & 0o777
        if artifact.raw is not None:
            if artifact.archive is not None and artifact.archive.form in ("tar", "zip"):
                raise Final(f"input artifact {artifact.name!r}: raw content is no archive; take its `archive` away")
            return Input(path=artifact.path, content=artifact.raw.encode(), mode=mode)
        source = self.workshop.objects.reach(self._keys.get(artifact.name, artifact.key))
        if source is None and artifact.optional:
            return None
        if source is None:
            raise Final(f"input artifact {artifact.name!r}: nothing is stored under {artifact.key!r}")
        return Input(path=artifact.path, source=str(source), mode=mode, recurse=artifact.recurse_mode)
