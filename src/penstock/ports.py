"""The small protocols that hosts and use cases are handed, and the values that pass through them.

A port is passed in, never looked up. Each has a fake in `penstock.testing`, and one contract suite that the fake and
every real adapter pass.

Times are seconds since the epoch (UTC, float). Ids of runs, experiments, pipelines and versions are UUID texts.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

import msgspec

from penstock.workflow.metrics import Measurement
from penstock.workflow.pods import Companion, ContainerExit, HostAlias, Mount, Readiness, Volume, own_name
from penstock.workflow.quantities import Needs
from penstock.workflow.status import Node

T = TypeVar("T")

__all__ = [
    "Clock",
    "Engine",
    "Experiment",
    "ImageRule",
    "Input",
    "Intent",
    "IntentKind",
    "Journal",
    "Launcher",
    "Listing",
    "Meters",
    "Metric",
    "NodeRow",
    "ObjectInfo",
    "Objects",
    "Page",
    "Pipeline",
    "PipelineVersion",
    "Program",
    "Progress",
    "Reader",
    "Records",
    "Resumption",
    "Retry",
    "Run",
    "RunEvent",
    "RunOptions",
    "RunState",
    "Step",
    "StepExit",
    "StepId",
    "StepState",
    "StorageState",
    "StoredRun",
    "Turn",
    "Value",
    "Writer",
]


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the frozen values below."""


# --- time -------------------------------------------------------------------------------------------------------


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep_until(self, when: float) -> None:
        """Return at `when` or later (seconds since the epoch); at once where it has passed."""
        ...


# --- records ----------------------------------------------------------------------------------------------------


class StorageState(StrEnum):
    """Whether a run or an experiment is in the lists or in the archive."""

    AVAILABLE = "AVAILABLE"
    ARCHIVED = "ARCHIVED"


class RunState(StrEnum):
    """State of a run as REST v2beta1 names it. The last four are terminal."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    CANCELING = "CANCELING"
    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def terminal(self) -> bool:
        """True when the run has ended."""
        return self not in (RunState.PENDING, RunState.RUNNING, RunState.CANCELING)


class Experiment(Value, frozen=True, kw_only=True):
    """A group of runs."""

    id: str
    name: str
    description: str = ""
    created_at: float
    storage_state: StorageState = StorageState.AVAILABLE
    last_run_created_at: float | None = None


class Pipeline(Value, frozen=True, kw_only=True):
    """A named pipeline; what runs is one of its versions. `latest_version_id` is the newest version's."""

    id: str
    name: str
    display_name: str = ""
    description: str = ""
    created_at: float
    latest_version_id: str = ""


class PipelineVersion(Value, frozen=True, kw_only=True):
    """One version of a pipeline. Its document is read by `Reader.version_document` only.

    `inputs` is the JSON text of the pipeline's inputs (`workflow.inputs.InputSpec` values).
    """

    id: str
    pipeline_id: str
    name: str
    display_name: str = ""
    description: str = ""
    created_at: float
    inputs: str = "[]"


class Metric(Value, frozen=True, kw_only=True):
    """A number that a step reported. `value` None is a NaN or an infinity. `format` is RAW or PERCENTAGE."""

    name: str
    node_id: str
    value: float | None
    format: str = "RAW"
    display_name: str = ""


class Progress(Value, frozen=True, kw_only=True):
    """How many steps of a run stand where; a step that is tried again counts once."""

    pending: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0


class Run(Value, frozen=True, kw_only=True):
    """One row of the list of runs: everything that a list shows, and no document.

    `workflow_name` is the document's `metadata.name`, unique in the home. `phase` is Argo's phase of the workflow, ""
    before it starts; `state` is what REST shows. `shutdown` is "" or the strategy of a stop that was asked for.
    `options` is the JSON text of what `penstock run` gave beside the document (image rules, deadlines).
    """

    id: str
    name: str
    description: str = ""
    workflow_name: str
    experiment_id: str
    pipeline_id: str = ""
    pipeline_version_id: str = ""
    pipeline_name: str = ""
    parameters: Mapping[str, str] = {}
    state: RunState = RunState.PENDING
    phase: str = ""
    message: str = ""
    shutdown: str = ""
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    storage_state: StorageState = StorageState.AVAILABLE
    progress: Progress = Progress()
    metrics: tuple[Metric, ...] = ()
    options: str = "{}"


