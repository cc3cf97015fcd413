"""What a caller hands over → a document: a file of any of our kinds, or a pipeline's function."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import InvalidDocument, InvalidInput

if TYPE_CHECKING:
    from penstock.dsl.conf import PipelineConf
    from penstock.dsl.pipelines import Pipeline

__all__ = ["bytes_of_file", "document_of_file", "document_of_function"]

DOCUMENTS = (".yaml", ".yml", ".json")
ARCHIVES = (".tar.gz", ".tgz", ".zip")


def document_of_function(pipeline: Pipeline | Callable[..., Any], conf: PipelineConf | None = None) -> Any:
    """The document of a pipeline, as JSON-able values; `conf` as `compile_pipeline` has it. Raises InvalidPipeline."""
    from penstock.compiler import compile_pipeline

    return compile_pipeline(pipeline, conf=conf)


def document_of_file(path: str | os.PathLike[str]) -> Any:
    """What a file holds, or an archive, or its Python source makes, as JSON-able values.

    Raises InvalidInput, InvalidPipeline, InvalidDocument, TooLarge; whether it is a Workflow, the server decides.
    """
    file = Path(path)
    if file.suffix == ".py":
        return _compiled(file)
    data = _read(file)
    if file.name.endswith(ARCHIVES):
        from penstock.compiler.packages import unpackaged

        data = unpackaged(data, str(file))
    if data.lstrip()[:1] != b"{":
        from penstock.workflow.yaml import load_yaml

        return load_yaml(data, source=str(file))
    try:
        return json.loads(data)
    except ValueError as error:
        raise InvalidDocument(f"{file}: {error}") from None


def bytes_of_file(path: str | os.PathLike[str]) -> bytes:
    """The text of `document_of_file`; that of a document as it stands. Raises InvalidInput, InvalidPipeline."""
    file = Path(path)
    return json.dumps(_compiled(file)).encode() if file.suffix == ".py" else _read(file)


def _compiled(file: Path) -> Any:
    from penstock.compiler import load_pipelines

    return document_of_function(load_pipelines(file))


def _read(file: Path) -> bytes:
    if not file.name.endswith((*DOCUMENTS, *ARCHIVES)):
        raise InvalidInput(f"{file}: ends in {file.suffix!r}; expected {', '.join((*DOCUMENTS, *ARCHIVES))} or .py")
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be read: {error.strerror or error}") from None
