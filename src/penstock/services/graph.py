"""A run as a picture: the document's tasks joined with the nodes that exist, laid out in layers from top to bottom.

The document gives the shape, so that steps which have not started are there too; nodes give phases and times. Groups
(conditions, exit-handler groups, nested DAG and Steps templates) are flattened: their first tasks hang below what the
group waits for, their last tasks stand above what waits for the group. A loop is one node until somebody opens it.
Positions depend on the shape alone, never on phases, so nothing moves while a run goes on.

How nodes are named, and so found: `shared` rules of Argo 4.1.2, as in `workflow.status` (`P.task`, `P[i].step`,
`N(i:value)`, `N.onExit`, `N.hooks.h`; a node's id is the workflow's name and the FNV-1a hash of the node's name).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import msgspec

from penstock.services import layout
from penstock.workflow.status import Node, NodeType, Phase

__all__ = ["Graph", "GraphEdge", "GraphNode", "graph"]

LIMIT = 5000
"""Nodes after which groups are no longer flattened: a document may describe more than anybody can look at."""
JUNCTION = 24
"""Edges between two groups above which they are led through one point."""
ITEM = 24
"""Most characters of a round's value in a label."""
_LOOPS = ("withItems", "withParam", "withSequence")
_ITERATION = re.compile(r"(?:\[\d+\])?\.([^.(\[]+)\((\d+):", re.DOTALL)
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_DISPLAY_NAME = "pipelines.kubeflow.org/task_display_name"


class GraphNode(msgspec.Struct, frozen=True, kw_only=True):
    """A box of the picture.

    `id` is the id that the node of the run has or will have. `kind` is step, loop, group (not opened further), exit (an
    exit handler or hook) or junction (a point where many edges meet, without a label). `phase` is Argo's, "" before the
    node exists; `node_id` the node to show for it, "" before that. `counts` tells of a loop how many rounds stand in
    which phase. `parent` is the loop that a round belongs to. Lengths in CSS pixels at zoom 1, `x` and `y` of the upper
    left corner; times in seconds since the epoch.
    """

    id: str
    label: str
    kind: str = "step"
    phase: str = ""
    node_id: str = ""
    message: str = ""
    counts: Mapping[str, int] = {}
    parent: str = ""
    expandable: bool = False
    expanded: bool = False
    started_at: float | None = None
    finished_at: float | None = None
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


class GraphEdge(msgspec.Struct, frozen=True, kw_only=True):
    """A line between two boxes through `points`, from the lower border of one to the upper border of the other."""

    source: str
    target: str
    points: Sequence[tuple[float, float]] = ()


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """GET /runs/{id}/graph."""

    nodes: Sequence[GraphNode] = ()
    edges: Sequence[GraphEdge] = ()
    width: float = 0
    height: float = 0


def graph(document: Mapping[str, Any], nodes: Sequence[Node], expanded: Collection[str] = ()) -> Graph:
    """The laid-out graph of a run.

    `document` is the raw Workflow with its `metadata.name`, `nodes` what exists of it, `expanded` the ids of the loops
    that are open. A document that is odd in places gives a smaller picture, never an error.
    """
    build = _Build(document, nodes, expanded)
    build.run()
    return _placed(build.boxes, build.edges)


def _placed(boxes: Mapping[str, GraphNode], edges: Sequence[tuple[str, str]]) -> Graph:
    sizes = {box.id: _size(box) for box in boxes.values()}
    plan = layout.layered(sizes, edges)
    placed = [
        msgspec.structs.replace(box, x=plan.places[box.id][0], y=plan.places[box.id][1], width=w, height=h)
        for box, (w, h) in zip(boxes.values(), sizes.values(), strict=True)
    ]
    lines = [GraphEdge(source=s, target=t, points=points) for (s, t), points in plan.lines.items()]
    return Graph(nodes=placed, edges=lines, width=plan.width, height=plan.height)


