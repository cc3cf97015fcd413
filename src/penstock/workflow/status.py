"""What a run has become: nodes and their inputs and outputs, as Argo writes them into `status`.

Names, types and phases are those of Argo 4.1.2 (`pkg/apis/workflow/v1alpha1/workflow_types.go`). Times are seconds
since the epoch (float) in memory, in rows and on our wire; `dump` alone writes Argo's RFC 3339 text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from penstock.workflow.parts import Part

__all__ = [
    "STARTED",
    "Archive",
    "Artifact",
    "Awaited",
    "MemoizationStatus",
    "Node",
    "NodeFlag",
    "NodeInputs",
    "NodeOutputs",
    "NodeType",
    "Origin",
    "Parameter",
    "Phase",
    "SynchronizationStatus",
    "TemplateRef",
    "nodes_called",
]


class Phase(StrEnum):
    """Phase of a node. A workflow has the same words, without `SKIPPED` and `OMITTED`."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    SKIPPED = "Skipped"
    FAILED = "Failed"
    ERROR = "Error"
    OMITTED = "Omitted"

    @property
    def fulfilled(self) -> bool:
        """True when the phase is final."""
        return self not in (Phase.PENDING, Phase.RUNNING)


class NodeType(StrEnum):
    """Type of a node."""

    POD = "Pod"
    CONTAINER = "Container"
    STEPS = "Steps"
    STEP_GROUP = "StepGroup"
    DAG = "DAG"
    TASK_GROUP = "TaskGroup"
    RETRY = "Retry"
    SKIPPED = "Skipped"
    SUSPEND = "Suspend"
    HTTP = "HTTP"
    PLUGIN = "Plugin"


STARTED = (NodeType.POD, NodeType.HTTP)
"""Types of nodes that a host does something for, and that can be killed."""


class Awaited(Part, frozen=True, kw_only=True):
    """Says of an output that a person supplies its value, or else the default stands. `supplied` is always empty."""

    supplied: Mapping[str, str]
    default: str | None = None


class Parameter(Part, frozen=True, kw_only=True):
    """A parameter with its value, a text; None for an output that was declared and never made.

    `value_from` is there as long as a Suspend node waits for the value.
    """

    name: str
    value: str | None = None
    global_name: str = ""
    value_from: Awaited | None = None


class Archive(Part, frozen=True, kw_only=True):
    """How an artifact is packed where it is stored, in the document's words: one of the three is there.

    (Argo: `ArchiveStrategy` in `workflow_types.go`.)
    """

    none: Mapping[str, str] | None = None
    tar: Mapping[str, str] | None = None
    zip: Mapping[str, str] | None = None

    @property
    def form(self) -> str:
        """Its name, "" where nothing is said. Of several the first counts, as on Argo."""
        return next((name for name in ("none", "tar", "zip") if getattr(self, name) is not None), "")


class Artifact(Part, frozen=True, kw_only=True):
    """An artifact of a node.

    `key` is its key in the object store ("" for one that was not produced); `size` in bytes (of all files, for a
    directory); `raw` the content of a raw argument. `directory` tells a folder from a file. `mode` are permissions that
    an input is given, and with `recurse_mode` all that lies in it; None: those that it has. `archive` is what its
    template says of it, or that of the step it comes from.
    """

    name: str
    path: str = ""
    key: str = ""
    raw: str | None = None
    size: int | None = None
    directory: bool = False
    optional: bool = False
    global_name: str = ""
    mode: int | None = None
    recurse_mode: bool = False
    archive: Archive | None = None

    @property
    def given(self) -> bool:
        """Whether it is somewhere: an optional input that nobody gave is nowhere."""
        return bool(self.key) or self.raw is not None


class NodeInputs(Part, frozen=True, kw_only=True):
    """Resolved inputs of a node."""

    parameters: tuple[Parameter, ...] = ()
    artifacts: tuple[Artifact, ...] = ()


