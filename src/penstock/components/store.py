"""Components by name: folders and addresses that hold them, each in a folder of its own as `component.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.components.loading import load_component_from_file, load_component_from_url
from penstock.errors import InvalidDocument, InvalidInput, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.components.component import Component

__all__ = ["ComponentStore"]

_FILE = "component.yaml"
_DIGITS = 64


class ComponentStore:
    """Finds components by name in folders, then below addresses.

    The component `team/train` is `team/train/component.yaml`; its versions lie beside it, as
    `versions/sha256/<digest>` and `versions/tags/<tag>`. `auth` is what `load_component_from_url` takes.
    """

    def __init__(
        self,
        local_search_paths: Sequence[str | Path] = (".",),
        url_search_prefixes: Sequence[str] = (),
        auth: Any = None,
    ) -> None:
        self.local_search_paths = [Path(path) for path in local_search_paths]
        self.url_search_prefixes = list(url_search_prefixes)
        self._auth = auth

    def load_component_from_file(self, path: str | Path) -> Component:
        """The component of a file. Raises as the function of that name does."""
        return load_component_from_file(path)

    def load_component_from_url(self, url: str) -> Component:
        """The component at an address. Raises as the function of that name does."""
        return load_component_from_url(url, self._auth)

    def load_component(self, name: str, digest: str | None = None, tag: str | None = None) -> Component:
        """The component of that name: the version of that digest (SHA-256 of its text) or that tag, else the newest.

        Raises NotFound, naming where was looked; InvalidInput for a name that is no path below a folder, and for
        digest and tag together; InvalidDocument for a text that has another digest.
        """
        version = f"{_checked(name)}/{_version(digest, tag)}"
        tried = []
        for folder in self.local_search_paths:
            file = folder / version
            if file.is_file():
                return self._same(load_component_from_file(file), digest, str(file))
            tried.append(str(file))
        for prefix in self.url_search_prefixes:
            url = f"{prefix.rstrip('/')}/{version}"
            try:
                return self._same(load_component_from_url(url, self._auth), digest, url)
            except Unavailable as error:
                tried.append(str(error))
        raise NotFound(f"no component '{name}': looked for {'; '.join(tried) or 'nothing: the store has no places'}")

    def list(self) -> Sequence[str]:
        """The names of all components in the folders."""
        return sorted(set(self._names()))

    def search(self, name: str) -> Sequence[str]:
        """The names of components in the folders that hold this text, capitals or not."""
        return [each for each in self.list() if name.lower() in each.lower()]

    def _names(self) -> Iterator[str]:
        for folder in self.local_search_paths:
            for file in folder.rglob(_FILE):
                yield file.parent.relative_to(folder).as_posix()

    @staticmethod
    def _same(component: Component, digest: str | None, where: str) -> Component:
        got = component.spec.reference.get("digest")
        if digest not in (None, got):
            raise InvalidDocument(f"{where}: expected the digest {digest}, got {got}")
        return component


def _checked(name: str) -> str:
    parts = name.split("/")
    if not all(parts) or any(part in (".", "..") or "\\" in part for part in parts):
        raise InvalidInput(f"component name {name!r}: expected names of folders with / between them")
    return name


def _version(digest: str | None, tag: str | None) -> str:
    if digest is not None and tag is not None:
        raise InvalidInput("a version is named by a digest or by a tag, not by both")
    if digest is not None:
        if len(digest) != _DIGITS or not digest.isalnum():
            raise InvalidInput(f"digest: expected 64 hexadecimal digits, got {digest!r}")
        return f"versions/sha256/{digest}"
    return f"versions/tags/{_checked(tag)}" if tag is not None else _FILE
