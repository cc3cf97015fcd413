"""Volumes that are handed from step to step."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from penstock.dsl.kubernetes import Plain, camel, plain
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from penstock.dsl.nodes import Node

__all__ = ["PipelineVolume"]

_LONGEST = 63
"""Most characters of a volume's name in Kubernetes."""


class PipelineVolume(Plain):
    """A volume that steps mount with `pvolumes`, each after the steps that had it before.

    `pvc` names a claim; `volume` is a Kubernetes `V1Volume` or another PipelineVolume; further settings are those of a
    `V1Volume`, as in `empty_dir={}`. Without a name it gets one made of what it is.
    """

    def __init__(self, pvc: Any = None, volume: Any = None, **settings: Any) -> None:
        if volume is not None and (settings or pvc is not None):
            raise InvalidPipeline(located("PipelineVolume takes a volume, or a claim and a name, not both"))
        if pvc is not None and set(settings) - {"name"}:
            raise InvalidPipeline(located("PipelineVolume takes nothing but a name beside a claim (pvc)"))
        fields = plain(volume) if volume is not None else {camel(key): plain(each) for key, each in settings.items()}
        if pvc is not None:
            fields["persistentVolumeClaim"] = {"claimName": str(pvc)}
        self.name: str = fields.setdefault("name", _name_of(fields))
        if len(self.name) > _LONGEST:
            raise InvalidPipeline(located(f"volume name: {len(self.name)} characters, limit {_LONGEST}"))
        self._fields: dict[str, Any] = fields
        self.holders: tuple[Node, ...] = ()
        """The steps that had the volume last; who mounts it waits for them."""

    def to_plain(self) -> dict[str, Any]:
        """The volume as a document has it."""
        return self._fields

    @property
    def claim(self) -> str | None:
        """Name of its claim, if it has one."""
        found: str | None = self._fields.get("persistentVolumeClaim", {}).get("claimName")
        return found

    def after(self, *nodes: Node) -> PipelineVolume:
        """The same volume, for steps that must wait for the given ones."""
        later = PipelineVolume(volume=self)
        later.holders = (*nodes, *(old for old in self.holders if not any(_waits(node, old) for node in nodes)))
        return later


def _waits(node: Node, other: Node) -> bool:
    """Whether `node` waits for `other` already, directly or not."""
    waiting, seen = [node], {id(node)}
    while waiting:
        each = waiting.pop()
        if each is other:
            return True
        further = [before for before in each.dependencies if id(before) not in seen]
        seen.update(map(id, further))
        waiting.extend(further)
    return False


def _name_of(fields: dict[str, Any]) -> str:
    """The name that kfp 1.8.22 makes: of the fields as Python spells them."""
    import hashlib

    named = _spelled({"name": "pvolume-placeholder", **fields})
    return f"pvolume-{hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()}"[:_LONGEST]


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", key): _spelled(each) for key, each in value.items()
        }
    return [_spelled(each) for each in value] if isinstance(value, list) else value
