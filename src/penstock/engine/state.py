"""The state of a run, and one turn of it.

A `Run` is a value: `step` takes one and gives another. A `Turn` is the mutable workbench between the two: it holds
drafts of what a turn may change, a queue of what is still to be looked at, and the commands that come out. Everything
in a `Run` but its nodes and a few fields of the run itself can be worked out again from these (`restore`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from penstock.engine.protocol import Command, Shutdown, Wake
from penstock.engine.tables import edited, tabled
from penstock.workflow.configuration import NOTHING, Configuration
from penstock.workflow.document import Task, Template, Workflow
from penstock.workflow.nodes import node_id
from penstock.workflow.running import exports, global_outputs
from penstock.workflow.status import Node, NodeFlag, NodeInputs, NodeOutputs, NodeType, Phase, TemplateRef

__all__ = ["Call", "Fault", "Memo", "Run", "Turn"]

Start = tuple[str, str, str]
"""Something that could not start yet for want of room: (kind, node id, key)."""


class Fault(Exception):
    """Something in the document that cannot be done at run time. `str(error)` is a node's message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How a node came to be: the template it runs, with what, and on whose behalf.

    `owner` is the id of the node that waits for it; `task` the task or step as it stands in the boundary's template;
    `exit` is True below an exit handler; `depth` counts nested template calls; `attempt` is the number of a retry.
    """

    id: str
    name: str
    boundary: str
    owner: str
    template_name: str
    template: Template
    text: str
    inputs: NodeInputs | None = None
    task: Task | None = None
    prefix: str = ""
    exit: bool = False
    depth: int = 1
    attempt: int | None = None
    flag: NodeFlag | None = None

    @property
    def called(self) -> str:
        """The template's name in the object that holds it."""
        return self.template_name.rpartition("/")[2]


