"""The table of mutexes and semaphores: who holds which, and who is next. One table spans all runs of a home.

It decides and does nothing: a host, or a test, keeps one and passes on whom it grants what they asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import NamedTuple

from penstock.engine.protocol import Lock

__all__ = ["Holder", "LockTable"]


class Holder(NamedTuple):
    """A node of a run, or the run itself, where `node_id` is ""."""

    run_id: str
    node_id: str


class _Wish(NamedTuple):
    """`order`: priority (highest first), age of the run, and which was asked first."""

    order: tuple[int, float, int]
    holder: Holder
    locks: tuple[Lock, ...]


class LockTable:
    """Locks by name. A wish is granted whole, when it is first in line for each of its locks and all have room."""

    def __init__(self) -> None:
        self._holders: dict[str, set[Holder]] = {}
        self._queues: dict[str, list[_Wish]] = {}
        self._wishes: dict[Holder, _Wish] = {}
        self._held: dict[Holder, tuple[Lock, ...]] = {}
        self._asked = 0

    def keep(self, holder: Holder, locks: tuple[Lock, ...]) -> None:
        """Note what a holder had before this table was made."""
        self._held[holder] = locks
        for lock in locks:
            self._holders.setdefault(lock.name, set()).add(holder)

    def ask(self, holder: Holder, locks: tuple[Lock, ...], *, priority: int = 0, since: float = 0.0) -> list[Holder]:
        """Stand in line; who holds all they asked for by that. `since`: when the run was made (seconds)."""
        if holder in self._held:
            return [holder]
        if holder not in self._wishes:
            self._asked += 1
            wish = self._wishes[holder] = _Wish((-priority, since, self._asked), holder, locks)
            for lock in locks:
                heapq.heappush(self._queues.setdefault(lock.name, []), wish)
        return self._grant(locks)

    def drop(self, holder: Holder) -> list[Holder]:
        """Let go of what was held or asked for; who holds all they asked for by that."""
        wish = self._wishes.pop(holder, None)
        locks = self._held.pop(holder, wish.locks if wish is not None else ())
        for lock in locks:
            self._holders.get(lock.name, set()).discard(holder)
        return self._grant(locks)

    def forget(self, run_id: str) -> list[Holder]:
        """The same for all of a run."""
        mine = [holder for holder in (*self._held, *self._wishes) if holder.run_id == run_id]
        return [granted for holder in mine for granted in self.drop(holder)]

    def _grant(self, locks: Iterable[Lock]) -> list[Holder]:
        granted: list[Holder] = []
        todo = [lock.name for lock in locks]
        while todo:
            wish = self._first(todo.pop())
            if wish is None or not all(self._first(lock.name) is wish and self._room(lock) for lock in wish.locks):
                continue
            del self._wishes[wish.holder]
            self.keep(wish.holder, wish.locks)
            granted.append(wish.holder)
            todo += [lock.name for lock in wish.locks]
        return granted

    def _first(self, name: str) -> _Wish | None:
        queue = self._queues.get(name, [])
        while queue and self._wishes.get(queue[0].holder) is not queue[0]:
            heapq.heappop(queue)
        return queue[0] if queue else None

    def _room(self, lock: Lock) -> bool:
        return len(self._holders.get(lock.name, ())) < lock.limit
