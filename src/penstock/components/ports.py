"""Annotations by which a function component says that a parameter is a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.dsl.artifact_ports import Direction

if TYPE_CHECKING:
    from penstock.dsl.artifacts import Artifact

__all__ = [
    "ArtifactPort",
    "FilePort",
    "InputBinaryFile",
    "InputPath",
    "InputTextFile",
    "OutputBinaryFile",
    "OutputPath",
    "OutputTextFile",
]


class FilePort:
    """Base of the annotations. `type` is the type of the data, or its name."""

    style = ""
    """How the program makes the function's argument."""
    is_output = False

    def __init__(self, type: Any = None) -> None:
        self.type = type

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.type!r})"


class ArtifactPort(FilePort):
    """The function gets an artifact: `Input[Dataset]`, `Output[Model]`. `type` is its class."""

    def __init__(self, type: type[Artifact], direction: Direction) -> None:
        super().__init__(type)
        self.is_output = direction is Direction.OUT
        self.style = "out" if self.is_output else "path"


class InputPath(FilePort):
    """The function gets the path of a file that holds the input."""

    style = "path"


class InputTextFile(FilePort):
    """The function gets the input as an open text file."""

    style = "rt"


class InputBinaryFile(FilePort):
    """The function gets the input as an open binary file."""

    style = "rb"


class OutputPath(FilePort):
    """The function gets a path into which it writes the output."""

    style = "out"
    is_output = True


class OutputTextFile(FilePort):
    """The function gets an open text file into which it writes the output."""

    style = "wt"
    is_output = True


class OutputBinaryFile(FilePort):
    """The function gets an open binary file into which it writes the output."""

    style = "wb"
    is_output = True
