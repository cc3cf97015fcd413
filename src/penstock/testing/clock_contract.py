"""What every `ports.Clock` does. A test class inherits `ClockContract` and gives it fixtures `clock` and `pass_time`.

`pass_time(seconds)` lets that much time pass on the clock, or waits until it has passed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from penstock.ports import Clock

__all__ = ["ClockContract", "PassTime"]

PassTime = Callable[[float], Awaitable[None]]

SHORT = 0.05
"""Seconds that a test lets pass: on a real clock it has to wait for them."""


class ClockContract:
    """The suite."""

    def test_it_tells_seconds_since_the_epoch(self, clock: Clock) -> None:
        assert clock.now() > 1_600_000_000

    def test_time_goes_on(self, clock: Clock, pass_time: PassTime) -> None:
        async def use() -> None:
            before = clock.now()
            await pass_time(SHORT)
            assert clock.now() >= before + SHORT

        asyncio.run(use())

    @pytest.mark.parametrize("ago", [0.0, 1.0, 1e9])
    def test_a_time_that_has_passed_is_no_wait(self, clock: Clock, ago: float) -> None:
        asyncio.run(clock.sleep_until(clock.now() - ago))

    def test_sleepers_wake_when_their_time_has_come(self, clock: Clock, pass_time: PassTime) -> None:
        async def use() -> None:
            woken: list[float] = []
            start = clock.now()

            async def sleeper(seconds: float) -> None:
                await clock.sleep_until(start + seconds)
                assert clock.now() >= start + seconds
                woken.append(seconds)

            tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (SHORT, SHORT / 2, 3600.0)]
            await asyncio.sleep(0)
            await pass_time(SHORT)
            await asyncio.wait(tasks[:2])
            assert woken == [SHORT / 2, SHORT]
            tasks[2].cancel()
            await asyncio.wait(tasks)
            assert tasks[2].cancelled()

        asyncio.run(use())
