"""Names in a document: how a person's name becomes one that Argo takes, and how two equal ones are told apart."""

from __future__ import annotations

import re

__all__ = ["MAX_LENGTH", "Names", "component_title", "kubernetes_name", "output_name", "python_name"]

_NOT_KUBERNETES = re.compile(r"[^-0-9a-z]+")
_NOT_OUTPUT = re.compile(r"[^-_0-9A-Za-z]+")
_NOT_PYTHON = re.compile(r"[^a-z0-9_]+")
MAX_LENGTH = 128
"""Most characters of a name in a document: Argo takes no longer one."""

_DASHES = re.compile(r"-+")


def kubernetes_name(text: str) -> str:
    """Names of steps and templates: lower-case letters, digits and single dashes, as kfp 1.8 makes them."""
    return _DASHES.sub("-", _NOT_KUBERNETES.sub("-", text.lower())).strip("-")


def output_name(text: str) -> str:
    """Names of parameters and outputs: as `kubernetes_name`, but capitals and underscores stay."""
    return _DASHES.sub("-", _NOT_OUTPUT.sub("-", text)).strip("-")


def python_name(text: str) -> str:
    """A port's name as a keyword argument: `Training data` is `training_data`."""
    name = _NOT_PYTHON.sub("_", text.lower().replace(" ", "_").replace("-", "_")).strip("_")
    return "_" + name if name[:1].isdigit() else name


def component_title(function_name: str) -> str:
    """The default name of a function's component or pipeline: `train_model` is `Train model`."""
    name = function_name.replace("_", " ").strip()
    return name[:1].upper() + name[1:]


class Names:
    """The names taken in one pipeline. Asking for a taken one gives it with `-2`, `-3`, …; each question is cheap."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """Take `name`, or the first of `name-2`, `name-3`, … that is free, and return it."""
        if name not in self._taken:
            self._taken[name] = 2
            return name
        candidate = f"{name}-{self._taken[name]}"
        while candidate in self._taken:
            self._taken[name] += 1
            candidate = f"{name}-{self._taken[name]}"
        self._taken[name] += 1
        self._taken[candidate] = 2
        return candidate
