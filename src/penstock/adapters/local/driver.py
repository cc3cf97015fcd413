"""Drives one run: events in, turns stored, commands performed.

Events gather in an inbox. A turn takes all that lies there, lets the engine decide, stores what changed in one
transaction, and only then acts. So a crash at any instruction loses nothing: what was decided is stored, and what was
stored is done again, harmlessly, by the next holder of the home.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack

import msgspec

from penstock import engine
from penstock.adapters.local.attempt import Attempt, Workshop
from penstock.adapters.local.cache import Cache
from penstock.adapters.local.locks import Locks
from penstock.adapters.local.memos import Memos
from penstock.adapters.local.places import Places
from penstock.adapters.local.tasks import Tasks
from penstock.engine.locks import Holder
from penstock.engine.protocol import (
    Acquire,
    Command,
    Event,
    Exited,
    Kill,
    Launch,
    Launched,
    Measure,
    Note,
    Pod,
    Recall,
    Release,
    Remember,
    Tick,
    Waiting,
    Wake,
)
from penstock.errors import PenstockError, Retryable
from penstock.failpoints import passing
from penstock.ports import ImageRule, Journal, NodeRow, Progress, StepId, StepState, Turn
from penstock.workflow.status import STARTED, Node, NodeType, Origin, Phase

__all__ = ["Driver"]

log = logging.getLogger(__name__)

BRIEFLY = 0.02
"""Seconds that a step must have run for to be worth a turn of its own that says so."""

LULL, LONGEST_LEFT = 0.25, 2.0
"""Seconds without a start of a step after which ended steps are removed, and after which they are removed anyway."""


class Driver:
    """One run that this host drives."""

    def __init__(
        self,
        run_id: str,
        name: str,
        run: engine.Run,
        journal: Journal,
        workshop: Workshop,
        places: Places,
        locks: Locks,
        memos: Memos,
        cache: Cache,
        *,
        images: Mapping[str, ImageRule],
        cached: bool = True,
        incarnations: Mapping[str, int] = {},
    ) -> None:
        """`cached`: steps may take over what equal ones made. `incarnations` holds, by node id, how often a step was
        started, where that is more than once.
        """
        self.id = run_id
        self.name = name
        self.run = run
        self._journal = journal
        self._shop = workshop
        self._places = places
        self._locks = locks
        self._memos = memos
        self._cache = cache
        self._cached = cached
        self._keys: dict[str, str] = {}
        self._images = images
        self._networked = run.workflow.daemons  # asked of ten thousand templates once, not with each step
        self._incarnations = dict(incarnations)
        self._inbox: list[Event] = []
        self._unsaid = _Unsaid(self.tell)
        self._news = asyncio.Event()
        self._done: list[int] = []
        self._notes: list[tuple[str, str]] = []
        self._unrecorded: set[str] = set()
        self._stored = _standing(run)
        self._phases = {n.id: n.phase for n in run.nodes.values() if _is_step(n)}
        self._counts = Counter(self._phases.values())
        self._attempts: dict[str, Attempt] = {}
        self._steps: dict[str, asyncio.Task[None]] = {}
        self._standing: dict[str, AsyncExitStack] = {}
        self._tasks = Tasks(f"run {run_id}")
        self._leavings: list[StepId] = []
        self._sweep: asyncio.TimerHandle | None = None
        self._last_launch = 0.0
        self._alarms: list[float] = []
        self._alarm: asyncio.Task[None] | None = None

    # --- from outside ---------------------------------------------------------------------------------------------

    def tell(self, *events: Event, done: Sequence[int] = ()) -> None:
        """Events for the next turn, and intents that it fulfils."""
        self._inbox.extend(events)
        self._done.extend(done)
        self._news.set()

    def wants(self, step: StepId) -> bool:
        """Whether what a launcher has of that step is still needed."""
        node = self.run.nodes.get(step.node_id)
        return bool(node and not node.phase.fulfilled) and step == self._step_id(step.node_id)

    async def drive(self, commands: Iterable[Command] = ()) -> None:
        """Perform `commands` (those of a run that is taken over), then go on until the run has ended and is stored.

        Cancelled, it leaves the steps as they are.
        """
        try:
            self._take_over(commands)
            while self.run.finished_at is None or self._steps:
                await self._turn()
        except PenstockError as error:
            await self._break(str(error))
        except Exception:
            log.exception("run %s: the engine failed", self.id)
            await self._break("the engine failed on this run; the server's log has the reason")
        finally:
            self._remove_leavings()
            self._remove_claims()
            await self._tasks.close(lambda name: name.startswith("remove "))
            for node_id in list(self._keys):
                self._leave_cache(node_id)

    def _remove_claims(self) -> None:
        """Remove the run's own claims when it has ended as `volumeClaimGC` says."""
        wanted = self.run.workflow.spec.volume_claim_gc.strategy
        if self.run.finished_at is None or not self.run.workflow.spec.volume_claim_templates:
            return
        if self.run.phase == Phase.SUCCEEDED or wanted == "OnWorkflowCompletion":
            self._tasks.spawn(self._shop.remove_claims(self.id), f"remove claims of {self.id}")

    # --- turns ----------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        await self._news.wait()
        self._news.clear()
        events, self._inbox = self._inbox, []
        commands: list[Command] = []
        changed: dict[str, None] = {}
        for event in events:
            self.run, more = engine.step(self.run, event)
            commands.extend(more)
            changed.update(dict.fromkeys(self.run.changed))
        self._notes.extend((c.node_id, c.message) for c in commands if isinstance(c, Note))
        ended = [event for event in events if isinstance(event, Exited)]
        # Before the end is recorded, after which nobody comes back to it. What is kept is checked when it is used.
        for event in ended:
            self._keep(event)
        for command in commands:
            if isinstance(command, Remember):
                await self._remember(command)
            elif isinstance(command, Measure):
                self._shop.measure(command.measurement)
        if changed or self._notes or self._done or _standing(self.run) != self._stored:
            await self._store(changed)
        self._perform(commands)
        for event in ended:
            self._leave_cache(event.node_id)
            self._forget(event.node_id)

    async def _store(self, changed: Iterable[str]) -> None:
        """One turn in one transaction, however long the disk stays full: nothing goes on without it."""
        run, nodes = self.run, [self.run.nodes[id] for id in changed]
        for node in nodes:
            self._count(node)
        self._unrecorded.update(changed)
        notes, self._notes = self._notes, []
        done, self._done = self._done, []
        turn = Turn(
            run_id=self.id,
            at=self._shop.clock.now(),
            nodes=[self._row(node) for node in nodes],
            notes=tuple(notes),
            done=tuple(done),
            progress=_progress(self._counts),
            phase=run.phase,
            message=run.message,
            shutdown=run.shutdown or "",
            started_at=run.started_at,
            finished_at=run.finished_at,
        )
        self._stored = _standing(run)
        try:
            await self._commit(turn)
        except PenstockError:
            self._notes[:0], self._done[:0] = notes, done
            raise
        self._unrecorded.difference_update(changed)

    async def _commit(self, turn: Turn) -> None:
        async def commit() -> None:
            await asyncio.wrap_future(self._journal.commit(turn))

        passing("report.before")
        await self._shop.store(commit, self._unstored)
        passing("report.after")

    def _unstored(self, error: Retryable) -> None:
        log.warning("run %s: a turn cannot be stored yet: %s", self.id, error)

    def _row(self, node: Node) -> NodeRow:
        return NodeRow(run_id=self.id, node=node, incarnation=self._incarnations.get(node.id, 1))

    def _count(self, node: Node) -> None:
        if _is_step(node):
            before = self._phases.get(node.id)
            if before is not None:
                self._counts[before] -= 1
            self._counts[node.phase] += 1
            self._phases[node.id] = node.phase

    async def _break(self, message: str) -> None:
        """A run that the engine cannot go on with ends in Error; the rest of the home is unharmed."""
        now = self._shop.clock.now()
        await self._tasks.close(lambda name: name.startswith("remove "))
        for attempt in self._attempts.values():
            await self._shop.remove(attempt.id)
        nodes = self.run.nodes.values()
        ended = [_broken(node, now) for node in nodes if not node.phase.fulfilled or node.id in self._unrecorded]
        await self._commit(
            Turn(
                run_id=self.id,
                at=now,
                nodes=[self._row(node) for node in ended],
                notes=tuple(self._notes),
                done=tuple(self._done),
                phase="Error",
                message=message,
                started_at=self.run.started_at or now,
                finished_at=now,
            )
        )

    def _take_over(self, commands: Iterable[Command]) -> None:
        """Perform what a former host may have begun."""
        found = {pod.node_id: self._shop.launcher.state(self._step_id(pod.node_id)) for pod in _pods(commands)}
        self._perform(commands, found)

    # --- commands -------------------------------------------------------------------------------------------------

    def _perform(self, commands: Iterable[Command], found: Mapping[str, StepState] = {}) -> None:
        """`found` is what a former host left of steps, by node id; of others there is nothing."""
        for command in commands:
            match command:
                case Launch():
                    self._launch(command.pod, found.get(command.pod.node_id, StepState.ABSENT))
                case Kill():
                    self._kill(command)
                case Wake():
                    self._wake_at(command.at)
                case Acquire():
                    holder = Holder(self.id, command.node_id)
                    self._locks.ask(holder, command, self.run.workflow.spec.priority, self.run.created_at)
                case Release():
                    self._locks.drop(Holder(self.id, command.node_id))
                case Recall():
                    self._tasks.spawn(self._recall(command), f"recall {command.node_id}")
                case _:
                    pass  # notes went with the turn, and what is remembered before it

    async def _recall(self, asked: Recall) -> None:
        self.tell(await asyncio.to_thread(self._memos.recall, asked, self._shop.clock.now()))

    async def _remember(self, made: Remember) -> None:
        try:
            await asyncio.to_thread(self._memos.remember, made)
        except OSError as error:
            self._notes.append((made.node_id, f"not kept in cache {made.cache!r}: {error.strerror}"))

    def _launch(self, pod: Pod, found: StepState) -> None:
        if pod.node_id in self._steps:
            return
        self._last_launch = asyncio.get_running_loop().time()
        attempt = self._attempt(pod, found)
        self._attempts[pod.node_id] = attempt
        task = self._tasks.spawn(self._step(attempt), f"step {pod.node_id}")
        self._steps[pod.node_id] = task
        task.add_done_callback(lambda _: self._stepped(pod.node_id))

    def _stepped(self, node_id: str) -> None:
        del self._steps[node_id]
        self._news.set()

    def _kill(self, command: Kill) -> None:
        attempt = self._attempts.get(command.node_id)
        if attempt is not None and attempt.begun and not attempt.pod.starts_nothing:
            self._tasks.spawn(attempt.stop(command.grace), f"kill {command.node_id}")
            return
        if command.node_id in self._steps:
            self._steps[command.node_id].cancel()
        self.tell(
            Exited(now=self._shop.clock.now(), node_id=command.node_id, error="the step was ended before it started")
        )

    def _wake_at(self, at: float) -> None:
        sooner = not self._alarms or at < self._alarms[0]
        heapq.heappush(self._alarms, at)
        if sooner:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._tasks.spawn(self._ring(), f"alarm of run {self.id}")

    async def _ring(self) -> None:
        while self._alarms:
            await self._shop.clock.sleep_until(self._alarms[0])
            now = self._shop.clock.now()
            while self._alarms and self._alarms[0] <= now:
                heapq.heappop(self._alarms)
            self.tell(Tick(now=now))

    # --- steps ----------------------------------------------------------------------------------------------------

    def _step_id(self, node_id: str) -> StepId:
        return StepId(run_id=self.id, node_id=node_id, incarnation=self._incarnations.get(node_id, 1))

    async def _step(self, attempt: Attempt) -> None:
        try:
            exited = await self._recalled(attempt) or await self._made(attempt)
        except Exception as error:  # without an end of the step the run would wait for it for ever
            log.exception("run %s: step %s failed", self.id, attempt.pod.node_id)
            told = str(error) if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"
            exited = Exited(now=self._shop.clock.now(), node_id=attempt.pod.node_id, error=told)
        self.tell(*self._unsaid.take(attempt.pod.node_id), exited)

    async def _recalled(self, attempt: Attempt) -> Exited | None:
        """The step's end where an equal one made before what it would make. While equal ones run, it waits."""
        pod = attempt.pod
        key = await self._cache.key(pod, self.run.name, self._images)
        if not key:
            return None
        self._keys[pod.node_id] = key
        if attempt.begun:
            self._cache.enter(key, self._origin(pod.node_id))
        if attempt.begun or not self._cached:
            return None
        await self._cache.turn(key, self._origin(pod.node_id), lambda text: self._wait(pod.node_id, text))
        hit = await self._cache.hit(key, pod, self.run.name)
        if hit is not None:
            self._note(pod.node_id, str(hit.cached_from))
        return hit

    async def _made(self, attempt: Attempt) -> Exited:
        """The step's end, when it has run."""
        if attempt.pod.starts_nothing:
            attempt.begun = True
            return self._timely(await attempt.run())
        needs = attempt.pod.needs
        reason = self._places.reason(needs)
        if reason and not attempt.begun:
            self._wait(attempt.pod.node_id, reason)
        rank = (-self.run.workflow.spec.priority, self.run.created_at)
        async with AsyncExitStack() as place:
            await place.enter_async_context(self._places.one(rank, needs, at_once=attempt.begun))
            if attempt.pod.daemon:
                self._standing[attempt.pod.node_id] = place
            attempt.begun = True
            exited = await attempt.run()
        self._standing.pop(attempt.pod.node_id, None)
        return self._timely(exited)

    def _launched(self, node_id: str, ip: str) -> None:
        """A step has begun. A daemon needs its place no more: those that it is there for may need it."""
        self._unsaid.put(Launched(now=self._shop.clock.now(), node_id=node_id, ip=ip))
        place = self._standing.pop(node_id, None)
        if place is not None:
            self._tasks.spawn(place.aclose(), f"place of {node_id}")

    def _timely(self, exited: Exited) -> Exited:
        """An end with its times on the clock of what runs, not before the step's start."""
        start = self.run.nodes[exited.node_id].started_at or 0.0
        ahead = {
            name: max(self._shop.of_wall(at), min(start, at))
            for name, at in (("started_at", exited.started_at), ("finished_at", exited.finished_at))
            if at is not None
        }
        return msgspec.structs.replace(exited, **ahead)

    def _wait(self, node_id: str, message: str) -> None:
        self.tell(Waiting(now=self._shop.clock.now(), node_id=node_id, message=message))

    def _origin(self, node_id: str) -> Origin:
        return Origin(run_id=self.id, run=self.name, node_id=node_id, step=self.run.nodes[node_id].display_name)

    def _attempt(self, pod: Pod, found: StepState) -> Attempt:
        node_id = pod.node_id

        async def again(incarnation: int) -> None:
            self._incarnations[node_id] = incarnation
            await self._store([node_id])

        return Attempt(
            found=found,
            workshop=self._shop,
            run_id=self.id,
            workflow_name=self.run.name,
            pod=pod,
            images=self._images,
            incarnation=self._incarnations.get(node_id, 1),
            launched=lambda ip: self._launched(node_id, ip),
            network=self._networked,
            again=again,
            note=lambda text: self._note(node_id, text),
        )

    def _note(self, node_id: str, text: str) -> None:
        self._notes.append((node_id, text))
        self._news.set()

    def _keep(self, ended: Exited) -> None:
        """What a step made may be taken over by equal ones. A small file: quicker than to ask a thread for it."""
        node, key = self.run.nodes[ended.node_id], self._keys.get(ended.node_id)
        if key is None or node.phase is not Phase.SUCCEEDED or ended.cached_from is not None:
            return
        try:
            self._cache.keep(key, self._origin(node.id), self.run.name, ended)
        except OSError as error:
            self._notes.append((node.id, f"not kept for equal steps: {error.strerror}"))

    def _leave_cache(self, node_id: str) -> None:
        key = self._keys.pop(node_id, None)
        if key is not None:
            self._cache.leave(key, self._origin(node_id))

    def _forget(self, node_id: str) -> None:
        """The end of the step is recorded: nothing of it has to stay on the disk."""
        attempt = self._attempts.pop(node_id, None)
        if attempt is not None:
            self._leavings.append(attempt.id)
            if len(self._leavings) == 1:
                self._sweep_after(asyncio.get_running_loop().time() + LONGEST_LEFT)

    def _sweep_after(self, latest: float) -> None:
        """Remove what steps left in the first lull, so that it does not slow down the steps that follow."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            if loop.time() < min(latest, self._last_launch + LULL):
                self._sweep_after(latest)
            else:
                self._remove_leavings()

        self._sweep = loop.call_later(LULL, look)

    def _remove_leavings(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        leavings, self._leavings = self._leavings, []
        if leavings:
            self._tasks.spawn(self._remove(leavings), "remove what steps left")

    async def _remove(self, ended: Sequence[StepId]) -> None:
        removed = await asyncio.gather(*map(self._shop.remove, ended), return_exceptions=True)
        for id, error in zip(ended, removed, strict=True):
            if isinstance(error, Exception):
                log.error("run %s: what %s left is not removed", self.id, id.node_id, exc_info=error)


class _Unsaid:
    """Launches that nobody was told of yet. That of a brief step goes into the turn that records its end."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._held: dict[str, tuple[Event, asyncio.TimerHandle]] = {}

    def put(self, event: Launched) -> None:
        timer = asyncio.get_running_loop().call_later(BRIEFLY, self._say, event.node_id)
        self._held[event.node_id] = event, timer

    def take(self, node_id: str) -> Sequence[Event]:
        """The launch of this node where it was not told; the caller tells it now."""
        event, timer = self._held.pop(node_id, (None, None))
        if event is None or timer is None:
            return ()
        timer.cancel()
        return (event,)

    def _say(self, node_id: str) -> None:
        for event in self.take(node_id):
            self._tell(event)


def _pods(commands: Iterable[Command]) -> list[Pod]:
    return [command.pod for command in commands if isinstance(command, Launch)]


def _standing(run: engine.Run) -> tuple[object, ...]:
    """What is stored of a run beside its nodes."""
    return run.phase, run.message, run.shutdown, run.started_at, run.finished_at


def _is_step(node: Node) -> bool:
    """Whether the node counts in the run's progress: the attempts of a step are one step."""
    attempt = node.node_flag is not None and node.node_flag.retried
    return node.type is NodeType.RETRY or (node.type in STARTED and not attempt)


def _progress(counts: Mapping[Phase, int]) -> Progress:
    return Progress(
        pending=counts.get(Phase.PENDING, 0),
        running=counts.get(Phase.RUNNING, 0),
        succeeded=counts.get(Phase.SUCCEEDED, 0),
        failed=counts.get(Phase.FAILED, 0) + counts.get(Phase.ERROR, 0),
    )


def _broken(node: Node, now: float) -> Node:
    return msgspec.structs.replace(node, phase=Phase.ERROR, finished_at=now, message="the run was ended by an error")
