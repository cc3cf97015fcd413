"""Claims: folders of the home that stand for persistent volume claims, and stay when the steps that mount them end.

`<home>/claims/NAME` is what such a claim holds. A claim is there when its folder is: a person, a config file or a step
made it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.adapters.local.process.folders import remove_tree, told_errors
from penstock.errors import InvalidInput
from penstock.workflow.pods import Volume

__all__ = ["Claims"]

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")


class Claims:
    """The claims of a home, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(os.path.realpath(folder))

    def names(self) -> frozenset[str]:
        """The claims that there are."""
        try:
            return frozenset(
                entry.name
                for entry in os.scandir(self._folder)
                if entry.is_dir(follow_symlinks=False) and _NAME.match(entry.name)
            )
        except FileNotFoundError:
            return frozenset()

    def make(self, name: str, made: Mapping[str, Any] | None = None, owner: str = "") -> bool:
        """Make a claim; False where it is there already. `made` is its object, `owner` says on whose behalf.

        Raises InvalidInput, NoSpace, Unavailable.
        """
        path = self._path(name)
        with told_errors():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.is_dir():
                return False
            part = path.with_name(f".{name}.part")
            part.write_bytes(msgspec.json.encode({"owner": owner, "object": made or {}}))
            part.rename(self._about(name))
            try:
                path.mkdir()
            except FileExistsError:
                return False
            path.chmod(0o777)  # whoever its steps become
        return True

    def remove(self, name: str) -> bool:
        """Remove a claim and what it holds; False where there is none. Raises InvalidInput, NoSpace, Unavailable."""
        path = self._path(name)
        if not path.is_dir():
            return False
        with told_errors():
            gone = path.with_name(f".{name}.gone")
            remove_tree(gone)
            path.rename(gone)
            self._about(name).unlink(missing_ok=True)
            remove_tree(gone)
        return True

    def object(self, name: str) -> Mapping[str, Any] | None:
        """The object of a claim, None where there is none. Raises InvalidInput."""
        if not self._path(name).is_dir():
            return None
        found = self._told(name).get("object")
        plain = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}}
        return found if isinstance(found, dict) and found else plain

    def owner(self, name: str) -> str:
        """On whose behalf a claim was made, "" where nobody said so."""
        return str(self._told(name).get("owner") or "")

    def owned(self, owner: str) -> Sequence[str]:
        """The claims that were made on behalf of `owner`."""
        return [name for name in sorted(self.names()) if self.owner(name) == owner]

    def _told(self, name: str) -> Mapping[str, Any]:
        try:
            found = msgspec.json.decode(self._about(name).read_bytes())
        except (OSError, msgspec.DecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    def _about(self, name: str) -> Path:
        return self._path(name).with_name(f".{name}.json")

    def mounted(self, volume: Volume) -> Volume:
        """The volume with its folder, where it is a claim's; a run's own claim is made.

        Raises InvalidInput for a claim that there is not, NoSpace, Unavailable.
        """
        if not volume.claim:
            return volume
        path = self._path(volume.claim)
        if volume.owner:
            self.make(volume.claim, owner=volume.owner)
        if not path.is_dir():
            raise InvalidInput(
                f"volume {volume.name!r}: there is no PersistentVolumeClaim {volume.claim!r}; make the folder {path}, "
                "or declare the claim in a file of the folder that --config names"
            )
        return msgspec.structs.replace(volume, folder=str(path))

    def _path(self, name: str) -> Path:
        if not _NAME.match(name):
            raise InvalidInput(
                f"PersistentVolumeClaim {name!r:.300}: expected a name of small letters, digits, '-' and '.'"
            )
        return self._folder / name
