"""Exceptions of an author's own code → one message with file and line."""

from __future__ import annotations

from contextlib import contextmanager
from os.path import dirname, sep
from typing import TYPE_CHECKING

from penstock.errors import InvalidPipeline, PenstockError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["translated"]

_PACKAGE = dirname(dirname(__file__)) + sep


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what the author's code raises inside the block into InvalidPipeline: `file:line: ValueError: text`.

    `where` stands in when no line is known. Penstock's own errors pass as they are.
    """
    try:
        yield
    except PenstockError:
        raise
    except SyntaxError as error:
        raise InvalidPipeline(
            f"{error.filename or where}:{error.lineno or 1}: {type(error).__name__}: {error.msg}"
        ) from error
    except SystemExit as error:
        raise InvalidPipeline(
            f"{_place(error.__traceback__) or where}: the file ends the program ({error!r})"
        ) from error
    except Exception as error:
        text = f": {error}" if str(error) else ""
        raise InvalidPipeline(f"{_place(error.__traceback__) or where}: {type(error).__name__}{text}") from error


def _place(traceback: TracebackType | None) -> str:
    """The innermost line of a file that is neither Penstock's nor the import system's."""
    place = ""
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if not name.startswith((_PACKAGE, "<frozen")):
            place = f"{name}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
