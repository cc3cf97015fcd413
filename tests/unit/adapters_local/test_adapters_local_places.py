"""Who runs beside whom: places, and what steps request of the machine."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from penstock.adapters.local.places import Places
from penstock.workflow.quantities import Needs

GIB = float(2**30)


class Queue:
    """Steps that come to the places, and those that are inside."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.inside: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.ends: dict[str, asyncio.Event] = {}

    async def come(self, name: str, needs: Needs = Needs(), rank: tuple[int, float] = (0, 0.0)) -> None:  # noqa: B008
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._stay(name, needs, rank))
        await settled()

    async def _stay(self, name: str, needs: Needs, rank: tuple[int, float]) -> None:
        async with self.places.one(rank, needs):
            self.inside.append(name)
            await self.ends[name].wait()
        self.inside.remove(name)

    async def go(self, name: str) -> None:
        self.ends[name].set()
        await settled()

    async def close(self) -> None:
        async with AsyncExitStack() as stack:
            for end in self.ends.values():
                stack.callback(end.set)
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_requests_of_steps_that_run_together_fit_the_machine() -> None:
    async def whole() -> None:
        queue = Queue(Places(10, Needs(2.0, 4 * GIB)))
        await queue.come("a", Needs(1.0, GIB))
        await queue.come("b", Needs(1.0, GIB))
        reason = queue.places.reason(Needs(0.5))
        assert reason == "waiting: it requests 0.5 cores, and steps that run have requested 2 of 2"
        assert "4,294,967,296" in queue.places.reason(Needs(0.0, 3 * GIB))
        await queue.come("c", Needs(0.5))
        await queue.come("small")
        assert queue.inside == ["a", "b"]  # nobody overtakes one who waits for more
        await queue.go("a")
        assert queue.inside == ["b", "c", "small"]
        await queue.close()

    asyncio.run(whole())


def test_one_that_requests_more_than_there_is_runs_alone() -> None:
    async def whole() -> None:
        queue = Queue(Places(10, Needs(2.0, GIB)))
        await queue.come("huge", Needs(64.0, 1024 * GIB))
        await queue.come("next", Needs(1.0))
        assert queue.inside == ["huge"]
        await queue.go("huge")
        assert queue.inside == ["next"]
        await queue.close()

    asyncio.run(whole())


def test_priority_goes_before_age() -> None:
    async def whole() -> None:
        queue = Queue(Places(1))
        await queue.come("running")
        assert queue.places.reason() == "waiting: all 1 places for steps are taken"
        await queue.come("young", rank=(0, 20.0))
        await queue.come("old", rank=(0, 10.0))
        await queue.come("urgent", rank=(-5, 30.0))
        for name in ("running", "urgent", "old", "young"):
            assert queue.inside == [name]
            await queue.go(name)
        await queue.close()

    asyncio.run(whole())


def test_one_that_is_cancelled_holds_nobody_up() -> None:
    async def whole() -> None:
        queue = Queue(Places(10, Needs(2.0, GIB)))
        await queue.come("a", Needs(1.0))
        await queue.come("large", Needs(2.0))
        await queue.come("b", Needs(1.0))
        assert queue.inside == ["a"]
        queue.tasks["large"].cancel()
        await settled()
        assert queue.inside == ["a", "b"]
        await queue.close()

    asyncio.run(whole())
