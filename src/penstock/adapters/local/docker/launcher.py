"""The container launcher: each step is a container of Docker or Podman that outlives the server."""

from __future__ import annotations

import asyncio
import heapq
import json
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from penstock.adapters.local.commandline import check_arguments
from penstock.adapters.local.docker import archive
from penstock.adapters.local.docker.attached import Attached
from penstock.adapters.local.docker.containers import (
    Plan,
    added_hosts,
    container_name,
    create,
    mounted,
    parts,
    plan,
    unseen,
)
from penstock.adapters.local.docker.engine import Container, Engine, Refused, find_engine, unbroken
from penstock.adapters.local.docker.images import Images, misnamed
from penstock.adapters.local.docker.lives import Lost, Unstarted, begun_once, boot, found_container
from penstock.adapters.local.docker.log import ContainerLog
from penstock.adapters.local.docker.sets import SetRun
from penstock.adapters.local.process import kernel
from penstock.adapters.local.process.asking import answers
from penstock.adapters.local.process.folders import StepFolder, remove_tree, step_ids, told_errors
from penstock.errors import InvalidInput, Unavailable
from penstock.ports import ImageRule, Input, Program, Step, StepExit, StepId, StepState
from penstock.workflow.pods import Companion, Mount, Readiness

__all__ = ["DockerLauncher"]

log = logging.getLogger(__name__)

T = TypeVar("T")
_Making = Callable[[Engine, Sequence[str], Mapping[str, str]], Awaitable[None]]
"""Makes a container of the words of its command and further variables of that."""

_FOLDERS = "containers"
_PATIENCE = 1.0
"""Seconds before an engine that did not answer is asked again."""
_SOON = 0.05
"""Seconds in which a container whose log has ended is expected to have ended, too."""
_ADDRESSES = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
_MOST_NAMES = 20
_LOST = StepExit(code=None, error="the step's container was lost or removed; how the step ended is unknown")
_GRACE = 30
"""Seconds between TERM and KILL to sidecars of a step that has ended."""
_ENDED_BY_US = (128 + 9, 128 + 15)


