"""One launcher of two: processes for images that are mapped, containers for the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from penstock.adapters.local.docker.launcher import DockerLauncher
from penstock.adapters.local.launcher import ProcessLauncher
from penstock.ports import ImageRule, Launcher, Program, Step, StepExit, StepId, StepState
from penstock.workflow.pods import Readiness

__all__ = ["AutoLauncher"]

_OR_CONTAINERS = "\nOr start Docker or Podman (penstock doctor says what it finds), and its steps run in containers"


class AutoLauncher:
    """`ports.Launcher` that hands each step to `process` or `docker`.

    `way` is `process` or `docker` for all steps, or `auto`: a rule maps the image → process, else docker. Steps that
    either has already stay with it, so a home may change its way between two runs. `on_note` hears, once an image, that
    it becomes containers and why.
    """

    def __init__(
        self,
        process: ProcessLauncher,
        docker: DockerLauncher,
        way: str,
        on_note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name = way
        self._process = process
        self._docker = docker
        self._note = on_note
        self._told: set[str] = set()
        self._launched: dict[StepId, Launcher] = {}

    def refuse(
        self, image: str, command: Sequence[str], images: Mapping[str, ImageRule], beside: Sequence[Program] = ()
    ) -> str:
        """See `ports.Launcher`."""
        if any("{{" in each for each, _ in ((image, command), *beside)):  # which one it is shows when its step begins
            return ""
        chosen = self._chosen(image, command, images, beside)
        reason = chosen.refuse(image, command, images, beside)
        if chosen is self._docker and self.name == "auto":
            if reason:
                return self._process.refuse(image, command, images, beside) + _OR_CONTAINERS
            unmapped = [each for each, its in ((image, command), *beside) if not self._process.maps(each, its, images)]
            self._tell(image, "no rule of [images] maps " + ("it" if unmapped[0] == image else repr(unmapped[0])))
        return reason

    async def identity(self, image: str, command: Sequence[str], images: Mapping[str, ImageRule]) -> str:
        """See `ports.Launcher`."""
        chosen = self._chosen(image, command, images)
        return f"{chosen.name} {await chosen.identity(image, command, images)}"

    def _tell(self, image: str, why: str) -> None:
        if image not in self._told:
            self._told.add(image)
            self._note(f"image {image!r}: in containers, for {why} and {self._docker.engine()} answers")

    def _chosen(
        self, image: str, command: Sequence[str], images: Mapping[str, ImageRule], beside: Sequence[Program] = ()
    ) -> Launcher:
        """All containers of a step are of one kind."""
        if self.name == "auto":
            mapped = all(self._process.maps(each, its, images) for each, its in ((image, command), *beside))
            return self._process if mapped else self._docker
        return self._process if self.name == "process" else self._docker

    def _choice(self, step: Step) -> Launcher:
        beside = [(each.image, each.command) for each in step.beside]
        return self._chosen(step.image, step.command, step.images, beside)

    def _of(self, id: StepId) -> Launcher:
        launched = self._launched.get(id)
        if launched is not None:
            return launched
        return self._docker if self._docker.has(id) else self._process

    async def launch(self, step: Step) -> None:
        """See `ports.Launcher`."""
        begun = self.state(step.id) is not StepState.ABSENT
        chosen = self._of(step.id) if begun else self._choice(step)
        await chosen.launch(step)
        self._launched[step.id] = chosen

    def state(self, id: StepId) -> StepState:
        """See `ports.Launcher`."""
        return self._of(id).state(id)

    async def address(self, id: StepId) -> str:
        """See `ports.Launcher`."""
        return await self._of(id).address(id)

    def container_logs(self, id: StepId, names: Sequence[str]) -> Mapping[str, Path]:
        """See `ports.Launcher`."""
        return self._of(id).container_logs(id, names)

    async def ready(self, id: StepId, asked: Readiness) -> bool:
        """See `ports.Launcher`."""
        return await self._of(id).ready(id, asked)

    async def wait(self, id: StepId) -> StepExit:
        """See `ports.Launcher`."""
        return await self._of(id).wait(id)

    async def stop(self, id: StepId, grace: float) -> None:
        """See `ports.Launcher`."""
        await self._of(id).stop(id, grace)

    async def read(self, id: StepId, path: str, limit: int) -> bytes | None:
        """See `ports.Launcher`."""
        return await self._of(id).read(id, path, limit)

    async def take(self, id: StepId, path: str, target: Path) -> bool:
        """See `ports.Launcher`."""
        return await self._of(id).take(id, path, target)

    async def beside(self, id: StepId, path: str) -> Sequence[str]:
        """See `ports.Launcher`."""
        return await self._of(id).beside(id, path)

    def log(self, id: StepId) -> Path:
        """See `ports.Launcher`."""
        return self._of(id).log(id)

    async def remove(self, id: StepId) -> None:
        """See `ports.Launcher`."""
        await self._of(id).remove(id)
        self._launched.pop(id, None)

    def known(self) -> Sequence[StepId]:
        """See `ports.Launcher`."""
        return [*self._process.known(), *self._docker.known()]

    async def close(self) -> None:
        """See `ports.Launcher`."""
        await asyncio.gather(self._process.close(), self._docker.close())
