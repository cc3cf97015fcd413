"""The volumes of a pod: what lies in them before it begins, and where its containers see them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

import msgspec

from penstock.engine.environment import Fields, expanded
from penstock.engine.state import Fault, Turn
from penstock.engine.variables import globals_of
from penstock.workflow import pods, tags
from penstock.workflow.configuration import CONFIG_MAP, SECRET
from penstock.workflow.document import (
    Container,
    FieldVolume,
    ObjectVolume,
    Projected,
    Template,
    Volume,
    VolumeMount,
)

__all__ = ["mounts_of", "volumes_of"]


def mounts_of(
    turn: Turn, template: Template, container: Container, env: Iterable[tuple[str, str]], fields: Fields
) -> tuple[pods.Mount, ...]:
    """Where a container of the template, which has these variables, sees volumes. Raises Fault."""
    volumes = {volume.name: volume for volume in _declared(turn, template)}
    own = _own_claims(turn)
    return tuple(
        pods.Mount(
            mount.name,
            mount.mount_path,
            _below(mount, env, fields),
            mount.read_only or _read_only(volumes.get(mount.name)),
        )
        for mount in container.volume_mounts
        if mount.name in volumes or mount.name in own
    )


def _below(mount: VolumeMount, env: Iterable[tuple[str, str]], fields: Fields) -> str:
    if not mount.sub_path_expr:
        return mount.sub_path
    below = expanded(mount.sub_path_expr, dict(env), fields.named)
    if "$(" in below:
        raise Fault(f"volumeMounts: subPathExpr {mount.sub_path_expr!r:.200} names a variable that there is not")
    return below


def _read_only(volume: Volume | None) -> bool:
    return (
        volume is not None and volume.persistent_volume_claim is not None and volume.persistent_volume_claim.read_only
    )


def volumes_of(turn: Turn, template: Template, fields: Fields) -> tuple[pods.Volume, ...]:
    """The volumes that are not empty at first, the run's own claims among them. Raises Fault for what nobody gave."""
    claims = (pods.Volume(name=name, claim=claim, owner=turn.run.uid) for name, claim in _own_claims(turn).items())
    declared = (_made(turn, volume, fields) for volume in _declared(turn, template))
    return (*claims, *(made for made in declared if made is not None))


def _declared(turn: Turn, template: Template) -> tuple[Volume, ...]:
    return (*_shared(turn), *template.volumes)


def _shared(turn: Turn) -> tuple[Volume, ...]:
    """The volumes of all pods of the run, tags of globals replaced."""
    text = msgspec.json.encode(turn.workflow.spec.volumes).decode()
    return (
        msgspec.json.decode(tags.replace(text, globals_of(turn)), type=tuple[Volume, ...])
        if "{{" in text
        else (turn.workflow.spec.volumes)
    )


def _own_claims(turn: Turn) -> dict[str, str]:
    """The claims that the run makes for itself, by the names of the volumes that they are."""
    names = (claim.metadata.name for claim in turn.workflow.spec.volume_claim_templates)
    return {name: f"{turn.run.name}-{name}" for name in names}


def _made(turn: Turn, volume: Volume, fields: Fields) -> pods.Volume | None:
    if volume.persistent_volume_claim is not None:
        return pods.Volume(name=volume.name, claim=volume.persistent_volume_claim.claim_name)
    files = tuple(_files(turn, volume, fields))
    filled = any((volume.config_map, volume.secret, volume.downward_api, volume.projected))
    return pods.Volume(name=volume.name, files=files) if filled else None


def _files(turn: Turn, volume: Volume, fields: Fields) -> Iterator[pods.File]:
    if volume.config_map is not None:
        yield from _of_object(turn, CONFIG_MAP, volume.config_map.name, volume.config_map)
    if volume.secret is not None:
        yield from _of_object(turn, SECRET, volume.secret.secret_name, volume.secret)
    if volume.downward_api is not None:
        yield from _of_fields(volume.downward_api, fields)
    if volume.projected is not None:
        yield from _projected(turn, volume.projected, fields)


def _projected(turn: Turn, volume: Projected, fields: Fields) -> Iterator[pods.File]:
    for part in volume.sources:
        if part.config_map is not None:
            yield from _of_object(turn, CONFIG_MAP, part.config_map.name, part.config_map)
        if part.secret is not None:
            yield from _of_object(turn, SECRET, part.secret.name, part.secret)
        if part.downward_api is not None:
            yield from _of_fields(part.downward_api, fields)


def _of_object(turn: Turn, kind: str, name: str, volume: ObjectVolume) -> Iterator[pods.File]:
    entries = turn.run.config.entries(kind, name)
    if entries is None and not volume.optional:
        raise Fault(turn.run.config.lacks(kind, name))
    named = {item.key: item.path or item.key for item in volume.items} or {key: key for key in entries or {}}
    for key, path in named.items():
        if entries is not None and key in entries:
            yield pods.File(_inside(path), entries[key])
        elif not volume.optional:
            raise Fault(turn.run.config.lacks(kind, name, key))


def _of_fields(volume: FieldVolume, fields: Fields) -> Iterator[pods.File]:
    for item in volume.items:
        if item.field_ref is not None:
            yield pods.File(_inside(item.path), fields.get(item.field_ref.field_path).encode())


def _inside(path: str) -> str:
    """A file's path in its volume. Raises Fault for one that leads out of it."""
    plain = posixpath.normpath(path)
    if not path or plain.startswith(("/", "../")) or plain in (".", ".."):
        raise Fault(f"volume: the path {path!r:.200} leads out of it")
    return plain
