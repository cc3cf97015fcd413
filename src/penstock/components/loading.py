"""`component.yaml` files: from a file, an address or a text to a component."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.components.component import Component
from penstock.components.grammar import component_from_plain
from penstock.dsl import tracing
from penstock.errors import InvalidDocument, InvalidInput, TooLarge, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.components.spec import ComponentSpec

__all__ = [
    "MAX_BYTES",
    "load_component",
    "load_component_from_file",
    "load_component_from_spec",
    "load_component_from_text",
    "load_component_from_url",
]

MAX_BYTES = 4 * 1024 * 1024
"""Largest `component.yaml`, in bytes."""

_ZIP = b"PK\x03\x04"
_IN_ZIP = "component.yaml"
_TIMEOUT = 30.0
_DEEPEST = 8


def load_component(
    filename: str | Path | None = None, url: str | None = None, text: str | None = None, component_spec: Any = None
) -> Component:
    """The component of a file, an address, a text, or a specification that was read already; exactly one is given."""
    given = [value for value in (filename, url, text, component_spec) if value is not None]
    if len(given) != 1:
        raise InvalidInput(
            tracing.located(
                f"load_component takes one of filename, url, text, component_spec; got {len(given)} of them"
            )
        )
    if component_spec is not None:
        return Component(component_spec)
    if filename is not None:
        return load_component_from_file(filename)
    return load_component_from_url(url) if url is not None else load_component_from_text(str(text))


def load_component_from_file(filename: str | Path) -> Component:
    """The component of a `component.yaml`, or of a zip archive that holds one.

    Raises InvalidInput when the file cannot be read, TooLarge, and InvalidDocument with the place of what is wrong.
    """
    try:
        with Path(filename).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{filename}: component cannot be read: {error.strerror or error}") from None
    component = _loaded(data, str(filename))
    if tracing.written_for_kfp("1.8"):
        # That version takes a path for an address.
        component.spec.reference["url"] = str(filename)
    return component


def load_component_from_url(url: str, auth: Any = None) -> Component:
    """The component at an http, https or gs address. `auth` is a pair of user and password, or what httpx2 takes.

    Raises Unavailable when the server does not answer with it, InvalidInput for another kind of address, TooLarge,
    and InvalidDocument with the place of what is wrong.
    """
    return _from_url(url, auth)


def _from_url(url: str, auth: Any, depth: int = 0) -> Component:
    if depth > _DEEPEST:
        raise InvalidDocument(f"{url}: components refer to others more than {_DEEPEST} levels deep")
    if url.startswith("gs://"):
        url = "https://storage.googleapis.com/" + url.removeprefix("gs://")
    if not url.startswith(("https://", "http://")):
        raise InvalidInput(f"{url}: expected an address that starts with https://, http:// or gs://")
    component = _loaded(b"".join(_fetched(url, auth)), url, depth)
    component.spec.reference["url"] = url
    return component


def load_component_from_spec(component_spec: ComponentSpec) -> Component:
    """The component of a specification."""
    return Component(component_spec)


def load_component_from_text(text: str) -> Component:
    """The component of the text of a `component.yaml`. Raises InvalidDocument with the place of what is wrong."""
    return _loaded(text.encode("utf-8", "surrogatepass"), tracing.place() or "component")


def _fetched(url: str, auth: Any) -> Iterator[bytes]:
    import httpx2

    size = 0
    try:
        with httpx2.stream("GET", url, auth=auth, follow_redirects=True, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                yield chunk
                size += len(chunk)
                if size > MAX_BYTES:
                    return
    except httpx2.HTTPError as error:
        raise Unavailable(f"{url}: component cannot be fetched: {error}") from None


def _loaded(data: bytes, source: str, depth: int = 0) -> Component:
    import hashlib

    from penstock.workflow.yaml import load_yaml

    if data.startswith(_ZIP) and len(data) <= MAX_BYTES:
        data = _unzipped(data, source)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"{source}: the component is larger than {MAX_BYTES:,} bytes")
    found = load_yaml(data, source=source, as_python=any(map(tracing.written_for_kfp, ("1.8", "0.1"))))
    try:
        spec = component_from_plain(found, lambda url: _from_url(url, None, depth + 1).spec)
    except InvalidDocument as error:
        raise InvalidDocument(f"{source}: {error}") from None
    spec.reference["digest"] = hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()
    return Component(spec)


def _unzipped(data: bytes, source: str) -> bytes:
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(_IN_ZIP) as file:
            return file.read(MAX_BYTES + 1)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InvalidDocument(f"{source}: the archive holds no readable {_IN_ZIP}: {error}") from None
