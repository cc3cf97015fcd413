"""Follow runs to their end: show what happens, pass on Ctrl-C and the time limit, tell the outcome."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from penstock.bootstrap import Home, Shutdown
from penstock.cli.board import Board, duration
from penstock.cli.exits import FAILED, STOPPED, SUCCEEDED, TIMED_OUT
from penstock.cli.show import Show
from penstock.errors import Conflict, NotFound, PenstockError

_REFUSALS = 10
"""Seconds for which nothing can be stored after which a run that should end is left."""

__all__ = ["Followed", "follow", "follow_to_end", "interrupted", "summary"]


@dataclass(slots=True)
class Followed:
    """How following ended. `timed_out`: the time limit ended the run. `left`: it goes on, and nobody here drives it."""

    board: Board
    timed_out: bool = False
    left: bool = False

    @property
    def exit_code(self) -> int:
        """The command's exit code."""
        state = self.board.run.get("state")
        if state == "SUCCEEDED":
            return SUCCEEDED
        if self.timed_out:
            return TIMED_OUT
        return STOPPED if self.left or state == "CANCELED" else FAILED


async def follow(home: Home, run_id: str, board: Board, show: Show, after: int = 0) -> None:
    """Show a run's events after the number `after` until it has ended. Call it inside `home.engaged`."""
    async for event in home.follow(run_id, after):
        show.update(board.apply(event.kind, event.at, event.data))


async def follow_to_end(
    home: Home, run_id: str, board: Board, show: Show, timeout: float | None = None, *, after: int = 0
) -> Followed:
    """Drive and follow one run. Ctrl-C stops it, a second one and the time limit (seconds) terminate it.

    Where the home cannot store that (a full disk), the run is left to who takes the home over next.
    """
    followed = Followed(board)
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[None]] = set()
    left = asyncio.Event()

    async def stop(strategy: Shutdown) -> None:
        why = await _stopped(home, run_id, strategy)
        if why:
            show.say(
                f"{why}\nIt is left as it is; the next `penstock up` or `penstock run` on this home goes on with it"
            )
            followed.left = True
            left.set()

    def end(strategy: Shutdown, why: str) -> None:
        show.say(why)
        stopping.add(loop.create_task(stop(strategy)))

    def expire() -> None:
        followed.timed_out = True
        end(Shutdown.TERMINATE, f"Time limit of {duration(timeout or 0)} is over: terminating the run")

    limit = loop.call_later(timeout, expire) if timeout else None
    try:
        async with home.engaged():
            with interrupted(_stepwise(end)):
                following = loop.create_task(follow(home, run_id, board, show, after))
                leaving = loop.create_task(left.wait())
                await asyncio.wait([following, leaving], return_when=asyncio.FIRST_COMPLETED)
                leaving.cancel()
                if not following.done():
                    following.cancel()
                await asyncio.gather(following, return_exceptions=followed.left)
    finally:
        if limit:
            limit.cancel()
        for task in stopping:
            task.cancel()
    return followed


@contextmanager
def interrupted(handle: Callable[[], None]) -> Iterator[None]:
    """While inside, Ctrl-C (and SIGTERM) calls `handle` on the running loop."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for each in signals:
        loop.add_signal_handler(each, handle)
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)


def summary(board: Board) -> Sequence[str]:
    """The last lines about a run: its outcome, and what went wrong with the command that shows more."""
    run = board.run
    began, ended = run.get("started_at") or run.get("created_at") or 0.0, run.get("finished_at") or 0.0
    state = str(run.get("state", "")).lower()
    message = f": {run['message']}" if run.get("message") else ""
    lines = [f"Run {board.title} {state} after {duration(ended - began)}{message}"]
    for row in board.failures()[:5]:
        lines.append(f"  {row.name}: {row.phase}" + (f", {row.message}" if row.message else ""))
        lines.append(f"    penstock logs {board.title} '{row.name}'")
    return lines


def _stepwise(end: Callable[[Shutdown, str], None]) -> Callable[[], None]:
    """The first call stops, any further one terminates."""
    asked = False

    def handle() -> None:
        nonlocal asked
        if asked:
            end(Shutdown.TERMINATE, "Terminating the run")
        else:
            end(Shutdown.STOP, "Stopping the run; its exit handlers run. Ctrl-C again terminates it")
        asked = True

    return handle


async def _stopped(home: Home, run_id: str, strategy: Shutdown) -> str:
    """Ask the run to end; why that, or the end itself, cannot be stored, "" where the run ends by itself now."""
    try:
        await asyncio.to_thread(home.stop, run_id, strategy)
    except (NotFound, Conflict):  # it ended, or was deleted, a moment before
        return ""
    except PenstockError as error:
        return str(error)
    refused = 0
    while refused < _REFUSALS:
        await asyncio.sleep(1.0)
        refused = refused + 1 if home.host.refused else 0
    return home.host.refused
