"""What `resource` templates ask a cluster for, as far as a home can do it: persistent volume claims, by its folders."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from penstock.adapters.local.claims import Claims
from penstock.engine.protocol import Exited, Pod
from penstock.errors import AlreadyExists, Final, InvalidInput, NotFound
from penstock.ports import Clock
from penstock.workflow import load_yaml, run_name
from penstock.workflow.objectpaths import picked
from penstock.workflow.pods import Resource, ResourceOutput
from penstock.workflow.running import timestamp

__all__ = ["performed"]

CLAIM = "PersistentVolumeClaim"
_SHORT = ("pvc", "persistentvolumeclaim", "persistentvolumeclaims")
_REFUSED = 64
"""Exit code of Argo's executor when the cluster refuses."""


def performed(pod: Pod, owner: str, claims: Claims, clock: Clock) -> Exited:
    """Do what a resource step asks for; how it ended. Harmless when it is done again by the same `owner`.

    Raises NoSpace, Unavailable.
    """
    assert pod.resource is not None
    start = clock.now()
    try:
        found = _done(pod.resource, owner, claims, start)
    except Final as error:
        message = f"main: Error (exit code {_REFUSED}): {error}"
        now = clock.now()
        return Exited(
            now=now, node_id=pod.node_id, exit_code=_REFUSED, message=message, started_at=start, finished_at=now
        )
    values = {output.name: _value(found, output) for output in pod.resource.outputs}
    missing = [name for name, value in values.items() if value is None]
    now = clock.now()
    return Exited(
        now=now,
        node_id=pod.node_id,
        exit_code=0,
        error=f"output parameter {missing[0]!r}: the object has nothing at its path" if missing else "",
        parameters={name: value for name, value in values.items() if value is not None},
        started_at=start,
        finished_at=now,
    )


def _value(found: Mapping[str, Any], output: ResourceOutput) -> str | None:
    value = picked(found, output.path)
    return output.default if value is None else value


def _done(asked: Resource, owner: str, claims: Claims, now: float) -> Mapping[str, Any]:
    """The object that was made, read or removed. Raises Final."""
    manifest = _manifest(asked)
    name = _name(manifest, owner)
    found = claims.object(name)
    if asked.action == "get":
        return found or _absent(name)
    if asked.action == "delete":
        if not claims.remove(name):
            _absent(name)
        return found or {}
    if found is not None and (asked.action == "apply" or claims.owner(name) == owner):
        return found
    if found is not None:
        raise AlreadyExists(f'persistentvolumeclaims "{name}" already exists')
    made = _claim(manifest, name, now)
    claims.make(name, made, owner=owner)
    return made


def _absent(name: str) -> Mapping[str, Any]:
    raise NotFound(f'persistentvolumeclaims "{name}" not found')


def _manifest(asked: Resource) -> Mapping[str, Any]:
    if asked.manifest.strip():
        manifest = load_yaml(asked.manifest, source="manifest")
    else:
        words = [word for flag in asked.flags for word in flag.split("/") if not flag.startswith("-")]
        kind, name = (*words, "", "")[:2]
        manifest = {"kind": CLAIM if kind.lower() in _SHORT else kind, "metadata": {"name": name}}
    if not isinstance(manifest, dict) or manifest.get("kind") != CLAIM:
        got = manifest.get("kind") if isinstance(manifest, dict) else None
        raise InvalidInput(f"manifest: expected kind {CLAIM}, got {got!r}; other objects need a cluster")
    return manifest


def _name(manifest: Mapping[str, Any], owner: str) -> str:
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name, front = metadata.get("name"), metadata.get("generateName")
    if name is None and isinstance(front, str):
        return run_name(front, owner)
    if not isinstance(name, str):
        raise InvalidInput("manifest: metadata.name is missing")
    return name


def _claim(manifest: Mapping[str, Any], name: str, now: float) -> dict[str, Any]:
    """The object as a cluster gives it back once it is bound."""
    spec = manifest.get("spec")
    spec = dict(spec) if isinstance(spec, dict) else {}
    resources = spec.get("resources")
    requests = resources.get("requests") if isinstance(resources, dict) else None
    uid = str(uuid.uuid4())
    own = {key: value for key, value in manifest["metadata"].items() if key != "generateName"}
    return {
        "apiVersion": "v1",
        "kind": CLAIM,
        "metadata": {**own, "name": name, "namespace": "default", "uid": uid, "creationTimestamp": timestamp(now)},
        "spec": {"volumeMode": "Filesystem", **spec, "volumeName": f"pvc-{uid}"},
        "status": {
            "phase": "Bound",
            "accessModes": spec.get("accessModes") or [],
            "capacity": requests if isinstance(requests, dict) else {},
        },
    }
