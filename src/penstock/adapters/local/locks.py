"""Mutexes and semaphores of a home: passes on to runs what the table of locks grants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from penstock.engine.locks import Holder, LockTable
from penstock.engine.protocol import Acquire

__all__ = ["Locks"]


class Locks:
    """One table for all runs. `granted` is called with who holds all they asked for.

    Nothing is granted before `open`: until then runs of a former host say what they hold.
    """

    def __init__(self, granted: Callable[[Holder], None]) -> None:
        self._table = LockTable()
        self._granted = granted
        self._early: list[Callable[[], Iterable[Holder]]] | None = []

    def open(self) -> None:
        """All that was held is known."""
        early, self._early = self._early or [], None
        for wish in early:
            self._tell(wish())

    def ask(self, holder: Holder, asked: Acquire, priority: int, since: float) -> None:
        """Stand in line, or keep what was held."""
        if asked.held:
            self._table.keep(holder, asked.locks)
            return

        def wish() -> Iterable[Holder]:
            return self._table.ask(holder, asked.locks, priority=priority, since=since)

        if self._early is None:
            self._tell(wish())
        else:
            self._early.append(wish)

    def drop(self, holder: Holder) -> None:
        """Let go of what was held or asked for."""
        self._tell(self._table.drop(holder))

    def forget(self, run_id: str) -> None:
        """The same for all of a run that has ended."""
        self._tell(self._table.forget(run_id))

    def _tell(self, holders: Iterable[Holder]) -> None:
        for holder in holders:
            self._granted(holder)
