"""What goes into the engine (events) and what comes out of it (commands).

The engine is pure: every time is carried by the event, in seconds since the epoch (UTC). A host performs commands and
answers with events; it may repeat an event after a crash, and the engine takes a repetition for nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from penstock.workflow.metrics import Measurement
from penstock.workflow.pods import (
    Companion,
    ContainerExit,
    DataRequest,
    HostAlias,
    HttpRequest,
    Mount,
    Readiness,
    Resource,
    Volume,
)
from penstock.workflow.quantities import Needs
from penstock.workflow.status import Archive, Artifact, NodeOutputs, Origin

__all__ = [
    "Acquire",
    "ArtifactOutput",
    "Begin",
    "Caching",
    "Command",
    "Event",
    "Exited",
    "Granted",
    "Kill",
    "Launch",
    "Launched",
    "Lock",
    "Note",
    "ParameterOutput",
    "Pod",
    "Recall",
    "Recalled",
    "Release",
    "Remember",
    "Resume",
    "Shutdown",
    "Stop",
    "Tick",
    "Waiting",
    "Wake",
]


class Shutdown(StrEnum):
    """How a run is brought to its end, in Argo's words: exit handlers still run after STOP, nothing after TERMINATE."""

    STOP = "Stop"
    TERMINATE = "Terminate"


# --- what a host launches ---------------------------------------------------------------------------------------


class ParameterOutput(msgspec.Struct, frozen=True, kw_only=True):
    """An output parameter read from a file of the step. `default` stands in where the file is missing."""

    name: str
    path: str
    default: str | None = None


class ArtifactOutput(msgspec.Struct, frozen=True, kw_only=True):
    """An output artifact: the file or folder at `path` in the step, stored under `key`."""

    name: str
    path: str
    key: str
    optional: bool = False
    archive: Archive | None = None


class Caching(msgspec.Struct, frozen=True, kw_only=True):
    """A step may take over what an equal one made. `max_age` in seconds, None: however old; `key` stands for all that
    would tell two steps apart, "" where that is looked at."""

    max_age: float | None = None
    key: str = ""


