"""The one error tree.

A class says two things about a failure: whether trying again can help (`Final` or `Retryable`), and how the edges
show it (`exit_code` for the command line, `http_status` for REST). A message names the thing, what was got, what was
expected, and what to do. Errors of other libraries are translated where they enter.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AlreadyExists",
    "Conflict",
    "DiskFailed",
    "Final",
    "Forbidden",
    "HomeError",
    "InvalidDocument",
    "InvalidInput",
    "InvalidParameter",
    "InvalidPipeline",
    "InvalidSetting",
    "NoSpace",
    "NotFound",
    "PenstockError",
    "PortTaken",
    "Retryable",
    "RunNotStarted",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedField",
]


class PenstockError(Exception):
    """Root of every error that Penstock raises on purpose. `str(error)` is one message for a person."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class Final(PenstockError):
    """Trying the same again gives the same error."""


class Retryable(PenstockError):
    """The same request may succeed later; nothing was half-done."""

    http_status: ClassVar[int] = 503


class InvalidInput(Final):
    """What a person gave is wrong. Raised before anything is created or started."""

    exit_code: ClassVar[int] = 2
    http_status: ClassVar[int] = 400


class InvalidPipeline(InvalidInput):
    """A pipeline's Python source cannot be traced or compiled. The message names file and line where they are known."""


class InvalidDocument(InvalidInput):
    """A document (Workflow, component.yaml, settings file) is malformed.

    `path` is the place in the document, for example `spec.templates[2].dag.tasks[0].name`, or "" for the whole.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path


class UnsupportedField(InvalidDocument):
    """A document uses a field that this engine refuses. The message gives the field's path and a way out."""


class InvalidParameter(InvalidInput):
    """A parameter of a run is missing, unknown or of the wrong type."""


class InvalidSetting(InvalidInput):
    """A flag, an environment variable or a line of penstock.toml has an impossible value."""


class TooLarge(InvalidInput):
    """Something is over a documented limit. The message gives its size and the limit."""

    http_status: ClassVar[int] = 413


class RunNotStarted(InvalidInput):
    """The run cannot run here (an image that no rule maps, a command that is absent); no run exists."""


class HomeError(Final):
    """The home is not writable, or was written by a newer Penstock."""

    exit_code: ClassVar[int] = 2


class PortTaken(Final):
    """The address to listen on is in use."""

    exit_code: ClassVar[int] = 2


class NotFound(Final):
    """No object of that kind and id."""

    exit_code: ClassVar[int] = 2
    http_status: ClassVar[int] = 404


class AlreadyExists(Final):
    """An object of that name is there already."""

    exit_code: ClassVar[int] = 2
    http_status: ClassVar[int] = 409


class Conflict(Final):
    """The object is not in a state that allows this, for example stopping a run that has ended."""

    http_status: ClassVar[int] = 409


class Unauthenticated(Final):
    """No valid token came with the request."""

    http_status: ClassVar[int] = 401


class Forbidden(Final):
    """The request came from a foreign `Host` or `Origin`."""

    http_status: ClassVar[int] = 403


class DiskFailed(Final):
    """The disk failed to make durable what was written, and what it holds now is unknown.

    A second try could succeed and the data be lost all the same, so there is none.
    """


class Unavailable(Retryable):
    """A database, store or server did not answer."""


class NoSpace(Retryable):
    """The disk is full. What was stored is whole; free space and go on."""

    http_status: ClassVar[int] = 507
