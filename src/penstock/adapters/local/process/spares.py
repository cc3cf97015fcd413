"""Steps that are begun before they are asked for: a root that is mounted, and a process that waits in it.

To start a step takes some forks and mounts, and each costs a millisecond. The chains of a run leave a processor idle
meanwhile; so the next step's are made while this one runs. A spare fits steps of its run whose root begins as its own
did: on the host's root, without inputs that are laid before. Its folder becomes the step's by a rename. When the step
has ended, its supervisor makes the next spare, so two of them serve a whole chain in turns.
"""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from penstock.adapters.local.process import messages
from penstock.adapters.local.process.folders import StepFolder, make_folder, remove_tree
from penstock.adapters.local.process.forkserver import ForkServer
from penstock.errors import Unavailable
from penstock.ports import StepId

__all__ = ["Spares"]


_OF_ROOT = ("dir", "way", "user", "base", "skel", "own_tops", "masks", "shown", "cwd")
"""What a spare's supervisor is told of a step, and keeps: never what the step runs, which the next one could read."""


MOST_IDLE = 16
"""Supervisors that wait for a step while others run."""


@dataclass(frozen=True, slots=True)
class _Spare:
    """A supervisor, and the folder of the root that it made last."""

    shape: Mapping[str, Any]
    channel: socket.socket
    folder: StepFolder