class NodeRow(Value, frozen=True, kw_only=True):
    """A node as stored: one row per node, so one per attempt of a step.

    `incarnation` counts how often this attempt was started (more than 1 only where the machine interrupted it).
    """

    run_id: str
    node: Node
    incarnation: int = 1


class RunEvent(Value, frozen=True, kw_only=True):
    """One entry of a run's event stream. `seq` rises by one within a run, from 1.

    `kind` is "run" (`data` is the changed row), "node" (`data` is the node), "gone" (`data` has `ids`, of nodes that
    the run no longer has), "note" (`data` has `message`, `nodeId`).
    """

    run_id: str
    seq: int
    kind: str
    at: float
    data: Mapping[str, Any]


class IntentKind(StrEnum):
    """What somebody asked the engine to do with a run."""

    SUBMIT = "submit"
    STOP = "stop"
    RETRY = "retry"
    RESUME = "resume"
    DELETE = "delete"


class Intent(Value, frozen=True, kw_only=True):
    """A wish, committed before anything is done about it, removed by the transaction that records its effect.

    `id` is given by the store and rises. `argument` is the shutdown strategy of a STOP, the `Retry` of a RETRY or the
    `Resumption` of a RESUME as JSON.
    """

    id: int = 0
    run_id: str
    kind: IntentKind
    argument: str = ""
    created_at: float


class Retry(Value, frozen=True, kw_only=True):
    """What of an ended run runs again beside its failed steps: the nodes `chosen` (ids).

    `expand`: loops around what runs again are laid out anew, since parameters of the run have changed.
    """

    chosen: tuple[str, ...] = ()
    expand: bool = False


class Resumption(Value, frozen=True, kw_only=True):
    """What a person lets go on: a node that waits, with values for its outputs."""

    node_id: str
    parameters: Mapping[str, str] = {}


class Page(Value, frozen=True, kw_only=True):
    """What part of a list is wanted. `token` is a former answer's `next_token`, "" for the first page.

    `size` is 1 to 200. `sort_by` is a column's name, newest first by default; `descending` its direction. `filters`
    are (column, operation, value) triples joined by AND; operations are those of `paging.Operation`.
    """

    size: int = 20
    token: str = ""
    sort_by: str = "created_at"
    descending: bool = True
    filters: tuple[tuple[str, str, Any], ...] = ()


class Listing(Value, frozen=True, kw_only=True):
    """A page of rows, the token of the next one ("" at the end), and how many rows match in all."""

    items: Sequence[Any]
    next_token: str = ""
    total: int = 0


class Reader(Protocol):
    """Reads, all from one snapshot. A missing object is None; a malformed page token raises InvalidInput."""

    def experiment(self, id: str) -> Experiment | None: ...
    def experiment_named(self, name: str) -> Experiment | None: ...
    def experiments(self, page: Page) -> Listing: ...
    def pipeline(self, id: str) -> Pipeline | None: ...
    def pipeline_named(self, name: str) -> Pipeline | None: ...
    def pipelines(self, page: Page) -> Listing: ...
    def version(self, id: str) -> PipelineVersion | None: ...
    def versions(self, pipeline_id: str, page: Page) -> Listing: ...
    def version_document(self, id: str) -> str | None:
        """The version's document as it was uploaded (JSON text)."""
        ...

    def run(self, id: str) -> Run | None: ...
    def run_of_workflow(self, workflow_name: str) -> Run | None: ...
    def runs(self, page: Page) -> Listing: ...
    def unfinished_runs(self) -> Sequence[str]:
        """Ids of the runs that have begun and not ended, oldest first."""
        ...

    def run_document(self, id: str) -> str | None:
        """The run's document (JSON text), with its name, uid and parameters."""
        ...

    def nodes(self, run_id: str) -> Sequence[NodeRow]:
        """All nodes of a run, in the order in which they were first stored."""
        ...

    def node(self, run_id: str, node_id: str) -> NodeRow | None: ...
    def events(self, run_id: str, after: int, limit: int = 1000) -> Sequence[RunEvent]:
        """Events with a `seq` greater than `after`, in order."""
        ...

    def last_event(self, run_id: str) -> int:
        """The highest `seq` of the run, 0 where it has none."""
        ...

    def intents(self) -> Sequence[Intent]:
        """All open intents, oldest first."""
        ...


