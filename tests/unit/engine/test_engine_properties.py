"""What holds of every run: random documents, random outcomes, random moments of a restart."""

from __future__ import annotations

from typing import Any

import msgspec
from engine_documents import START
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.engine import Run, new_run, relaunch, restore, step
from penstock.engine.memo import asks
from penstock.engine.protocol import Begin, Command, Launch, Pod, Shutdown, Stop
from penstock.testing.simulation import Outcome, Simulation
from penstock.workflow import Workflow, load
from penstock.workflow.depends import parse
from penstock.workflow.status import Node, NodeType, Phase

LEAVES = ("ok", "bad", "errs", "tried", "nested", "grouped", "wait", "locked", "kept", "whole")
_MUTEX = {"mutexes": [{"name": "m"}]}
_MEMO = {"key": "k", "maxAge": "9s", "cache": {"configMap": {"name": "c"}}}


@st.composite
def tasks(draw: st.DrawFn, names: list[str], *, groups: bool) -> dict[str, Any]:
    """A task or step called by the last of `names`; it may depend on those before it."""
    task: dict[str, Any] = {"name": names[-1], "template": draw(st.sampled_from(LEAVES))}
    if draw(st.integers(0, 3)) == 0:
        task["when"] = draw(st.sampled_from(["true", "false", "1 == 2 || a == a"]))
    if draw(st.integers(0, 3)) == 0:
        task |= draw(st.sampled_from([{"withItems": [1, "b"]}, {"withSequence": {"count": 3}}, {"withParam": "[]"}]))
    if draw(st.integers(0, 4)) == 0:
        task["onExit"] = "ok"
    if draw(st.integers(0, 4)) == 0 and not task.keys() & {"withItems", "withSequence", "withParam"}:
        place = f"{'steps' if groups else 'tasks'}.{names[-1]}.status"
        wanted = draw(st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]))
        task["hooks"] = {"h.1": {"template": draw(st.sampled_from(["ok", "bad", "nested"])), "expression": ""}}
        task["hooks"]["h.1"]["expression"] = f"{place} == '{wanted}'"
    if not groups and len(names) > 1:
        before = draw(st.lists(st.sampled_from(names[:-1]), unique=True, max_size=3))
        results = st.sampled_from(["", ".Succeeded", ".Failed", ".Skipped", ".Omitted", ".Errored"])
        terms = [name + draw(results) for name in before]
        if terms:
            task["depends"] = draw(st.sampled_from([" && ", " || "])).join(terms)
    return task


@st.composite
def documents(draw: st.DrawFn) -> Workflow:
    """A Workflow whose DAG and steps hold pods that succeed, fail, are in error, are tried again, or are nested,
    nodes that wait for a person, a lock or a cache.
    """
    count = draw(st.integers(1, 6))
    names = [f"t{i}" for i in range(count)]
    dag = {"tasks": [draw(tasks(names[: i + 1], groups=False)) for i in range(count)]}
    groups = [[draw(tasks([f"s{i}"], groups=True)), draw(tasks([f"u{i}"], groups=True))] for i in range(2)]
    pod = {"container": {"image": "busybox"}}
    templates: list[dict[str, Any]] = [
        {"name": "ok", **pod},
        {"name": "bad", **pod},
        {"name": "errs", **pod},
        {"name": "tried", **pod, "retryStrategy": draw(st.sampled_from([{"limit": 1}, _BACKOFF]))},
        {"name": "nested", "dag": {"tasks": [{"name": "a", "template": "ok"}, _SECOND]}},
        {"name": "grouped", "steps": [[{"name": "a", "template": "bad", "continueOn": {"failed": True}}], [_THIRD]]},
        {"name": "dag", "dag": dag, **draw(_LIMITS)},
        {"name": "steps", "steps": groups, **draw(_LIMITS)},
        {"name": "locked", **pod, "synchronization": _MUTEX, "timeout": draw(st.sampled_from(["", "3s"]))},
        {"name": "kept", **pod, "memoize": _MEMO, **draw(st.sampled_from([{}, {"synchronization": _MUTEX}]))},
        {"name": "whole", "steps": [[_THIRD]], "synchronization": {"mutexes": [{"name": "n"}]}, "memoize": _MEMO},
        {"name": "wait", "suspend": {"duration": draw(st.sampled_from(["0", "4s"]))}, "outputs": _AWAITED},
    ]
    spec = {"entrypoint": draw(st.sampled_from(["dag", "steps"])), "templates": templates}
    hook = {"template": draw(st.sampled_from(["ok", "bad", "nested"])), "expression": "workflow.status != 'Failed'"}
    spec |= draw(st.sampled_from([{}, {"hooks": {"h": hook}}, {"synchronization": {"mutexes": [{"name": "run"}]}}]))
    spec |= draw(st.sampled_from([{}, {"onExit": "nested"}, {"parallelism": 2}, {"activeDeadlineSeconds": 7}]))
    return load(
        msgspec.json.encode(
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}, "spec": spec}
        )
    )


