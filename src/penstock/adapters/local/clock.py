"""The machine's clocks: the one on the wall, which people and programs set, and one that only goes forward."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

__all__ = ["SteadyClock", "SystemClock"]

_LONGEST = 60.0
"""Most seconds slept at once, so that a clock that was set, or a machine that slept, is noticed."""

_NOTICED = 1.0
"""Seconds by which two clocks may differ before anybody cares."""


class SystemClock:
    """`ports.Clock` of this machine."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep_until(self, when: float) -> None:
        """Return at `when` or later (seconds since the epoch); at once where it has passed."""
        while (left := when - time.time()) > 0:
            await asyncio.sleep(min(left, _LONGEST))


class _Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """What CLOCK_BOOTTIME lacks to the time since the epoch, in seconds, and the boot for which that holds."""

    boot: str
    offset: float


class SteadyClock:
    """`ports.Clock` for what runs: it began as the wall clock, and goes on as CLOCK_BOOTTIME does, asleep or awake.

    So deadlines, timeouts and waits last as long as they should when the wall clock is set. The anchor lies in `file`:
    who takes a home over in the same boot goes on with it, and only after a reboot does the wall clock count, the time
    that the machine was off with it.
    """

    def __init__(
        self,
        file: Path,
        *,
        wall: Callable[[], float] = time.time,
        running: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        boot: Callable[[], str] = lambda: Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
    ) -> None:
        self._file = file
        self._wall = wall
        self._running = running
        self._boot = boot
        self._offset: float | None = None

    def now(self) -> float:
        """Seconds since the epoch, as the wall clock would tell had nobody set it."""
        if self._offset is None:
            self._offset = self._kept()
        return self._running() + self._offset

    async def sleep_until(self, when: float) -> None:
        """Return at `when` or later (of this clock); at once where it has passed."""
        while (left := when - self.now()) > 0:
            await asyncio.sleep(min(left, _LONGEST))

    def agree(self, latest: float | None = None) -> None:
        """Go on not before `latest`, which this clock told once. None: nothing runs, so the wall clock counts."""
        now = self.now()
        if latest is None:
            self._set(self._wall() - self._running())
        elif latest > now:
            self._set(latest - self._running())

    def of_wall(self, at: float) -> float:
        """The time of this clock at which the wall clock, had it been set at once, showed `at`; at most now."""
        now = self.now()
        ahead = now - self._wall()
        return at if abs(ahead) < _NOTICED else min(at + ahead, now)

    def _kept(self) -> float:
        with suppress(OSError, msgspec.DecodeError):
            anchor = msgspec.json.decode(self._file.read_bytes(), type=_Anchor)
            if anchor.boot == self._boot():
                return anchor.offset
        offset = self._wall() - self._running()
        self._keep(offset)
        return offset

    def _set(self, offset: float) -> None:
        if self._offset is None or abs(offset - self._offset) > _NOTICED:
            self._offset = offset
            self._keep(offset)

    def _keep(self, offset: float) -> None:
        part = self._file.with_suffix(".part")
        with suppress(OSError):  # a full disk; then a restart counts from the wall clock
            part.write_bytes(msgspec.json.encode(_Anchor(boot=self._boot(), offset=offset)))
            os.replace(part, self._file)
