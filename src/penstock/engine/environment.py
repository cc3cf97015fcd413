"""The variables of a container: its own, those of config maps and secrets, and fields of its pod."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set

from penstock.engine.state import Fault, Turn
from penstock.workflow.configuration import CONFIG_MAP, SECRET
from penstock.workflow.document import Container, EnvFromSource, EnvVar, KeyRef, ObjectRef, PodMetadata

__all__ = ["Fields", "environment", "expanded"]

_VARIABLE = re.compile(r"\$?\$\(([^)]*)\)")
_KEYED = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]\Z")


class Fields:
    """The fields of a pod that its containers may ask for.

    `written` is the template as its author wrote it; `named` are the variables to which it refers as `$(NAME)`. What
    looks so in values of parameters is data.
    """

    def __init__(self, turn: Turn, pod: str, metadata: PodMetadata, written: str) -> None:
        self._metadata = metadata
        self.named = frozenset(_VARIABLE.findall(written))
        self._known = {
            "metadata.name": pod,
            "metadata.namespace": "default",
            "metadata.uid": turn.run.uid,
            "spec.nodeName": turn.run.config.machine.name,
            "spec.serviceAccountName": turn.run.workflow.spec.service_account_name,
        }

    def get(self, path: str) -> str:
        """The text of a field, "" for one that there is not. All labels or annotations are lines `key="value"`."""
        match = _KEYED.match(path)
        if match:
            return str(getattr(self._metadata, match[1]).get(match[2], ""))
        if path in ("metadata.labels", "metadata.annotations"):
            table = getattr(self._metadata, path.partition(".")[2])
            return "\n".join(f'{key}="{value}"' for key, value in sorted(table.items()))
        return self._known.get(path, "")


def environment(turn: Turn, container: Container, fields: Fields) -> tuple[tuple[str, str], ...]:
    """Names and values in order; a later one wins. Raises Fault for what nobody gave."""
    whole = [pair for source in container.env_from for pair in _all(turn, source)]
    own: dict[str, str] = {}
    listed = list[tuple[str, str]]()
    for variable in container.env:
        for name, value in _one(turn, variable, fields):
            own[name] = expanded(value, own, fields.named) if variable.value_from is None else value
            listed.append((name, own[name]))
    return (*whole, *listed)


def expanded(text: str, variables: Mapping[str, str], named: Set[str]) -> str:
    """`text` with `$(NAME)` replaced where there is such a variable and it is `named`, and `$$(NAME)` by `$(NAME)`.

    Kubernetes does so, and makes one dollar sign of any two beside: here those stay, since a text is data.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in variables or match[1] not in named:
            return match[0]
        return variables[match[1]] if match[0].startswith("$(") else match[0][1:]

    return _VARIABLE.sub(value, text) if named else text


def _all(turn: Turn, source: EnvFromSource) -> Iterator[tuple[str, str]]:
    for kind, ref in ((CONFIG_MAP, source.config_map_ref), (SECRET, source.secret_ref)):
        entries = _entries(turn, kind, ref) if ref is not None else {}
        for key in sorted(entries):
            if "=" not in key:
                yield source.prefix + key, entries[key].decode(errors="replace")


def _entries(turn: Turn, kind: str, ref: ObjectRef) -> dict[str, bytes]:
    found = turn.run.config.entries(kind, ref.name)
    if found is None and not ref.optional:
        raise Fault(turn.run.config.lacks(kind, ref.name))
    return dict(found or {})


def _one(turn: Turn, variable: EnvVar, fields: Fields) -> Iterator[tuple[str, str]]:
    source = variable.value_from
    if source is None:
        yield variable.name, variable.value
    elif source.field_ref is not None:
        yield variable.name, fields.get(source.field_ref.field_path)
    for kind, ref in ((CONFIG_MAP, source.config_map_key_ref), (SECRET, source.secret_key_ref)) if source else ():
        value = _value(turn, kind, ref) if ref is not None else None
        if value is not None:
            yield variable.name, value


def _value(turn: Turn, kind: str, ref: KeyRef) -> str | None:
    found = turn.run.config.text(kind, ref.name, ref.key)
    if found is None and not ref.optional:
        raise Fault(turn.run.config.lacks(kind, ref.name, ref.key))
    return found