class NodeOutputs(Part, frozen=True, kw_only=True):
    """Outputs of a node. `result` is captured standard output, `exit_code` the decimal text of the exit code."""

    parameters: tuple[Parameter, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    result: str | None = None
    exit_code: str | None = None


class NodeFlag(Part, frozen=True, kw_only=True):
    """`hooked`: run by a hook or exit handler; `retried`: an attempt below a Retry node."""

    hooked: bool = False
    retried: bool = False


class Origin(Part, frozen=True, kw_only=True):
    """The step whose outputs another one took over instead of running: by its run's id and name, its id and name."""

    run_id: str
    run: str
    node_id: str
    step: str

    def __str__(self) -> str:
        return f"cached from run {self.run} step {self.step}"


class SynchronizationStatus(Part, frozen=True, kw_only=True):
    """Of a node with locks: the name of one that it waits for, "" when it has them all."""

    waiting: str = ""


class MemoizationStatus(Part, frozen=True, kw_only=True):
    """Whether a node took its outputs from a cache. `hit` is always there."""

    hit: bool
    key: str
    cache_name: str


class TemplateRef(Part, frozen=True, kw_only=True):
    """A template of a WorkflowTemplate, or of a ClusterWorkflowTemplate."""

    name: str
    template: str
    cluster_scope: bool = False


class Node(Part, frozen=True, kw_only=True):
    """One node of the run's tree, one row in the database.

    `template_ref` stands in the place of `template_name` where the template is another object's. `id` is the workflow's
    name for the root, else `<workflow>-<FNV-1a-32 of name>`. `children` and `outbound_nodes` hold ids. `template_name`
    is "" for groups. `cached_from` is there where nothing was started, since the outputs were there already.
    """

    id: str
    name: str
    display_name: str
    type: NodeType
    phase: Phase = Phase.PENDING
    template_name: str = ""
    template_ref: TemplateRef | None = None
    template_scope: str = ""
    boundary_id: str = msgspec.field(default="", name="boundaryID")
    message: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    progress: str = ""
    node_flag: NodeFlag | None = None
    inputs: NodeInputs | None = None
    outputs: NodeOutputs | None = None
    children: tuple[str, ...] = ()
    outbound_nodes: tuple[str, ...] = ()
    cached_from: Origin | None = None
    synchronization_status: SynchronizationStatus | None = None
    memoization_status: MemoizationStatus | None = None
    daemoned: bool = False
    """It goes on, and counts as done for what waits for it, until the node that encloses it ends."""
    pod_ip: str = msgspec.field(default="", name="podIP")
    host_node_name: str = ""
    """The machine on which it has started, as a cluster would call it."""

    @property
    def fulfilled(self) -> bool:
        """True when nothing has to wait for the node (Argo's `NodeStatus.Fulfilled`)."""
        return self.phase.fulfilled or (self.daemoned and self.phase is not Phase.PENDING)

    @property
    def called(self) -> str:
        """The template's name in the object that holds it."""
        return self.template_ref.template if self.template_ref is not None else self.template_name

    @property
    def qualified(self) -> str:
        """What the template is called inside Penstock: by its own name, or as `SCOPE/NAME/TEMPLATE`."""
        ref = self.template_ref
        if ref is None:
            return self.template_name
        return f"{'cluster' if ref.cluster_scope else 'namespaced'}/{ref.name}/{ref.template}"

    @property
    def task_name(self) -> str:
        """The display name without a loop's round or the number of a try: `train` for `train(0:a)`."""
        return self.display_name.partition("(")[0]

    @property
    def waits_for_lock(self) -> bool:
        """True while the node waits for a mutex or a semaphore."""
        return self.synchronization_status is not None and bool(self.synchronization_status.waiting)


def nodes_called(nodes: Sequence[Node], name: str) -> Sequence[Node]:
    """The nodes of that id or display name, in any round or try; else those whose template is called so."""
    found = [node for node in nodes if name in (node.id, node.display_name, node.task_name)]
    return found or [node for node in nodes if node.called == name]