class DockerLauncher:
    """`ports.Launcher` with containers, for use in one event loop.

    `home` is Penstock's home; `<home>/containers/<run>/<node>.<incarnation>/` holds, of each container, `log`,
    `exit.json`, `step.json` (the plan), and the marks `started` (the machine's boot), `lost`, and `stop` (when it
    shall be killed). A folder is there before its container and after it: nothing is left over that no folder names.

    `on_note` is told things that a person may want to know. `pauses` are the seconds between tries to pull an image.
    """

    name = "docker"

    def __init__(
        self, home: Path, *, on_note: Callable[[str], None] | None = None, pauses: Sequence[float] = (5.0, 15.0)
    ) -> None:
        self._home = Path(os.path.realpath(home))
        self._images = Images(on_note or (lambda _: None), pauses)
        self._found: Engine | None = None
        self._waiting: dict[StepId, asyncio.Task[None]] = {}
        self._followers: dict[StepId, asyncio.Task[StepExit]] = {}
        self._enders: dict[StepId, asyncio.Task[None]] = {}
        self._attached: dict[StepId, Attached] = {}
        self._networks = asyncio.Lock()

    def refuse(
        self,
        image: str,
        command: Sequence[str],  # noqa: ARG002
        images: Mapping[str, ImageRule],  # noqa: ARG002
        beside: Sequence[Program] = (),
    ) -> str:
        """See `ports.Launcher`. Whether an image can be had is known when it is pulled."""
        named = (image, *(other for other, _ in beside))
        reasons = [reason for each in named if "{{" not in each and (reason := misnamed(each))]
        if reasons:
            return reasons[0]
        found = self.engine()
        return f"image {image!r}: no container engine answers ({found})" if isinstance(found, str) else ""

    def engine(self) -> Engine | str:
        """The engine that makes the containers, else why there is none. May take seconds."""
        if self._found is None:
            found = find_engine()
            if isinstance(found, str):
                return found
            self._found = found
        return self._found

    async def _engine(self) -> Engine:
        found = await asyncio.to_thread(self.engine) if self._found is None else self._found
        if isinstance(found, str):
            raise Unavailable(f"no container engine answers ({found})")
        return found

    async def identity(self, image: str, command: Sequence[str], images: Mapping[str, ImageRule]) -> str:  # noqa: ARG002
        """See `ports.Launcher`: the image's name, and its id where the engine has it."""
        return f"{image} {await self._images.identity(await self._engine(), image)}"

    # --- starting ---------------------------------------------------------------------------------------------------

    async def launch(self, step: Step) -> None:
        """See `ports.Launcher`."""
        folder = self._folder(step.id)
        if self.state(step.id) is StepState.ABSENT:
            for each in parts(step):
                reason = misnamed(each.image)
                if reason:
                    raise InvalidInput(f"step {step.name!r}: {reason}")
                check_arguments(step, (*each.command, *each.args))
            engine = await self._engine()
            with told_errors():
                await self._begun(engine, folder, step)
                folder.write("started", boot())
        if self.state(step.id) is StepState.RUNNING:
            self._followed(step.id)

    async def _begun(self, engine: Engine, folder: StepFolder, step: Step) -> None:
        """The step's first container runs, or has run. A launch that was cut short is done again."""
        # Podman starts again what the network of a container belongs to, so a step would run twice.
        planned = plan(self._home, step, pods=engine.program == "podman")
        try:
            if folder.path.exists():
                found = await engine.inspect(planned.first)
                if found is not None and not found.fresh:
                    return
                await _cleared(engine, planned)
                Path(folder.file("log")).unlink(missing_ok=True)
            async with self._networks:
                folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
                folder.write("step.json", json.dumps(asdict(planned)).encode())
                await _networked(engine, planned, added_hosts(step))
            for name, part, words in create(self._home, planned, step):
                inputs = [*(step.inputs if part is step else ()), *step.laid(part.mounts)]
                folders = [each.path for each in part.mounts if not _filled(step, each)]
                if list(planned.containers) == [name] and not inputs and not folders:
                    # Made and started by one command, which takes as long as either of two.
                    await self._made(engine, step, part, partial(self._started, step.id, name), words)
                    return
                await self._made(engine, step, part, _created, words)
                await _laid(engine, name, inputs, folders, mounted(step, part))
            await engine.run("start", planned.first)
        except (InvalidInput, Refused) as error:
            await _cleared(engine, planned)
            folder.remove()
            if isinstance(error, Refused) and error.vanished:
                raise Unavailable(f"step {step.name!r}: removed while it was started: {error}") from None
            raise InvalidInput(f"step {step.name!r}: {error}") from None

    async def _made(
        self, engine: Engine, step: Step, part: Step | Companion, make: _Making, words: Sequence[str]
    ) -> None:
        """A container is made, with an image that was pulled where the engine had none."""
        variables = {name: value for name, value in part.env if unseen(name)}
        try:
            await make(engine, words, variables)
        except Refused as refused:
            if not refused.no_image:
                raise
            await self._pulled(engine, step.id, part.image)
            await make(engine, words, variables)

    async def _started(
        self, id: StepId, name: str, engine: Engine, words: Sequence[str], env: Mapping[str, str]
    ) -> None:
        """A container is made and runs, or has run."""
        if engine.program != "docker" or "--tty" in words:
            await engine.run("run", "--detach", *words, env=env)
            return
        attached = Attached(
            engine,
            name,
            self._folder(id).file("log"),
            ["run", "--sig-proxy=false", *words],
            {**os.environ, **env},
        )
        self._attached[id] = attached
        try:
            await unbroken(attached.begun())
        except BaseException:
            await self._attached.pop(id).close()
            raise

    async def _pulled(self, engine: Engine, id: StepId, image: str) -> None:
        """The engine has the image. A stop ends the waiting, not the pulling, for which others may wait."""
        waiting = self._waiting[id] = asyncio.create_task(self._images.ready(engine, image))
        try:
            await asyncio.wait([waiting])
            if waiting.cancelled():
                raise InvalidInput(f"it was ended while its image {image!r} was pulled")
            waiting.result()
        finally:
            waiting.cancel()
            del self._waiting[id]

    # --- following --------------------------------------------------------------------------------------------------

    def state(self, id: StepId) -> StepState:
        """See `ports.Launcher`. A container that was lost is INTERRUPTED once somebody has waited for it."""
        folder = self._folder(id)
        if folder.exit() is not None:
            return StepState.EXITED
        if os.path.exists(folder.file("lost")):
            return StepState.INTERRUPTED
        return StepState.RUNNING if os.path.exists(folder.file("started")) else StepState.ABSENT

    def has(self, id: StepId) -> bool:
        """Whether anything of the step is or was made here."""
        return self._folder(id).path.exists()

    def known(self) -> Sequence[StepId]:
        """See `ports.Launcher`."""
        return list(step_ids(self._home, _FOLDERS))

    def log(self, id: StepId) -> Path:
        """See `ports.Launcher`."""
        return self._folder(id).path / "log"

    async def address(self, id: StepId) -> str:
        """See `ports.Launcher`. Containers reach one another in the engine's own network."""
        engine, planned = await self._engine(), self._plan(id)
        try:
            while self.state(id) is StepState.RUNNING:
                found = await engine.inspect(planned.main)
                if found is None or not found.fresh:
                    return (await engine.run("container", "inspect", "--format", _ADDRESSES, planned.main)).strip()
                await asyncio.sleep(_SOON)  # its init containers run
        except Refused as refused:
            if not refused.absent:
                raise Unavailable(f"the address of step {id.node_id!r}: {refused}") from None
        return ""

    def container_logs(self, id: StepId, names: Sequence[str]) -> Mapping[str, Path]:
        """See `ports.Launcher`."""
        files = {name: self._folder(id).path / f"log.{number}" for number, name in enumerate(names)}
        return {name: file for name, file in files.items() if file.exists()}

    async def ready(self, id: StepId, asked: Readiness) -> bool:
        """See `ports.Launcher`. It is asked from inside its network by who may enter that, else from here."""
        address = await self.address(id)
        if not address:
            return False
        engine, name = await self._engine(), self._plan(id).main
        try:
            pid = (await engine.run("container", "inspect", "--format", "{{.State.Pid}}", name)).strip()
        except Refused:
            return False
        return await asyncio.to_thread(_asked_inside, pid, address, msgspec.structs.asdict(asked))

    async def wait(self, id: StepId) -> StepExit:
        """See `ports.Launcher`."""
        exit = self._folder(id).exit()
        if exit is not None:
            return exit
        match self.state(id):
            case StepState.ABSENT:
                return StepExit(code=None, error="the step was never started")
            case StepState.INTERRUPTED:
                return _LOST
            case _:
                return await asyncio.shield(self._followed(id))

    def _followed(self, id: StepId) -> asyncio.Task[StepExit]:
        """The task that brings home the log and the exit of a running step."""
        if id not in self._followers:
            task = asyncio.create_task(self._follow(id), name=f"follow {id.node_id}")
            self._followers[id] = task
            task.add_done_callback(lambda _: self._followers.pop(id, None))
            if self._deadline(id) is not None:
                self._end(id)
        return self._followers[id]

    async def _follow(self, id: StepId) -> StepExit:
        return await _patiently(lambda: self._to_the_end(id), f"step {id.node_id}")

    async def _to_the_end(self, id: StepId) -> StepExit:
        engine, folder, planned = await self._engine(), self._folder(id), self._plan(id)
        try:
            exit = await self._initiated(engine, id, planned) or await self._run(engine, id, planned)
        except Lost:
            folder.write("lost", b"")
            return _LOST
        except Unstarted as error:
            with suppress(Refused):
                await engine.run("kill", planned.main)
            exit = StepExit(code=None, error=str(error))
        folder.write("exit.json", json.dumps(_fields(exit)).encode())
        return exit

    async def _initiated(self, engine: Engine, id: StepId, planned: Plan) -> StepExit | None:
        """Init containers have run, one after the other; the exit of the step where that ended it."""
        for name, shown in planned.init.items():
            found = await begun_once(engine, name)
            while not found.ended:
                async with engine.started("wait", name) as waiting:
                    await waiting.communicate()
                found = await found_container(engine, self._folder(id), name)
            if found.code:
                return _exit_of(found, code=None, failed=f"{shown}: Error (exit code {found.code})")
        stops = self._deadline(id) is not None and not planned.members
        main = await engine.inspect(planned.main) if stops else None
        if main is not None and main.fresh:
            return StepExit(code=None, failed="the step was ended before its own container began")
        return None

    async def _run(self, engine: Engine, id: StepId, planned: Plan) -> StepExit:
        """The step's own container, or those of its set, and its sidecars, to their ends."""
        folder = self._folder(id)
        if planned.members:
            return await self._run_set(engine, id, planned)
        if planned.init:
            await begun_once(engine, planned.main)
        for name in planned.sidecars:
            try:
                await begun_once(engine, name)
            except Unstarted:
                # Else its network has ended with it.
                if not (await found_container(engine, folder, planned.main)).ended:
                    raise
        attached = self._attached.pop(id, None)
        exit = await attached.exit() if attached is not None else None
        if exit is not None:
            return exit
        with ContainerLog(engine, planned.main, folder.file("log")) as lines:
            found = await self._followed_to_its_end(engine, folder, planned.main, lines)
            lost = lines.finish()
        failed = await self._released(engine, id, planned) if planned.sidecars else ""
        return _exit_of(found, code=found.code, lost=lost, failed=failed)

    async def _followed_to_its_end(
        self, engine: Engine, folder: StepFolder, name: str, lines: ContainerLog
    ) -> Container:
        """What became of a container that has ended, when all of its log is brought.

        It is looked at while its log is read: each takes as long as the engine's command takes to start. What was read
        is all there is when the container had ended before.
        """
        following, known = True, False
        while True:
            asked_at = time.time()
            looking = asyncio.create_task(found_container(engine, folder, name))
            try:
                whole = await (lines.follow() if following else lines.catch_up())
            finally:
                found = await looking  # that it is lost goes before what the log's command said
            if found.ended and whole and (known or _seconds(found.finished_at) < asked_at):
                return found
            known = found.ended
            if not following and not known:
                await asyncio.sleep(_SOON)
            following = not following and not known

    async def _run_set(self, engine: Engine, id: StepId, planned: Plan) -> StepExit:
        folder = self._folder(id)
        for name in planned.sidecars:
            await begun_once(engine, name)
        exits = await SetRun(engine, folder, planned, lambda: self._deadline(id) is not None).see_through()
        lost = await self._set_logs(engine, folder, planned)
        failed = await self._released(engine, id, planned) if planned.sidecars else ""
        code = {exit.name: exit.code for exit in exits}.get("main")
        bad = [exit.code for exit in sorted(exits, key=lambda exit: exit.name) if exit.code]
        found = await found_container(engine, folder, planned.main)
        exit = StepExit(code=None) if found.fresh else _exit_of(found, code=None, failed="", lost=lost)
        code = code if code is not None else next(iter(bad), 0)
        return msgspec.structs.replace(exit, code=code, error="", failed=failed, containers=tuple(exits))

    async def _set_logs(self, engine: Engine, folder: StepFolder, planned: Plan) -> int:
        """The log of each container of a set that has begun; that of the step is `main`'s, else that of all.

        The count of bytes lost to a full disk.
        """
        lost, files = 0, dict[str, str]()
        for number, (container, name) in enumerate(planned.members.items()):
            found = await engine.inspect(container)
            if found is not None and not found.fresh:
                files[name] = folder.file(f"log.{number}")
                with ContainerLog(engine, container, files[name]) as lines:
                    await lines.catch_up()
                    lost += lines.finish()
        told = [files["main"]] if "main" in files else [] if "main" in planned.members.values() else files.values()
        with ExitStack() as opened, open(folder.file("log.new"), "wb") as whole:
            logs = [opened.enter_context(open(file, "rb")) for file in told]
            # Nobody follows this log: it is there when all have ended.
            entries: Iterator[bytes] = heapq.merge(*logs, key=_time_of)
            whole.writelines(entries)
        os.rename(folder.file("log.new"), folder.file("log"))
        return lost

    async def _released(self, engine: Engine, id: StepId, planned: Plan) -> str:
        """End the sidecars, whose work is done; the failure of one that had ended badly by itself."""
        deadline = self._deadline(id)
        grace = _GRACE if deadline is None else min(_GRACE, max(0, round(deadline - time.time())))
        with suppress(Refused):
            await engine.run("stop", "-t", str(grace), *planned.sidecars)
        for name, shown in planned.sidecars.items():
            found = await engine.inspect(name)
            if found is not None and found.ended and found.code not in (0, *_ENDED_BY_US):
                return f"{shown}: Error (exit code {found.code})"
        return ""

    def _plan(self, id: StepId) -> Plan:
        about = self._folder(id).about()
        return Plan(**about) if about else Plan(container_name(self._home, id))

    # --- ending -----------------------------------------------------------------------------------------------------

    async def stop(self, id: StepId, grace: float) -> None:
        """See `ports.Launcher`. The next launcher goes on with a stop that is under way."""
        if id in self._waiting:
            self._waiting[id].cancel()
        if self.state(id) is not StepState.RUNNING:
            return
        asked, former = time.time() + max(0.0, grace), self._deadline(id)
        with told_errors():
            self._folder(id).write("stop", repr(asked if former is None else min(asked, former)).encode())
        self._end(id)

    def _deadline(self, id: StepId) -> float | None:
        try:
            return float(self._folder(id).text("stop"))
        except ValueError:
            return None

    def _end(self, id: StepId) -> None:
        former = self._enders.pop(id, None)
        if former is not None:
            former.cancel()
        self._enders[id] = asyncio.create_task(self._ending(id), name=f"end {id.node_id}")

    async def _ending(self, id: StepId) -> None:
        await self._signalled(id, "TERM")
        await asyncio.sleep(max(0.0, (self._deadline(id) or 0.0) - time.time()))
        await self._signalled(id, "KILL")

    async def _signalled(self, id: StepId, signal: str) -> None:
        async def send() -> None:
            engine = await self._engine()
            with suppress(Refused):  # it has ended
                planned = self._plan(id)
                await engine.run("kill", "--signal", signal, *planned.init, *(planned.members or (planned.main,)))

        await _patiently(send, f"{signal} to step {id.node_id}")

    async def remove(self, id: StepId) -> None:
        """See `ports.Launcher`. While no engine answers the folder stays, so that the next start removes both."""
        folder = self._folder(id)
        if folder.path.exists():
            await unbroken(self._remove(id, folder))

    async def _remove(self, id: StepId, folder: StepFolder) -> None:
        planned = self._plan(id)
        try:
            await _cleared(await self._engine(), planned)
        except Unavailable as error:
            log.warning("step %s: its container is removed at the next start: %s", id.node_id, error)
            return
        ender, follower = self._enders.pop(id, None), self._followers.get(id)
        if ender is not None:
            ender.cancel()
        if follower is not None:
            await asyncio.wait([follower])
        async with self._networks:
            await self._network_left(folder, planned.network)
            await asyncio.to_thread(folder.remove)

    async def _network_left(self, folder: StepFolder, network: str) -> None:
        """A run's network is gone with the last of its steps."""
        if network and [path for path in folder.path.parent.iterdir() if path != folder.path] == []:
            with suppress(Refused):
                await (await self._engine()).run("network", "rm", network)

    async def close(self) -> None:
        """See `ports.Launcher`."""
        tasks: list[asyncio.Task[Any]] = [*self._followers.values(), *self._enders.values()]
        for task in tasks:
            task.cancel()
        attached = [each.close() for each in self._attached.values()]
        await asyncio.gather(*tasks, *attached, self._images.close(), return_exceptions=True)

    # --- what a step left -------------------------------------------------------------------------------------------

    async def read(self, id: StepId, path: str, limit: int) -> bytes | None:
        """See `ports.Launcher`."""
        return await self._taken(id, path, lambda stream: archive.first_file(stream, limit))

    async def take(self, id: StepId, path: str, target: Path) -> bool:
        """See `ports.Launcher`. `target` is there whole or not at all, whatever crashes."""
        part = Path(f"{target}.part")
        await asyncio.to_thread(remove_tree, part)
        try:
            made = await self._taken(id, path, lambda stream: archive.unpack(stream, part), whole=True)
            if made:
                os.rename(part, target)
            return bool(made)
        finally:
            await asyncio.to_thread(remove_tree, part)

    async def beside(self, id: StepId, path: str) -> Sequence[str]:
        """See `ports.Launcher`."""
        folder = os.path.dirname(path.rstrip("/")) or "/"
        return await self._taken(id, folder, lambda stream: archive.names(stream, _MOST_NAMES)) or []

    async def _taken(self, id: StepId, path: str, read: Callable[[Any], T], *, whole: bool = False) -> T | None:
        if not self.has(id):
            return None
        engine = await self._engine()
        try:
            return await engine.taken(container_name(self._home, id), path, read, whole=whole)
        except Refused as refused:
            if refused.absent:
                return None
            raise Unavailable(f"{path!r} of step {id.node_id!r}: {refused}") from None

    def _folder(self, id: StepId) -> StepFolder:
        return StepFolder.of(self._home, id, _FOLDERS)


