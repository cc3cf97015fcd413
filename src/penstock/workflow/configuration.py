"""Config maps, secrets and claims, read from Kubernetes objects in YAML; what a document refers to of them.

No message names a value: what stands in a secret is nobody's to show.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from penstock.errors import InvalidDocument, InvalidInput, TooLarge
from penstock.workflow.document import Workflow
from penstock.workflow.objects import kubernetes_objects, name_of
from penstock.workflow.scheduling import ANYWHERE, Machine
from penstock.workflow.yaml import load_documents

__all__ = [
    "CONFIG_MAP",
    "MAX_OBJECT_BYTES",
    "NOTHING",
    "SECRET",
    "Configuration",
    "check_references",
    "configured_parameters",
    "read_objects",
]

MAX_OBJECT_BYTES = 1024 * 1024
"""Most bytes of one config map or secret, keys included: Kubernetes' own limit."""

CONFIG_MAP, SECRET, CLAIM = "ConfigMap", "Secret", "PersistentVolumeClaim"


class Configuration:
    """What documents may refer to: `config_maps` and `secrets` by name and key, names of `claims`, and the `machine`
    that runs them."""

    __slots__ = ("claims", "config_maps", "machine", "secrets")

    def __init__(
        self,
        config_maps: Mapping[str, Mapping[str, bytes]] = {},
        secrets: Mapping[str, Mapping[str, bytes]] = {},
        claims: Iterable[str] = (),
        machine: Machine = ANYWHERE,
    ) -> None:
        self.config_maps = config_maps
        self.secrets = secrets
        self.claims = frozenset(claims)
        self.machine = machine

    def __repr__(self) -> str:
        return f"Configuration({sorted(self.config_maps)}, {sorted(self.secrets)}, {sorted(self.claims)})"

    def __or__(self, other: Configuration) -> Configuration:
        """Both, on this one's machine; of objects of the same kind and name, those of `other`."""
        return Configuration(
            {**self.config_maps, **other.config_maps},
            {**self.secrets, **other.secrets},
            self.claims | other.claims,
            self.machine,
        )

    def ignoring(self, fields: Iterable[str]) -> Configuration:
        """The same, of whose machine a person lets `fields` pass."""
        machine = self.machine._replace(ignored=frozenset(fields))
        return Configuration(self.config_maps, self.secrets, self.claims, machine)

    def entries(self, kind: str, name: str) -> Mapping[str, bytes] | None:
        """The contents of a ConfigMap or Secret by key, None where there is no such object."""
        return (self.secrets if kind == SECRET else self.config_maps).get(name)

    def text(self, kind: str, name: str, key: str) -> str | None:
        """One content as text, None where it is not there."""
        found = (self.entries(kind, name) or {}).get(key)
        return None if found is None else found.decode(errors="replace")

    def lacks(self, kind: str, name: str, key: str = "") -> str:
        """Why an object, or a key of one, cannot be had; "" where it can."""
        entries = self.entries(kind, name)
        if entries is None:
            return f"there is no {kind} '{name}'"
        return f"{kind} '{name}' has no key '{key}'" if key and key not in entries else ""


NOTHING = Configuration()
"""Where nobody gave any."""


# --- reading ----------------------------------------------------------------------------------------------------


def read_objects(text: str | bytes, source: str) -> Configuration:
    """The config maps, secrets and claims that a file holds; objects of other kinds are left aside.

    Raises InvalidDocument (naming the file, object and key, never a value), TooLarge.
    """
    found: dict[str, dict[str, dict[str, bytes]]] = {CONFIG_MAP: {}, SECRET: {}, CLAIM: {}}
    for each in kubernetes_objects(load_documents(text, source=source), source):
        kind, name = str(each["kind"]), name_of(each, source)
        if kind not in found:
            continue
        if name in found[kind]:
            raise InvalidDocument(f"{source}: {kind} '{name}' stands there twice")
        found[kind][name] = {} if kind == CLAIM else _contents(each, f"{source}: {kind} '{name}'")
    return Configuration(found[CONFIG_MAP], found[SECRET], found[CLAIM])


