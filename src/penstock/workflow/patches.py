"""`podSpecPatch`: what of a pod a document changes by a strategic merge patch.

A step's own container is called `main`; `wait` and `init` are those of Argo's executor, which there is not here.
(Argo: `applyPodSpecPatch` in `workflow/util/util.go`.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.errors import InvalidDocument
from penstock.workflow.document import Container, Template, UserContainer, Volume
from penstock.workflow.fields import Notes, normalise
from penstock.workflow.yaml import load_yaml

__all__ = ["check_patch", "patched"]

_EXECUTORS = ("wait", "init")
_MERGED_BY = {"env": "name", "volumeMounts": "mountPath"}
"""The key by which a list is merged; other lists take the place of what was there."""


def check_patch(text: str, path: str, notes: Notes) -> None:
    """Look at a patch before there is a run. One that is no YAML until its tags are replaced is looked at then.

    Raises UnsupportedField, InvalidDocument.
    """
    try:
        load_yaml(text, source=path)
    except InvalidDocument:
        if "{{" in text:
            return
        raise
    _read(text, path, notes)


def _read(text: str, path: str, notes: Notes) -> Mapping[str, Any]:
    patch = load_yaml(text, source=path)
    found: Mapping[str, Any] = normalise({} if patch is None else patch, "PodSpecPatch", path, notes)
    return found


def patched(template: Template, text: str) -> Template:
    """The template with a patch of its pod, every tag replaced. Raises InvalidDocument, UnsupportedField."""
    patch = _read(text, "podSpecPatch", Notes())
    changes: dict[str, Any] = {}
    beside = {"init_containers": list(template.init_containers), "sidecars": list(template.sidecars)}
    for each in (*patch.get("containers", ()), *patch.get("initContainers", ())):
        name = str(each.get("name") or "")
        place = next(((kind, i) for kind, all in beside.items() for i, c in enumerate(all) if c.name == name), None)
        if name == "main" and template.container_set is None:
            field = "script" if template.script is not None else "container"
            changes[field] = _merged(changes.get(field) or template.main, each, Container)
        elif place is not None:
            beside[place[0]][place[1]] = _merged(beside[place[0]][place[1]], each, UserContainer)
        elif name not in _EXECUTORS:
            names = ["main", *(container.name for all in beside.values() for container in all)]
            raise InvalidDocument(f"there is no container {name!r}; there are {', '.join(names)}", path="podSpecPatch")
    volumes = tuple(msgspec.convert(each, Volume) for each in patch.get("volumes", ()))
    kept = tuple(each for each in template.volumes if each.name not in {volume.name for volume in volumes})
    return msgspec.structs.replace(
        template,
        **changes,
        **{kind: tuple(containers) for kind, containers in beside.items()},
        volumes=(*kept, *volumes),
    )


def _merged(container: Any, patch: Mapping[str, Any], kind: type[Container]) -> Any:
    own = msgspec.to_builtins(container)
    for field, value in patch.items():
        key = _MERGED_BY.get(field)
        own[field] = _by_key(own.get(field) or (), value, key) if key else value
    return msgspec.convert(own, kind)


def _by_key(own: Any, patch: Any, key: str) -> list[Any]:
    named = {item.get(key): item for item in patch}
    kept = [named.pop(item[key]) if item[key] in named else item for item in own]
    return [*kept, *named.values()]
