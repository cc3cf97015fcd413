"""Settings → wired hosts. The only place that knows every adapter."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import tomllib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from penstock.adapters.local.bell import Bell
from penstock.adapters.local.cache import Cache
from penstock.adapters.local.claims import Claims
from penstock.adapters.local.clock import SteadyClock, SystemClock
from penstock.adapters.local.configuration import Configurations
from penstock.adapters.local.dispatch import AutoLauncher
from penstock.adapters.local.docker.launcher import DockerLauncher
from penstock.adapters.local.host import Host
from penstock.adapters.local.launcher import ProcessLauncher
from penstock.adapters.local.machine import this_machine
from penstock.adapters.local.memos import Memos
from penstock.adapters.local.metrics import Meters
from penstock.adapters.local.process.images import images_from_table
from penstock.adapters.local.reserve import Reserve
from penstock.adapters.objects import LocalObjects
from penstock.adapters.sql import open_records
from penstock.engine.protocol import Shutdown
from penstock.errors import Conflict, HomeError, InvalidSetting, NoSpace, NotFound
from penstock.failpoints import passing
from penstock.ports import (
    Clock,
    Experiment,
    ImageRule,
    Listing,
    Metric,
    Page,
    Pipeline,
    PipelineVersion,
    Progress,
    Records,
    Run,
    RunEvent,
    RunOptions,
    RunState,
    StorageState,
)
from penstock.services import GRACE, Experiments, Pipelines, Report, Runs, Services, Waste, command_lines, waste
from penstock.settings import TOKEN_LENGTH, Settings

__all__ = [
    "Experiment",
    "Home",
    "Listing",
    "Metric",
    "Page",
    "Pipeline",
    "PipelineVersion",
    "Progress",
    "Ready",
    "Run",
    "RunOptions",
    "RunState",
    "Services",
    "Shutdown",
    "StorageState",
    "container_engine",
    "isolation",
    "open_home",
    "read_images",
    "serve",
]

POLL = 0.05
"""Seconds between two looks at what other processes wrote."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What the server of a home tells other processes on it: its process id, address, and rules of images."""

    process: int
    url: str
    images: Mapping[str, ImageRule] = {}


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a server listens: `url` for clients, `login` the one-time address for a browser."""

    url: str
    login: str


class Home:
    """A home, opened: its stores and use cases, and its engine for the process that holds it."""

    def __init__(
        self,
        settings: Settings,
        records: Records,
        clock: Clock,
        told: Callable[[str, bool], None],
        note: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.records = records
        self.clock = clock
        self.launcher = AutoLauncher(
            ProcessLauncher(settings.home, images=_images(settings)),
            DockerLauncher(settings.home, on_note=note),
            settings.launcher,
            note,
        )
        self.objects = LocalObjects(settings.home / "objects", plain=("logs/",))
        self.memos = Memos(settings.home / "memos", self.objects)
        self.cache = Cache(settings.home / "cache", self.objects, self.launcher, clock, used=settings.cache)
        self._reserve = Reserve(settings.home / "reserve")
        self.claims = Claims(settings.home / "claims")
        self.configurations = Configurations(settings.home, self.claims, this_machine())
        steady = SteadyClock(settings.home / "clock")
        meters = Meters(steady.now)
        self.host = Host(
            Report(records, self.objects, told),
            self.launcher,
            self.objects,
            steady,
            agree=steady.agree,
            of_wall=steady.of_wall,
            measure=meters.measure,
            reserve=self._reserve,
            memos=self.memos,
            cache=self.cache,
            claims=self.claims,
            http_allow=settings.http_allow,
            configuration=self.configurations.read,
            max_steps=settings.max_steps,
            max_iterations=settings.max_iterations,
            restart=settings.interrupted == "restart",
            version=records.version,
            bell=Bell(settings.home / "bell"),
            poll=POLL,
        )
        self.services = Services(
            runs=Runs(
                records,
                self.objects,
                self.host,
                self.launcher,
                clock,
                self.configurations.read,
                self.configurations.templates,
            ),
            pipelines=Pipelines(records, clock, self.configurations.templates),
            experiments=Experiments(records, clock),
            meters=meters,
        )
        self._lock: int | None = None
        self._driving: asyncio.Task[None] | None = None

    # --- holding --------------------------------------------------------------------------------------------------

    def hold(self) -> bool:
        """Become the one process that drives this home's runs; False where another one is. Ends with the process."""
        if self._lock is not None:
            return True
        lock = os.open(self.settings.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        with suppress(OSError):  # on a full disk nobody learns who it is
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock
        return True

    def release(self) -> None:
        """Let another process drive this home's runs."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def served(self) -> Served | None:
        """Where another process serves this home; None where none does, and then this process holds the home."""
        if self.hold():
            return None
        with suppress(OSError, msgspec.DecodeError):
            served = msgspec.json.decode(self._announcement.read_bytes(), type=Served)
            # Of a server that was killed the file stays.
            return served if str(served.process) == self.holder() else None
        return None

    @contextmanager
    def announced(self, url: str) -> Iterator[None]:
        """While inside, other processes find the address that this one serves the home at."""
        part = self._announcement.with_suffix(".part")
        served = Served(process=os.getpid(), url=url, images=_images(self.settings))
        part.write_bytes(msgspec.json.encode(served))
        part.replace(self._announcement)
        try:
            yield
        finally:
            self._announcement.unlink(missing_ok=True)

    @property
    def _announcement(self) -> Path:
        return self.settings.home / "server.json"

    def holder(self) -> str:
        """Process id of who holds the home, "" where nobody wrote one."""
        with suppress(OSError):
            return (self.settings.home / "lock").read_text().strip()
        return ""

    @asynccontextmanager
    async def engaged(self) -> AsyncIterator[None]:
        """While inside, runs of this home are driven: by this process as soon as no other one does."""
        self._driving = asyncio.create_task(self._drive(), name="drive")
        try:
            yield
        finally:
            await self.host.settle()
            self._driving.cancel()
            with suppress(asyncio.CancelledError):
                await self._driving
            await self.launcher.close()
            self.release()

    async def while_driven(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something inside `engaged` for as long as runs are driven; raises what ended that."""
        assert self._driving is not None
        working = asyncio.create_task(work)
        try:
            await asyncio.wait([working, self._driving], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                self._driving.result()
        finally:
            working.cancel()
            await asyncio.wait([working])
        working.result()

    async def _drive(self) -> None:
        while not self.hold():
            await asyncio.sleep(POLL)
        await self.host.run()

    async def follow(self, run_id: str, after: int = 0) -> AsyncIterator[RunEvent]:
        """The run's events, old and new, until it has ended. Use it inside `engaged`.

        Raises Conflict where the run is deleted meanwhile, and what ended the engine where this process drives it.
        """
        version = None
        while True:
            events = await asyncio.to_thread(self.services.runs.events, run_id, after)
            for event in events:
                after = event.seq
                yield event
            if events and _ends(events[-1]) and await asyncio.to_thread(self._has_ended, run_id):
                return
            if events:
                continue
            await asyncio.to_thread(self._check_there, run_id)
            version = await self._changed(version)

    def stop(self, run_id: str, strategy: Shutdown) -> None:
        """Ask a run to end; on a full disk in the room that is kept for such things.

        Raises NotFound, Conflict where it has ended, NoSpace, Unavailable, DiskFailed.
        """
        try:
            self.services.runs.stop(run_id, strategy)
        except NoSpace:
            self._reserve.give()
            self.services.runs.stop(run_id, strategy)

    def _has_ended(self, run_id: str) -> bool:
        """Whether the run has ended for now: what ended it before may lie back, when it is tried again."""
        try:
            return self.services.runs.get(run_id).finished_at is not None
        except NotFound:
            return True

    def _check_there(self, run_id: str) -> None:
        try:
            self.services.runs.get(run_id)
        except NotFound:
            raise Conflict(f"run {run_id!r} was deleted before it ended") from None

    async def _changed(self, version: int | None) -> int:
        pause = POLL / 5
        while True:
            now = await asyncio.to_thread(self.records.version)
            if now != version:
                return now
            if self._driving is not None and self._driving.done():
                self._driving.result()
            await asyncio.sleep(pause)
            pause = min(pause * 1.1, POLL * 4)

    def waste(self, *, remove: bool) -> Sequence[Waste]:
        """What no run and no cache refers to, removed where that is wanted. Raises Unavailable."""
        from penstock.adapters.local.process.environments import remove_environment, unwanted_environments

        held, stale = self.cache.sweep(remove=remove)
        remembered, forgotten = self.memos.sweep(remove=remove)
        found = waste(self.records, self.objects, self.clock.now(), [*held, *remembered])
        if remove:
            for each in found:
                passing("sweep.before")
                self.objects.delete(each.name)
                passing("sweep.after")
        before = self.clock.now() - GRACE
        environments = unwanted_environments(self.settings.home, command_lines(self.records), before)
        if remove:
            for name in environments:
                remove_environment(self.settings.home, name)
        found = [*found, *(Waste(f"envs/{name}", size) for name, size in environments.items())]
        entries = [Waste(f"cache: {stale + forgotten} entries", 0)] if stale + forgotten else []
        return [*found, *entries]

    def token(self) -> str:
        """The API's token: the one of the settings, else the home's own, made at first and kept for its owner.

        Raises HomeError where the home's own is none.
        """
        if self.settings.token:
            return self.settings.token
        path = self.settings.home / "token"
        if not path.exists():
            _made_once(path, secrets.token_urlsafe(32))
        token = path.read_text().strip()
        if len(token) < TOKEN_LENGTH:
            raise HomeError(f"{path}: got a token of {len(token)} characters; remove the file, and a new one is made")
        return token

    def close(self) -> None:
        """Let go of the stores."""
        self.objects.close()
        self.records.close()
        self.release()


def _made_once(path: Path, text: str) -> None:
    """A file that only its owner reads, there whole or not at all; one that is there already stays."""
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def _ends(event: RunEvent) -> bool:
    return event.kind == "run" and event.data.get("finished_at") is not None


def open_home(
    settings: Settings,
    told: Callable[[str, bool], None] = lambda _, __: None,
    note: Callable[[str], None] = lambda _: None,
) -> Home:
    """Open the home of these settings; make it where it is not there.

    `told` is called after each commit of this process's engine, with a run's id and whether it ended, `note` with what
    a person may want to know of containers and their images. Raises HomeError where the home cannot be written, or was
    written by a newer Penstock; InvalidSetting for a wrong table of images.
    """
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise HomeError(
            f"home {home}: cannot be written ({error.strerror}); name another with --home or PENSTOCK_HOME"
        ) from None
    records = open_records(settings.database or home / "penstock.db")
    try:
        return Home(settings, records, SystemClock(), told, note)
    except BaseException:
        records.close()
        raise


def _images(settings: Settings) -> Mapping[str, ImageRule]:
    return images_from_table(settings.images, settings.file.parent if settings.file else Path.cwd())


def read_images(path: Path) -> Mapping[str, ImageRule]:
    """The table [images] of a TOML file; its folders are relative to the file. Raises InvalidSetting."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("images")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSetting(f"images {path}: {getattr(error, 'strerror', None) or error}") from None
    if table is None:
        raise InvalidSetting(f'images {path}: got no table [images]; expected lines such as "python:*" = "host"')
    return images_from_table(table, path.absolute().parent)


def isolation(settings: Settings) -> Sequence[str]:
    """How steps are isolated on this machine, found by trying, as lines `what: how`. Raises HomeError."""
    from penstock.adapters.local.process.isolation import detect, doctor_lines

    try:
        return doctor_lines(detect(settings.home))
    except OSError as error:
        raise HomeError(f"home {settings.home}: {error.strerror or error}") from None


def container_engine() -> tuple[bool, str]:
    """Whether a container engine answers here, and which one, or why none does."""
    from penstock.adapters.local.docker.engine import find_engine

    found = find_engine()
    return not isinstance(found, str), str(found)


def _held(home: Home) -> str:
    served = home.served()
    does = f"serves it already at {served.url}" if served else "runs pipelines of it"
    return (
        f"home {home.settings.home}: process {home.holder() or 'unknown'} {does}; "
        f"use {'that one' if served else 'it when that has ended'}, or name another home with --home"
    )


async def serve(
    settings: Settings, ready: Callable[[Ready, Home], None], note: Callable[[str], None] = lambda _: None
) -> None:
    """Serve a home until the process is told to end (SIGINT, SIGTERM); steps go on after that.

    `ready` is called once, when the page is served; `note` as `open_home` says.
    Raises HomeError where another process holds the home, PortTaken.
    """
    from penstock.server import News, app, listen

    news = News()
    home = open_home(settings, news.publish, note)
    async with AsyncExitStack() as stack:
        stack.callback(home.close)
        if not home.hold():
            raise HomeError(_held(home))
        await stack.enter_async_context(home.engaged())
        await stack.enter_async_context(news.watching(home.records))

        def served(url: str, login: str) -> None:
            stack.enter_context(home.announced(url))
            ready(Ready(url, login), home)

        application = app(home.services, token=home.token(), settings=settings, news=news)
        await home.while_driven(listen(application, host=settings.host, port=settings.port, ready=served))