def _contents(each: Mapping[str, Any], what: str) -> dict[str, bytes]:
    plain = ("stringData",) if each["kind"] == SECRET else ("data",)
    encoded = ("data",) if each["kind"] == SECRET else ("binaryData",)
    contents = {key: _decoded(text, f"{what}, key '{key}'") for key, text in _texts(each, encoded, what)}
    contents |= {key: text.encode("utf-8", "surrogatepass") for key, text in _texts(each, plain, what)}
    size = sum(len(key) + len(content) for key, content in contents.items())
    if size > MAX_OBJECT_BYTES:
        raise TooLarge(f"{what}: {size:,} bytes; limit {MAX_OBJECT_BYTES:,}")
    return contents


def _texts(each: Mapping[str, Any], fields: Iterable[str], what: str) -> Iterator[tuple[str, str]]:
    for field in fields:
        table = each.get(field) or {}
        if not isinstance(table, dict):
            raise InvalidDocument(f"{what}, {field}: expected a map of texts")
        for key, text in table.items():
            if not isinstance(text, str):
                raise InvalidDocument(f"{what}, key '{key}': expected a text; quote it")
            yield str(key), text


def _decoded(text: str, what: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise InvalidDocument(f"{what}: expected base64") from None


# --- what a document refers to ----------------------------------------------------------------------------------


def check_references(workflow: Workflow, configuration: Configuration) -> None:
    """Raise InvalidInput for the first config map, secret or claim that the document needs and that nobody gave.

    Names that hold tags are known at run time only.
    """
    declared = _declared_claims(workflow)
    spec = msgspec.to_builtins(msgspec.structs.replace(workflow.spec, templates=()))
    places: list[tuple[str, Any]] = [("spec", spec)]
    places += [(f"templates.{name}", template) for name, template in workflow.templates.items()]
    for place, value in places:
        for path, kind, name, key in _references(value, place):
            if "{{" in name or "{{" in key:
                continue
            fault = configuration.lacks(kind, name, key) if kind != CLAIM else ""
            if kind == CLAIM and declared is not None and name not in declared | configuration.claims:
                fault = f"there is no {CLAIM} '{name}'"
            if fault:
                raise InvalidInput(
                    f"{path}: {fault}. Give it in a file of the folder that --config names, or of the folder "
                    "`config` of the home."
                )


def _declared_claims(workflow: Workflow) -> frozenset[str] | None:
    """Claims that the run makes itself; None where it makes some by steps, whose names are not looked at."""
    if any("resource" in template for template in workflow.templates.values()):
        return None
    return frozenset(claim.metadata.name for claim in workflow.spec.volume_claim_templates)


_KEYS = {"configMapKeyRef": CONFIG_MAP, "secretKeyRef": SECRET}
_WHOLE = {"configMapRef": CONFIG_MAP, "secretRef": SECRET}
_VOLUMES = {"configMap": (CONFIG_MAP, "name"), "secret": (SECRET, "secretName")}


def _references(value: Any, path: str) -> Iterator[tuple[str, str, str, str]]:
    """(path, kind, object's name, key or "") of all that must be there."""
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _references(item, f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    for field, item in value.items():
        where = f"{path}.{field}"
        if field == "memoize":  # caches lie in the home, whatever config map is named
            continue
        if isinstance(item, dict) and not item.get("optional") and not (field in _KEYS and "default" in value):
            yield from _own(field, item, where, projected=".sources[" in path)
        yield from _references(item, where)


def _own(field: str, item: Mapping[str, Any], path: str, *, projected: bool) -> Iterator[tuple[str, str, str, str]]:
    if field in _KEYS and item.get("name"):
        yield path, _KEYS[field], str(item["name"]), str(item.get("key") or "")
    elif field in _WHOLE and item.get("name"):
        yield path, _WHOLE[field], str(item["name"]), ""
    elif field in _VOLUMES:
        kind, named = _VOLUMES[field]
        name = str(item.get("name" if projected else named) or "")
        keys = [str(part.get("key") or "") for part in item.get("items") or ()]
        yield from ((path, kind, name, key) for key in keys or [""] if name)
    elif field == "persistentVolumeClaim" and item.get("claimName"):
        yield path, CLAIM, str(item["claimName"]), ""


def configured_parameters(workflow: Workflow, configuration: Configuration) -> dict[str, str]:
    """The workflow's parameters whose values stand in config maps. Call `check_references` first."""
    found = {}
    for parameter in workflow.spec.arguments.parameters:
        ref = parameter.value_from.config_map_key_ref if parameter.value_from is not None else None
        text = configuration.text(CONFIG_MAP, ref.name, ref.key) if ref is not None else None
        if text is not None:
            found[parameter.name] = text
    return found
