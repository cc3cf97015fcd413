"""How many steps run at once, and who is next: by priority, then by the age of the run.

What steps request of the machine counts, too: those that run together request no more than it has.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from penstock.workflow.quantities import Needs

__all__ = ["Places"]

NOTHING = Needs()
_ENOUGH = Needs(math.inf, math.inf)
_Waiting = tuple[tuple[int, float], int, Needs, asyncio.Future[None]]


class Places:
    """The places for steps on this machine, which has `has` of what they request."""

    def __init__(self, count: int, has: Needs = _ENOUGH) -> None:
        self.count = count
        self._has = has
        self._taken = 0
        self._used = NOTHING
        self._waiting: list[_Waiting] = []
        self._came = 0

    def reason(self, needs: Needs = NOTHING) -> str:
        """Why who comes now has to wait; "" where there is room."""
        if self._taken >= self.count:
            return f"waiting: all {self.count} places for steps are taken"
        lack = self._lack(needs)
        return lack or ("waiting: other steps are to start first" if self._waiting else "")

    def _lack(self, needs: Needs) -> str:
        wanted = self._at_most(needs)
        for used, want, has, text in zip(self._used, wanted, self._has, _LACKS, strict=True):
            if used + want > has * (1 + 1e-9):
                return text.format(want=_shown(want), used=_shown(used), has=_shown(has))
        return ""

    def _at_most(self, needs: Needs) -> Needs:
        """What is counted of a request: one for more than there is gets all of it, alone."""
        return Needs(*map(min, needs, self._has))

    @asynccontextmanager
    async def one(
        self, rank: tuple[int, float], needs: Needs = NOTHING, *, at_once: bool = False
    ) -> AsyncIterator[None]:
        """A place while inside; of those that wait, the lowest rank comes next, then who waits longest.

        `at_once`: for a step that runs already, though it be one too many.
        """
        needs = self._at_most(needs)
        if at_once:
            self._take(needs)
        else:
            await self._turn(rank, needs)
        try:
            yield
        finally:
            self._leave(needs)

    async def _turn(self, rank: tuple[int, float], needs: Needs) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._came += 1
        heapq.heappush(self._waiting, (rank, self._came, needs, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._admit()
            else:
                self._leave(needs)
            raise

    def _admit(self) -> None:
        """Let in those whose turn it is and for whom there is room. Nobody overtakes one who waits for more of it."""
        while self._waiting:
            _, _, needs, turn = self._waiting[0]
            if turn.done():
                heapq.heappop(self._waiting)
            elif self._taken < self.count and not self._lack(needs):
                heapq.heappop(self._waiting)
                self._take(needs)
                turn.set_result(None)
            else:
                return

    def _take(self, needs: Needs) -> None:
        self._taken += 1
        self._used = Needs(*(used + need for used, need in zip(self._used, needs, strict=True)))

    def _leave(self, needs: Needs) -> None:
        self._taken -= 1
        # Nothing is left of what was rounded when nobody is there.
        left = (used - need if self._taken else 0.0 for used, need in zip(self._used, needs, strict=True))
        self._used = Needs(*left)
        self._admit()


_LACKS = (
    "waiting: it requests {want} cores, and steps that run have requested {used} of {has}",
    "waiting: it requests {want} bytes of memory, and steps that run have requested {used} of {has}",
)


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:g}"
