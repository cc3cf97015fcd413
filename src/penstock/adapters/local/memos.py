"""Caches of memoized templates: what steps made, by cache and key, kept as files of the home."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.engine.protocol import Recall, Recalled, Remember
from penstock.ports import Objects
from penstock.workflow.status import NodeOutputs

__all__ = ["Memos"]


class _Memo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One entry. `made_at` in seconds since the epoch."""

    cache: str
    key: str
    outputs: NodeOutputs | None
    made_at: float


class Memos:
    """Entries in `folder`, one file each. One that cannot be read, or whose artifacts are gone, is none."""

    def __init__(self, folder: Path, objects: Objects) -> None:
        self._folder = folder
        self._objects = objects

    def recall(self, asked: Recall, now: float) -> Recalled:
        """What a cache has, as the event that answers."""
        with suppress(OSError, msgspec.DecodeError):
            found = msgspec.json.decode(self._file(asked.cache, asked.key).read_bytes(), type=_Memo)
            if self._whole(found):
                return Recalled(now=now, node_id=asked.node_id, outputs=found.outputs, made_at=found.made_at)
        return Recalled(now=now, node_id=asked.node_id)

    def _whole(self, memo: _Memo) -> bool:
        artifacts = memo.outputs.artifacts if memo.outputs is not None else ()
        return all(self._objects.stat(artifact.key) is not None for artifact in artifacts if artifact.key)

    def remember(self, made: Remember) -> None:
        """Keep an entry, in the place of a former one. Raises OSError."""
        memo = _Memo(cache=made.cache, key=made.key, outputs=made.outputs, made_at=made.made_at)
        file = self._file(made.cache, made.key)
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=self._folder)
        try:
            with open(descriptor, "wb") as entry:
                entry.write(msgspec.json.encode(memo))
            os.replace(part, file)
        except BaseException:
            os.unlink(part)
            raise

    def sweep(self, *, remove: bool) -> tuple[Sequence[str], int]:
        """Keys of artifacts that entries hold, and how many can be used no more; these are removed."""
        keys: list[str] = []
        stale = 0
        for file in self._folder.glob("*.json"):
            with suppress(OSError, msgspec.DecodeError):
                found = msgspec.json.decode(file.read_bytes(), type=_Memo)
                if self._whole(found):
                    keys += [
                        artifact.key for artifact in (found.outputs.artifacts if found.outputs is not None else ())
                    ]
                    continue
            stale += 1
            if remove:
                file.unlink(missing_ok=True)
        return keys, stale

    def _file(self, cache: str, key: str) -> Path:
        # A key may be anything, a name of a file may not.
        return self._folder / f"{hashlib.sha256(msgspec.json.encode([cache, key])).hexdigest()}.json"
