"""`Input[Dataset]` and `Output[Model]`: how a function component says that a parameter is an artifact."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, TypeVar

from penstock.dsl.artifacts import Artifact

__all__ = ["Direction", "Input", "Output"]

T = TypeVar("T", bound=Artifact)


class Direction(Enum):
    """Whether a step reads an artifact or makes it."""

    IN = "in"
    OUT = "out"


Input = Annotated[T, Direction.IN]
"""An artifact that the function reads, at its `path`."""

Output = Annotated[T, Direction.OUT]
"""An artifact that the function makes: it writes the file at its `path`."""
