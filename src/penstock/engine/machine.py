"""The engine's three doors: a new run, one step of a run, a run rebuilt from its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

from penstock.engine import (
    calls,
    containers,
    daemons,
    dag,
    exits,
    memo,
    outcome,
    parallelism,
    pods,
    retry,
    shutdown,
    steps,
    suspend,
    synchronization,
    timeout,
)
from penstock.engine.places import Kind, call_of, count_keys, exit_hook, exit_name, place_of, task_of
from penstock.engine.protocol import (
    Acquire,
    Begin,
    Command,
    Event,
    Exited,
    Granted,
    Kill,
    Launched,
    Measure,
    Note,
    Recalled,
    Remember,
    Resume,
    Shutdown,
    Stop,
    Tick,
    Waiting,
    Wake,
)
from penstock.engine.state import Run, Start, Turn
from penstock.workflow.configuration import NOTHING, Configuration
from penstock.workflow.document import Workflow
from penstock.workflow.expressions.moment import moment
from penstock.workflow.running import global_outputs
from penstock.workflow.status import STARTED, Node, NodeType, Phase

__all__ = ["new_run", "relaunch", "restore", "step"]

_LAST = (Kill, Remember, Measure, Note)
"""What the host has yet to do for a run that has ended."""


def new_run(
    workflow: Workflow,
    *,
    name: str,
    uid: str,
    parameters: Mapping[str, str],
    created_at: float,
    max_iterations: int = 100_000,
    config: Configuration = NOTHING,
) -> Run:
    """A run that has not begun. `parameters` are the texts that `workflow.bind` gave; `created_at` in seconds.

    `config` holds the config maps and secrets that it may read.
    """
    return Run(
        workflow=workflow,
        name=name,
        uid=uid,
        parameters=dict(parameters),
        created_at=created_at,
        max_iterations=max_iterations,
        config=config,
    )


def step(run: Run, event: Event) -> tuple[Run, list[Command]]:
    """What becomes of `run` by `event`, and what the host has to do.

    An event that says nothing new (a repetition after a crash, a tick too many) gives an equal run and no commands.
    Functions of expressions that read a clock or chance read the event's time, and the run's id with it.
    """
    if run.finished_at is not None:
        return _unchanged(run), []
    turn = calls.ready(Turn(run, event.now))
    with _moment_of(run, event.now):
        _take(turn, event)
        calls.run_todo(turn)
    if turn.finished_at is not None:
        turn.commands = [command for command in turn.commands if isinstance(command, _LAST)]
    return turn.value(), turn.commands


def _unchanged(run: Run) -> Run:
    from dataclasses import replace

    return replace(run, changed=()) if run.changed else run


def _take(turn: Turn, event: Event) -> None:
    match event:
        case Begin():
            if not turn.phase:
                outcome.begin(turn)
                _go_on(turn)
        case Tick():
            _tick(turn)
        case Granted(node_id=id):
            _granted(turn, id)
        case Stop(strategy=strategy):
            shutdown.stop(turn, strategy)
        case Waiting() | Launched() | Exited():
            node = _active(turn, event.node_id)
            if node is not None:
                _of_pod(turn, node, event)
        case Recalled() | Resume():
            node = turn.nodes.get(event.node_id)
            if node is not None:
                _of_waiting(turn, node, event)


def _of_pod(turn: Turn, node: Node, event: Waiting | Launched | Exited) -> None:
    match event:
        case Waiting(message=message) if node.phase is Phase.PENDING and not timeout.killed(node):
            turn.mark(node.id, Phase.PENDING, message)
        case Launched(ip=ip) if node.phase is Phase.PENDING:
            timeout.launched(turn, node)
            containers.launched(turn, node.id)
            daemons.stand(turn, node.id, ip)
        case Exited():
            pods.ended(turn, node, event)


def _of_waiting(turn: Turn, node: Node, event: Recalled | Resume) -> None:
    match event:
        case Recalled() if memo.asks(node):
            memo.recalled(turn, node, event)
        case Resume(parameters=parameters) if suspend.waits(node):
            suspend.resume(turn, node, parameters)


def _go_on(turn: Turn) -> None:
    """A run that has begun behind nodes of an earlier one: start what is missing, look at each group that is open."""
    if turn.phase != "Running" or not turn.run.nodes:
        return
    _wait_again(turn)
    looks = {NodeType.DAG: dag.dag_ended, NodeType.TASK_GROUP: dag.item_ended, NodeType.STEP_GROUP: steps.step_ended}
    for node in turn.nodes.values():
        if node.type in looks and not node.phase.fulfilled:
            turn.todo.append((looks[node.type], node.id))
    outcome.conclude(turn)


def _active(turn: Turn, id: str) -> Node | None:
    node = turn.nodes.get(id)
    return node if node is not None and node.type in STARTED and not node.phase.fulfilled else None


def _granted(turn: Turn, id: str) -> None:
    node = turn.nodes.get(id)
    if node is not None and synchronization.waits(node):
        synchronization.granted(turn, node)
    elif not id and turn.phase == "Pending":
        outcome.start(turn)
        _go_on(turn)


def _tick(turn: Turn) -> None:
    timeout.expire(turn)
    for id, at in list(turn.timers.items()):
        node = turn.nodes.get(id)
        if at <= turn.now and node is not None and node.type is NodeType.RETRY:
            turn.timers.pop(id)
            retry.attempt_ended(turn, id)
        elif at <= turn.now and node is not None and suspend.waits(node):
            suspend.over(turn, node)


# --- after a restart --------------------------------------------------------------------------------------------


def relaunch(run: Run) -> list[Command]:
    """Launches, kills and wakes for all that is under way, for a host that has lost them. Launches are harmless."""
    with _moment_of(run, run.started_at or run.created_at):
        return _relaunched(run)


def _moment_of(run: Run, now: float) -> AbstractContextManager[None]:
    """What functions of expressions read that ask for a clock or chance."""
    return moment(now, f"{run.uid} {now!r}")


def _relaunched(run: Run) -> list[Command]:
    turn = calls.ready(Turn(run, run.started_at or run.created_at))
    commands: list[Command] = [*_locks_again(turn), *synchronization.regained(turn)]
    for node in run.nodes.values():
        if memo.asks(node):
            commands.append(memo.ask_again(turn, node))
        elif node.type in STARTED and not node.phase.fulfilled and not synchronization.waits(node):
            commands.append(pods.launch_again(turn, node))
            if timeout.killed(node):
                commands.append(Kill(node_id=node.id))
    return commands + [Wake(at=at) for at in sorted(set(run.timers.values()))]


def _locks_again(turn: Turn) -> list[Command]:
    locks = synchronization.locks_of_run(turn, 1) if turn.phase else ()
    return [Acquire(node_id="", locks=locks, held=turn.phase != "Pending")] if locks else []


def restore(
    workflow: Workflow,
    *,
    name: str,
    uid: str,
    parameters: Mapping[str, str],
    created_at: float,
    nodes: Iterable[Node],
    phase: str = "",
    message: str = "",
    shutdown: Shutdown | str | None = None,
    started_at: float | None = None,
    finished_at: float | None = None,
    max_iterations: int = 100_000,
    config: Configuration = NOTHING,
) -> Run:
    """A run rebuilt from what was stored: it equals the one that was stored, whatever has happened in between."""
    run = Run(
        workflow=workflow,
        name=name,
        uid=uid,
        parameters=dict(parameters),
        created_at=created_at,
        max_iterations=max_iterations,
        config=config,
        phase=phase,
        message=message,
        shutdown=Shutdown(shutdown) if shutdown else None,
        started_at=started_at,
        finished_at=finished_at,
    )
    turn = Turn(run, started_at or created_at)
    turn.keys = count_keys
    turn.nodes = {node.id: node for node in nodes}
    turn.outputs = global_outputs(turn.nodes.values())
    _count_again(turn)
    if finished_at is None and phase:
        with _moment_of(run, turn.now):
            _wait_again(turn)
    return turn.value()


def _count_again(turn: Turn) -> None:
    """The counts that the nodes of a run have when all of them have been looked at."""
    nodes, turn.nodes = turn.nodes, {}
    turn.nodes = dict(nodes)
    for node in nodes.values():
        turn._count(None, node)
    turn.changed.clear()
    turn.todo.clear()
    turn.unsettled.clear()
    turn.busy.clear()


def _wait_again(turn: Turn) -> None:
    """The timers and the starts that wait for room, as the nodes say."""
    deadline = timeout.run_deadline(turn)
    if deadline is not None:
        turn.timers[""] = deadline
    if turn.run.name not in turn.nodes and turn.shutdown is None and turn.phase != "Pending":
        parallelism.wait(turn, "", ("root", "", ""))
    for node in list(turn.nodes.values()):
        _restore_timer(turn, node)
        for name in exits.due(turn, node):
            parallelism.wait(turn, node.boundary_id, ("hook", node.id, name))
        if node.phase.fulfilled and not exits.hooks_open(turn, node) and _lacks_hook(turn, node):
            parallelism.wait(turn, node.boundary_id, ("hook", node.id, ""))
    synchronization.restored(turn)
    # Now that it is known which handlers are still to come, it is known whose turn it is.
    for node in list(turn.nodes.values()):
        for start in () if node.phase.fulfilled else _missing(turn, node):
            parallelism.wait(turn, node.id if start[0] == "task" else node.boundary_id, start)


def _restore_timer(turn: Turn, node: Node) -> None:
    if node.type in STARTED and not node.phase.fulfilled and not timeout.killed(node):
        at = timeout.deadline_of(turn, node)
        if at is not None:
            turn.timers[node.id] = at
    elif suspend.waits(node):
        until = suspend.until(turn, node)
        if until is not None:
            turn.timers[node.id] = until
    elif node.type is NodeType.RETRY:
        until = retry.waits(turn, node)
        if until is not None:
            turn.timers[node.id] = until


def _missing(turn: Turn, node: Node) -> list[Start]:
    """Starts below a running node whose turn has come and that were not made."""
    boundary = node.id if node.type is NodeType.DAG else node.boundary_id
    if boundary not in turn.nodes or not exits.may_go_on(turn, call_of(turn, boundary).exit):
        return []
    if parallelism.fails_fast(turn, boundary):
        return []
    if synchronization.waits(node) or memo.asks(node):
        return []
    if node.type is NodeType.DAG:
        return [("task", node.id, name) for name in dag.ready_tasks(turn, node)]
    if node.type is NodeType.TASK_GROUP:
        names = dag.item_names(turn, node)
        return [("item", node.id, str(i)) for i, name in enumerate(names) if turn.named(name) is None]
    if node.type is NodeType.STEP_GROUP:
        return [("step", node.id, str(i)) for i in steps.missing_steps(turn, node)]
    return []


def _lacks_hook(turn: Turn, node: Node) -> bool:
    """True when the exit handler of an ended node has not been made, though what waits for it has not gone on."""
    if node.phase in (Phase.SKIPPED, Phase.OMITTED) or not exits.may_go_on(turn, True) or not node.boundary_id:
        return False
    if place_of(turn, node).kind not in (Kind.TASK, Kind.ITEM, Kind.STEP):
        return False
    boundary = turn.nodes[node.boundary_id]
    if (
        boundary.phase.fulfilled
        or parallelism.fails_fast(turn, boundary.id)
        or exit_hook(turn, task_of(turn, node)) is None
    ):
        return False
    return turn.named(exit_name(node.name)) is None
