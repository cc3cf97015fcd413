"""One suite for every clock."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from penstock.adapters.local.clock import SteadyClock, SystemClock
from penstock.ports import Clock
from penstock.testing import FakeClock
from penstock.testing.clock_contract import ClockContract, PassTime


class TestFakeClock(ClockContract):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def pass_time(self, clock: FakeClock) -> PassTime:
        async def pass_time(seconds: float) -> None:
            clock.advance(seconds)

        return pass_time

    def test_the_next_wake_is_the_earliest(self, clock: FakeClock) -> None:
        async def use() -> None:
            assert clock.next_wake is None
            tasks = [asyncio.create_task(clock.sleep_until(clock.now() + seconds)) for seconds in (20, 10)]
            await asyncio.sleep(0)
            assert clock.next_wake == clock.now() + 10
            clock.set(clock.now() + 15)
            await tasks[1]
            assert clock.next_wake == clock.now() + 5
            clock.advance(5)
            await tasks[0]
            assert clock.next_wake is None

        asyncio.run(use())


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()

    @pytest.fixture
    def pass_time(self) -> PassTime:
        return asyncio.sleep


class TestSteadyClock(ClockContract):
    @pytest.fixture
    def clock(self, tmp_path: Path) -> Clock:
        return SteadyClock(tmp_path / "clock")

    @pytest.fixture
    def pass_time(self) -> PassTime:
        return asyncio.sleep
