"""Documents as files: YAML, JSON, and archives that hold `pipeline.yaml`. The same document gives the same bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.compiler.document import compile_pipeline
from penstock.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from penstock.dsl.conf import PipelineConf
    from penstock.dsl.pipelines import Pipeline

__all__ = ["Compiler", "package", "too_heavy", "unpackaged", "write_package", "yaml_of"]

KUBERNETES_LIMIT = 1_500_000
"""Most bytes of an object that Kubernetes stores."""

_ENDINGS = (".yaml", ".yml", ".json", ".tar.gz", ".tgz", ".zip")
_MEMBER = "pipeline.yaml"
_OLDEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip archive can say: archives hold no time of their making."""


class Compiler:
    """Compiles pipelines to files, under the names that `kfp.compiler.Compiler` has."""

    def compile(
        self,
        pipeline_func: Pipeline | Callable[..., Any],
        package_path: str | Path,
        *,
        name: str | None = None,
        pipeline_conf: PipelineConf | None = None,
    ) -> None:
        """Write the document of a pipeline to `package_path`; its ending says in which form (see `package`).

        `pipeline_conf` stands in for what the pipeline says of itself as a whole. Raises InvalidInput for another
        ending, and what `compile_pipeline` raises; then no file is written.
        """
        path = Path(package_path)
        _ending(path)
        write_package(compile_pipeline(pipeline_func, name=name, conf=pipeline_conf), path)


def write_package(document: dict[str, Any], path: Path) -> None:
    """Write a document, whole or not at all. Raises InvalidInput for an unknown ending or a place not writable."""
    chunks = _chunks(document, path)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            with part.open("wb") as file:
                file.writelines(chunks)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be written: {error.strerror}") from None


def package(document: dict[str, Any], path: Path) -> bytes:
    """A document in the form that the ending of `path` names: `.yaml .yml .json .tar.gz .tgz .zip`.

    Raises InvalidInput for any other.
    """
    return b"".join(_chunks(document, path))


def unpackaged(data: bytes, source: str) -> bytes:
    """The document that an archive of the name `source` holds. Raises InvalidDocument, TooLarge."""
    from penstock.workflow.loading import MAX_BYTES
    from penstock.workflow.packages import unpacked

    return unpacked(data, MAX_BYTES, source)


def too_heavy(document: dict[str, Any]) -> str:
    """What to say of a document that Kubernetes refuses for its size, with its heaviest parts; "" of others."""
    size = _weight(document)
    if size <= KUBERNETES_LIMIT:
        return ""
    spec = document["spec"]
    spec = spec["workflow"]["spec"] if "workflow" in spec else spec
    parts = sorted(((_weight(each), each["name"]) for each in spec["templates"]), reverse=True)[:3]
    told = ", ".join(f"template '{name}' {weight:,}" for weight, name in parts)
    return (
        f"the document is {size:,} bytes; a cluster refuses more than {KUBERNETES_LIMIT:,}, the engine of one machine "
        f"more than 64 MB. The heaviest: {told}"
    )


def _weight(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def yaml_of(value: Any) -> str:
    """A JSON-able value as YAML."""
    from penstock.workflow.yaml import dump_yaml

    return dump_yaml(value)


def _chunks(document: dict[str, Any], path: Path) -> Iterable[bytes]:
    """The bytes in pieces: the YAML of a large document is never held as a whole."""
    ending = _ending(path)
    if ending == ".json":
        return [(json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")]
    from penstock.workflow.yaml import yaml_lines

    lines = (f"{line}\n".encode("utf-8", "surrogatepass") for line in yaml_lines(document))
    if ending in (".yaml", ".yml"):
        return lines
    return [_zip(b"".join(lines)) if ending == ".zip" else _tar(b"".join(lines))]


def _ending(path: Path) -> str:
    for ending in _ENDINGS:
        if path.name.endswith(ending):
            return ending
    raise InvalidInput(f"{path}: expected a file that ends in one of {', '.join(_ENDINGS)}")


def _tar(text: bytes) -> bytes:
    import gzip
    import io
    import tarfile

    buffer = io.BytesIO()
    member = tarfile.TarInfo(_MEMBER)
    member.size = len(text)
    # gzip.compress would write into the header which system it ran on.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        archive.addfile(member, io.BytesIO(text))
    return buffer.getvalue()


def _zip(text: bytes) -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(_MEMBER, _OLDEST), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
