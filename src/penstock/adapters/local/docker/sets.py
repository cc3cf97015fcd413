"""The containers of a set, as they depend on each other, however often the server restarts meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from penstock.adapters.local.docker.containers import Plan
from penstock.adapters.local.docker.engine import Engine, Refused
from penstock.adapters.local.docker.lives import Unstarted, begun_once, found_container
from penstock.adapters.local.process.folders import StepFolder
from penstock.workflow.pods import ContainerExit

__all__ = ["SetRun"]

_NEVER_BEGAN, _NOT_STARTED, _TERMINATED = 64, 128, 128 + 15
_GRACE = "30"


class SetRun:
    """A set under way. All is asked of the engine; how often a program was tried is forgotten at a restart."""

    def __init__(self, engine: Engine, folder: StepFolder, planned: Plan, stopping: Callable[[], bool]) -> None:
        self._engine = engine
        self._folder = folder
        self._planned = planned
        self._stopping = stopping
        self._ends: dict[str, ContainerExit] = {}
        self._first: dict[str, int] = {}
        self._runs: dict[str, str] = {}
        self._tries: Counter[str] = Counter()

    async def see_through(self) -> Sequence[ContainerExit]:
        """How the containers have ended. Raises Lost, Unavailable."""
        while True:
            while await self._looked():
                pass
            if not self._runs:
                return list(self._ends.values())
            if self._failing:
                with suppress(Refused):
                    await self._engine.run("stop", "-t", _GRACE, *self._runs)
            else:
                await self._one_has_ended()

    async def _looked(self) -> bool:
        """Look at every container once; True where there may be more to do."""
        before = len(self._ends)
        self._runs = {}
        for container, name in self._planned.members.items():
            if name not in self._ends:
                await self._look(container, name)
        left = self._planned.members.keys() - self._runs.keys()
        waiting = [self._planned.members[each] for each in left if self._planned.members[each] not in self._ends]
        if len(self._ends) == before and waiting and (self._failing or self._stopping()):
            for name in waiting:
                self._ends[name] = ContainerExit(name=name, code=_TERMINATED)
        return len(self._ends) > before

    async def _look(self, container: str, name: str) -> None:
        found = await self._engine.inspect(container)
        if found is not None and found.fresh:
            if not self._kept_back(name) and all(each in self._ends for each in self._planned.after[name]):
                await self._begin(container, name)
            return
        found = await found_container(self._engine, self._folder, container)
        if not found.ended:
            self._runs[container] = name
        elif found.code and self._tries[name] < self._planned.tries - 1 and not self._stopping():
            self._tries[name] += 1
            await asyncio.sleep(self._planned.pause)
            await self._engine.run("start", container)
            self._runs[container] = name
        else:
            self._ends[name] = ContainerExit(name=name, code=found.code)

    def _kept_back(self, name: str) -> bool:
        """Whether a container will not begin, for one that it depends on has failed, or the step is to stop."""
        for other in () if self._stopping() else self._planned.after[name]:
            exit = self._ends.get(other)
            if exit is not None and exit.code:
                # As on Argo it is the code of the one that has failed that is handed on, not that of one in between.
                first = self._first[name] = self._first.get(other, exit.code)
                reason = f'dependency "{other}" exited with non-zero code: {first}'
                self._ends[name] = ContainerExit(name=name, code=_NEVER_BEGAN, message=reason)
                return True
        return self._failing or self._stopping()

    async def _begin(self, container: str, name: str) -> None:
        try:
            await begun_once(self._engine, container)
            self._runs[container] = name
        except Unstarted as error:
            self._ends[name] = ContainerExit(name=name, code=_NOT_STARTED, message=str(error)[:200])

    @property
    def _failing(self) -> bool:
        return any(exit.code for exit in self._ends.values())

    async def _one_has_ended(self) -> None:
        waiting = [asyncio.create_task(self._end_of(container)) for container in self._runs]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _end_of(self, container: str) -> None:
        async with self._engine.started("wait", container) as waiting:
            await waiting.communicate()