def _filled(step: Step, mount: Mount) -> bool:
    """Whether something lies there already, or will: only what is empty at first is made a folder."""
    volume = step.volume(mount.volume)
    return bool(volume.folder or volume.files)


async def _created(engine: Engine, words: Sequence[str], env: Mapping[str, str]) -> None:
    await engine.run("create", *words, env=env)


async def _laid(
    engine: Engine, name: str, inputs: Sequence[Input], folders: Sequence[str], mounted: Sequence[str]
) -> None:
    """Inputs and empty folders are in the container, and in what is mounted at those paths."""
    # Podman lays into a volume only what is sent to its very path.
    places = ["/", *(f"{path.rstrip('/')}/" for path in mounted)] if engine.program == "podman" else ["/"]
    sent: dict[str, list[Input]] = {place: [] for place in places}
    for each in inputs:
        place = max((place for place in places if each.path.startswith(place)), key=len)
        sent[place].append(msgspec.structs.replace(each, path=each.path[len(place) - 1 :]))
    for place, some in sent.items():
        empty = folders if place == "/" else ()
        if some or empty:
            await engine.fill(name, partial(archive.write_inputs, inputs=some, empty_dirs=empty), place)


async def _networked(engine: Engine, planned: Plan, hosts: Sequence[str]) -> None:
    """The network that the step is to be in is there, and its pod. Raises Refused, Unavailable."""
    if planned.network:
        try:
            await engine.run("network", "create", planned.network)
        except Refused as refused:
            if "already exists" not in str(refused):
                raise
    if planned.pod:
        network = ["--network", planned.network] if planned.network else []
        await engine.run("pod", "create", "--name", planned.pod, *network, *hosts)