class Pod(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt of a step, with every tag replaced: all that a launcher needs.

    `command` is empty where the image's own entrypoint is to be used. `script` is the source of a script template: the
    host writes it to a file and passes that file's path after `command`. `input_artifacts` carry `path` and either
    `key` or `raw`. `env` keeps its order; a later name wins. `grace` is the time in seconds between TERM and KILL.
    `mounts` say where it sees volumes, which its containers share by name; one that `volumes` does not describe is a
    folder of the step's own, empty at first. `hosts` are names of machines that it knows besides. `tty`: it
    has a terminal. With a `resource`, `http` or `data` nothing is started: the host does what it asks for.
    `unmet` says what the step refers to and nobody gave: it is not started.
    `limits` are those of its own container, `needs` what the whole pod requests. `containers` are all of a set, the
    pod's own among them. `init` run before it, one after the other; `sidecars` run as long as it does, in its network.
    `daemon`: it goes on until it is killed, and other steps of its run reach it, once it is `ready` where that is said.
    """

    node_id: str
    name: str
    display_name: str
    template_name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    script: str | None = None
    working_dir: str = ""
    env: tuple[tuple[str, str], ...] = ()
    input_artifacts: tuple[Artifact, ...] = ()
    output_parameters: tuple[ParameterOutput, ...] = ()
    output_artifacts: tuple[ArtifactOutput, ...] = ()
    capture_result: bool = False
    daemon: bool = False
    ready: Readiness | None = None
    grace: float = 30.0
    mounts: tuple[Mount, ...] = ()
    volumes: tuple[Volume, ...] = ()
    hosts: tuple[HostAlias, ...] = ()
    tty: bool = False
    unmet: str = ""
    init: tuple[Companion, ...] = ()
    limits: Needs = Needs()
    needs: Needs = Needs()
    containers: tuple[Companion, ...] = ()
    sidecars: tuple[Companion, ...] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    caching: Caching | None = None
    resource: Resource | None = None
    http: HttpRequest | None = None
    data: DataRequest | None = None

    @property
    def starts_nothing(self) -> bool:
        """True for what the host does by itself, without a launcher and without a place."""
        return self.resource is not None or self.http is not None or self.data is not None


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A mutex or a semaphore of the home: `limit` holders may have it at once."""

    name: str
    limit: int


# --- events -----------------------------------------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened at `now`."""

    now: float


class Begin(Event, frozen=True, kw_only=True):
    """The run may start."""


class Waiting(Event, frozen=True, kw_only=True):
    """A launch of `node_id` has to wait; `message` says for what. The node stays Pending."""

    node_id: str
    message: str


class Launched(Event, frozen=True, kw_only=True):
    """The step's first process exists. Of a daemon: it is ready, and other steps of the run reach it at `ip`."""

    node_id: str
    ip: str = ""


class Exited(Event, frozen=True, kw_only=True):
    """The step has ended, its outputs are durable.

    `exit_code` None with `error` set means that the step's outcome is unknown or that it could not be started or its
    outputs not be stored: the node becomes Error with that message. `error` beside an exit code of 0 does the same (a
    declared output that is missing). `message` overrides Argo's own text for a failed container where it is set.
    `failed` tells of another container's failure, which is the step's where its own did not fail. `containers` say how
    those of a set have ended. `cached_from` is
    there where nothing was started: all this is of another step.
    """

    node_id: str
    exit_code: int | None = None
    error: str = ""
    message: str = ""
    failed: str = ""
    containers: tuple[ContainerExit, ...] = ()
    parameters: Mapping[str, str] = {}
    artifacts: tuple[Artifact, ...] = ()
    result: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    cached_from: Origin | None = None


class Tick(Event, frozen=True, kw_only=True):
    """A time that a `Wake` asked for has come (or any other time: a tick too many does no harm)."""


class Stop(Event, frozen=True, kw_only=True):
    """A person or a limit asks the run to end. A TERMINATE after a STOP wins; the reverse changes nothing."""

    strategy: Shutdown


class Resume(Event, frozen=True, kw_only=True):
    """A person lets a node that waits go on. `parameters` are values for its outputs, before their defaults."""

    node_id: str
    parameters: Mapping[str, str] = {}


class Granted(Event, frozen=True, kw_only=True):
    """The node, or the run where `node_id` is "", holds all the locks that it asked for."""

    node_id: str


class Recalled(Event, frozen=True, kw_only=True):
    """What a cache has for a node: `outputs` that were made at `made_at`, which is None where there is nothing."""

    node_id: str
    outputs: NodeOutputs | None = None
    made_at: float | None = None


# --- commands ---------------------------------------------------------------------------------------------------


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the host must do, after the turn's transaction is committed."""


class Launch(Command, frozen=True, kw_only=True):
    """Start a step. Deterministic for a node id: launching it twice is harmless."""

    pod: Pod


class Kill(Command, frozen=True, kw_only=True):
    """End a step that was launched or waits to be: TERM, then KILL after `grace` seconds. Exited follows."""

    node_id: str
    grace: float = 30.0


class Wake(Command, frozen=True, kw_only=True):
    """Send a `Tick` at this time (seconds since the epoch)."""

    at: float


class Acquire(Command, frozen=True, kw_only=True):
    """Get locks for a node, or for the run where `node_id` is "". Granted follows, when all of them are to be had.

    `held`: it has them already, from before the table of locks was lost; nothing follows.
    """

    node_id: str
    locks: tuple[Lock, ...]
    held: bool = False


class Release(Command, frozen=True, kw_only=True):
    """A node needs its locks no more, or waits for them no more. All locks of a run are free when it has ended."""

    node_id: str


class Recall(Command, frozen=True, kw_only=True):
    """Look whether `cache` has outputs for `key`. Recalled follows."""

    node_id: str
    cache: str
    key: str


class Remember(Command, frozen=True, kw_only=True):
    """Keep `outputs` in `cache` under `key`."""

    node_id: str
    cache: str
    key: str
    outputs: NodeOutputs | None
    made_at: float


class Measure(Command, frozen=True, kw_only=True):
    """Count a metric of the document."""

    measurement: Measurement


class Note(Command, frozen=True, kw_only=True):
    """Tell the person something about the run or one of its nodes; stored as an event of the run."""

    message: str
    node_id: str = ""
