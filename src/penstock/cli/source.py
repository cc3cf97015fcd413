"""From the file that a command names to a document."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from penstock.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from penstock.compiler.schedules import Schedule

__all__ = ["Source", "compiled", "packaged", "read_document", "workflow_of"]

LIMIT = 64 * 1024 * 1024
"""Most bytes of a file that are read: those of the largest document."""


def read_document(path: Path, function: str | None, as_kfp: str | None = None) -> str | bytes:
    """The Workflow that a file holds, or that its Python source makes; `function` names one pipeline of several.

    `as_kfp` is the version of kfp that the source was written for.

    Raises InvalidInput, InvalidPipeline, TooLarge.
    """
    if path.suffix == ".py":
        return json.dumps(compiled(path, function, as_kfp), ensure_ascii=False)
    if function or as_kfp:
        option = "--function" if function else "--as-kfp"
        raise InvalidInput(f"{option}: {path} is a document; the option is for Python files")
    return _text(path)


def workflow_of(path: Path) -> dict[str, Any]:
    """The Workflow of a document's file, as JSON-able values. Raises InvalidInput, InvalidDocument, TooLarge."""
    from penstock.compiler.schedules import read_workflow

    return read_workflow(_text(path), str(path))


class Source(NamedTuple):
    """Where a pipeline is defined, and how it is read."""

    path: Path
    """A Python file; with `module`, a package that can be installed."""
    function: str | None = None
    as_kfp: str | None = None
    module: str = ""
    type_check: bool = True


def compiled(path: Path, function: str | None, as_kfp: str | None = None) -> dict[str, Any]:
    """The document of the pipeline that a Python file defines, in the manner of kfp `as_kfp`. Raises InvalidPipeline.

    What the file prints while it is executed goes to standard error: standard output is for results.
    """
    return _compiled(Source(path, function, as_kfp))[0]


def packaged(source: Source, schedule: Schedule | None = None) -> dict[str, Any]:
    """As `compiled`; a ScheduledWorkflow, where `schedule` is given or the pipeline has one. Raises InvalidPipeline,
    and InvalidInput for a package that cannot be installed."""
    document, own = _compiled(source)
    when = schedule or own
    if when is None:
        return document
    from penstock.compiler.schedules import scheduled

    return scheduled(document, when, str(source.path))


def _compiled(source: Source) -> tuple[dict[str, Any], Schedule | None]:
    """The document, and the schedule that the pipeline says of itself."""
    if not source.module:
        _need_file(source.path)
    with redirect_stdout(sys.stderr):
        if source.as_kfp:
            from penstock.compat import kfp

            return kfp.compiled(
                source.path, source.function, source.as_kfp, _warn, source.module, source.type_check
            ), None
        return _compiled_here(source)


def _compiled_here(source: Source) -> tuple[dict[str, Any], Schedule | None]:
    from penstock.compiler import compile_pipeline, load_pipelines, loaded_package

    if source.module:
        with loaded_package(source.path, source.module, source.function) as pipeline:
            return compile_pipeline(pipeline, type_check=source.type_check), pipeline.schedule
    pipeline = load_pipelines(source.path, source.function)
    return compile_pipeline(pipeline, type_check=source.type_check), pipeline.schedule


def _warn(message: str) -> None:
    click.echo(f"Warning: {message}", err=True)


def _text(path: Path) -> bytes:
    _need_file(path)
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from None
    if len(data) > LIMIT:
        raise TooLarge(f"{path}: {path.stat().st_size:,} bytes; limit {LIMIT:,}")
    return data


def _need_file(path: Path) -> None:
    if not path.exists():
        raise InvalidInput(f"{path}: no such file; expected a pipeline's source (.py) or a document (.yaml, .json)")
    if not path.is_file():
        raise InvalidInput(f"{path}: not a file; expected a pipeline's source (.py) or a document (.yaml, .json)")
