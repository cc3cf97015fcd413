"""The process launcher: steps as processes of this machine that outlive the server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from penstock.adapters.local.commandline import check_arguments
from penstock.adapters.local.process.environments import wanted_environment
from penstock.adapters.local.process.folders import StepFolder, make_folder, step_ids, told_errors
from penstock.adapters.local.process.forkserver import ForkServer, readable
from penstock.adapters.local.process.images import (
    HOST_PATH,
    SYSTEM_PATH,
    default_rule,
    find_rule,
    folder_identity,
    python_program,
    refusal,
)
from penstock.adapters.local.process.isolation import Isolation, detect
from penstock.adapters.local.process.layers import Layers, tidy
from penstock.adapters.local.process.layout import Shown, canonical, lay_out, seen_at, shown_paths
from penstock.adapters.local.process.names import with_hosts, with_resolver
from penstock.adapters.local.process.networks import Networks, joined
from penstock.adapters.local.process.orphans import MARK, kill_marked
from penstock.adapters.local.process.outward import WayOut, program
from penstock.adapters.local.process.pods import begun_logs, lay_pod, own_begun, parts_of, pod_spec
from penstock.adapters.local.process.rewriting import rewriter
from penstock.adapters.local.process.spares import Spares
from penstock.errors import InvalidInput, Unavailable
from penstock.ports import ImageRule, Program, Step, StepExit, StepId, StepState
from penstock.workflow.pods import Readiness

__all__ = ["ProcessLauncher"]

_TRIES = 3
_TMP = "/tmp"  # noqa: S108 - the step's own
_ALONE = (
    "a sidecar needs a network of the step's own, and this kernel forbids namespaces (see penstock doctor). "
    'Let the step be containers: start Docker or Podman, and set launcher = "docker"'
)
_NO_HOSTS = (
    "hostAliases need a root of the step's own, and this kernel forbids namespaces (see penstock doctor). "
    'Let the step be containers: start Docker or Podman, and set launcher = "docker"'
)
_SOON = 0.02
"""Seconds after which is looked again whether init containers have ended."""
_HOST_HOME = f"{_TMP}/work"
_UNSEEN = (_TMP, "/run", "/proc", "/sys", "/dev")
"""Folders of the host that no step sees: it has its own."""


class ProcessLauncher:
    """`ports.Launcher` with processes of this machine, for use in one event loop.

    `home` is Penstock's home; the files of steps lie in `<home>/steps`. `images` are the rules of `[images]`.
    `on_note` is told things that a person may want to know. `isolation` None: the best way that works is found by
    trying, when the first step is launched.
    """

    name = "process"

    def __init__(
        self,
        home: Path,
        *,
        images: Mapping[str, ImageRule],
        on_note: Callable[[str], None] | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        self._home = Path(os.path.realpath(home))
        self._images = images
        self._note = on_note or (lambda _: None)
        self._isolation = isolation
        self._detecting: asyncio.Task[Isolation] | None = None
        self._forks = ForkServer()
        self._spares = Spares(self._home, self._forks)
        self._out = WayOut()
        self._networks = Networks(self._home, self._forks.fork, self._out)
        self._done: dict[StepId, int] = {}
        self._about: dict[StepId, Mapping[str, Any]] = {}
        self._leavings: list[str] = []
        self._clearing: asyncio.Task[None] | None = None

    def refuse(
        self, image: str, command: Sequence[str], images: Mapping[str, ImageRule], beside: Sequence[Program] = ()
    ) -> str:
        """See `ports.Launcher`. Whether this kernel gives a step a network of its own is known when it is launched."""
        chroots = self._isolation is None or self._isolation.way != "rewrite"
        programs = [each for each in ((image, command), *beside) if not _open(*each)]
        reasons = (refusal(*each, find_rule(each[0], images, self._images), chroots=chroots) for each in programs)
        return next(filter(None, reasons), "")

    def maps(self, image: str, command: Sequence[str], images: Mapping[str, ImageRule]) -> bool:
        """Whether a rule, a run's own or the home's or one that needs no saying, says what stands for the image."""
        return (find_rule(image, images, self._images) or default_rule(image, command)) is not None

    async def identity(self, image: str, command: Sequence[str], images: Mapping[str, ImageRule]) -> str:
        """See `ports.Launcher`: of a folder that stands for an image, all that changes with what lies in it."""
        rule = find_rule(image, images, self._images) or default_rule(image, command)
        told = f"{image} {json.dumps(msgspec.to_builtins(rule), sort_keys=True)}"
        if rule is None or rule.root == "host":
            return told
        return f"{told} {await asyncio.to_thread(_translated, folder_identity, rule.root)}"

    # --- starting ---------------------------------------------------------------------------------------------------

    async def launch(self, step: Step) -> None:
        """See `ports.Launcher`."""
        folder = self._folder(step.id)
        isolation = await self._isolated()
        if (step.sidecars or step.network) and isolation.way != "rewrite" and program():
            step = with_resolver(step)
        if step.hosts:
            if isolation.way == "rewrite":
                raise InvalidInput(f"step {step.name!r}: {_NO_HOSTS}")
            step = with_hosts(step)
        spec = _translated(self._whole, folder, step, isolation)
        if step.network and isolation.way != "rewrite":
            await asyncio.to_thread(make_folder, folder.path)
            spec = joined(spec, await self._networks.holder(step.network, isolation))
        if await self._with_spare(folder, step, spec):
            return
        for _ in range(_TRIES):
            prepared = await asyncio.to_thread(_translated, self._prepare, folder, step, spec)
            if prepared is None:
                return
            whole, lock = prepared
            try:
                await self._fork(step.id, whole, lock)
                return
            except EOFError:
                self._note("the fork server died and is started again")
            finally:
                os.close(lock)
            if folder.state() is not StepState.ABSENT:
                return
        raise Unavailable(f"step {step.name!r}: the fork server died {_TRIES} times in a row")

    async def _isolated(self) -> Isolation:
        if self._isolation is None:
            if self._detecting is None:
                self._detecting = asyncio.ensure_future(asyncio.to_thread(detect, self._home))
            self._isolation = await asyncio.shield(self._detecting)
        return self._isolation

    async def _fork(self, id: StepId, spec: Mapping[str, Any], lock: int) -> None:
        if not spec.get("network"):
            await self._begun(id, spec, lock)
            return
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                pid = await self._begun(id, spec, lock, theirs.fileno())
            await self._out.open(pid, ours)

    async def _begun(self, id: StepId, spec: Mapping[str, Any], lock: int, *more: int) -> int:
        """The step's first process, which has `lock` and `more` descriptors: its id."""
        reader, writer = os.pipe()
        try:
            pid, pidfd = await self._forks.fork("pod" if spec.get("pod") else "step", spec, (lock, writer, *more))
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        os.close(pidfd)
        self._done[id] = reader
        return pid

    async def _with_spare(self, folder: StepFolder, step: Step, spec: Mapping[str, Any]) -> bool:
        """Start the step in what was made for one like it, where there is such; and have that made for the next."""
        shape = _shape(step, spec)
        if shape is None or folder.exists():
            return False

        def lay(where: StepFolder) -> Mapping[str, Any]:
            return self._laid(where, step, spec)

        done = self._spares.start(step.id, shape, folder, spec)
        if done is None:
            done = await self._spares.start_at_once(step.id, shape, folder, spec, lay)
        if not self._done:  # with others at work there is no processor to spare
            self._spares.make(shape, spec["program"], lay)
        if done is not None:
            self._done[step.id] = done
        return done is not None

    def _whole(self, folder: StepFolder, step: Step, isolation: Isolation) -> Mapping[str, Any]:
        """What the first process of a step is told, but for layers."""
        if not (step.init or step.containers or step.sidecars):
            return self._spec(folder, step, self._rule(step, isolation), isolation)
        if step.sidecars and isolation.way == "rewrite":
            raise InvalidInput(f"step {step.name!r}: {_ALONE}")
        specs = {
            part.folder.path.name: self._spec(part.folder, part.step, self._rule(part.step, isolation), isolation)
            for part in parts_of(folder, step)
        }
        return pod_spec(folder, step, specs)

    def _rule(self, step: Step, isolation: Isolation) -> ImageRule:
        """What stands for the step's image. Raises InvalidInput."""
        rule = find_rule(step.image, step.images, self._images)
        reason = refusal(step.image, step.command, rule, chroots=isolation.way != "rewrite")
        if reason:
            raise InvalidInput(f"step {step.name!r}: {reason}")
        rule = rule or default_rule(step.image, step.command)
        assert rule is not None
        return rule

    def _prepare(self, folder: StepFolder, step: Step, spec: Mapping[str, Any]) -> tuple[Mapping[str, Any], int] | None:
        """Make the step's folder. None where the step was launched before, else what to fork and the step's lock."""
        make_folder(folder.path)
        lock = folder.lock()
        if lock is None:
            return None
        try:
            if os.path.exists(folder.file("pid")) or folder.exit() is not None:
                os.close(lock)
                return None
            return self._laid(folder, step, spec), lock
        except BaseException:
            os.close(lock)
            raise

    def _laid(self, folder: StepFolder, step: Step, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        """Fill the folder with what the step finds; the whole description of the step."""
        assert self._isolation is not None
        if spec.get("pod"):
            return lay_pod(folder, step, spec, self._laid)
        folder.prepare()
        base, way = spec["base"], spec["way"]
        laid = lay_out(folder, step, base, self._isolation, spec.get("shared"))
        about = {
            "way": way,
            "layers": ["upper", *(["skel"] if laid.skel else [])],
            "base": base if way != "rewrite" else "",
            "hidden": [*_UNSEEN, str(self._home)] if base == "/" else [],
            "mounts": laid.mounts,
        }
        folder.write("step.json", json.dumps(about).encode())
        return {**spec, "dir": str(folder.path), "skel": laid.skel, "own_tops": laid.own_tops, "mounts": laid.mounts}

    def _spec(self, folder: StepFolder, step: Step, rule: ImageRule, isolation: Isolation) -> dict[str, Any]:
        """What the supervisor is told, but for the layers."""
        argv = _command_line(step, rule)
        host = rule.root == "host"
        program = python_program(argv) if host else None
        wanted = wanted_environment(self._home, program.packages, os.environ) if program and program.packages else None
        if wanted is not None:
            os.makedirs(os.path.dirname(wanted["dir"]), exist_ok=True)
        env = _environment(step, rule, wanted)
        cwd = step.working_dir or (_HOST_HOME if host else "/")
        masked = host and isolation.way != "rewrite"
        spec: dict[str, Any] = {
            "title": f"penstock-step {step.id.run_id} {step.id.node_id}",
            "way": isolation.way,
            "user": isolation.user,
            "argv": list(program.command if program else argv),
            "env": env,
            "cwd": cwd,
            "tty": step.tty,
            "install": wanted,
            "program": None,
            "program_args": [],
            "base": "/" if host else rule.root,
            "masks": [str(self._home)] if masked else [],
            "shown": shown_paths(self._home, rule, wanted) if masked else [],
        }
        if isolation.way == "rewrite":
            self._rewrite(spec, folder, step)
        if program and not program.packages and _plain(step, rule):
            spec["program"], spec["program_args"] = spec["argv"][3], spec["argv"][4:]
        return spec

    def _rewrite(self, spec: dict[str, Any], folder: StepFolder, step: Step) -> None:
        upper = folder.file("upper")
        declared = [i.path for i in step.inputs] + [m.path for m in step.mounts] + list(step.outputs)
        rewrite = rewriter([*declared, _HOST_HOME, *([step.working_dir] if step.working_dir else [])], upper)
        spec["argv"] = [rewrite(word) for word in spec["argv"]]
        spec["env"] = {name: rewrite(value) for name, value in spec["env"].items()}
        if spec["env"]["TMPDIR"] == _TMP:
            spec["env"]["TMPDIR"] = upper + _TMP
        spec["env"][MARK] = str(folder.path)
        spec["cwd"] = upper + spec["cwd"]

    # --- following --------------------------------------------------------------------------------------------------

    def state(self, id: StepId) -> StepState:
        """See `ports.Launcher`."""
        return self._folder(id).state()

    def known(self) -> Sequence[StepId]:
        """See `ports.Launcher`."""
        self._networks.sweep()
        return list(step_ids(self._home))

    async def address(self, id: StepId) -> str:
        """See `ports.Launcher`. All that reach it are in the same network."""
        folder = self._folder(id)
        while folder.state() is StepState.RUNNING and not own_begun(folder):
            await asyncio.sleep(_SOON)
        return "127.0.0.1"

    def container_logs(self, id: StepId, names: Sequence[str]) -> Mapping[str, Path]:
        """See `ports.Launcher`. Where none is called `main` they write to one log, which is that of each."""
        return begun_logs(self._folder(id), names)

    async def ready(self, id: StepId, asked: Readiness) -> bool:
        """See `ports.Launcher`. It is asked from a process in the network of its run."""
        isolation = await self._isolated()
        spec: Mapping[str, Any] = {"way": isolation.way, "user": isolation.user, "title": "penstock-asking"}
        spec = {**spec, "asked": msgspec.structs.asdict(asked)}
        reader, writer = os.pipe()
        with open(reader, "rb") as answer:
            try:
                if isolation.way != "rewrite":
                    spec = joined(spec, await self._networks.holder(id.run_id, isolation))
                _, pidfd = await self._forks.fork("asking", spec, (writer,))
                os.close(pidfd)
            except (EOFError, OSError) as error:
                raise Unavailable(f"step {id.node_id!r} cannot be asked whether it is ready: {error}") from None
            finally:
                os.close(writer)
            return await asyncio.to_thread(answer.read) == b"yes"

    def log(self, id: StepId) -> Path:
        """See `ports.Launcher`."""
        return self._folder(id).path / "log"

    async def wait(self, id: StepId) -> StepExit:
        """See `ports.Launcher`."""
        folder = self._folder(id)
        done = self._done.get(id)
        if done is not None:
            await readable(os.dup(done))
            if self._done.get(id) == done:
                os.close(self._done.pop(id))
        while True:
            exit = folder.exit()
            if exit is not None:
                self._spares.ended(id, last=not self._done)
                self._about[id] = folder.about()  # which its outputs are looked for by
                return exit
            state = folder.state()
            if state is StepState.RUNNING:
                await _supervisor_gone(folder)
            elif state is not StepState.EXITED:
                self._spares.lost(id)
                return await self._lost(folder, state)

    async def _lost(self, folder: StepFolder, state: StepState) -> StepExit:
        if state is StepState.ABSENT:
            return StepExit(code=None, error="the step was never started")
        await self._sweep(folder)
        return StepExit(code=None, error="the step's supervisor was killed; how the step ended is unknown")

    async def stop(self, id: StepId, grace: float) -> None:
        """See `ports.Launcher`."""
        folder = self._folder(id)
        if folder.state() is not StepState.RUNNING:
            return
        _translated(folder.write, "stop", repr(max(0.0, float(grace))).encode())
        _signal(folder, signal.SIGTERM)

    async def _sweep(self, folder: StepFolder) -> None:
        """Kill what a dead supervisor left where no PID namespace does that."""
        if folder.about().get("way") == "rewrite":
            await asyncio.to_thread(kill_marked, f"{MARK}={folder.path}")

    # --- what a step left -------------------------------------------------------------------------------------------

    async def read(self, id: StepId, path: str, limit: int) -> bytes | None:
        """See `ports.Launcher`."""
        return _read(*self._seen(id, path), limit)

    async def take(self, id: StepId, path: str, target: Path) -> bool:
        """See `ports.Launcher`."""
        layers, path = self._seen(id, path)
        found = layers.find(path)
        if found is None:
            return False
        if layers.owns(found) and not found.folder:  # a rename: quicker than to ask a thread for it
            return bool(_translated(_take, layers, path, target, self._note))
        return await asyncio.to_thread(_translated, _take, layers, path, target, self._note)

    async def beside(self, id: StepId, path: str) -> Sequence[str]:
        """See `ports.Launcher`."""
        return await asyncio.to_thread(_beside, *self._seen(id, os.path.dirname(path.rstrip("/")) or "/"))

    def _seen(self, id: StepId, path: str) -> tuple[Layers, str]:
        """The layers in which `path` of an ended step lies, and its path in them: a volume's, or its root's."""
        folder = self._folder(id)
        about = self._about.get(id) or folder.about()
        mounts = [Shown(*each) for each in about.get("mounts", ())]
        if mounts:
            hidden = about["way"] == "rewrite"
            spot = canonical("" if hidden else about["base"].rstrip("/"), path, hidden)
            on = seen_at(mounts, spot)
            if on is not None:
                return Layers([f"{on.folder}/{on.below}"], int(on.own)), spot[len(on.spot) :]
        own = [folder.file(layer) for layer in about.get("layers", [])]
        base = [about["base"]] if about.get("base") else []
        return Layers([*own, *base], len(own), about.get("hidden", ())), path

    async def remove(self, id: StepId) -> None:
        """See `ports.Launcher`."""
        self._about.pop(id, None)
        folder = self._folder(id)
        if not folder.exists():
            return
        if folder.state() is StepState.RUNNING:
            with suppress(OSError):  # a full disk: it is killed all the same
                folder.write("stop", b"0")
        self._spares.lost(id)
        while folder.locked():  # else its supervisor, where there is one, is another step's by now
            _signal(folder, signal.SIGKILL)
            await _supervisor_gone(folder)
        await self._sweep(folder)
        done = self._done.pop(id, None)
        if done is not None:
            os.close(done)
        await self._cleared(folder)
        await self._networks.leave(id.run_id)

    async def _cleared(self, folder: StepFolder) -> None:
        """Delete the folder of a step, together with others that are to go just now."""
        self._leavings.append(str(folder.path))
        if self._clearing is None:
            self._clearing = asyncio.ensure_future(self._clear())
        await asyncio.shield(self._clearing)
        await asyncio.to_thread(_translated, folder.remove)

    async def _clear(self) -> None:
        await asyncio.sleep(0)
        paths, self._leavings, self._clearing = self._leavings, [], None
        await self._forks.remove(paths)

    async def close(self) -> None:
        """See `ports.Launcher`."""
        await self._spares.close()
        self._forks.close()
        self._out.close()
        while self._done:
            os.close(self._done.popitem()[1])

    def _folder(self, id: StepId) -> StepFolder:
        return StepFolder.of(self._home, id)


# --- the step's command and environment -------------------------------------------------------------------------


def _command_line(step: Step, rule: ImageRule) -> tuple[str, ...]:
    """The step's argument vector, by the rules of containers. Raises InvalidInput for one that no kernel takes."""
    argv = (*step.command, *step.args) if step.command else (*rule.entrypoint, *(step.args or rule.cmd))
    check_arguments(step, argv)
    return argv


def _environment(step: Step, rule: ImageRule, wanted: Mapping[str, Any] | None) -> dict[str, str]:
    """The whole environment of a step: four names, then what image and document declare."""
    host = rule.root == "host"
    env = {
        "PATH": HOST_PATH if host else SYSTEM_PATH,
        "HOME": _HOST_HOME if host else "/root",
        "LANG": "C.UTF-8",
        "TMPDIR": _TMP,
    }
    env |= {**rule.env, **dict(step.env)}
    if wanted is not None:
        env["PATH"] = f"{wanted['dir']}/bin:{env['PATH']}"
        env["VIRTUAL_ENV"] = wanted["dir"]
    return env


def _open(image: str, command: Sequence[str]) -> bool:
    """Whether only the run will know what is to be started."""
    return any("{{" in word for word in (image, *command[:1]))


def _shape(step: Step, spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What must be alike for a spare to become this step; None where none can.

    A spare is of one run: it has read a program of that.
    """
    laid = step.inputs or step.mounts or step.tty or spec["install"]
    if laid or spec.get("pod") or spec.get("join") or spec["base"] != "/" or spec["way"] == "rewrite":
        return None
    shape = {name: spec[name] for name in ("way", "user", "base", "masks", "shown", "cwd")}
    return {**shape, "run": step.id.run_id, "program": spec["program"] is not None}


def _plain(step: Step, rule: ImageRule) -> bool:
    """Whether nothing in the environment would make a new interpreter differ from the fork server's."""
    names = {name for name, _ in step.env} | rule.env.keys()
    return not any(name in ("PATH", "LANG", "LANGUAGE") or name.startswith(("PYTHON", "LD_", "LC_")) for name in names)


# --- files ------------------------------------------------------------------------------------------------------


def _translated(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call, with errors of the operating system in Penstock's words."""
    with told_errors():
        return function(*arguments)


def _read(layers: Layers, path: str, limit: int) -> bytes | None:
    """The bytes of a regular file; None for anything else, and for a file of the host that we may not read."""
    found = layers.find(path)
    if found is None or not stat.S_ISREG(os.lstat(found.path).st_mode):
        return None
    if layers.owns(found) and not os.access(found.path, os.R_OK):
        os.chmod(found.path, 0o600)
    try:
        with open(found.path, "rb") as file:
            return file.read(limit + 1)
    except PermissionError:
        return None


def _take(layers: Layers, path: str, target: Path, note: Callable[[str], None]) -> bool:
    if not layers.take(path, target):
        return False
    tidy(str(target), note)
    return os.path.lexists(target)


def _beside(layers: Layers, path: str) -> Sequence[str]:
    return layers.names(path)[:20]


# --- waiting ----------------------------------------------------------------------------------------------------


async def _supervisor_gone(folder: StepFolder) -> None:
    """Return when the supervisor has ended, and with it all of the step that a PID namespace holds."""
    pidfd = folder.pidfd()
    if pidfd is not None:
        await readable(pidfd)
        return
    with suppress(FileNotFoundError):
        await asyncio.to_thread(folder.wait_unlocked)


def _signal(folder: StepFolder, number: int) -> bool:
    pidfd = folder.pidfd()
    if pidfd is None:
        return False
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(pidfd)
    return True