_BACKOFF = {"limit": 2, "retryPolicy": "Always", "backoff": {"duration": "3s", "factor": 2}}
_AWAITED = {"parameters": [{"name": "p", "valueFrom": {"supplied": {}, "default": "d"}}]}
_SECOND = {"name": "b", "template": "bad", "depends": "a"}
_THIRD = {"name": "b", "template": "ok"}
_LIMITS = st.sampled_from([{}, {}, {"parallelism": 1}, {"failFast": True}, {"parallelism": 2, "failFast": True}])
OUTCOMES = st.sampled_from(
    [
        Outcome(),
        Outcome(seconds=5),
        Outcome(exit_code=1),
        Outcome(exit_code=2, seconds=3),
        Outcome(exit_code=None, error="lost"),
    ]
)
STOPS = st.sampled_from([None, None, (2.5, Shutdown.STOP), (2.5, Shutdown.TERMINATE)])


def simulated(workflow: Workflow, outcomes: list[Outcome], stop: tuple[float, Shutdown] | None) -> Simulation:
    fixed = {"bad": Outcome(exit_code=1), "errs": Outcome(exit_code=None, error="lost"), "ok": Outcome()}
    endings: dict[str, Outcome] = {}

    def script(pod: Pod) -> Outcome:
        usual = outcomes[len(endings) % len(outcomes)] if outcomes else fixed.get(pod.template_name, Outcome())
        return endings.setdefault(pod.node_id, usual)

    simulation = Simulation(fresh(workflow), script)
    simulation.at(Begin(now=START))
    if stop is not None:
        simulation.at(Stop(now=START + stop[0], strategy=stop[1]))
    return simulation


def fresh(workflow: Workflow) -> Run:
    return new_run(workflow, name="w", uid="u", parameters={}, created_at=START)


ANY_RUN = (documents(), st.lists(OUTCOMES, max_size=6), STOPS)


@given(*ANY_RUN)
def test_every_run_ends_with_every_node_fulfilled(
    workflow: Workflow, outcomes: list[Outcome], stop: tuple[float, Shutdown] | None
) -> None:
    run = simulated(workflow, outcomes, stop).finish()
    assert run.phase in ("Succeeded", "Failed", "Error")
    assert all(node.phase.fulfilled and node.finished_at is not None for node in run.nodes.values())
    assert run.active_pods == 0
    assert not any(run.open.values())
    assert not run.blocked


@given(*ANY_RUN)
def test_the_same_events_give_the_same_commands(
    workflow: Workflow, outcomes: list[Outcome], stop: tuple[float, Shutdown] | None
) -> None:
    simulation = simulated(workflow, outcomes, stop)
    simulation.finish()
    run, commands = fresh(workflow), list[Command]()
    for event in simulation.events:
        run, more = step(run, event)
        commands += more
    assert commands == simulation.commands
    assert run == simulation.run


MOVES = {
    None: set(Phase),
    Phase.PENDING: set(Phase),
    Phase.RUNNING: {Phase.RUNNING, Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR},
    **{phase: {phase} for phase in Phase if phase.fulfilled},
}


@given(*ANY_RUN)
def test_phases_only_move_along_the_table_and_nothing_starts_too_early(
    workflow: Workflow, outcomes: list[Outcome], stop: tuple[float, Shutdown] | None
) -> None:
    simulation = simulated(workflow, outcomes, stop)
    before: dict[str, Node] = {}
    while simulation.next():
        now = dict(simulation.run.nodes)
        changed = {id for id in now if now[id] != before.get(id)}
        assert changed == set(simulation.run.changed)
        for id in changed:
            old = before.get(id)
            assert now[id].phase in MOVES[old.phase if old is not None else None]
        for id in now.keys() - before.keys():
            _depends_held(workflow, now, now[id])
        before = now


