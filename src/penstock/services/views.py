"""What a node shows, read from its two conventional artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from penstock import outputs
from penstock.errors import NotFound, PenstockError
from penstock.ports import Metric, Objects
from penstock.workflow.status import Artifact, Node

__all__ = ["metrics_of", "views_of"]

UI_METADATA = "mlpipeline-ui-metadata"
METRICS = "mlpipeline-metrics"
LIMIT = 16 * 1024 * 1024
"""Most bytes read of one file that a step wrote to be shown."""


def views_of(node: Node, objects: Objects) -> Sequence[outputs.View]:
    """The checked views of a node; one error card for what cannot be read."""
    artifact = _output(node, UI_METADATA)
    if artifact is None:
        return []
    try:
        data = _bytes(objects, artifact.key)
    except (PenstockError, OSError) as error:
        return [outputs.ErrorView(message=str(error), step=node.display_name, node_id=node.id)]
    return outputs.read_ui_metadata(
        data,
        fetch=lambda uri: _fetch(uri, node, objects),
        step=node.display_name,
        node_id=node.id,
    )


def metrics_of(node: Node, objects: Objects) -> tuple[Sequence[Metric], Sequence[str]]:
    """The metrics that a node reported, and what was wrong with the rest, in words."""
    artifact = _output(node, METRICS)
    if artifact is None:
        return (), ()
    try:
        reading = outputs.read_metrics(_bytes(objects, artifact.key))
    except (PenstockError, OSError) as error:
        return (), (f"mlpipeline-metrics of step {node.display_name!r}: {error}",)
    found = [
        Metric(name=m.name, node_id=node.id, value=m.value, format=m.format, display_name=node.display_name)
        for m in reading.metrics
    ]
    return found, reading.problems


def _output(node: Node, name: str) -> Artifact | None:
    """The conventional artifact, whatever case and punctuation its name has (as Kubeflow Pipelines reads it)."""
    artifacts = node.outputs.artifacts if node.outputs else ()
    return next((a for a in artifacts if a.key and _plain(a.name).endswith(_plain(name))), None)


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _fetch(uri: str, node: Node, objects: Objects) -> bytes:
    """Content that a view refers to: a path among the step's own outputs, or a key of the object store.

    `*` in it stands for any text; what matches inside a folder is taken together, as Kubeflow Pipelines has it.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        return _own_output(parts.path, node, objects)
    if parts.scheme in ("s3", "minio"):
        return _stored(parts.path.lstrip("/"), objects)
    raise NotFound(f"source: got {uri!r:.200}, which cannot be read here; store it as an output of the step, or inline")


def _own_output(path: str, node: Node, objects: Objects) -> bytes:
    for artifact in node.outputs.artifacts if node.outputs else ():
        folder = artifact.path.rstrip("/") + "/"
        if artifact.key and artifact.path == path:
            return _bytes(objects, artifact.key)
        if artifact.key and artifact.directory and path.startswith(folder):
            return _inside(objects, artifact.key, path.removeprefix(folder))
    raise NotFound(
        f"source: got {path!r:.200}, which is none of the step's output artifacts; declare it as one, or inline it"
    )


def _stored(key: str, objects: Objects) -> bytes:
    """An object, or what is inside of one."""
    segments = key.split("/")
    for length in range(len(segments), 0, -1):
        name, member = "/".join(segments[:length]), "/".join(segments[length:])
        if objects.stat(name):
            return _inside(objects, name, member)
    raise NotFound(f"source: the object store has no {key!r:.200}")


def _inside(objects: Objects, key: str, member: str) -> bytes:
    if "*" not in member:
        return _bytes(objects, key, member)
    pattern = member.replace("[", "[[]").replace("?", "[?]")
    names = [info.key for info in objects.members(key) if fnmatchcase(info.key, pattern)]
    if not names:
        raise NotFound(f"source: no file inside matches {member!r:.200}")
    found = bytearray()
    for name in names:
        found += _bytes(objects, key, name)
        if len(found) > LIMIT:
            break
    return bytes(found)


def _bytes(objects: Objects, key: str, member: str = "") -> bytes:
    with objects.open(key, member) as stream:
        return stream.read(LIMIT + 1)
