"""Files of config maps, secrets, claims and WorkflowTemplates: those of a home, and those that a run takes with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from penstock.adapters.local.claims import Claims
from penstock.errors import InvalidInput, TooLarge
from penstock.workflow import ANYWHERE, NOTHING, Configuration, Library, Machine, read_objects, read_templates

__all__ = ["MAX_FILE_BYTES", "Configurations", "object_files"]

MAX_FILE_BYTES = 16 * 1024 * 1024
"""Most bytes of one file of objects."""

_ENDINGS = (".yaml", ".yml", ".json")


class Configurations:
    """Reads what documents of a home may refer to. `<home>/config` holds the home's own files."""

    def __init__(self, home: Path, claims: Claims, machine: Machine = ANYWHERE) -> None:
        """`machine` is the one that runs the documents."""
        self._own = home / "config"
        self._templates = home / "templates"
        self._claims = claims
        self._machine = machine

    def templates(self, folder: str = "") -> Library:
        """The WorkflowTemplates of the home (`<home>/templates`), those in the files of `folder` before them.

        Raises InvalidInput (a folder that is not there), InvalidDocument, TooLarge.
        """
        found = Library()
        for each in [self._templates] if self._templates.is_dir() else []:
            found |= _library(each)
        return found | _library(Path(folder)) if folder else found

    def read(self, folder: str = "") -> Configuration:
        """The objects of the home, those in the files of `folder` before them.

        Raises InvalidInput (a folder that is not there), InvalidDocument, TooLarge.
        """
        found = Configuration(claims=self._claims.names(), machine=self._machine)
        if self._own.is_dir():
            found |= _read(self._own)
        return found | _read(Path(folder)) if folder else found


def _read(folder: Path) -> Configuration:
    found, places = NOTHING, dict[tuple[str, str], Path]()
    for path, content in object_files(folder):
        more = read_objects(content, str(path))
        names = [("ConfigMap", name) for name in more.config_maps] + [("Secret", name) for name in more.secrets]
        for kind, name in names:
            if (kind, name) in places:
                raise InvalidInput(f"{path}: {kind} '{name}' stands in {places[kind, name]}, too")
            places[kind, name] = path
        found |= more
    return found


def _library(folder: Path) -> Library:
    found, places = Library(), dict[tuple[str, str], Path]()
    for path, content in object_files(folder):
        more = read_templates(content, str(path))
        for key in more.specs:
            if key in places:
                raise InvalidInput(f"{path}: template '{key[1]}' stands in {places[key]}, too")
            places[key] = path
        found |= more
    return found


def object_files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """The files of Kubernetes objects in a folder, in the order of their names. Raises InvalidInput, TooLarge."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS and path.is_file())
        for path in paths:
            size = path.stat().st_size
            if size > MAX_FILE_BYTES:
                raise TooLarge(f"{path}: {size:,} bytes; limit {MAX_FILE_BYTES:,}")
            yield path, path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{error.filename or folder}: {error.strerror}; expected a folder of YAML files") from None