class Spares:
    """At most one spare, in `<home>/spares`; for use in one event loop. It ends with this process."""

    def __init__(self, home: Path, forks: ForkServer) -> None:
        self._root = home / "spares"
        self._forks = forks
        self._ready: _Spare | None = None
        self._idle: list[_Spare] = []
        self._serving: dict[StepId, _Spare] = {}
        self._making: asyncio.Task[None] | None = None
        self._swept = False

    def start(self, id: StepId, shape: Mapping[str, Any], folder: StepFolder, spec: Mapping[str, Any]) -> int | None:
        """Let a spare of this shape become the step `id` at `folder`, where nothing may be.

        A descriptor that becomes readable when the step has ended, for the caller to close; None where there is no
        such spare, or it cannot: the step is to be started in the other way, which tells the reason.
        """
        spare, self._ready = self._ready, None
        if spare is None:
            return None
        with ExitStack() as unless_begun, suppress(OSError):
            unless_begun.callback(_end, spare)
            if spare.shape != shape:
                return None
            folder.take_over(spare.folder)
            lock = folder.lock()
            assert lock is not None, "nobody knew of the folder"
            try:
                reader = _begin(spare.channel, lock, spec)
            finally:
                os.close(lock)
            unless_begun.pop_all()
            self._serving[id] = replace(spare, folder=folder)
            return reader
        return None

    async def start_at_once(
        self,
        id: StepId,
        shape: Mapping[str, Any],
        folder: StepFolder,
        spec: Mapping[str, Any],
        lay: Callable[[StepFolder], Mapping[str, Any]],
    ) -> int | None:
        """The same without a spare: the supervisor of a step that has ended, or a new one, makes the root and goes on
        with this step. `lay` fills the step's folder, where nothing may be, and returns its description.
        """
        with ExitStack() as unless_begun, suppress(OSError, EOFError, Unavailable):
            make_folder(folder.path)
            lock = folder.lock()
            if lock is None:  # another launcher begins it
                return None
            unless_begun.callback(os.close, lock)
            unless_begun.callback(remove_tree, folder.path)
            laid, program = lay(folder), spec["program"] or ""
            channel = self._again(shape, laid, program) or await self._anew(laid, program)
            unless_begun.callback(channel.close)
            reader = _begin(channel, lock, spec)
            unless_begun.pop_all()
            os.close(lock)
            self._serving[id] = _Spare(shape, channel, folder)
            return reader
        return None

    def ended(self, id: StepId, *, last: bool) -> None:
        """The step has ended and its end is on the disk: who supervised it may go on with another. `last`: no step runs
        any more.
        """
        spare = self._serving.pop(id, None)
        if spare is not None:
            self._idle.append(spare)
        while len(self._idle) > (1 if last else MOST_IDLE):
            self._idle.pop(0).channel.close()

    def lost(self, id: StepId) -> None:
        """The step has ended in another way: its supervisor is of no use any more."""
        spare = self._serving.pop(id, None)
        if spare is not None:
            spare.channel.close()

    def make(
        self, shape: Mapping[str, Any], program: str | None, lay: Callable[[StepFolder], Mapping[str, Any]]
    ) -> None:
        """Begin to make one of this shape, unless there is one. `lay` makes its folder and returns its description;
        `program` is the Python source that it may be told to run.
        """
        if self._ready is None and self._making is None:
            self._making = asyncio.ensure_future(self._make(shape, program or "", lay))

    async def _make(
        self, shape: Mapping[str, Any], program: str, lay: Callable[[StepFolder], Mapping[str, Any]]
    ) -> None:
        folder = StepFolder(self._root / uuid.uuid4().hex)
        with ExitStack() as unless_made:
            try:
                unless_made.callback(remove_tree, folder.path)
                # Some names in folders of our own: quicker than to ask a thread for it.
                spec = self._laid(folder, lay)
                channel = self._again(shape, spec, program) or await self._anew(spec, program)
                self._ready = _Spare(shape, channel, folder)
                unless_made.pop_all()
            except (OSError, EOFError, Unavailable):
                return  # whatever is wrong, the next step meets it and says so
            finally:
                self._making = None

    def _laid(self, folder: StepFolder, lay: Callable[[StepFolder], Mapping[str, Any]]) -> Mapping[str, Any]:
        if not self._swept:
            remove_tree(self._root)  # of processes that are gone
            self._swept = True
        make_folder(folder.path)
        return lay(folder)

    def _again(self, shape: Mapping[str, Any], spec: Mapping[str, Any], program: str) -> socket.socket | None:
        """Let the supervisor of an ended step make a root of this shape, where there is one for it."""
        idle = next((each for each in reversed(self._idle) if each.shape == shape), None)
        if idle is None:
            return None
        self._idle.remove(idle)
        with ExitStack() as unless_sent, suppress(OSError):
            unless_sent.callback(idle.channel.close)
            _go_on(idle.channel, spec, program)
            unless_sent.pop_all()
            return idle.channel
        return None

    async def _anew(self, spec: Mapping[str, Any], program: str) -> socket.socket:
        """Let a new supervisor make the spare. Raises OSError, EOFError, Unavailable."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ExitStack() as unless_forked:
            unless_forked.callback(ours.close)
            with theirs, _sheets(program) as sheets:
                _, pidfd = await self._forks.fork("spare", _root_of(spec), (theirs.fileno(), *sheets))
            os.close(pidfd)
            unless_forked.pop_all()
        return ours

    async def close(self) -> None:
        """Let the spare end, and remove it. Steps go on; their supervisors end with them."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)
        if self._ready is not None:
            _end(self._ready)
        for spare in (*self._serving.values(), *self._idle):
            spare.channel.close()
        self._ready = None
        self._idle.clear()
        self._serving.clear()


def _root_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What a supervisor is told of a step."""
    return {name: spec[name] for name in _OF_ROOT}


def _go_on(channel: socket.socket, spec: Mapping[str, Any], program: str) -> None:
    """Let a supervisor make the root of another step. Raises OSError."""
    with _sheets(_root_of(spec), program) as sheets:
        messages.send(channel, {}, sheets)


def _begin(channel: socket.socket, lock: int, spec: Mapping[str, Any]) -> int:
    """Tell a supervisor what its step is, and give it the step's lock. A descriptor that becomes readable when the step
    has ended. Raises OSError.
    """
    reader, writer = os.pipe()
    with ExitStack() as unless_sent, ExitStack() as held:
        unless_sent.callback(os.close, reader)
        held.callback(os.close, writer)
        with _sheets(spec) as (orders,):
            messages.send(channel, {"title": spec["title"]}, (orders, lock, writer))
        unless_sent.pop_all()
    return reader


@contextmanager
def _sheets(*contents: object) -> Iterator[Sequence[int]]:
    with ExitStack() as held:
        found = []
        for content in contents:
            found.append(messages.sheet(content))
            held.callback(os.close, found[-1])
        yield found


def _end(spare: _Spare) -> None:
    spare.channel.close()
    with suppress(OSError):
        remove_tree(spare.folder.path)
