"""What steps made, kept so that an equal step takes it over instead of running.

An entry is a file of the home, named by the step's key: a hash of all that decides what the step makes. It only points:
outputs belong to the run that made them. So a hit is checked, links what it takes, and one that is not whole is none.
Two equal steps do not run beside each other: the second waits for the first.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.adapters.local.forms import forms_of, has_form
from penstock.engine.protocol import Exited, Pod
from penstock.errors import NotFound, PenstockError
from penstock.failpoints import passing
from penstock.ports import Clock, ImageRule, Launcher, Objects
from penstock.spreading import spread
from penstock.workflow.nodes import is_own_key, log_key
from penstock.workflow.status import Artifact, Origin

__all__ = ["Cache", "Entry"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a step made, and which one: `workflow` is its run's. `made_at` in seconds since the epoch."""

    made_at: float
    origin: Origin
    workflow: str
    parameters: Mapping[str, str] = {}
    artifacts: tuple[Artifact, ...] = ()
    result: str | None = None


class Cache:
    """Entries in `folder`, and who computes what just now. For use in one event loop."""

    def __init__(self, folder: Path, objects: Objects, launcher: Launcher, clock: Clock, *, used: bool = True) -> None:
        """`used` False: nothing is taken over and nothing kept."""
        self._folder = folder
        self._objects = objects
        self._launcher = launcher
        self._clock = clock
        self._used = used
        self._running: dict[str, tuple[Origin, asyncio.Event]] = {}

    async def key(self, pod: Pod, workflow: str, images: Mapping[str, ImageRule]) -> str:
        """The key of a step, "" for one that is not cached. Waits for the digests of its inputs."""
        if (
            not self._used
            or pod.daemon
            or pod.caching is None
            or not all(is_own_key(output.key, workflow) for output in pod.output_artifacts)
        ):
            return ""
        try:
            parts = {
                "made": [
                    [(output.name, output.path, output.default) for output in pod.output_parameters],
                    [(output.name, output.path, output.optional) for output in pod.output_artifacts],
                    pod.capture_result,
                ],
                "by": pod.caching.key or await self._content(pod, images),
            }
        except PenstockError:  # an input is gone; the step itself will say so
            return ""
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()

    async def _content(self, pod: Pod, images: Mapping[str, ImageRule]) -> object:
        """All that decides what a step does. Raises NotFound, Unavailable."""
        inputs = [
            (
                artifact.path,
                artifact.raw,
                "" if artifact.raw is not None else await self._digest(artifact.key),
                *(() if artifact.mode is None else (artifact.mode, artifact.recurse_mode)),
                *(await asyncio.to_thread(forms_of, self._objects, artifact) if has_form(artifact.key) else ()),
            )
            for artifact in pod.input_artifacts
        ]
        image = await self._launcher.identity(pod.image, pod.command, images)
        beside = [
            pod.mounts,
            pod.volumes,
            pod.init,
            pod.containers,
            pod.sidecars,
            *pod.hosts,
            *([True] if pod.tty else []),
        ]
        return [image, pod.command, pod.args, pod.script, pod.working_dir, pod.env, inputs, beside]

    async def _digest(self, key: str) -> str:
        return await asyncio.to_thread(self._objects.digest, key)

    # --- equal steps at once ----------------------------------------------------------------------------------------

    async def turn(self, key: str, who: Origin, waiting: Callable[[str], None]) -> None:
        """Return when no other step computes `key`; from then on `who` does, until `leave`."""
        while key in self._running:
            other, ended = self._running[key]
            waiting(f"waiting for an equal step: run {other.run} step {other.step}")
            await ended.wait()
        self.enter(key, who)

    def enter(self, key: str, who: Origin) -> None:
        """`who` computes `key` already."""
        self._running.setdefault(key, (who, asyncio.Event()))

    def leave(self, key: str, who: Origin) -> None:
        """`who` is done with it, well or not."""
        if key in self._running and self._running[key][0] == who:
            self._running.pop(key)[1].set()

    # --- entries ----------------------------------------------------------------------------------------------------

    async def hit(self, key: str, pod: Pod, workflow: str) -> Exited | None:
        """The end of a step that is not started, its outputs linked to where its own would be; None without a hit."""
        entry = self._entry(key)
        age = None if entry is None else self._clock.now() - entry.made_at
        longest = pod.caching.max_age if pod.caching is not None else None
        # Whoever set the clock back does not make old results new.
        if entry is None or age is None or age < 0 or (longest is not None and age > longest):
            return None
        try:
            artifacts = await asyncio.to_thread(self._linked, entry, pod, workflow)
        except PenstockError:  # then it runs, and a disk that is full is its own concern
            return None
        now = self._clock.now()
        return Exited(
            now=now,
            node_id=pod.node_id,
            exit_code=0,
            parameters=entry.parameters,
            artifacts=artifacts,
            result=entry.result,
            started_at=now,
            finished_at=now,
            cached_from=entry.origin,
        )

    def _entry(self, key: str) -> Entry | None:
        with suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode(self._file(key).read_bytes(), type=Entry)
        return None

    def _linked(self, entry: Entry, pod: Pod, workflow: str) -> tuple[Artifact, ...]:
        """The entry's artifacts as the step's own. Raises NotFound where one is gone."""
        keys = {output.name: output.key for output in pod.output_artifacts}
        for artifact in entry.artifacts:
            if self._objects.stat(artifact.key) is None:
                raise NotFound(f"no object has the key {artifact.key!r}")
        passing("link.before")
        for artifact in entry.artifacts:
            self._objects.link(artifact.key, keys[artifact.name])
        with suppress(NotFound):
            self._objects.link(log_key(entry.workflow, entry.origin.node_id), log_key(workflow, pod.node_id))
        passing("link.after")
        return tuple(msgspec.structs.replace(a, key=keys[a.name]) for a in entry.artifacts)

    def keep(self, key: str, origin: Origin, workflow: str, ended: Exited) -> None:
        """Keep what the step `origin` of a workflow made, in the place of a former entry. Raises OSError."""
        entry = Entry(
            made_at=self._clock.now(),
            origin=origin,
            workflow=workflow,
            parameters=ended.parameters,
            artifacts=ended.artifacts,
            result=ended.result,
        )
        file = self._file(key)
        part = file.with_name(uuid.uuid4().hex)
        passing("keep.before")
        try:
            if not file.parent.is_dir():
                self._folder.mkdir(parents=True, exist_ok=True)
                spread(self._folder)
                file.parent.mkdir(exist_ok=True)
            part.write_bytes(msgspec.json.encode(entry))
            os.replace(part, file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        passing("keep.after")

    def sweep(self, *, remove: bool) -> tuple[Sequence[str], int]:
        """Keys of artifacts that entries point to, and how many entries point to nothing; these are removed."""
        keys: list[str] = []
        stale = 0
        for file in self._folder.glob("*/*.json"):
            entry = self._entry(file.parent.name + file.stem)
            artifacts = [artifact.key for artifact in entry.artifacts] if entry is not None else []
            if entry is not None and all(self._objects.stat(key) is not None for key in artifacts):
                keys += artifacts
                continue
            stale += 1
            if remove:
                file.unlink(missing_ok=True)
        return keys, stale

    def _file(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key[2:]}.json"
