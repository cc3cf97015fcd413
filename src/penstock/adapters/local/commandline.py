"""The argument vector of a step, by the rules of containers."""

from __future__ import annotations

from penstock.errors import InvalidInput
from penstock.ports import Step

__all__ = ["check_arguments"]

_LONGEST_ARGUMENT = 131_071
"""Bytes: the kernel takes no longer argument (MAX_ARG_STRLEN, less the ending zero)."""


def check_arguments(step: Step, argv: tuple[str, ...]) -> None:
    """Raises InvalidInput for an argument, or a variable of the step, that no kernel takes."""
    for name, value in step.env:
        size = len(f"{name}={value}".encode("utf-8", "surrogateescape"))
        if size > _LONGEST_ARGUMENT:
            raise InvalidInput(
                f"step {step.name!r}: variable {name!r} is {size:,} bytes; limit {_LONGEST_ARGUMENT:,}. "
                "Pass it as an artifact."
            )
    for word in argv:
        size = len(word.encode("utf-8", "surrogateescape"))
        if "\0" in word:
            raise InvalidInput(f"step {step.name!r}: argument {word[:40]!r} contains a zero byte")
        if size > _LONGEST_ARGUMENT:
            raise InvalidInput(
                f"step {step.name!r}: an argument is {size:,} bytes; limit {_LONGEST_ARGUMENT:,}. "
                "Pass it as an artifact."
            )