async def _cleared(engine: Engine, planned: Plan) -> None:
    """The step's containers and volumes are gone. Raises Unavailable."""
    for name in planned.containers:
        await _removed(engine, "rm", "--force", "--volumes", name)
    if planned.pod:
        await _removed(engine, "pod", "rm", "--force", "--ignore", planned.pod)
    if planned.volumes:
        await _removed(engine, "volume", "rm", "--force", *planned.volumes.values())


async def _removed(engine: Engine, *words: str) -> None:
    try:
        await engine.run(*words)
    except Refused as refused:
        if not refused.absent:
            raise Unavailable(f"{words[-1]} cannot be removed: {refused}") from None


async def _patiently(work: Callable[[], Awaitable[T]], what: str) -> T:
    """Do something for which the engine must answer and the disk have room, as often as it takes."""
    told = False
    while True:
        try:
            return await work()
        except (Unavailable, Refused, OSError) as error:
            if not told:
                log.warning("%s: %s; trying again every %g s", what, error, _PATIENCE)
            told = True
            await asyncio.sleep(_PATIENCE)


def _exit_of(found: Container, *, code: int | None, failed: str, lost: int = 0) -> StepExit:
    notes = ["killed: out of memory"] if found.memory else []
    notes += [f"{lost} bytes of the log were lost: the disk was full"] if lost else []
    finished_at = _seconds(found.finished_at)
    return StepExit(
        code=code,
        error=found.error,
        message="; ".join(notes),
        failed=failed,
        # Of a step that ends at once the engine may note the end before the start.
        started_at=min(_seconds(found.started_at), finished_at),
        finished_at=finished_at,
    )


def _fields(exit: StepExit) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(exit)
    return {"code": None, **fields}


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _asked_inside(pid: str, address: str, asked: Mapping[str, Any]) -> bool:
    """Whether a container answers at its address. `pid` is its first process, as the engine knows it."""
    found: list[bool] = []

    def ask() -> None:
        with suppress(OSError):  # a thread of its own is there alone, and does not come back
            network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                kernel.setns(network, kernel.CLONE_NEWNET)
            finally:
                os.close(network)
        found.append(answers(address, asked))

    thread = threading.Thread(target=ask, name="penstock-asking")
    thread.start()
    thread.join()
    return any(found)


def _time_of(entry: bytes) -> bytes:
    """When an entry of a log was made, as it is ordered by."""
    return entry.partition(b" ")[0]