def _depends_held(workflow: Workflow, nodes: dict[str, Node], node: Node) -> None:
    """A task's node exists only when what it depends on has ended as it wants; an omitted one only when it has not."""
    boundary = nodes.get(node.boundary_id)
    if boundary is None or boundary.template_name != "dag" or boundary.type is not NodeType.DAG:
        return
    name = node.name.removeprefix(f"{boundary.name}.")
    task = next((task for task in workflow.spec.templates[6].tasks() if task.name == name), None)
    if task is None or not task.depends:
        return
    condition = parse(task.depends, {})
    results = {"Errored": Phase.ERROR, "Daemoned": None}

    def known(other: str, result: str) -> bool:
        found = next(one for one in nodes.values() if one.name == f"{boundary.name}.{other}")
        assert found.phase.fulfilled
        return found.phase is results.get(result, Phase(result) if result in list(Phase) else None)

    assert condition.test(known) is (node.phase is not Phase.OMITTED)


def rebuilt(run: Run) -> Run:
    """The run from what records keep of it."""
    rows = [msgspec.json.decode(msgspec.json.encode(node), type=Node) for node in run.nodes.values()]
    return restore(
        run.workflow,
        name=run.name,
        uid=run.uid,
        parameters=run.parameters,
        created_at=run.created_at,
        nodes=rows,
        phase=run.phase,
        message=run.message,
        shutdown=run.shutdown,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


@settings(max_examples=60)
@given(*ANY_RUN)
def test_a_run_rebuilt_from_its_rows_equals_the_live_one(
    workflow: Workflow, outcomes: list[Outcome], stop: tuple[float, Shutdown] | None
) -> None:
    simulation = simulated(workflow, outcomes, stop)
    while simulation.next():
        live = simulation.run
        assert _compared(rebuilt(live)) == _compared(live)


def _compared(run: Run) -> dict[str, Any]:
    """All that decides what comes next."""
    return {
        "nodes": dict(run.nodes),
        "open": {key: count for key, count in run.open.items() if count},
        "pods": {key: count for key, count in run.pods.items() if count},
        "children": {key: count for key, count in run.children.items() if count},
        "bad": {key: count for key, count in run.bad.items() if count},
        "blocked": {key: set(starts) for key, starts in run.blocked.items()},
        "timers": dict(run.timers),
        "active": run.active_pods,
        "end": (run.phase, run.message, run.shutdown, run.started_at, run.finished_at, run.outputs),
    }


def _launched(commands: list[Command]) -> dict[str, bytes]:
    """Pods by node, as bytes: what is launched again is the same to the byte."""
    return {c.pod.node_id: msgspec.json.encode(c.pod) for c in commands if isinstance(c, Launch)}


@settings(max_examples=60)
@given(*ANY_RUN, st.integers(1, 30))
def test_a_run_that_is_taken_over_launches_what_was_under_way_and_ends(
    workflow: Workflow, outcomes: list[Outcome], stop: tuple[float, Shutdown] | None, moment: int
) -> None:
    simulation = simulated(workflow, outcomes, stop)
    for _ in range(moment):
        simulation.next()
    run = simulation.run
    taken = Simulation(rebuilt(run), simulation.script)
    taken.now = simulation.now
    again = relaunch(taken.run)
    launched = _launched(again)
    assert launched.keys() == {
        node.id
        for node in run.nodes.values()
        if node.type is NodeType.POD and not (node.phase.fulfilled or node.waits_for_lock or asks(node))
    }
    assert launched.items() <= _launched(simulation.commands).items()
    taken.perform(again)
    taken.at(Begin(now=taken.now))
    if stop is not None:
        taken.at(Stop(now=max(START + stop[0], taken.now), strategy=stop[1]))
    assert taken.finish().phase in ("Succeeded", "Failed", "Error")
    for node in run.nodes.values():
        if node.phase.fulfilled:
            assert taken.run.nodes[node.id].phase is node.phase