class Writer(Reader, Protocol):
    """Changes, inside one transaction; reads see them. `AlreadyExists` names what stands in the way."""

    def add_experiment(self, experiment: Experiment) -> None: ...
    def put_experiment(self, experiment: Experiment) -> None: ...
    def delete_experiment(self, id: str) -> None: ...
    def add_pipeline(self, pipeline: Pipeline) -> None: ...
    def put_pipeline(self, pipeline: Pipeline) -> None: ...
    def delete_pipeline(self, id: str) -> None:
        """The pipeline and its versions."""
        ...

    def add_version(self, version: PipelineVersion, document: str) -> None: ...
    def delete_version(self, id: str) -> None: ...
    def add_run(self, run: Run, document: str) -> None: ...
    def put_run(self, run: Run) -> None: ...
    def put_run_document(self, run_id: str, document: str) -> None: ...
    def delete_run(self, id: str) -> None:
        """The run with its document, nodes, metrics, events and intents."""
        ...

    def put_nodes(self, rows: Sequence[NodeRow]) -> None:
        """Insert or replace, by (run, node id)."""
        ...

    def delete_nodes(self, run_id: str, ids: Sequence[str]) -> None: ...

    def add_events(self, events: Sequence[RunEvent]) -> None: ...
    def add_intent(self, intent: Intent) -> None: ...
    def remove_intent(self, id: int) -> None: ...


class Records(Protocol):
    """The relational store. Sync; call `read` from a worker thread where a loop must not wait."""

    def read(self, query: Callable[[Reader], T]) -> T:
        """Run `query` on one snapshot and return what it returns. Raises Unavailable."""
        ...

    def write(self, change: Callable[[Writer], T]) -> Future[T]:
        """Queue `change` for the one writer; the future is done when its transaction is durable.

        Several changes may share a commit; each is atomic by itself: one that raises leaves no trace and fails its
        own future only. Raises through the future: what `change` raised, NoSpace, Unavailable.
        """
        ...

    def version(self) -> int:
        """A number that differs after any commit by another process on the same store (for followers that poll)."""
        ...

    def close(self) -> None:
        """Finish what is queued, then let go of the store."""
        ...


# --- objects ----------------------------------------------------------------------------------------------------


class ObjectInfo(Value, frozen=True, kw_only=True):
    """A stored object. `size` in bytes, of all files for a directory."""

    key: str
    size: int
    directory: bool = False


