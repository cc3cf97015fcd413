"""The state outside objects, in context variables: which pipeline is being traced, and for whom it was written."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from os.path import dirname, sep
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from penstock.dsl.naming import Names
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping

    from penstock.dsl.base import BaseOp
    from penstock.dsl.conf import PipelineConf
    from penstock.dsl.groups import Group
    from penstock.dsl.pipelines import Pipeline
    from penstock.dsl.references import Reference, ReferenceName

    R = TypeVar("R", bound=Reference)

__all__ = [
    "Manner",
    "Trace",
    "complain",
    "current",
    "declares",
    "is_tracing",
    "located",
    "place",
    "tracing",
    "types_checked",
    "types_unchecked",
    "written_for",
    "written_for_kfp",
]

_PACKAGE = dirname(dirname(__file__)) + sep


class Trace:
    """What one pipeline's function did while it was called: its steps, groups and references."""

    def __init__(self, root: Group, conf: PipelineConf) -> None:
        self.root = root
        self.conf = conf
        self.stack: list[Group] = [root]
        self.ops: dict[str, BaseOp] = {}
        self.references: dict[ReferenceName, Reference] = {}
        self.called: list[Pipeline] = []
        self.names = Names()
        self.given_names: dict[tuple[int, str], BaseOp] = {}
        """Steps whose authors named them, by the call that made them and the name in the document."""
        self.scope = 0
        """The number of the innermost call, of a pipeline or graph component, that is going on."""
        self._scopes = 0
        self.result: object = None
        """What the function returned."""
        self._last_group = 0

    @property
    def group(self) -> Group:
        """The group that a new step belongs to."""
        return self.stack[-1]

    def calling(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call the function of a pipeline or graph component: its steps have names of their own."""
        before = self.scope
        self._scopes += 1
        self.scope = self._scopes
        try:
            return func(*args, **kwargs)
        finally:
            self.scope = before

    def next_group(self) -> int:
        """The number of the next group: 1, 2, …"""
        self._last_group += 1
        return self._last_group

    def free(self, name: ReferenceName, taken: Container[ReferenceName] | None = None) -> ReferenceName:
        """`name`, or the first of `name-2`, `name-3`, … that is not taken: by default, that no reference has."""
        unique, number = name, 2
        while unique in (self.references if taken is None else taken):
            unique, number = name._replace(name=f"{name.name}-{number}"), number + 1
        return unique

    def register(self, name: ReferenceName, reference: R) -> R:
        """Make a reference known, so that its marker is found again in texts."""
        self.references[name] = reference
        return reference


_current: ContextVar[Trace | None] = ContextVar("penstock_trace", default=None)


class Manner(NamedTuple):
    """For whom the file that is being read was written."""

    kfp: str = ""
    """The version of kfp: "1.8" or "0.1"; "" for Penstock."""
    warn: Callable[[str], None] | None = None
    """Hears of what that version takes and Penstock refuses."""
    types: bool = True
    """Whether it is looked at whether a value is of the type of the input that it is connected to."""


_OWN = Manner()
_manner: ContextVar[Manner] = ContextVar("penstock_manner", default=_OWN)


@contextmanager
def tracing(trace: Trace) -> Iterator[Trace]:
    """Make `trace` the current one while a pipeline's function is called."""
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def is_tracing() -> bool:
    """Whether a pipeline is being traced in this context."""
    return _current.get() is not None


def current(what: str = "A step") -> Trace:
    """The trace that is under way. Raises InvalidPipeline when there is none."""
    trace = _current.get()
    if trace is None:
        raise InvalidPipeline(located(f"{what} can only be made inside a function decorated with @dsl.pipeline"))
    return trace


def declares(name: ReferenceName) -> bool:
    """Whether the pipeline being traced has a reference of that name."""
    trace = _current.get()
    return trace is not None and name in trace.references


@contextmanager
def written_for(manner: Manner) -> Iterator[None]:
    """Read, inside the block, files that were written in another manner than Penstock's."""
    token = _manner.set(manner)
    try:
        yield
    finally:
        _manner.reset(token)


@contextmanager
def types_unchecked() -> Iterator[None]:
    """Connect, inside the block, values to inputs of any type."""
    with written_for(_manner.get()._replace(types=False)):
        yield


def types_checked() -> bool:
    """Whether a value has to be of the type of the input that it is connected to."""
    return _manner.get().types


def written_for_kfp(version: str) -> bool:
    """Whether the file that is being read was written for that version of kfp."""
    return _manner.get().kfp == version


def complain(message: str) -> None:
    """Raise InvalidPipeline; or only warn, where files are read that were written for who takes such things."""
    warn = _manner.get().warn
    if warn is None:
        raise InvalidPipeline(message)
    warn(message)


def place() -> str:
    """`file:line` of the author's code that is being executed, "" when there is none."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, "<frozen")):
        if frame.f_back is None:
            return ""
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def located(message: str) -> str:
    """`message` with the author's file and line before it."""
    where = place()
    return f"{where}: {message}" if where else message
