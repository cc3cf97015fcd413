"""Steps tried on a launcher, one at a time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.adapters.local.launcher import ProcessLauncher
from penstock.adapters.local.process.isolation import Isolation
from penstock.ports import ImageRule, Step, StepExit, StepId

__all__ = ["Bench", "Ended", "said"]


@dataclass(frozen=True)
class Ended:
    """A step that has ended: its exit, and what it printed, by stream."""

    id: StepId
    exit: StepExit
    stdout: str
    stderr: str

    @property
    def code(self) -> int | None:
        return self.exit.code


class Bench:
    """Runs one step at a time, or what a test does with the launcher itself, in a loop of its own."""

    def __init__(self, home: Path, isolation: Isolation, images: Mapping[str, ImageRule]) -> None:
        self.home, self.isolation, self.images = home, isolation, images
        self.notes: list[str] = []
        self._numbers = itertools.count(1)

    def launcher(self) -> ProcessLauncher:
        return ProcessLauncher(self.home, images=self.images, on_note=self.notes.append, isolation=self.isolation)

    def step(self, *command: str, image: str = "host", **more: Any) -> Step:
        id = StepId(run_id="run-1", node_id=f"node-{next(self._numbers)}")
        return Step(id=id, name="a step", image=image, command=command, **more)

    def run(self, *command: str, **more: Any) -> Ended:
        """Launch a step of that command and wait for its end."""
        return self.ended(self.step(*command, **more))

    def sh_step(self, script: str, **more: Any) -> Step:
        return self.step("sh", "-c", script, **more)

    def sh(self, script: str, **more: Any) -> Ended:
        return self.ended(self.sh_step(script, **more))

    def ended(self, step: Step) -> Ended:
        async def whole() -> StepExit:
            launcher = self.launcher()
            try:
                await launcher.launch(step)
                return await launcher.wait(step.id)
            finally:
                await launcher.close()

        exit = asyncio.run(whole())
        log = self.launcher().log(step.id)
        return Ended(step.id, exit, said(log, "stdout"), said(log, "stderr"))

    def read(self, ended: Ended, path: str) -> bytes | None:
        return asyncio.run(self.launcher().read(ended.id, path, 1 << 20))

    def remove_all(self) -> None:
        async def whole() -> None:
            launcher = self.launcher()
            for id in launcher.known():
                await launcher.remove(id)

        asyncio.run(whole())


def said(log: Path, stream: str) -> str:
    """What a stream of a step said, put together again from its log."""
    text = b""
    for line in log.read_bytes().split(b"\n")[:-1]:
        _, name, tag, rest = line.split(b" ", 3)
        if name == stream.encode():
            text += rest + b"\n" if tag == b"F" else rest
    return text.decode(errors="replace")