@dataclass(slots=True)
class Memo:
    """What can always be worked out again, kept because it is asked for often. Shared by all values of a run."""

    templates: dict[str, tuple[Template, str]] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    plans: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)
    results: dict[str, frozenset[str]] = field(default_factory=dict)
    globals: dict[str, str | None] = field(default_factory=dict)
    hooked: bool | None = None
    metered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it stands. `changed` holds the ids of the nodes that the last step changed, in order of change.

    `config` holds the config maps and secrets that it may read.

    `phase` is Argo's phase of the workflow, "" before it has begun. `open` counts what is not fulfilled below a node
    (blocked starts included), `pods` active pods, `children` active pods and templates, `bad` failed nodes, each by
    boundary; `blocked` holds starts that wait for room, by boundary; `timers` the times that some nodes wait for.
    """

    workflow: Workflow = field(compare=False)
    name: str
    uid: str
    parameters: Mapping[str, str]
    created_at: float
    max_iterations: int = 100_000
    config: Configuration = field(default=NOTHING, compare=False, repr=False)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    phase: str = ""
    message: str = ""
    shutdown: Shutdown | None = None
    started_at: float | None = None
    finished_at: float | None = None
    outputs: NodeOutputs | None = None
    open: Mapping[str, int] = field(default_factory=dict)
    pods: Mapping[str, int] = field(default_factory=dict)
    children: Mapping[str, int] = field(default_factory=dict)
    bad: Mapping[str, int] = field(default_factory=dict)
    blocked: Mapping[str, Mapping[Start, None]] = field(default_factory=dict)
    timers: Mapping[str, float] = field(default_factory=dict)
    active_pods: int = 0
    changed: tuple[str, ...] = field(default=(), compare=False)
    cursors: Mapping[tuple[str, str], int] = field(default_factory=dict, compare=False, repr=False)
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)

    @property
    def finished(self) -> bool:
        """True when the run has ended."""
        return self.finished_at is not None


_COUNTED = frozenset((NodeType.POD, NodeType.STEPS, NodeType.DAG))


class Turn:
    """The workbench of one step."""

    def __init__(self, run: Run, now: float) -> None:
        self.run = run
        self.now = now
        self.workflow = run.workflow
        self.memo = run.memo
        if self.memo.hooked is None:
            self.memo.hooked = run.workflow.hooked
            self.memo.metered = run.workflow.metered
        self.nodes: dict[str, Node] = edited(run.nodes)
        self.open: dict[str, int] = edited(run.open)
        self.pods: dict[str, int] = edited(run.pods)
        self.children: dict[str, int] = edited(run.children)
        self.bad: dict[str, int] = edited(run.bad)
        self.blocked: dict[str, Mapping[Start, None]] = edited(run.blocked)
        self._own: dict[str, dict[Start, None]] = {}
        self.timers: dict[str, float] = edited(run.timers)
        self.cursors: dict[tuple[str, str], int] = edited(run.cursors)
        self.active_pods = run.active_pods
        self.phase, self.message, self.shutdown = run.phase, run.message, run.shutdown
        self.started_at, self.finished_at, self.outputs = run.started_at, run.finished_at, run.outputs
        self.recursion, self.runaway = 0, ""
        self.commands: list[Command] = []
        self.changed: dict[str, None] = {}
        self.unsettled: dict[str, None] = {}
        self.busy: dict[str, int] = {}
        self.todo: deque[tuple[Callable[[Turn, str], None], str]] = deque()
        self.settle: Callable[[Turn, str], None] = _nothing
        self.watch: Callable[[Turn, str], None] | None = None
        self.scope: Callable[[Turn, str], str] = _local
        self.keys: Callable[[Turn, Node], tuple[str, ...]] = _boundary_alone

    # --- nodes --------------------------------------------------------------------------------------------------

    def id(self, name: str) -> str:
        """Id of the node called `name`."""
        return node_id(self.run.name, name)

    def named(self, name: str) -> Node | None:
        """The node called `name`."""
        return self.nodes.get(node_id(self.run.name, name))

    def put(self, node: Node) -> None:
        """Store a node, new or changed; a phase that became final is queued to be looked at."""
        old = self.nodes.get(node.id)
        self.nodes[node.id] = node
        self.changed[node.id] = None
        if exports(node):
            self.outputs = global_outputs(self.nodes.values())
        if old is None or _standing(old) != _standing(node):
            self._count(old, node)
            if node.phase.fulfilled:  # however it came to its end, nothing is waited for any more
                self.timers.pop(node.id, None)
            if self.watch is not None and not node.phase.fulfilled:
                self.todo.append((self.watch, node.id))

    def _count(self, old: Node | None, node: Node) -> None:
        was, now = old is not None and not old.fulfilled, not node.fulfilled
        keys = self.keys(self, node)
        if was != now:
            for key in keys:
                _add(self.open, key, now - was)
        delta = _active(node) - (old is not None and _active(old))
        if delta:
            self._count_active(node, delta)
        if not now:
            if node.phase in (Phase.FAILED, Phase.ERROR) and (old is None or not old.phase.fulfilled):
                self.bad[node.boundary_id] = self.bad.get(node.boundary_id, 0) + 1
            self._queue(node.id, keys)

    def _count_active(self, node: Node, delta: int) -> None:
        boundary = node.boundary_id
        if node.type is NodeType.POD:
            self.active_pods += delta
            _add(self.pods, boundary, delta)
        if node.type in _COUNTED:
            _add(self.children, boundary, delta)

    def _queue(self, id: str, keys: tuple[str, ...]) -> None:
        if id in self.unsettled:
            return
        self.unsettled[id] = None
        for key in keys:
            self.busy[key] = self.busy.get(key, 0) + 1
        self.todo.append((self.settle, id))

    def taken(self, id: str) -> None:
        """A fulfilled node is being looked at now."""
        if id in self.unsettled:
            del self.unsettled[id]
            for key in self.keys(self, self.nodes[id]):
                self.busy[key] -= 1

    def quiet(self, key: str) -> bool:
        """True when nothing below the node `key` is running, waiting for room, or still to be looked at."""
        return not self.open.get(key) and not self.busy.get(key)

    def create(
        self,
        name: str,
        type: NodeType,
        phase: Phase,
        *,
        boundary: str,
        template: str = "",
        message: str = "",
        inputs: NodeInputs | None = None,
        flag: NodeFlag | None = None,
        shown: str = "",
    ) -> Node:
        """Make a node; its display name is `shown`, else its name less the boundary's. `template` may be qualified.

        One that has waited to be let in is there already, and goes on.
        """
        id = self.id(name)
        waited = self.nodes.get(id)
        node = Node(
            id=id,
            name=name,
            display_name=shown or _display_name(name, self.nodes.get(boundary)),
            type=type,
            phase=phase,
            template_name="" if "/" in template else template,
            template_ref=_ref(template) if "/" in template else None,
            template_scope=self.scope(self, boundary) or f"local/{self.run.name}",
            boundary_id=boundary,
            message=message,
            started_at=self.now if waited is None else waited.started_at,
            synchronization_status=waited.synchronization_status if waited is not None else None,
            memoization_status=waited.memoization_status if waited is not None else None,
            finished_at=self.now if phase.fulfilled else None,
            node_flag=flag,
            inputs=inputs if inputs is not None and (inputs.parameters or inputs.artifacts) else None,
        )
        self.put(node)
        return node

    def begin(
        self, call: Call, type: NodeType, phase: Phase, template: Template, inputs: NodeInputs, message: str = ""
    ) -> Node:
        """Make the node of a call. Attempts of a retried one are called by their numbers."""
        return self.create(
            call.name,
            type,
            phase,
            boundary=call.boundary,
            template=call.template_name,
            message=message,
            inputs=inputs,
            flag=call.flag,
            shown=template.display_name if call.attempt is None else "",
        )

    def mark(self, id: str, phase: Phase, message: str | None = None, **changes: Any) -> Node:
        """Change a node's phase, and its message unless that is None."""
        node = self.nodes[id]
        if phase.fulfilled and node.finished_at is None:
            changes.setdefault("finished_at", self.now)
        if message is not None:
            changes["message"] = message
        changed = msgspec.structs.replace(node, phase=phase, **changes)
        self.put(changed)
        return changed

    def add_child(self, parent: str, child: str) -> None:
        """Note `child` (the id of a new node) below `parent` (an id)."""
        node = self.nodes[parent]
        self.nodes[parent] = msgspec.structs.replace(node, children=(*node.children, child))
        self.changed[parent] = None

    # --- waiting ------------------------------------------------------------------------------------------------

    def block(self, boundary: str, start: Start, keys: tuple[str, ...]) -> None:
        """A start has to wait for room; it counts as open."""
        waiting = self._waiting(boundary)
        if start not in waiting:
            waiting[start] = None
            for key in keys:
                _add(self.open, key, 1)

    def unblock(self, boundary: str, start: Start, keys: tuple[str, ...]) -> None:
        """A start waits no more."""
        waiting = self._waiting(boundary)
        del waiting[start]
        if not waiting:
            del self.blocked[boundary], self._own[boundary]
        for key in keys:
            _add(self.open, key, -1)

    def _waiting(self, boundary: str) -> dict[Start, None]:
        """What waits in a boundary, to be changed."""
        own = self._own.get(boundary)
        if own is None:
            own = self._own[boundary] = self.blocked[boundary] = edited(self.blocked.get(boundary, {}))
        return own

    def wake_at(self, id: str, at: float) -> None:
        """Ask for a tick at `at` on behalf of the node `id` ("" for the run)."""
        self.timers[id] = at
        self.commands.append(Wake(at=at))

    def value(self) -> Run:
        """The run that this turn leads to."""
        run = self.run
        for boundary in self.blocked.keys() & self._own.keys():
            self.blocked[boundary] = tabled(self._own[boundary])
        return Run(
            workflow=run.workflow,
            name=run.name,
            uid=run.uid,
            parameters=run.parameters,
            created_at=run.created_at,
            max_iterations=run.max_iterations,
            config=run.config,
            nodes=tabled(self.nodes),
            phase=self.phase,
            message=self.message,
            shutdown=self.shutdown,
            started_at=self.started_at,
            finished_at=self.finished_at,
            outputs=self.outputs,
            open=tabled(self.open),
            pods=tabled(self.pods),
            children=tabled(self.children),
            bad=tabled(self.bad),
            blocked=tabled(self.blocked),
            timers=tabled(self.timers),
            active_pods=self.active_pods,
            changed=tuple(self.changed),
            cursors=tabled(self.cursors),
            memo=self.memo,
        )


