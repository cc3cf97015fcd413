"""What `kubernetes.client` gives where the `kubernetes` package is absent: plain value classes, `V1Volume` and so on.

They take the arguments of the official ones of version 25.3 (that is the newest which kfp 1.8 works with), and refuse
what those refuse. `kubernetes.txt` beside this file lists them: a class a line, with its fields in the order of their
arguments; `field=name` where a document spells it in another way than its words say, and a star after those that must
be given.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, NamedTuple

from penstock.dsl.kubernetes import Plain, camel, plain
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline

__all__ = ["KubernetesValue", "names_of_client", "value_class"]


class _Field(NamedTuple):
    """One field of an object."""

    key: str
    """Its name in a document."""
    required: bool


class KubernetesValue(Plain):
    """A Kubernetes object: its fields as attributes, None where nothing was given."""

    _fields: ClassVar[dict[str, _Field]] = {}

    def __init__(self, *values: Any, **fields: Any) -> None:
        fields.pop("local_vars_configuration", None)
        given = {**dict(zip(self._fields, values, strict=False)), **fields}
        self._refuse_unknown(len(values), given)
        missing = [name for name, field in self._fields.items() if field.required and given.get(name) is None]
        if missing:
            raise InvalidPipeline(located(f"{type(self).__name__}: {' and '.join(missing)} must be given"))
        self.__dict__.update({**dict.fromkeys(self._fields), **given})

    def _refuse_unknown(self, count: int, given: dict[str, Any]) -> None:
        kind = type(self).__name__
        if count > len(self._fields):
            raise InvalidPipeline(located(f"{kind} takes {len(self._fields)} arguments, got {count}"))
        unknown = [name for name in given if name not in self._fields]
        if unknown:
            raise InvalidPipeline(
                located(f"{kind} has no field '{unknown[0]}'; its fields: {', '.join(self._fields) or 'none'}")
            )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment] # it can be changed

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value is not None)
        return f"{type(self).__name__}({given})"

    def to_plain(self) -> dict[str, Any]:
        """The object as a document has it."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return {self._fields[name].key: plain(value) for name, value in given.items() if name in self._fields}

    def to_dict(self) -> dict[str, Any]:
        """The object as a dict with the arguments' own names, all the way down."""
        return {name: _dict(value) for name, value in vars(self).items()}


@cache
def value_class(name: str) -> type[KubernetesValue]:
    """The class of that name, the same one each time. Raises AttributeError for a name that is no object's."""
    if name not in _known():
        raise AttributeError(
            f"kubernetes.client.{name}: the package 'kubernetes' is not installed, and only its objects (V1…) are "
            "stood in for; install it, or write the object as a dict"
        )
    fields = dict(_read(word) for word in _known()[name].split())
    return type(name, (KubernetesValue,), {"__doc__": f"`{name}` of Kubernetes.", "_fields": fields})


@cache
def _known() -> dict[str, str]:
    """The table's lines, by the classes' names."""
    text = files("penstock.compat").joinpath("kubernetes.txt").read_text(encoding="utf-8")
    return {name: fields for name, _, fields in (line.partition(" ") for line in text.splitlines())}


def _read(word: str) -> tuple[str, _Field]:
    name, _, key = word.removesuffix("*").partition("=")
    return name, _Field(key or camel(name), word.endswith("*"))


def names_of_client() -> dict[str, Any]:
    """What stands in `kubernetes.client` and in `kubernetes.client.models`."""
    return {"__getattr__": value_class}


def _dict(value: Any) -> Any:
    if isinstance(value, KubernetesValue):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [_dict(each) for each in value]
    return {key: _dict(each) for key, each in value.items()} if isinstance(value, dict) else value
