"""A clock that a test moves."""

from __future__ import annotations

import asyncio
import contextlib

__all__ = ["FakeClock"]


class FakeClock:
    """`ports.Clock` whose time stands still until `advance` or `set`. Use it from one event loop."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now

    async def sleep_until(self, when: float) -> None:
        """Return when the clock was moved to `when` or later; at once where it stands there."""
        if when <= self._now:
            return
        sleeper = (when, asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1]
        finally:
            with contextlib.suppress(ValueError):
                self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        """Move the time forward and wake whose time has come."""
        self.set(self._now + seconds)

    def set(self, now: float) -> None:
        """Move the time to `now` and wake whose time has come, the earliest first."""
        self._now = now
        for when, future in sorted(self._sleepers, key=lambda sleeper: sleeper[0]):
            if when <= now and not future.done():
                future.set_result(None)

    @property
    def next_wake(self) -> float | None:
        """When the earliest sleeper wants to be woken, None where nobody sleeps."""
        return min((when for when, _ in self._sleepers), default=None)