def _size(box: GraphNode) -> tuple[float, float]:
    """Width and height: room for the mark, the label and a duration; a loop has a second row for its counts."""
    if box.kind == "junction":
        return 0.0, 0.0
    width = float(min(300, max(144, 9 * len(box.label) + 104)))
    return (width + 48, 56.0) if box.kind == "loop" else (width, 36.0)


Ends = tuple[list[str], list[str]]
"""Ids of the boxes with which something begins, and of those with which it ends."""


class _Place(msgspec.Struct, frozen=True):
    """Where in the run the walk stands: the name of the enclosing node, the templates around it, the open loop and what
    its round goes over, and the node of a group above that was skipped."""

    name: str
    stack: tuple[str, ...] = ()
    parent: str = ""
    item: str = ""
    ended: Node | None = None
    kind: str = "step"

    def titled(self, label: str) -> str:
        """A label with the round that it is in."""
        return f"{label} · {self.item}" if self.item else label


class _Build:
    """The walk over the document's templates, and what it has found."""

    def __init__(self, document: Mapping[str, Any], nodes: Sequence[Node], expanded: Collection[str]) -> None:
        self.spec = _mapping(document.get("spec"))
        self.workflow = str(_mapping(document.get("metadata")).get("name") or "")
        self.templates = {str(t.get("name")): t for t in _mappings(self.spec.get("templates"))}
        self.nodes = {node.name: node for node in nodes}
        self.rounds = _rounds(nodes)
        self.expanded = frozenset(expanded)
        self.boxes: dict[str, GraphNode] = {}
        self.edges: list[tuple[str, str]] = []

    def run(self) -> None:
        """Walk from the entry point, then lay the exit handlers below."""
        _, last = self.visit("", str(self.spec.get("entrypoint") or ""), _Place(self.workflow))
        hooks = {"exit": {"template": self.spec["onExit"]}} if self.spec.get("onExit") else {}
        self.hooks({**_mapping(self.spec.get("hooks")), **hooks}, last, _Place(self.workflow))

    # --- templates ---

    def visit(self, label: str, template: str | Mapping[str, Any], place: _Place) -> Ends:
        """One use of a template, as the node `place.name`."""
        found = template if isinstance(template, Mapping) else self.templates.get(template, {})
        name = template if isinstance(template, str) else ""
        if not self.opens(name, found, place):
            return self.box(_label(label or name or self.workflow, found), place, found)
        inner = msgspec.structs.replace(place, stack=(*place.stack, name), ended=self.ended(place))
        ends = self.dag(found["dag"], inner) if "dag" in found else self.steps(found["steps"], inner)
        return ends if ends[0] else self.box(_label(label or name, found), place, found)

    def opens(self, name: str, template: Mapping[str, Any], place: _Place) -> bool:
        """Whether a template is shown by its parts. A recursion goes on only where nodes exist."""
        if not ("dag" in template or "steps" in template) or len(self.boxes) > LIMIT:
            return False
        node = self.nodes.get(place.name)
        again = bool(name) and name in place.stack
        return not again or (node is not None and bool(node.children) and len(place.stack) < 200)

    def ended(self, place: _Place) -> Node | None:
        """The node of a group that will never have parts: it was skipped or omitted, or failed before it began."""
        node = self.nodes.get(place.name)
        if node is None or node.children or not node.phase.fulfilled:
            return place.ended
        return node

    def dag(self, dag: Any, place: _Place) -> Ends:
        tasks = {str(t.get("name")): t for t in _mappings(_mapping(dag).get("tasks"))}
        waits = {name: _waits(task, tasks) for name, task in tasks.items()}
        ends = {n: self.task(n, t, msgspec.structs.replace(place, name=f"{place.name}.{n}")) for n, t in tasks.items()}
        for name, before in waits.items():
            for other in before:
                self.connect(ends[other][1], ends[name][0])
        awaited = {other for before in waits.values() for other in before}
        first = [id for name, (starts, _) in ends.items() if not waits[name] for id in starts]
        return first, [id for name, (_, lasts) in ends.items() if name not in awaited for id in lasts]

    def steps(self, groups: Any, place: _Place) -> Ends:
        first: list[str] = []
        last: list[str] = []
        for index, group in enumerate(_lists(groups)):
            base = f"{place.name}[{index}]"
            named = [(str(t.get("name")), t) for t in _mappings(group)]
            ends = [self.task(n, t, msgspec.structs.replace(place, name=f"{base}.{n}")) for n, t in named]
            starts = [id for begins, _ in ends for id in begins]
            self.connect(last, starts)
            first = first or starts
            last = [id for _, lasts in ends for id in lasts] or last
        return first, last

    # --- tasks ---

    def task(self, name: str, task: Mapping[str, Any], place: _Place) -> Ends:
        template = task.get("inline") or str(task.get("template") or _mapping(task.get("templateRef")).get("template"))
        looped = any(key in task for key in _LOOPS)
        ends = self.loop(name, task, template, place) if looped else self.visit(name, template, place)
        hooks = {"exit": {"template": task["onExit"]}} if task.get("onExit") else {}
        self.hooks({**_mapping(task.get("hooks")), **hooks}, ends[1], place)
        return ends

    def loop(self, name: str, task: Mapping[str, Any], template: Any, place: _Place) -> Ends:
        """A loop as one box; an open one with its rounds below it."""
        rounds = self.rounds.get(place.name, ())
        id = self.id(place.name)
        open_ = id in self.expanded and bool(rounds)
        self.boxes[id] = self.folded(id, place.titled(self.loop_label(name, template)), task, place, open_)
        if not open_:
            return [id], [id]
        last: list[str] = []
        for node in rounds:
            inner = msgspec.structs.replace(place, name=node.name, parent=id, item=_item(node.name[len(place.name) :]))
            starts, ends = self.visit(name, template, inner)
            self.connect([id], starts)
            last += ends
        return [id], last or [id]

    def folded(self, id: str, label: str, task: Mapping[str, Any], place: _Place, open_: bool) -> GraphNode:
        rounds = self.rounds.get(place.name, ())
        node = self.nodes.get(place.name) or place.ended
        return GraphNode(
            id=id,
            label=label,
            kind="loop",
            phase=node.phase if node else _together(rounds),
            node_id=node.id if node else "",
            message=node.message if node else "",
            counts=_counts(rounds) if rounds else _expected(task),
            parent=place.parent,
            expandable=bool(rounds),
            expanded=open_,
            started_at=node.started_at if node else _least(n.started_at for n in rounds),
            finished_at=node.finished_at if node else None,
        )

    def loop_label(self, name: str, template: Any) -> str:
        """What is done in a round: the names of its tasks, where the loop's own name is one that a compiler made."""
        found = template if isinstance(template, Mapping) else self.templates.get(str(template), {})
        tasks = _in_order({str(t.get("name")): t for t in _mappings(_mapping(found.get("dag")).get("tasks"))})
        if not tasks:
            return _label(name, found)
        return " · ".join(tasks) if len(tasks) < 3 else f"{tasks[0]} · {len(tasks) - 1} more"

    def hooks(self, hooks: Mapping[str, Any], after: list[str], place: _Place) -> None:
        """Exit handlers and other hooks, below what they wait for."""
        for name, hook in hooks.items():
            suffix = "onExit" if name == "exit" else f"hooks.{name}"
            inner = _Place(f"{place.name}.{suffix}", (), place.parent, place.item, place.ended, "exit")
            template = str(_mapping(hook).get("template") or "")
            starts, _ = self.visit(template, template, inner)
            self.connect(after, starts)

    # --- boxes and edges ---

    def box(self, label: str, place: _Place, template: Mapping[str, Any]) -> Ends:
        node = self.nodes.get(place.name) or place.ended
        group = "dag" in template or "steps" in template
        box = GraphNode(
            id=self.id(place.name),
            label=place.titled(label),
            kind="group" if group else place.kind,
            phase=node.phase if node else "",
            node_id=node.id if node else "",
            message=node.message if node else "",
            parent=place.parent,
            started_at=node.started_at if node else None,
            finished_at=node.finished_at if node else None,
        )
        self.boxes[box.id] = box
        return [box.id], [box.id]

    def connect(self, sources: list[str], targets: list[str]) -> None:
        """Edges from each to each; through a junction where that would be a thicket."""
        if min(len(sources), len(targets)) > 1 and len(sources) * len(targets) > JUNCTION:
            point = f"{sources[0]}..{targets[0]}"
            self.boxes[point] = GraphNode(id=point, label="", kind="junction")
            self.edges += [(s, point) for s in sources] + [(point, t) for t in targets]
        else:
            self.edges += [(s, t) for s in sources for t in targets]

    def id(self, name: str) -> str:
        node = self.nodes.get(name)
        return node.id if node else _node_id(self.workflow, name)


