"""Hosts the engine on one machine: every run of a home has a driver here.

Work comes as intents, rows that any process on the home may commit; this host alone acts on them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from typing import Any

import msgspec

from penstock import engine, workflow
from penstock.adapters.local.attempt import INTERRUPTIONS, Workshop
from penstock.adapters.local.bell import Bell
from penstock.adapters.local.cache import Cache
from penstock.adapters.local.claims import Claims
from penstock.adapters.local.driver import Driver
from penstock.adapters.local.locks import Locks
from penstock.adapters.local.machine import capacity
from penstock.adapters.local.memos import Memos
from penstock.adapters.local.places import Places
from penstock.adapters.local.reserve import Reserve
from penstock.adapters.local.tasks import Tasks
from penstock.engine.locks import Holder
from penstock.engine.protocol import Acquire, Begin, Command, Event, Granted, Resume, Shutdown, Stop, Tick
from penstock.errors import DiskFailed, PenstockError
from penstock.failpoints import passing
from penstock.ports import (
    Clock,
    Intent,
    IntentKind,
    Journal,
    Launcher,
    NodeRow,
    Objects,
    Resumption,
    Retry,
    Run,
    RunOptions,
    StoredRun,
    Turn,
)
from penstock.workflow import NOTHING, Configuration
from penstock.workflow.metrics import Measurement
from penstock.workflow.status import Node, NodeType

__all__ = ["Host"]

log = logging.getLogger(__name__)

SELDOM = 1.0
"""Seconds between two looks at what other processes wrote, where they ring: one may end between writing and ringing."""


class Host:
    """Drives every run of a home; there is one host a home. Implements `ports.Engine`."""

    def __init__(
        self,
        journal: Journal,
        launcher: Launcher,
        objects: Objects,
        clock: Clock,
        *,
        reserve: Reserve,
        memos: Memos,
        cache: Cache,
        claims: Claims,
        configuration: Callable[[str], Configuration] = lambda _: NOTHING,
        http_allow: Sequence[str] = (),
        max_steps: int,
        max_iterations: int = 100_000,
        version: Callable[[], int] = lambda: 0,
        bell: Bell | None = None,
        poll: float = 0.1,
        restart: bool = True,
        agree: Callable[[float | None], None] = lambda _: None,
        of_wall: Callable[[float], float] = lambda at: at,
        measure: Callable[[Measurement], None] = lambda _: None,
    ) -> None:
        """`configuration` reads what the runs with a folder of config maps may refer to. `http_allow` are hosts and
        networks that steps may ask though they are private. `measure` counts metrics of documents.

        `restart`: steps that the machine interrupted are started again. `agree` and `of_wall` are those of a
        `SteadyClock`.

        `version` tells of commits by other processes (`Records.version`). It is looked at when they ring the `bell`,
        and each `poll` seconds where none is heard."""
        self._journal = journal
        self._shop = Workshop(
            launcher, objects, clock, reserve, claims, INTERRUPTIONS if restart else 0, of_wall, http_allow, measure
        )
        self._agree = agree
        self._configuration = configuration
        self._cache = cache
        self._max_steps = max_steps
        self._max_iterations = max_iterations
        self._version = version
        self._poll = poll
        self._bell = bell
        self._memos = memos
        self._drivers: dict[str, tuple[Driver, asyncio.Task[None]]] = {}
        self._seen: set[int] = set()
        self._tasks = Tasks("host")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None

    def wake(self) -> None:
        """Look at the intents soon. From any thread; while another process drives the home, that one is to look."""
        loop, news = self._loop, self._news
        if loop is not None and news is not None and not loop.is_closed():
            loop.call_soon_threadsafe(news.set)
        elif self._bell is not None:
            self._bell.ring()

    async def run(self, until: Callable[[], bool] | None = None) -> None:
        """Take over what a former holder left, then serve until `until` is true (asked at each news), or for ever.

        Whether it returns or is cancelled: steps go on, and the next holder of the home adopts them.
        """
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        self._places = Places(self._max_steps, capacity())
        self._locks = Locks(self._granted)
        await asyncio.to_thread(self._shop.reserve.keep)
        try:
            with self._bell.heard(self._news.set) if self._bell is not None else nullcontext(False) as heard:
                self._tasks.spawn(self._watch(SELDOM if heard else self._poll), "watch")
                await self._take_over()
                await self._serve(until)
        finally:
            self._loop = None
            await self._tasks.close()

    @property
    def refused(self) -> str:
        """Why something that has to be stored or started cannot be just now (a full disk), "" where all is well."""
        return next(map(str, self._shop.refused.values()), "")

    async def settle(self) -> None:
        """Return when nothing is left of the runs that have ended, or in a minute: the next holder removes the rest."""
        ended = [task for driver, task in self._drivers.values() if driver.run.finished_at is not None]
        if ended:
            await asyncio.wait(ended, timeout=60.0)

    async def _serve(self, until: Callable[[], bool] | None) -> None:
        assert self._news is not None
        while True:
            self._news.clear()
            for intent in await asyncio.to_thread(self._journal.intents):
                if intent.id not in self._seen:
                    self._seen.add(intent.id)
                    with self._kept_open(intent):
                        await self._accept(intent)
            if until is not None and await asyncio.to_thread(until):
                return
            await self._news.wait()

    @contextmanager
    def _kept_open(self, intent: Intent) -> Iterator[None]:
        """What the disk failed to keep is wished for still: the next holder of the home fulfils it."""
        try:
            yield
        except DiskFailed as error:
            log.error("run %s: %s was not fulfilled: %s", intent.run_id, intent.kind, error)

    async def _watch(self, pause: float) -> None:
        """Notice what other processes ask for: they can only write rows."""
        last = await asyncio.to_thread(self._version)
        while True:
            await asyncio.sleep(pause)
            now = await asyncio.to_thread(self._version)
            if now != last:
                last = now
                self.wake()

    # --- taking over ----------------------------------------------------------------------------------------------

    async def _take_over(self) -> None:
        for run_id in await asyncio.to_thread(self._journal.unfinished):
            stored = await asyncio.to_thread(self._journal.load, run_id)
            if stored is not None:
                await self._restore(stored)
        self._locks.open()
        for step in await asyncio.to_thread(self._shop.launcher.known):
            entry = self._drivers.get(step.run_id)
            if entry is None or not entry[0].wants(step):
                self._tasks.spawn(self._shop.remove(step), f"remove {step.node_id}")

    async def _restore(self, stored: StoredRun) -> None:
        row = stored.run
        known = (at for n in stored.nodes for at in (n.node.started_at, n.node.finished_at) if at is not None)
        self._agree(max(known, default=row.started_at or 0.0))
        # Asked for after the row was read, or before: only what no intent asks for any more has reached the engine.
        stops = [i for i in await asyncio.to_thread(self._journal.intents) if _stops(i, row.id)]
        run = await self._rebuilt(stored, shutdown="" if stops else row.shutdown)
        if run is None:
            return
        commands = engine.relaunch(run)
        for command in commands:
            if isinstance(command, Acquire) and command.held:
                self._locks.ask(Holder(row.id, command.node_id), command, 0, row.created_at)
        driver = self._enlist(row, run, stored.nodes, commands)
        now = self._shop.clock.now()
        self._seen.update(intent.id for intent in stops)
        driver.tell(*(_stop(intent, now) for intent in stops), Tick(now=now), done=[intent.id for intent in stops])

    async def _rebuilt(self, stored: StoredRun, *done: int, **changed: Any) -> engine.Run | None:
        """The run of these rows, with some fields `changed`. None where it cannot be run; that is then stored."""
        row = stored.run
        options = msgspec.json.decode(row.options, type=RunOptions)
        fields = {name: getattr(row, name) for name in ("phase", "message", "shutdown", "started_at", "finished_at")}
        try:
            return engine.restore(
                await asyncio.to_thread(workflow.load, stored.document),
                name=row.workflow_name,
                uid=row.id,
                parameters=row.parameters,
                created_at=row.created_at,
                nodes=[r.node for r in stored.nodes],
                max_iterations=self._max_iterations,
                config=(await asyncio.to_thread(self._configured, options.config)).ignoring(options.ignored),
                **{**fields, **changed},
            )
        except PenstockError as error:
            await self._refuse(row, str(error), *done)
            return None

    def _configured(self, folder: str) -> Configuration:
        """What a run may refer to. What is gone meanwhile is missed by the steps that need it, not by the run."""
        try:
            found = self._configuration(folder)
            for name in found.claims:
                self._shop.claims.make(name)
        except PenstockError as error:
            log.warning("config maps and secrets cannot be read: %s", error)
            return NOTHING
        return found

    def _enlist(
        self, row: Run, run: engine.Run, nodes: Iterable[NodeRow] = (), commands: Iterable[Command] = ()
    ) -> Driver:
        options = msgspec.json.decode(row.options, type=RunOptions)
        driver = Driver(
            row.id,
            row.name,
            run,
            self._journal,
            self._shop,
            self._places,
            self._locks,
            self._memos,
            self._cache,
            images=options.images,
            cached=options.cache,
            incarnations={n.node.id: n.incarnation for n in nodes if n.incarnation > 1},
        )
        task = self._tasks.spawn(driver.drive(commands), f"run {row.id}")
        self._drivers[row.id] = (driver, task)
        task.add_done_callback(lambda _: self._dismiss(row.id))
        return driver

    def _granted(self, holder: Holder) -> None:
        entry = self._drivers.get(holder.run_id)
        if entry is not None:
            entry[0].tell(Granted(now=self._shop.clock.now(), node_id=holder.node_id))

    def _dismiss(self, run_id: str) -> None:
        self._drivers.pop(run_id, None)
        self._locks.forget(run_id)
        self.wake()

    # --- intents --------------------------------------------------------------------------------------------------

    async def _accept(self, intent: Intent) -> None:
        match intent.kind:
            case IntentKind.SUBMIT:
                await self._submit(intent)
            case IntentKind.RETRY:
                await self._retry(intent)
            case IntentKind.STOP:
                await self._tell(intent, _stop(intent, self._shop.clock.now()))
            case IntentKind.RESUME:
                await self._tell(intent, _resume(intent, self._shop.clock.now()))
            case IntentKind.DELETE:
                self._tasks.spawn(self._delete(intent), f"delete {intent.run_id}")

    async def _submit(self, intent: Intent) -> None:
        stored = await asyncio.to_thread(self._journal.load, intent.run_id)
        if stored is None:
            await self._settle(intent)
            return
        await self._begin(stored, intent)

    async def _begin(self, stored: StoredRun, intent: Intent) -> None:
        """Start a run; one that took nodes over goes on behind them."""
        if not self._drivers:
            self._agree(None)
        run = await self._rebuilt(stored, intent.id, shutdown="")
        if run is not None:
            driver = self._enlist(stored.run, run, stored.nodes)
            driver.tell(Begin(now=self._shop.clock.now()), done=(intent.id,))

    async def _retry(self, intent: Intent) -> None:
        """Take back what is to run again, and all that it left; then go on. Harmless when done again."""
        entry = self._drivers.get(intent.run_id)
        if entry is not None:  # its end is stored already
            await asyncio.wait([entry[1]])
        stored = await asyncio.to_thread(self._journal.load, intent.run_id)
        if stored is None:
            await self._settle(intent)
            return
        run = await self._rebuilt(stored, intent.id)
        if run is None:
            return
        wish = msgspec.json.decode(intent.argument, type=Retry)
        kept = engine.reset(run, self._shop.clock.now(), wish.chosen, expand=wish.expand)
        passing("reset.before")
        await self._remove_steps(run.uid)
        await self._forget_objects(run, [run.nodes[id] for id in kept.removed])
        passing("reset.after")
        rows = {row.node.id: row for row in stored.nodes}
        nodes = [msgspec.structs.replace(rows[node.id], node=node) for node in kept.nodes]
        changed = [row for row in nodes if row.node.id in kept.changed]
        await self._store(Turn(run_id=run.uid, at=self._shop.clock.now(), nodes=changed, removed=sorted(kept.removed)))
        await self._begin(msgspec.structs.replace(stored, nodes=nodes), intent)

    async def _forget_objects(self, run: engine.Run, nodes: Sequence[Node]) -> None:
        """Remove what steps stored that run again, but for what they stored under keys that all runs share."""
        pods = [node for node in nodes if node.type is NodeType.POD]
        stored = [artifact.key for node in pods if node.outputs for artifact in node.outputs.artifacts]
        own = [key for key in stored if workflow.is_own_key(key, run.name)]
        keys = [workflow.log_key(run.name, node.id) for node in pods] + own

        async def remove() -> None:
            for key in keys:
                await asyncio.to_thread(self._shop.objects.delete, key)

        await self._shop.patiently(
            remove, lambda error: log.warning("run %s cannot be retried yet: %s", run.uid, error)
        )

    async def _remove_steps(self, run_id: str) -> None:
        for step in await asyncio.to_thread(self._shop.launcher.known):
            if step.run_id == run_id:
                await self._shop.remove(step)

    async def _tell(self, intent: Intent, event: Event) -> None:
        entry = self._drivers.get(intent.run_id)
        if entry is None:  # it ended meanwhile
            await self._settle(intent)
            return
        entry[0].tell(event, done=(intent.id,))

    async def _delete(self, intent: Intent) -> None:
        entry = self._drivers.get(intent.run_id)
        if entry is not None:
            entry[1].cancel()
            await asyncio.wait([entry[1]])
        await self._remove_steps(intent.run_id)
        await self._shop.remove_claims(intent.run_id)
        await self._patiently(lambda: self._journal.forget(intent))

    async def _settle(self, intent: Intent) -> None:
        """Nothing is left to do for it."""
        await self._store(Turn(run_id=intent.run_id, at=self._shop.clock.now(), done=(intent.id,)))

    async def _refuse(self, row: Run, message: str, *done: int) -> None:
        """The document cannot be run by this version."""
        now = self._shop.clock.now()
        started = row.started_at or now
        await self._store(
            Turn(
                run_id=row.id,
                at=now,
                done=done,
                phase="Error",
                message=message,
                started_at=started,
                finished_at=now,
            )
        )

    async def _store(self, turn: Turn) -> None:
        await self._patiently(lambda: self._journal.commit(turn))

    async def _patiently(self, change: Callable[[], Future[None]]) -> None:
        async def commit() -> None:
            await asyncio.wrap_future(await asyncio.to_thread(change))

        await self._shop.store(commit, lambda error: log.warning("a change cannot be stored yet: %s", error))


def _stops(intent: Intent, run_id: str) -> bool:
    return intent.kind is IntentKind.STOP and intent.run_id == run_id


def _stop(intent: Intent, now: float) -> Stop:
    return Stop(now=now, strategy=Shutdown(intent.argument or Shutdown.STOP))


def _resume(intent: Intent, now: float) -> Resume:
    wish = msgspec.json.decode(intent.argument, type=Resumption)
    return Resume(now=now, node_id=wish.node_id, parameters=wish.parameters)