def _add(counts: dict[str, int], key: str, delta: int) -> None:
    """Count; what has come to nothing is not kept."""
    count = counts.get(key, 0) + delta
    if count:
        counts[key] = count
    else:
        counts.pop(key, None)


def _standing(node: Node) -> tuple[object, ...]:
    """What of a node others count or wait for."""
    return node.phase, node.waits_for_lock, node.daemoned


def _active(node: Node) -> bool:
    """True for what holds a place: what waits for a lock does not."""
    return not node.phase.fulfilled and not node.waits_for_lock


def _nothing(_turn: Turn, _id: str) -> None:
    """Stands where the engine puts what looks at ended nodes."""


def _local(_turn: Turn, _boundary: str) -> str:
    return ""


def _ref(template: str) -> TemplateRef:
    scope, name, own = template.split("/", 2)
    return TemplateRef(name=name, template=own, cluster_scope=scope == "cluster")


def _boundary_alone(_turn: Turn, node: Node) -> tuple[str, ...]:
    return (node.boundary_id,)


def _display_name(name: str, boundary: Node | None) -> str:
    if boundary is None:
        return name
    rest = name.removeprefix(boundary.name)
    front, dot, back = rest.partition(".")
    # `.task` and `[0].step` lose what stands before the dot.
    if dot and (not front or (front[0] == "[" and front[-1] == "]" and front[1:-1].isdigit())):
        return back
    return rest
