"""What the store holds that no run refers to: left by crashes in the midst of making or deleting a run."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from penstock.errors import PenstockError
from penstock.ports import Objects, Page, Reader, Records

__all__ = ["GRACE", "Waste", "command_lines", "waste"]

GRACE = 3600.0
"""Seconds for which what belongs to no run is left alone: a run may be in the making."""

_KINDS = ("artifacts", "logs")
"""Below these each run has a folder of its workflow's name. Keys elsewhere were given by a person; they stay."""


class Waste(NamedTuple):
    """Something to remove, and how many bytes that frees."""

    name: str
    size: int


def waste(records: Records, objects: Objects, now: float, kept: Collection[str] = ()) -> Sequence[Waste]:
    """Objects of runs that are not there. `kept` are keys that are needed all the same.

    Digests that are still to be made are made first: nothing is taken away from under who reads it.
    """
    for key in objects.undigested():
        with suppress(PenstockError):
            objects.digest(key)
    needed = {"/".join(key.split("/")[:2]) for key in kept}
    found = [
        (kind, name)
        for kind in _KINDS
        for name, changed in objects.below(kind).items()
        if now - changed >= GRACE and f"{kind}/{name}" not in needed
    ]

    def gone(store: Reader) -> list[str]:
        leaving = {intent.argument for intent in store.intents()}
        return [f"{kind}/{name}" for kind, name in found if name not in leaving and store.run_of_workflow(name) is None]

    return [Waste(prefix, objects.size(prefix)) for prefix in records.read(gone)]


def command_lines(records: Records) -> Iterator[Sequence[str]]:
    """What the containers of all runs are told to run, as their documents say it."""
    page = Page(size=200)
    while True:
        runs = records.read(lambda store, page=page: store.runs(page))  # type: ignore[misc]
        for run in runs.items:
            document = records.read(lambda store, id=run.id: store.run_document(id))  # type: ignore[misc]
            yield from _commands(json.loads(document or "{}").get("spec", {}))
        if not runs.next_token:
            return
        page = Page(size=200, token=runs.next_token)


def _commands(part: Any) -> Iterator[Sequence[str]]:
    if isinstance(part, dict):
        command = part.get("command")
        if isinstance(command, list):
            yield [str(word) for word in (*command, *(part.get("args") or ()))]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _commands(each)