class Objects(Protocol):
    """The object store. A key is a relative POSIX path of plain segments; InvalidInput otherwise.

    An object is a file or a whole directory, and immutable: putting an equal key again replaces it whole. An object
    is either there, complete and durable, or not there at all, whatever crashed. Sync; raises NoSpace, Unavailable.
    """

    def put(self, key: str, source: Path) -> ObjectInfo:
        """Take the file or directory at `source` into the store. By reference where the store can: `source` is gone
        afterwards. Durable when it returns."""
        ...

    def write(self, key: str, data: bytes) -> ObjectInfo:
        """Store bytes. Durable when it returns."""
        ...

    def build(self, key: str, make: Callable[[Path], None]) -> ObjectInfo:
        """Store the file or directory that `make` makes at the path that it is given. Durable when it returns."""
        ...

    def write_all(self, contents: Mapping[str, bytes], files: Mapping[str, Path] = {}) -> Sequence[ObjectInfo]:
        """Store several small objects, which takes less than one after the other. All durable when it returns.

        `files` are, by key, where their bytes lie already, in files to which nobody will write: the store may give them
        further names."""
        ...

    @property
    def quick(self) -> bool:
        """Whether `write_all` takes less than to ask a thread for it: the loop that calls it hardly stands still."""
        ...

    def link(self, source: str, key: str) -> ObjectInfo:
        """Let `key` be an object equal to that at the key `source`, without a second copy where the store can. Each can
        be deleted by itself. Durable when it returns. Raises NotFound where there is no such object."""
        ...

    def stat(self, key: str) -> ObjectInfo | None: ...
    def open(self, key: str, member: str = "") -> BinaryIO:
        """The object's bytes, seekable; `member` is a file inside a directory object. Raises NotFound."""
        ...

    def members(self, key: str) -> Sequence[ObjectInfo]:
        """The files inside a directory object, keys relative to it, sorted; of a file object, none."""
        ...

    def local(self, key: str) -> Path | None:
        """A path on this machine where the object can be read, None where the store is elsewhere. Never write there."""
        ...

    def reach(self, key: str) -> Path | None:
        """As `local`, and also for a file or folder inside a directory object, and a folder of objects."""
        ...

    def digest(self, key: str) -> str:
        """`sha256:<hex>` of the content, noted by the background pass, else computed now."""
        ...

    def undigested(self) -> Sequence[str]:
        """Keys of objects whose digests the background pass of any process has not made yet; some may be gone."""
        ...

    def below(self, prefix: str) -> Mapping[str, float]:
        """What keys go on with behind `prefix` and a slash: the next segments, each with the time at which something
        was last put or removed there (seconds since the epoch), as far as the store knows."""
        ...

    def size(self, prefix: str) -> int:
        """Bytes that `delete` would free."""
        ...

    def delete(self, prefix: str) -> None:
        """Remove the object at `prefix` and all objects below it. Nothing there is no error."""
        ...


# --- launching steps --------------------------------------------------------------------------------------------


class StepId(Value, frozen=True, kw_only=True):
    """One start of one attempt of a step."""

    run_id: str
    node_id: str
    incarnation: int = 1


class Input(Value, frozen=True, kw_only=True):
    """Something to lay into the step before it starts, at `path`: a stored object (`source`, a path on this machine
    that must not be written) or bytes. The step may write to its copy. `mode`: permissions that it is given, and with
    `recurse` all that lies in it."""

    path: str
    source: str = ""
    content: bytes | None = None
    mode: int | None = None
    recurse: bool = False


class ImageRule(Value, frozen=True, kw_only=True):
    """What stands for an image on this machine.

    `root` is "host" or a folder that becomes the step's root. `entrypoint`, `cmd` and `env` are what the image itself
    would say.
    """

    root: str = "host"
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = {}


class RunOptions(Value, frozen=True, kw_only=True):
    """What a run takes with it beside its document (`Run.options` is its JSON). `images` go before the home's rules.

    `cache` False: its steps take nothing over from equal ones; what they make may be taken over all the same.
    """

    images: Mapping[str, ImageRule] = {}
    cache: bool = True
    ignored: tuple[str, ...] = ()
    """Fields that this machine need not meet: `nodeSelector`, `affinity`, `resources`."""
    config: str = ""
    """A folder of config maps, secrets and claims, whose objects go before those of the home."""


