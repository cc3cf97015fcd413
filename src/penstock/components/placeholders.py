"""What can stand in the command line of a component beside plain text, in the words of `component.yaml`."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = [
    "Concat",
    "If",
    "InputMetadata",
    "InputPathOf",
    "InputUri",
    "InputValue",
    "IsPresent",
    "OutputPathOf",
    "OutputUri",
    "Part",
    "part_to_plain",
]


class InputValue(NamedTuple):
    """The value of an input."""

    name: str


class InputPathOf(NamedTuple):
    """The path of a file that holds an input."""

    name: str


class InputMetadata(NamedTuple):
    """What the step that made an input says of it, as JSON; `{}` where nothing is known."""

    name: str


class OutputPathOf(NamedTuple):
    """The path of a file into which an output is written."""

    name: str


class InputUri(NamedTuple):
    """Where an input is kept, of which a file for kfp 1.8 may ask; nothing there tells it, the text stays as it is."""

    name: str


class OutputUri(NamedTuple):
    """The same for an output."""

    name: str


class IsPresent(NamedTuple):
    """Whether an input was given a value."""

    name: str


class Concat(NamedTuple):
    """The texts of several parts, joined."""

    items: tuple[Part, ...]


class If(NamedTuple):
    """Parts that are there only when a condition holds."""

    condition: Part | bool
    then: tuple[Part, ...]
    otherwise: tuple[Part, ...] = ()


Part = str | InputValue | InputPathOf | InputMetadata | InputUri | OutputPathOf | OutputUri | IsPresent | Concat | If
"""One element of a command line."""

_KEYS: dict[type, str] = {
    InputValue: "inputValue",
    InputPathOf: "inputPath",
    InputMetadata: "inputMetadata",
    InputUri: "inputUri",
    OutputPathOf: "outputPath",
    OutputUri: "outputUri",
    IsPresent: "isPresent",
}


def part_to_plain(part: Part | bool) -> Any:
    """A part as `component.yaml` writes it."""
    if isinstance(part, Concat):
        return {"concat": [part_to_plain(item) for item in part.items]}
    if isinstance(part, If):
        fields = {"cond": part_to_plain(part.condition), "then": [part_to_plain(item) for item in part.then]}
        if part.otherwise:
            fields["else"] = [part_to_plain(item) for item in part.otherwise]
        return {"if": fields}
    if isinstance(part, InputValue | InputPathOf | InputMetadata | InputUri | OutputPathOf | OutputUri | IsPresent):
        return {_KEYS[type(part)]: part.name}
    return part
