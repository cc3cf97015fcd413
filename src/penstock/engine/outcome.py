"""The run's own beginning and end: entrypoint, exit handler, phase and message.

(Argo: the second half of `operate` in `workflow/controller/operator.go`.)
"""

from __future__ import annotations

import msgspec

from penstock.engine import calls, metrics, synchronization, timeout
from penstock.engine.exits import hooks_open, may_go_on
from penstock.engine.places import exit_name, template_named, with_arguments, workflow_arguments
from penstock.engine.plans import given_arguments
from penstock.engine.protocol import Acquire
from penstock.engine.state import Call, Fault, Turn
from penstock.engine.variables import globals_of
from penstock.workflow import tags
from penstock.workflow.document import Arguments
from penstock.workflow.status import Node, NodeFlag, Phase

__all__ = ["begin", "conclude", "start", "start_blocked"]


def begin(turn: Turn) -> None:
    """Start the entrypoint, when the locks of the run are to be had. A second time changes nothing."""
    if turn.phase:
        return
    try:
        locks = synchronization.locks_of_run(turn)
    except Fault as error:
        _finish(turn, Phase.FAILED, f"Failed to acquire the synchronization lock. {error}")
        return
    if locks:
        turn.phase, turn.message = "Pending", synchronization.waiting_text(locks)
        turn.commands.append(Acquire(node_id="", locks=locks))
    else:
        start(turn)


def start(turn: Turn) -> None:
    """Start the entrypoint: the run has the locks that it needs."""
    turn.phase, turn.message, turn.started_at = "Running", "", turn.now
    timeout.started(turn)
    metrics.run_begun(turn)
    if not turn.nodes:
        _start_root(turn)


def start_blocked(turn: Turn, kind: str) -> None:
    """Start the entrypoint or the exit handler, which had to wait for room."""
    if kind == "root":
        _start_root(turn)
    else:
        _start_exit(turn)


def _start_root(turn: Turn) -> None:
    name = turn.workflow.spec.entrypoint
    try:
        calls.begin(turn, _call(turn, turn.run.name, name), given_arguments(workflow_arguments(turn)), ("root", "", ""))
    except Fault as error:
        _finish(turn, Phase.ERROR, f"error in entry template execution: {error}")


def _call(turn: Turn, node: str, template_name: str, flag: NodeFlag | None = None) -> Call:
    template, text = template_named(turn, template_name)
    return Call(
        id=turn.id(node),
        name=node,
        boundary="",
        owner="",
        template_name=template_name,
        template=template,
        text=text,
        exit=flag is not None,
        flag=flag,
    )


def conclude(turn: Turn) -> None:
    """End the run when its entrypoint, its hooks and its exit handler have; start the latter when it is its turn."""
    if turn.finished_at is not None or not turn.phase:
        return
    root = turn.nodes.get(turn.run.name)
    if root is None:
        if turn.shutdown is not None:
            _finish(turn, Phase.FAILED, f"Stopped with strategy '{turn.shutdown}'")
        return
    if not root.phase.fulfilled or hooks_open(turn, root):
        return
    handler = _handler(turn)
    if turn.workflow.spec.exit_hook is not None and handler is None and may_go_on(turn, True):
        _start_exit(turn)
    elif handler is None or handler.phase.fulfilled:
        _end(turn, root, handler)


def _handler(turn: Turn) -> Node | None:
    return turn.named(exit_name(turn.run.name))


def _start_exit(turn: Turn) -> None:
    hook = turn.workflow.spec.exit_hook
    assert hook is not None
    hook = with_arguments(turn, hook)
    call = _call(turn, exit_name(turn.run.name), hook.template, NodeFlag(hooked=True))
    try:
        text = tags.replace(msgspec.json.encode(hook.arguments).decode(), globals_of(turn, exit=True))
        calls.begin(turn, call, given_arguments(msgspec.json.decode(text, type=Arguments)), ("exit", "", ""))
    except Fault as error:
        _finish(turn, Phase.ERROR, f"error in exit template execution : {error}")


def _end(turn: Turn, root: Node, handler: Node | None) -> None:
    bad = (Phase.FAILED, Phase.ERROR)
    if root.phase in bad:
        stopped = f"Stopped with strategy '{turn.shutdown}'" if turn.shutdown is not None else root.message
        _finish(turn, root.phase, turn.runaway or stopped)
    elif handler is not None and handler.phase in bad:
        _finish(turn, handler.phase, handler.message)
    else:
        _finish(turn, Phase.SUCCEEDED, "")


def _finish(turn: Turn, phase: Phase, message: str) -> None:
    turn.phase, turn.message, turn.finished_at = str(phase), message, turn.now
    metrics.run_ended(turn)
    turn.timers.clear()
    turn.blocked.clear()
    turn.todo.clear()
