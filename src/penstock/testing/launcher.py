"""A launcher that starts nothing: steps are acts, played on a folder."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from penstock.errors import InvalidInput
from penstock.ports import Clock, ImageRule, Input, Program, Step, StepExit, StepId, StepState
from penstock.testing.acting import Act, act_of, write_files
from penstock.testing.clock import FakeClock
from penstock.workflow.pods import Companion, ContainerExit, Readiness

__all__ = ["FakeLauncher"]

KILLED, TERMINATED = 128 + 9, 128 + 15


@dataclass(eq=False)
class _Played:
    """A step that was started. `unbegun` is the init container that keeps it from beginning, `failed` what a sidecar's
    failure says."""

    folder: Path
    act: Act
    started_at: float
    unbegun: str = ""
    failed: str = ""
    containers: tuple[ContainerExit, ...] = ()
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    exit: StepExit | None = None
    lost: bool = False


class FakeLauncher:
    """`ports.Launcher` whose steps do what `script` says of them: at first what their arguments say.

    `launched` keeps every step that was started, in order; `clock` measures the grace of stops. `folder` is where
    their files lie. `known_images` None knows every image. Restarting a host on it is what a restarted server finds.
    """

    name = "fake"

    def __init__(
        self,
        folder: Path,
        *,
        script: Callable[[Step], Act] = lambda step: act_of((*step.command, *step.args)),
        clock: Clock | None = None,
        known_images: Sequence[str] | None = None,
    ) -> None:
        self.script = script
        self.launched: list[Step] = []
        self.stops: list[tuple[StepId, float]] = []
        self._folder = folder
        self._clock = clock or FakeClock()
        self._known_images = known_images
        self.answers: Callable[[StepId, Readiness], bool] = lambda *_: True
        self._steps: dict[StepId, _Played] = {}
        self._killers: set[asyncio.Task[None]] = set()

    # --- what a test does -------------------------------------------------------------------------------------------

    def running(self) -> list[StepId]:
        """The steps that run now, in the order of their starts."""
        return [id for id in self._steps if self.state(id) is StepState.RUNNING]

    def finish(self, id: StepId, code: int | None = 0, error: str = "") -> None:
        """A held step ends."""
        played = self._steps[id]
        if played.exit is None and not played.lost:
            unbegun = played.unbegun
            played.exit = StepExit(
                code=None if unbegun else code,
                error=error,
                failed=_failure(unbegun, code) if unbegun else played.failed,
                containers=played.containers,
                started_at=played.started_at,
                finished_at=self._clock.now(),
            )
            played.ended.set()

    def interrupt(self, id: StepId) -> None:
        """The machine kills the step whole, its supervisor too."""
        self._steps[id].lost = True
        self._steps[id].ended.set()

    # --- the port ---------------------------------------------------------------------------------------------------

    def refuse(
        self,
        image: str,
        command: Sequence[str],  # noqa: ARG002
        images: Mapping[str, ImageRule],
        beside: Sequence[Program] = (),  # noqa: ARG002
    ) -> str:
        """See `ports.Launcher`."""
        known = self._known_images
        found = known is None or any(fnmatchcase(image, name) for name in (*known, *images))
        return "" if found else f"image {image!r}: no rule; add one"

    async def launch(self, step: Step) -> None:
        """See `ports.Launcher`."""
        if step.id in self._steps:
            return
        reason = self.refuse(step.image, step.command, step.images)
        if reason:
            raise InvalidInput(f"step {step.name!r}: {reason}")
        folder = self._path(step.id)
        _lay(folder, step)
        self.launched.append(step)
        self._steps[step.id] = self._played(folder, step)
        self._go_on(step.id)

    def _played(self, folder: Path, step: Step) -> _Played:
        """The step as far as it goes by itself: to a container that is held, or that fails before its own begins."""
        started_at = self._clock.now()
        for companion in step.init:
            act = act_of((*companion.command, *companion.args))
            write_files(act, str(folder / companion.name))
            if act.held or act.exit_code:
                self._write_log(folder / "log", act)
                return _Played(folder, act, started_at, unbegun=companion.name)
        if step.containers:
            return self._played_set(folder, step, started_at)
        act = self.script(step)
        write_files(act, str(folder / "root"))
        self._write_log(folder / "log", act)
        beside = [(companion.name, act_of((*companion.command, *companion.args))) for companion in step.sidecars]
        for name, other in beside:
            write_files(other, str(folder / name))
        failures = (_failure(name, other.exit_code) for name, other in beside if not other.held)
        return _Played(folder, act, started_at, failed=next(filter(None, failures), ""))

    def _played_set(self, folder: Path, step: Step, started_at: float) -> _Played:
        """A set, to its end, or to the first container that is held."""
        ends: dict[str, ContainerExit] = {}
        own = Act()
        for each in _in_order(step.containers):
            bad = next((ends[name] for name in each.after if ends[name].code), None)
            if bad is not None:
                reason = f'dependency "{bad.name}" exited with non-zero code: {bad.code}'
                ends[each.name] = ContainerExit(name=each.name, code=64, message=reason)
                continue
            act = act_of((*each.command, *each.args))
            write_files(act, str(folder / ("root" if each.name == step.own_name else each.name)))
            own = act if each.name == step.own_name or act.held else own
            ends[each.name] = ContainerExit(name=each.name, code=TERMINATED if act.held else act.exit_code)
            if act.held:
                left = (other.name for other in step.containers if other.name not in ends)
                ends |= {name: ContainerExit(name=name, code=TERMINATED) for name in left}
                break
        self._write_log(folder / "log", own)
        code = ends["main"].code if "main" in ends else max(exit.code or 0 for exit in ends.values())
        return _Played(folder, replace(own, code=code or 0), started_at, containers=tuple(ends.values()))

    def _go_on(self, id: StepId) -> None:
        played = self._steps[id]
        if not played.act.held:
            self.finish(id, played.act.exit_code)

    def state(self, id: StepId) -> StepState:
        """See `ports.Launcher`."""
        played = self._steps.get(id)
        if played is None:
            return StepState.ABSENT
        if played.lost:
            return StepState.INTERRUPTED
        return StepState.EXITED if played.exit else StepState.RUNNING

    async def address(self, id: StepId) -> str:
        """See `ports.Launcher`."""
        return f"10.0.0.{1 + list(self._steps).index(id)}"

    def container_logs(self, id: StepId, names: Sequence[str]) -> Mapping[str, Path]:  # noqa: ARG002 - acts have one
        """See `ports.Launcher`: containers of an act have no logs of their own."""
        return {}

    async def ready(self, id: StepId, asked: Readiness) -> bool:
        """See `ports.Launcher`: what `answers` says."""
        return self.answers(id, asked)

    async def wait(self, id: StepId) -> StepExit:
        """See `ports.Launcher`."""
        played = self._steps.get(id)
        if played is None:
            return StepExit(code=None, error="the step was never started")
        await played.ended.wait()
        return played.exit or StepExit(code=None, error="the step was killed; how it ended is unknown")

    async def stop(self, id: StepId, grace: float) -> None:
        """See `ports.Launcher`."""
        if self.state(id) is not StepState.RUNNING:
            return
        self.stops.append((id, grace))
        if not self._steps[id].act.deaf:
            self.finish(id, TERMINATED)
            return
        killer = asyncio.create_task(self._kill_at(id, self._clock.now() + grace))
        self._killers.add(killer)
        killer.add_done_callback(self._killers.discard)

    async def _kill_at(self, id: StepId, when: float) -> None:
        await self._clock.sleep_until(when)
        if id in self._steps:
            self.finish(id, KILLED)

    async def read(self, id: StepId, path: str, limit: int) -> bytes | None:
        """See `ports.Launcher`."""
        file = self._in_root(id, path)
        return file.read_bytes()[: limit + 1] if file.is_file() else None

    async def take(self, id: StepId, path: str, target: Path) -> bool:
        """See `ports.Launcher`."""
        source = self._in_root(id, path)
        if not source.exists():
            return False
        # What lies on a claim stays there.
        if self._path(id).resolve() in source.resolve().parents:
            shutil.move(source, target)
        else:
            shutil.copy(source, target)
        return True

    async def beside(self, id: StepId, path: str) -> Sequence[str]:
        """See `ports.Launcher`."""
        folder = self._in_root(id, path).parent
        return sorted(entry.name for entry in folder.iterdir())[:20] if folder.is_dir() else []

    def log(self, id: StepId) -> Path:
        """See `ports.Launcher`."""
        return self._path(id) / "log"

    async def remove(self, id: StepId) -> None:
        """See `ports.Launcher`."""
        played = self._steps.pop(id, None)
        if played is not None:
            played.lost = played.exit is None
            played.ended.set()
            shutil.rmtree(played.folder)

    def known(self) -> Sequence[StepId]:
        """See `ports.Launcher`."""
        return list(self._steps)

    async def identity(self, image: str, command: Sequence[str], images: Mapping[str, ImageRule]) -> str:  # noqa: ARG002
        """See `ports.Launcher`."""
        return image

    async def close(self) -> None:
        """See `ports.Launcher`."""

    # --- files ------------------------------------------------------------------------------------------------------

    def _path(self, id: StepId) -> Path:
        return self._folder / id.run_id / f"{id.node_id}.{id.incarnation}"

    def _in_root(self, id: StepId, path: str) -> Path:
        return self._path(id) / "root" / path.strip("/")

    def _write_log(self, path: Path, act: Act) -> None:
        lines = [
            (s, line) for s, text in (("stdout", act.stdout), ("stderr", act.stderr)) for line in text.splitlines()
        ]
        path.write_text("".join(f"2023-11-14T22:13:20.000000000Z {stream} F {line}\n" for stream, line in lines))


def _failure(name: str, code: int | None) -> str:
    return f"{name}: Error (exit code {code})" if code else ""


def _in_order(containers: Sequence[Companion]) -> Iterator[Companion]:
    """The containers of a set, each behind those that it depends on."""
    left, done = list(containers), set[str]()
    while left:
        each = next(each for each in left if done.issuperset(each.after))
        left.remove(each)
        done.add(each.name)
        yield each


def _lay(folder: Path, step: Step) -> None:
    """The containers' roots, each in a folder of its name; volumes are links in them."""
    beside = [(companion.name, companion.mounts) for companion in step.beside]
    for name, mounts in [("root", step.mounts), *beside]:
        root = folder / name
        root.mkdir(parents=True)
        for mount in mounts:
            spot, volume = root / mount.path.strip("/"), step.volume(mount.volume)
            if not volume.files:
                source = Path(volume.folder or folder / "volumes" / volume.name) / mount.sub_path
                source.mkdir(parents=True, exist_ok=True)
                spot.parent.mkdir(parents=True, exist_ok=True)
                spot.symlink_to(source)
        _fill(root, (*(step.inputs if name == "root" else ()), *step.laid(mounts)))


def _fill(root: Path, inputs: Iterable[Input]) -> None:
    for item in inputs:
        target = root / item.path.strip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if item.source and Path(item.source).is_dir():
            shutil.copytree(item.source, target)
        else:
            target.write_bytes(Path(item.source).read_bytes() if item.source else item.content or b"")
