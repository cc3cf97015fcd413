"""Archive forms: what a step is given of an object whose key its document names.

Argo packs what a step stores (gzip-compressed tar where `archive` says nothing) and unpacks what a step reads. Objects
lie here as they are, so that only two templates that name one key can tell: the first may store without packing a file
that is an archive itself, which the second is then given unpacked, or the second may want it packed as it would lie
there on Argo. What a step said when it stored an object is noted beside it; without a note nobody packed it. Of folders
below a longer key, each object is given as it is.

(Argo: `stageArchiveFile` and `unarchiveArtifact` in `workflow/executor/executor.go`.)
"""

from __future__ import annotations

import errno
import hashlib
import struct
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from penstock.adapters.local.unpacking import Unpacking
from penstock.engine.protocol import ArtifactOutput
from penstock.errors import InvalidInput, NotFound, Unavailable
from penstock.ports import ObjectInfo, Objects
from penstock.workflow.document import KEYED
from penstock.workflow.status import Archive, Artifact

__all__ = ["forms_of", "given_key", "has_form", "store"]

_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError)
"""What the libraries raise for what is no archive, cut off, damaged, encrypted, or packed in a way unknown to them."""

_STORING = threading.Lock()
"""An object and its note change together: two runs may store under one key."""


class _Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """How Argo would have packed an object, `tar`, `zip` or `none`, and the name that it would have inside."""

    form: str = "none"
    name: str = ""


_NONE = _Note()


def has_form(key: str) -> bool:
    """Whether the object's key is one that a document names."""
    return key.startswith(f"{KEYED}/")


def store(objects: Objects, output: ArtifactOutput, source: Path) -> ObjectInfo:
    """Take what a step made for `output` into the store, and note its form. Raises what `Objects.put` raises."""
    with _STORING:
        note = _Note(_form(output.archive) or "tar", Path(output.path).name)
        if _noted(objects, output.key) != note:
            objects.write(_note_key(output.key), msgspec.json.encode(note))
        return objects.put(output.key, source)


def forms_of(objects: Objects, artifact: Artifact) -> tuple[str, str]:
    """The form in which an input was stored, and that which its reader says it has: with its content, all that decides
    what the step is given."""
    return _of(objects, artifact.key).form, _form(artifact.archive)


def given_key(objects: Objects, artifact: Artifact, made: str) -> str:
    """The key of what a step is given of `artifact`: its own, or `made`, where that is stored which has to be made.

    Raises NoSpace, Unavailable; Final where it is not of the form that is asked for.
    """
    source = objects.reach(artifact.key)
    if source is None or not has_form(artifact.key):
        return artifact.key
    note, wanted = _of(objects, artifact.key), _form(artifact.archive)
    make = _taken_apart(wanted, source) if note.form == "none" else _put_together(note, wanted, source)
    return artifact.key if make is None else objects.build(made, make).key


def _taken_apart(wanted: str, source: Path) -> Callable[[Path], None] | None:
    """How to make what is given of a file or folder that was not packed; None where that is itself. Raises
    InvalidInput."""
    if wanted == "none" or (not wanted and not _is_tarball(source)):
        return None
    if source.is_dir():
        raise InvalidInput(f"a folder, and asked for as a {wanted} archive; expected `archive` to say none")
    return partial(_unpacked, source, wanted or "tar")


def _put_together(note: _Note, wanted: str, source: Path) -> Callable[[Path], None] | None:
    """How to make what lies on Argo under the key of what was packed; None for who wants it unpacked. Raises
    InvalidInput."""
    if wanted == note.form or (not wanted and note.form == "tar"):
        return None
    if wanted not in ("", "none"):
        raise InvalidInput(f"stored as a {note.form} archive, and asked for as {wanted}; let `archive` say the same")
    return partial(_tar if note.form == "tar" else _zip, source, note.name)


def _form(archive: Archive | None) -> str:
    return archive.form if archive is not None else ""


# --- notes ------------------------------------------------------------------------------------------------------------


def _of(objects: Objects, key: str) -> _Note:
    """The note of an object, or of the folder in which `key` lies: a file of one is as the folder was stored."""
    while has_form(key):
        if objects.stat(key) is not None:
            return _noted(objects, key)
        key = key.rpartition("/")[0]
    return _NONE


def _noted(objects: Objects, key: str) -> _Note:
    try:
        with objects.open(_note_key(key)) as file:
            return msgspec.json.decode(file.read(), type=_Note)
    except (NotFound, msgspec.DecodeError):
        return _NONE


def _note_key(key: str) -> str:
    return f"forms/{hashlib.sha256(key.encode()).hexdigest()}"


# --- packing and unpacking --------------------------------------------------------------------------------------------


def _is_tarball(source: Path) -> bool:
    """Whether a file is a gzip-compressed tar archive with anything in it. Raises Unavailable."""
    try:
        with tarfile.open(source, mode="r|gz") as archive:
            return archive.next() is not None
    except (*_BROKEN, IsADirectoryError):
        return False
    except OSError as error:
        raise Unavailable(f"{source}: {error.strerror}") from error


def _unpacked(source: Path, form: str, target: Path) -> None:
    """The only thing that is in an archive, else a folder of all that is. Raises InvalidInput, OSError."""
    target.mkdir()
    unpacking = Unpacking(target, f"the {form} archive")
    try:
        if form == "tar":
            with tarfile.open(source, mode="r|gz") as tar:
                unpacking.tar(tar)
        else:
            with zipfile.ZipFile(source) as archive:
                unpacking.zip(archive)
    except (*_BROKEN, OSError) as error:
        # A place that the archive names and no file has; anything else is the disk's concern.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise InvalidInput(
            f"no {form} archive that can be read ({error}); let `archive` say how it is packed"
        ) from None
    found = list(target.iterdir())
    if len(found) == 1:
        only = target.with_name(f"{target.name}.only")
        found[0].rename(only)
        target.rmdir()
        only.rename(target)


def _tar(source: Path, name: str, target: Path) -> None:
    with tarfile.open(target, mode="x:gz") as archive:
        archive.add(source, name)


def _zip(source: Path, name: str, target: Path) -> None:
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in (source, *sorted(source.rglob("*"))):
            if not path.is_symlink():
                archive.write(path, name / path.relative_to(source))
