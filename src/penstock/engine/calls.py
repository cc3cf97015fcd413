"""Starting what a call asks for, and looking at nodes that have come to their end.

`begin` makes the node of a call (with its Retry wrapper), `settle` hands a fulfilled node to whom it concerns. (Argo:
`executeTemplate` in `workflow/controller/operator.go`.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from penstock.engine import (
    daemons,
    dag,
    exits,
    memo,
    metrics,
    outcome,
    parallelism,
    pods,
    retry,
    shutdown,
    steps,
    suspend,
    synchronization,
)
from penstock.engine.places import Kind, Place, call_of, count_keys, place_of, scope_of
from penstock.engine.plans import Given, bound_inputs, keep_plan, processed, retry_scope
from penstock.engine.protocol import Shutdown
from penstock.engine.state import Call, Fault, Start, Turn
from penstock.workflow.document import ArtifactSpec, Template
from penstock.workflow.status import Artifact, Node, NodeInputs, NodeType, Parameter, Phase

__all__ = [
    "MAX_DEPTH",
    "begin",
    "enter",
    "failed_node",
    "go",
    "hooks_done",
    "inputs_of",
    "proceed",
    "ready",
    "run_todo",
    "settle",
]

MAX_DEPTH = 100
"""Nested template calls at which Argo gives up."""

_DISPLAY_NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]\Z")
_TOO_DEEP = (
    "Maximum recursion depth exceeded. See "
    "https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth"
)


def begin(turn: Turn, call: Call, given: Given, start: Start) -> bool:
    """Make the node of `call`; False where it has to wait for room (`start` is then kept).

    Raises Fault where its inputs cannot be had; the node is then there, in Error.
    """
    if call.depth >= MAX_DEPTH:
        failed_node(turn, call, _TOO_DEEP)
        return True
    try:
        inputs, template = inputs_of(turn, call, given)
    except Fault as error:
        failed_node(turn, call, str(error))
        raise
    if template.display_name and not _DISPLAY_NAME.match(template.display_name):
        failed_node(turn, call, f"displayName must match the regex {_DISPLAY_NAME.pattern[:-2]}$")
        return True
    if not parallelism.may_start(turn, call.boundary):
        parallelism.wait(turn, call.boundary, start)
        return False
    call = replace(call, inputs=inputs if inputs.parameters or inputs.artifacts else None)
    turn.memo.calls[call.id] = call
    if template.synchronization is not None and template.synchronization.wanted:
        synchronization.ask(turn, call, template, inputs)
    else:
        _look(turn, call, template, inputs)
    return True


def inputs_of(turn: Turn, call: Call, given: Given) -> tuple[NodeInputs, Template]:
    """The inputs of a call as its node has them, and its template with them. Raises Fault."""
    inputs = bound_inputs(turn, call.template, given)
    template = processed(turn, call, inputs)
    return _final(inputs, template), template


def proceed(turn: Turn, id: str) -> None:
    """A node has the locks that it waited for."""
    call, inputs = call_of(turn, id), turn.nodes[id].inputs or NodeInputs()
    _try(turn, call, lambda: _look(turn, call, processed(turn, call, inputs), inputs))


def go(turn: Turn, id: str) -> None:
    """No cache has the outputs of a node that asked."""
    call, inputs = call_of(turn, id), turn.nodes[id].inputs or NodeInputs()
    _try(turn, call, lambda: _go(turn, call, processed(turn, call, inputs), inputs))


def _try(turn: Turn, call: Call, start: Callable[[], None]) -> None:
    try:
        start()
    except Fault as error:
        failed_node(turn, call, str(error))


def _look(turn: Turn, call: Call, template: Template, inputs: NodeInputs) -> None:
    if template.memoize is not None:
        memo.look(turn, call, template, inputs)
    else:
        _go(turn, call, template, inputs)


def _go(turn: Turn, call: Call, template: Template, inputs: NodeInputs) -> None:
    if template.retry_strategy is not None:
        node = turn.begin(call, NodeType.RETRY, Phase.RUNNING, template, inputs)
        turn.todo.append((retry.attempt, node.id))
    else:
        enter(turn, call, inputs)
    metrics.begun(turn, call)


def _final(inputs: NodeInputs, template: Template) -> NodeInputs:
    """`inputs` as they stand in the processed template, where tags in them are replaced, too."""
    values = {parameter.name: parameter.value or "" for parameter in template.inputs.parameters}
    declared = {artifact.name: artifact for artifact in template.inputs.artifacts}
    return NodeInputs(
        parameters=tuple(Parameter(name=p.name, value=values.get(p.name, p.value)) for p in inputs.parameters),
        artifacts=tuple(_final_artifact(a, declared[a.name]) for a in inputs.artifacts),
    )


def _final_artifact(artifact: Artifact, declared: ArtifactSpec) -> Artifact:
    raw = artifact.raw if artifact.raw is None or declared.raw is None else declared.raw.data
    # A key of the template's own may hold tags, too.
    key = declared.own_key if "{{" in artifact.key else artifact.key
    return structs.replace(artifact, path=declared.path, raw=raw, key=key)


MAX_IDLE_RECURSION = 500
"""Most nodes below themselves that one turn makes without a step having run in between."""

_RUNS_AWAY = "template '{}' calls itself again and again without starting a step; let it depend on what a step has made"


def _runs_away(turn: Turn, call: Call) -> bool:
    """Whether recursion that starts no step has made so much in this turn that it is no use to go on."""
    outer = call.boundary
    while outer and outer not in turn.run.nodes:
        above = call_of(turn, outer)
        if above.template_name == call.template_name and call.template_name:
            turn.recursion += 1
            break
        outer = above.boundary
    return turn.recursion > MAX_IDLE_RECURSION


def enter(turn: Turn, call: Call, inputs: NodeInputs) -> None:
    """Make the node that does the work of `call`: a pod, a wait, a DAG or steps. Raises Fault."""
    template = processed(turn, call, inputs, retry_scope(turn, call))
    if template.makes_pod:
        pods.launch(turn, call, template, inputs)
        return
    if template.suspend is not None:
        suspend.wait(turn, call, template, inputs)
        return
    type = NodeType.DAG if template.dag is not None else NodeType.STEPS
    if turn.runaway or _runs_away(turn, call):
        if not turn.runaway:
            turn.runaway = _RUNS_AWAY.format(call.called)
            shutdown.stop(turn, Shutdown.TERMINATE)
        raise Fault(turn.runaway)
    node = turn.begin(call, type, Phase.RUNNING, template, inputs)
    keep_plan(turn, node.id, template)
    # Queued, not called: a hundred nested templates must not be as many frames of the interpreter.
    turn.todo.append((dag.open_dag if type is NodeType.DAG else steps.open_steps, node.id))


def failed_node(turn: Turn, call: Call, message: str) -> None:
    """The node of a call that cannot be made, or an Error on the one that is there."""
    if call.id in turn.nodes:
        turn.mark(call.id, Phase.ERROR, message)
        return
    turn.create(
        call.name,
        NodeType.SKIPPED,
        Phase.ERROR,
        boundary=call.boundary,
        template=call.template_name,
        message=message,
        flag=call.flag,
    )


# --- ends -------------------------------------------------------------------------------------------------------


def settle(turn: Turn, id: str) -> None:
    """Look at a node that has just been fulfilled: its exit handler first, then the node that waits for it."""
    turn.taken(id)
    node = turn.nodes[id]
    if node.type is NodeType.CONTAINER:  # its pod's end is what others wait for
        return
    if node.phase.fulfilled:
        memo.remember(turn, node)
        synchronization.let_go(turn, node)
        daemons.end(turn, node)
    place = place_of(turn, node)
    if node.phase.fulfilled and turn.memo.metered and place.kind is not Kind.ATTEMPT:
        metrics.ended(turn, node)
    if place.kind is Kind.EXIT:
        outcome.conclude(turn)
    elif place.kind is Kind.ATTEMPT:
        retry.attempt_ended(turn, place.owner)
        if turn.memo.metered and not turn.nodes[place.owner].phase.fulfilled:  # else the Retry node counts
            metrics.ended(turn, node)
    elif place.kind is Kind.HOOK:
        hooks_done(turn, place.owner)
    else:
        exits.watch(turn, id)
        hooks_done(turn, id)


def hooks_done(turn: Turn, id: str) -> None:
    """A node or a hook of it has ended: when all have, its exit handler starts, and then what waited for the node."""
    node = turn.nodes[id]
    if node.fulfilled and not exits.hooks_open(turn, node) and not exits.start_hook(turn, node):
        _after(turn, node)


def _after(turn: Turn, node: Node) -> None:
    """A node and its exit handler are done: go on with what waited for it."""
    place = place_of(turn, node)
    if place.kind is Kind.ROOT:
        outcome.conclude(turn)
        return
    boundary = turn.nodes[node.boundary_id]
    if boundary.phase.fulfilled or parallelism.failed_fast(turn, boundary):
        return
    _handle(turn, node, place)


def _handle(turn: Turn, node: Node, place: Place) -> None:
    if place.kind is Kind.TASK:
        dag.task_ended(turn, node.boundary_id, place.task)
    elif place.kind is Kind.ITEM:
        dag.item_ended(turn, place.owner)
    elif place.kind is Kind.STEP:
        steps.step_ended(turn, place.owner)
    elif place.kind is Kind.GROUP:
        steps.group_ended(turn, node.boundary_id, place.group)


def run_todo(turn: Turn) -> None:
    """Do all that is queued, and what has found room by it."""
    while turn.todo or parallelism.resume(turn):
        while turn.todo:
            action, id = turn.todo.popleft()
            action(turn, id)


def ready(turn: Turn) -> Turn:
    """`turn` with what it needs to look at nodes."""
    turn.settle, turn.keys, turn.scope = settle, count_keys, scope_of
    turn.watch = exits.watch if turn.memo.hooked else None
    return turn