class Step(Value, frozen=True, kw_only=True):
    """All that a launcher needs to start a step. `command` and `args` as the document says, tags replaced."""

    id: StepId
    name: str
    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[tuple[str, str], ...] = ()
    inputs: tuple[Input, ...] = ()
    mounts: tuple[Mount, ...] = ()
    """Where it sees volumes; containers of this step share them by their volume's name."""
    volumes: tuple[Volume, ...] = ()
    """The volumes that are not empty at first. Of a claim the `folder` is known, and stays when the step has ended."""
    hosts: tuple[HostAlias, ...] = ()
    """Names of machines that it knows, beside those that this machine knows."""
    tty: bool = False
    """Its standard streams are a terminal that nobody sits at; what is written to it is its standard output."""
    init: tuple[Companion, ...] = ()
    """What runs before it, one after the other."""
    limits: Needs = Needs()
    """What its own container may use of the machine; 0: all. Only containers of an engine are held to it."""
    containers: tuple[Companion, ...] = ()
    """All containers of the set that it is, itself under its name, which is `main` or that of the last one."""
    sidecars: tuple[Companion, ...] = ()
    """What runs as long as it does, in its network."""
    network: str = ""
    """The id of its run, where steps of that reach one another: some of them are daemons. "": they need not."""
    outputs: tuple[str, ...] = ()
    """Paths of the declared outputs. Only a launcher that has no root for steps needs them, to rewrite them."""
    images: Mapping[str, ImageRule] = {}
    """Rules of this run, by image name or glob; they go before the launcher's own."""

    @property
    def own_name(self) -> str:
        """What its own container is called: `main`, or as the last one of a set that has none of that name."""
        return own_name([each.name for each in self.containers])

    @property
    def beside(self) -> tuple[Companion, ...]:
        """All its containers but its own."""
        others = tuple(each for each in self.containers if each.name != self.own_name)
        return (*self.init, *others, *self.sidecars)

    def volume(self, name: str) -> Volume:
        """The volume of that name."""
        return next((volume for volume in self.volumes if volume.name == name), Volume(name=name))

    def laid(self, mounts: Iterable[Mount]) -> Iterator[Input]:
        """The files of volumes, at the paths where a container with these mounts sees them."""
        for mount in mounts:
            below = mount.sub_path.strip("/")
            for path, content in self.volume(mount.volume).files:
                if path == below:
                    yield Input(path=mount.path, content=content)
                elif not below or path.startswith(f"{below}/"):
                    yield Input(path=posixpath.join(mount.path, path[len(below) :].lstrip("/")), content=content)


class StepExit(Value, frozen=True, kw_only=True):
    """How a step ended. `code` None: nobody knows, `error` says what is known. `code` 128+n: by signal n.

    `message` is a reason beside the code (killed for memory), `failed` the failure of another container of the step;
    "" where there is none.
    """

    code: int | None
    error: str = ""
    message: str = ""
    failed: str = ""
    containers: tuple[ContainerExit, ...] = ()
    """How the containers of a set have ended; then `code` is that of `main`, or 0 where all succeeded."""
    started_at: float | None = None
    finished_at: float | None = None


class StepState(StrEnum):
    """What a launcher finds of a step."""

    ABSENT = "absent"
    RUNNING = "running"
    EXITED = "exited"
    INTERRUPTED = "interrupted"
    """There was a process and it is gone without an exit record: the machine or somebody killed it whole."""


Program = tuple[str, Sequence[str]]
"""An image and a command; an empty command stands for the image's own."""


