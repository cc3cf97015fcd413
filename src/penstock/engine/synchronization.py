"""Mutexes and semaphores: what a node or the run waits for before it starts, and holds until it has ended.

The table of locks spans the runs of a home, so the host keeps it (`locks.LockTable`); what a node has to do with it
stands in its `synchronization_status`. (Argo: `workflow/sync`, `executeTemplate` in `operator.go`.)
"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.engine import calls, parallelism, timeout
from penstock.engine.places import call_of
from penstock.engine.plans import processed, type_of
from penstock.engine.protocol import Acquire, Lock, Release
from penstock.engine.state import Call, Fault, Turn
from penstock.workflow.configuration import CONFIG_MAP
from penstock.workflow.document import KeyRef, Synchronization, Template
from penstock.workflow.status import Node, NodeInputs, Phase, SynchronizationStatus

__all__ = ["again", "ask", "granted", "let_go", "locks_of_run", "regained", "restored", "waiting_text", "waits"]

_NO_ROOM = "Waiting for room under the limit of parallelism"


def waits(node: Node) -> bool:
    """True for a node that waits for a lock."""
    return not node.phase.fulfilled and node.waits_for_lock


def holds(node: Node) -> bool:
    """True for a node that holds the locks of its template."""
    return not node.phase.fulfilled and node.synchronization_status is not None and not node.waits_for_lock


def ask(turn: Turn, call: Call, template: Template, inputs: NodeInputs) -> None:
    """Make the node of a call and let it wait for the locks of its template."""
    assert template.synchronization is not None
    node = turn.begin(call, type_of(template), Phase.PENDING, template, inputs)
    try:
        _ask(turn, node.id, _locks(turn, template.synchronization))
    except Fault as error:
        turn.mark(node.id, Phase.ERROR, str(error))
        return
    timeout.created(turn, node, template)


def _ask(turn: Turn, id: str, locks: tuple[Lock, ...]) -> None:
    status = SynchronizationStatus(waiting=locks[0].name)
    turn.mark(id, Phase.PENDING, waiting_text(locks), synchronization_status=status)
    turn.commands.append(Acquire(node_id=id, locks=locks))


def waiting_text(locks: tuple[Lock, ...]) -> str:
    """What is said of who waits for `locks`."""
    return f"Waiting for {' and '.join(lock.name for lock in locks)} lock"


def granted(turn: Turn, node: Node) -> None:
    """A node holds its locks: it goes on, or waits for room, and for the locks after that."""
    if parallelism.may_start(turn, node.boundary_id):
        turn.mark(node.id, Phase.PENDING, "", synchronization_status=SynchronizationStatus())
        calls.proceed(turn, node.id)
        return
    turn.commands.append(Release(node_id=node.id))
    turn.mark(node.id, Phase.PENDING, _NO_ROOM)
    parallelism.wait(turn, node.boundary_id, ("lock", node.id, ""))


def again(turn: Turn, id: str) -> None:
    """There is room for a node that waits: it asks for its locks once more."""
    if waits(turn.nodes[id]):
        _ask(turn, id, _locks_of(turn, turn.nodes[id], 1))


def let_go(turn: Turn, node: Node) -> None:
    """A node has ended: its locks are free, or it waits for them no more."""
    if node.synchronization_status is None:
        return
    turn.commands.append(Release(node_id=node.id))
    start = ("lock", node.id, "")
    if start in turn.blocked.get(node.boundary_id, {}):
        parallelism.forget(turn, node.boundary_id, start)


def locks_of_run(turn: Turn, unknown: int | None = None) -> tuple[Lock, ...]:
    """The locks that the run itself needs. `unknown` stands for limits that nobody gave, else these raise Fault."""
    wanted = turn.workflow.spec.synchronization
    return _locks(turn, wanted, unknown) if wanted is not None else ()


def regained(turn: Turn) -> Iterator[Acquire]:
    """What has to be asked for, or is held, after the table of locks was lost."""
    for node in turn.nodes.values():
        if waits(node) and node.message != _NO_ROOM:
            yield Acquire(node_id=node.id, locks=_locks_of(turn, node, 1))
        elif holds(node):
            yield Acquire(node_id=node.id, locks=_locks_of(turn, node, 1), held=True)


def restored(turn: Turn) -> None:
    """Let nodes wait for room again that did."""
    for node in list(turn.nodes.values()):
        ending = bool(node.boundary_id) and parallelism.fails_fast(turn, node.boundary_id)
        if waits(node) and node.message == _NO_ROOM and not ending:
            parallelism.wait(turn, node.boundary_id, ("lock", node.id, ""))


# --- names and limits -------------------------------------------------------------------------------------------


def _locks_of(turn: Turn, node: Node, unknown: int) -> tuple[Lock, ...]:
    """The locks of a node that has asked before; `unknown` stands for limits that were known then, and are no more."""
    template = processed(turn, call_of(turn, node.id), node.inputs or NodeInputs())
    assert template.synchronization is not None
    return _locks(turn, template.synchronization, unknown)


def _locks(turn: Turn, wanted: Synchronization, unknown: int | None = None) -> tuple[Lock, ...]:
    """The locks that are named, each once. Raises Fault."""
    own = turn.workflow.namespace
    found = [Lock(name=f"{each.namespace or own}/Mutex/{each.name}", limit=1) for each in wanted.mutexes]
    for each in wanted.semaphores:
        ref = each.config_map_key_ref
        name = f"{each.namespace or own}/ConfigMap/{ref.name}/{ref.key}"
        found.append(Lock(name=name, limit=_limit(turn, ref, unknown)))
    return tuple({lock.name: lock for lock in found}.values())


def _limit(turn: Turn, ref: KeyRef, unknown: int | None) -> int:
    text = turn.run.config.text(CONFIG_MAP, ref.name, ref.key)
    if text is not None and text.strip().isdigit():
        return int(text)
    if unknown is not None:
        return unknown
    if text is None:
        raise Fault(f"failed to initialize semaphore: config map '{ref.name}' has no key '{ref.key}'")
    raise Fault(f"failed to initialize semaphore: '{ref.key}' of config map '{ref.name}' is no number")