# --- small readers --------------------------------------------------------------------------------------------------


def _node_id(workflow: str, name: str) -> str:
    """The id that Argo gives to the node `name`: FNV-1a, 32 bits."""
    if name == workflow:
        return workflow
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{workflow}-{value}"


def _rounds(nodes: Sequence[Node]) -> Mapping[str, Sequence[Node]]:
    """Rounds of each loop by the loop's name, in order."""
    names = {node.id: node.name for node in nodes}
    found: dict[str, list[tuple[int, Node]]] = {}
    for node in nodes:
        boundary = names.get(node.boundary_id)
        retried = node.node_flag is not None and node.node_flag.retried
        if boundary is None or retried or not node.name.startswith(boundary):
            continue
        if (match := _ITERATION.match(node.name, len(boundary))) is not None:
            found.setdefault(node.name[: match.end(1)], []).append((int(match[2]), node))
    return {name: [n for _, n in sorted(rounds, key=lambda r: r[0])] for name, rounds in found.items()}


def _waits(task: Mapping[str, Any], tasks: Collection[str]) -> list[str]:
    """Names of the tasks that a DAG task waits for, each once."""
    named = [str(name) for name in _lists_or_texts(task.get("dependencies"))]
    words = _WORD.findall(str(task.get("depends") or ""))
    return [name for name in dict.fromkeys([*named, *words]) if name in tasks and name != task.get("name")]