class Launcher(Protocol):
    """Starts steps so that they outlive this process. Every step is known by its `StepId` alone.

    The log of a step is a file in the CRI format, one line an entry:
    `<RFC 3339 time with nanoseconds> <stdout|stderr> <F|P> <text>`; `P` marks a line that goes on in the next entry.
    """

    name: str

    def refuse(
        self, image: str, command: Sequence[str], images: Mapping[str, ImageRule], beside: Sequence[Program] = ()
    ) -> str:
        """Why a step of this image and command cannot be started here, with the way out; "" if it can.

        `beside` are images and commands of its init containers and sidecars.
        """
        ...

    async def identity(self, image: str, command: Sequence[str], images: Mapping[str, ImageRule]) -> str:
        """What stands for the image here, as far as that is known: another text says that steps may do other things.

        Raises Unavailable.
        """
        ...

    async def launch(self, step: Step) -> None:
        """Start the step; when it returns the supervisor exists. Raises InvalidInput, NoSpace, Unavailable.

        A step of that id which was launched before is left as it is.
        """
        ...

    def state(self, id: StepId) -> StepState: ...

    async def address(self, id: StepId) -> str:
        """Where steps of the same network reach one that was launched; "" where it has no address."""
        ...

    def container_logs(self, id: StepId, names: Sequence[str]) -> Mapping[str, Path]:
        """The logs of those containers of a set, `names` in the document's order, that have begun, by their names."""
        ...

    async def ready(self, id: StepId, asked: Readiness) -> bool:
        """Whether a step of a network that was launched answers just now. Raises Retryable where it cannot be asked."""
        ...

    async def wait(self, id: StepId) -> StepExit:
        """Return when the step and all its processes have ended and its log is whole. Also for adopted steps."""
        ...

    async def stop(self, id: StepId, grace: float) -> None:
        """TERM to the step, after `grace` seconds KILL to all of it. Returns when it is under way.

        Raises NoSpace, Unavailable.
        """
        ...

    async def read(self, id: StepId, path: str, limit: int) -> bytes | None:
        """The bytes of a file of an ended step, at most `limit`+1 of them; None where there is none.

        `path` is resolved as the step would have, and never leaves its root.
        """
        ...

    async def take(self, id: StepId, path: str, target: Path) -> bool:
        """Move the file or directory at `path` of an ended step to `target`; False where there is none."""
        ...

    async def beside(self, id: StepId, path: str) -> Sequence[str]:
        """Names that lie in the folder of `path` (at most 20), for messages."""
        ...

    def log(self, id: StepId) -> Path:
        """Where the step's log is or will be, on this machine."""
        ...

    async def remove(self, id: StepId) -> None:
        """Kill what is left of the step and remove its files, its log too. Nothing there is no error."""
        ...

    def known(self) -> Sequence[StepId]:
        """All steps of which anything is left on this machine."""
        ...

    async def close(self) -> None:
        """Let go; running steps go on."""
        ...


# --- between use cases and engines ------------------------------------------------------------------------------


class Meters(Protocol):
    """What the metrics of documents count up to. For use from any thread."""

    def measure(self, measured: Measurement) -> None:
        """Count it. What does not go with what was counted under its name before is left out, and logged."""
        ...

    def exposition(self) -> bytes:
        """All of it, in the text format that Prometheus reads."""
        ...


class Engine(Protocol):
    """What drives runs. It finds its work in the intents; `wake` only says that there are new ones."""

    def wake(self) -> None:
        """Look at the intents soon. May be called from any thread."""
        ...


class StoredRun(Value, frozen=True, kw_only=True):
    """All that an engine's host needs to go on with a run."""

    run: Run
    document: str
    nodes: Sequence[NodeRow]


class Turn(Value, frozen=True, kw_only=True):
    """What one turn of the engine changed, stored in one transaction.

    `nodes` are the changed nodes, `removed` ids of those that are no more, `notes` (node id or "", message) pairs.
    `done` are intents whose effect this turn records. `progress` None leaves the counts as they are. `phase` and the
    fields after it are the workflow's own; "" and None leave what is stored, and `message` goes with the phase.
    """

    run_id: str
    at: float
    nodes: Sequence[NodeRow] = ()
    removed: Sequence[str] = ()
    notes: Sequence[tuple[str, str]] = ()
    done: Sequence[int] = ()
    progress: Progress | None = None
    phase: str = ""
    message: str = ""
    shutdown: str = ""
    started_at: float | None = None
    finished_at: float | None = None


class Journal(Protocol):
    """Where an engine's host keeps what it did; `services.report` implements it."""

    def intents(self) -> Sequence[Intent]:
        """Open intents, oldest first."""
        ...

    def unfinished(self) -> Sequence[str]:
        """Ids of runs that have begun and not ended."""
        ...

    def load(self, run_id: str) -> StoredRun | None: ...

    def commit(self, turn: Turn) -> Future[None]:
        """Store a turn; done when it is durable. Raises NoSpace, Unavailable through the future."""
        ...

    def forget(self, intent: Intent) -> Future[None]:
        """The host has removed every trace of a run to be deleted: remove its rows and the intent."""
        ...
