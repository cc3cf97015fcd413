"""A document inside an archive, as Kubeflow Pipelines packages them: `.tar.gz` or `.zip` with one document in it."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence

from penstock.errors import InvalidDocument, TooLarge

__all__ = ["unpacked"]

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MEMBER = "pipeline.yaml"
_ENDINGS = (".yaml", ".yml", ".json")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, RuntimeError)
"""What the libraries raise for archives that are cut off, damaged, encrypted, or packed in a way unknown to them."""

_MEMBERS = 1000
"""Most members that are looked at."""


def unpacked(data: bytes, limit: int, source: str) -> bytes:
    """The document that an archive holds: its `pipeline.yaml`, else its only document. Anything else is given back.

    Nothing is written to the disk, and no more than `limit` bytes are unpacked. Raises InvalidDocument, TooLarge.
    """
    try:
        if data.startswith(_ZIP):
            return _from_zip(data, limit, source)
        if data.startswith(_GZIP):
            return _from_tar(_inflated(data, limit, source), limit, source)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        OSError,
        EOFError,
        zlib.error,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise InvalidDocument(f"{source}: the archive cannot be read: {error}") from None
    return data


def _from_zip(data: bytes, limit: int, source: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [member.filename for member in archive.infolist()[: _MEMBERS + 1]]
        with archive.open(_chosen(members, source)) as file:
            return _bounded(file.read, limit, source)


def _from_tar(data: bytes, limit: int, source: str) -> bytes:
    if _is_text(data):  # a document that is compressed and nothing more
        return data
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        members = {}
        for member in archive:
            if member.isfile():
                members[member.name] = member
            if len(members) > _MEMBERS:
                break
        file = archive.extractfile(members[_chosen(list(members), source)])
        assert file is not None, "a regular file can be read"
        return _bounded(file.read, limit, source)


def _inflated(data: bytes, limit: int, source: str) -> bytes:
    """What gzip packed: a document, or a tape, which has two blocks of 512 bytes or less beside each member's."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return _bounded(file.read, limit, source, more=1024 * (_MEMBERS + 20))


def _is_text(data: bytes) -> bool:
    return b"\0" not in data[:512]


def _bounded(read: Callable[[int], bytes], limit: int, source: str, *, more: int = 0) -> bytes:
    data = read(limit + more + 1)
    if len(data) > limit + more:
        raise TooLarge(f"{source}: over {limit:,} bytes when unpacked; limit {limit:,}.")
    return data


def _chosen(members: Sequence[str], source: str) -> str:
    if len(members) > _MEMBERS:
        raise TooLarge(f"{source}: over {_MEMBERS:,} members in the archive; expected one document, {_MEMBER}")
    for name in members:
        if name.removeprefix("./") == _MEMBER:
            return name
    found = [name for name in members if name.lower().endswith(_ENDINGS)]
    if len(found) == 1:
        return found[0]
    beside = ", ".join(repr(name) for name in sorted(found)[:5]) or "none"
    raise InvalidDocument(f"{source}: expected {_MEMBER} or one document in the archive, got {beside}")