def _in_order(tasks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of a DAG's tasks, each after those that it waits for; in the document's order where they wait in a ring."""
    try:
        return list(TopologicalSorter({name: _waits(task, tasks) for name, task in tasks.items()}).static_order())
    except CycleError:
        return list(tasks)


def _label(name: str, template: Mapping[str, Any]) -> str:
    annotations = _mapping(_mapping(template.get("metadata")).get("annotations"))
    return str(annotations.get(_DISPLAY_NAME) or name)


def _counts(rounds: Sequence[Node]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for node in rounds:
        found[node.phase] = found.get(node.phase, 0) + 1
    return found


def _expected(task: Mapping[str, Any]) -> Mapping[str, int]:
    """How many rounds a loop over a written list will have; nothing where only the run can tell."""
    items = task.get("withItems")
    return {"": len(items)} if isinstance(items, list) and items else {}


def _together(rounds: Sequence[Node]) -> str:
    """The phase of a loop that has no node of its own (in Steps templates)."""
    order = (Phase.RUNNING, Phase.PENDING, Phase.ERROR, Phase.FAILED, Phase.SUCCEEDED, Phase.SKIPPED, Phase.OMITTED)
    return next((p for p in order if any(n.phase == p and n.type != NodeType.TASK_GROUP for n in rounds)), "")


def _item(text: str) -> str:
    """What a round goes over, from `(2:value)`, cut where it is long."""
    value = text.partition(":")[2].removesuffix(")")
    return value if len(value) <= ITEM else value[: ITEM - 1] + "…"


def _least(times: Iterator[float | None]) -> float | None:
    return min((time for time in times if time is not None), default=None)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _lists(value: Any) -> list[list[Any]]:
    """Step groups; a lone step stands for a group of one."""
    return [item if isinstance(item, list) else [item] for item in value] if isinstance(value, list) else []


def _lists_or_texts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
