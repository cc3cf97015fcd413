"""Mutexes and semaphores: what waits, what goes on, and what of it is known after a restart."""

from __future__ import annotations

import pytest
from engine_documents import FAILS, START, by_name, document, driven, ended, node, phases, script, told
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine import Run, new_run, relaunch
from penstock.engine.locks import Holder, LockTable
from penstock.engine.protocol import Acquire, Begin, Lock, Shutdown, Stop
from penstock.errors import InvalidDocument
from penstock.testing.simulation import Outcome, Simulation
from penstock.workflow import Configuration
from penstock.workflow.status import Node, NodeType, SynchronizationStatus

MUTEX = "synchronization: {mutexes: [{name: m}]}"
SEMAPHORE = "synchronization: {semaphores: [{configMapKeyRef: {name: limits, key: two}}]}"


def loop(lock: str, kind: str = "container: {image: busybox}", more: str = "") -> str:
    """A loop over four nodes that want a lock."""
    looped = "{name: a, template: one, withSequence: {count: 4}}"
    return f"  - {{name: main, dag: {{tasks: [{looped}]}}}}\n  - {{name: one, {lock}, {kind}{more}}}"


def started(
    templates: str,
    spec: str = "",
    outcomes: dict[str, Outcome] | None = None,
    name: str = "w",
    locks: LockTable | None = None,
) -> Simulation:
    run = new_run(
        document(templates, spec),
        name=name,
        uid=name,
        parameters={},
        created_at=START,
        config=Configuration({"limits": {"two": b"2", "words": b"two"}}),
    )
    simulation = Simulation(run, script(outcomes))
    simulation.locks = locks or simulation.locks
    simulation.send(Begin(now=START))
    return simulation


def named(run: Run) -> list[tuple[str, Node]]:
    """The nodes of `one`, the loop's own aside."""
    return [(name, found) for name, found in by_name(run).items() if found.template_name == "one" and "(" in name]


def spans(run: Run) -> list[tuple[float, float]]:
    nodes = [found for name, found in named(run) if found.type is not NodeType.RETRY]
    return sorted(((found.started_at or 0) - START, (found.finished_at or 0) - START) for found in nodes)


def test_nodes_with_a_mutex_run_one_after_the_other() -> None:
    run = started(loop(MUTEX)).finish()
    assert [end for _, end in spans(run)] == [1, 2, 3, 4]
    assert run.phase == "Succeeded"
    assert not told(run)


def test_as_many_nodes_run_as_a_semaphore_has_room_for() -> None:
    assert [end for _, end in spans(started(loop(SEMAPHORE)).finish())] == [1, 1, 2, 2]


def test_what_waits_says_for_what_and_holds_no_place() -> None:
    simulation = started(loop(MUTEX), "  parallelism: 2\n")
    driven(simulation, lambda run: phases(run).get("a(0:0)") == "Running")
    waiting = node(simulation.run, "a(1:1)")
    assert (waiting.phase, waiting.message) == ("Pending", "Waiting for default/Mutex/m lock")
    assert waiting.synchronization_status == SynchronizationStatus(waiting="default/Mutex/m")
    assert simulation.run.active_pods == 1


def test_a_template_with_retries_keeps_its_lock_through_all_of_them() -> None:
    run = started(loop(MUTEX, more=", retryStrategy: {limit: 1}"), outcomes={"one": FAILS}).finish()
    assert [end for _, end in spans(run)] == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("kind", ["steps: [[{name: s, template: echo}]]", "dag: {tasks: [{name: s, template: echo}]}"])
def test_a_template_of_templates_keeps_its_lock_until_all_of_it_has_ended(kind: str) -> None:
    run = started(loop(MUTEX, kind)).finish()
    assert [end for _, end in spans(run)] == [1, 2, 3, 4]


def test_runs_of_one_home_share_their_locks() -> None:
    first = started(loop(MUTEX), name="w1")
    second = started(loop(MUTEX), name="w2", locks=first.locks)
    while second.next():
        pass
    assert {str(found.phase) for _, found in named(second.run)} == {"Pending"}


def test_a_run_with_a_mutex_is_pending_until_it_has_it() -> None:
    spec = f"  {MUTEX}\n"
    simulation = started("  - {name: main, container: {image: busybox}}", spec)
    assert (simulation.run.phase, simulation.run.message, simulation.run.nodes) == (
        "Pending",
        "Waiting for default/Mutex/m lock",
        {},
    )
    assert simulation.finish().phase == "Succeeded"
    assert simulation.run.message == ""


def test_a_limit_that_nobody_gave_is_an_error_of_what_wants_it() -> None:
    simulation = started(loop(SEMAPHORE.replace("two", "three")))
    assert simulation.finish().phase == "Error"
    assert "config map 'limits' has no key 'three'" in told(simulation.run)["a(0:0)"]
    simulation = started("  - {name: main, container: {image: busybox}}", f"  {SEMAPHORE.replace('two', 'words')}\n")
    assert simulation.run.phase == "Failed"
    assert simulation.run.message.startswith("Failed to acquire the synchronization lock. failed to initialize")


@pytest.mark.parametrize("kind", ["container: {image: busybox}", "steps: [[{name: s, template: echo}]]"])
@pytest.mark.parametrize("strategy", Shutdown)
def test_what_waits_is_ended_by_a_stop(kind: str, strategy: Shutdown) -> None:
    simulation = started(loop(MUTEX, kind))
    driven(simulation, lambda run: "a(3:3)" in phases(run))
    simulation.send(Stop(now=START, strategy=strategy))
    assert simulation.finish().phase == "Failed"
    assert told(simulation.run)["a(2:2)"] == f"workflow shutdown with strategy:  {strategy}"


def test_what_waits_is_ended_by_deadlines() -> None:
    run = ended(loop(MUTEX), {"one": Outcome(seconds=50)}, spec="  activeDeadlineSeconds: 7\n")
    assert {text for name, text in told(run).items() if name} >= {"Step exceeded its deadline"}
    run = ended(loop(MUTEX, more=", timeout: 3s"), {"one": Outcome(seconds=2)})
    assert phases(run)["a(0:0)"] == "Succeeded"
    assert phases(run)["a(3:3)"] == "Failed"


def test_a_host_that_has_lost_its_table_is_told_who_holds_and_who_waits() -> None:
    simulation = started(loop(MUTEX))
    driven(simulation, lambda run: phases(run).get("a(0:0)") == "Running")
    asked = {c.node_id: c.held for c in relaunch(simulation.run) if isinstance(c, Acquire)}
    assert asked == {found.id: name == "a(0:0)" for name, found in named(simulation.run)}


def test_a_semaphore_must_say_where_its_limit_stands() -> None:
    with pytest.raises(InvalidDocument, match="must name a config map and its key"):
        document(loop("synchronization: {semaphores: [{configMapKeyRef: {name: limits}}]}"))


# --- pendingTimeout ---------------------------------------------------------------------------------------------


def test_a_pod_that_does_not_start_in_time_fails() -> None:
    def slow(pod: object) -> None:
        return None

    templates = "  - {name: main, pendingTimeout: 5s, container: {image: busybox}}"
    simulation = Simulation(started(templates).run, slow)
    simulation.perform(relaunch(simulation.run))
    assert simulation.finish().phase == "Failed"
    assert simulation.run.finished_at == START + 5
    assert "pendingTimeout" in simulation.run.message


def test_a_pod_that_started_in_time_may_run_on() -> None:
    run = ended("  - {name: main, pendingTimeout: 5s, container: {image: busybox}}", {"main": Outcome(seconds=50)})
    assert run.phase == "Succeeded"


# --- the table --------------------------------------------------------------------------------------------------

ONE, TWO = Lock(name="a", limit=1), Lock(name="b", limit=2)


def test_the_higher_priority_is_next_then_the_older_run() -> None:
    table = LockTable()
    holders = [Holder(name, "n") for name in ("first", "young", "old", "urgent")]
    assert table.ask(holders[0], (ONE,)) == [holders[0]]
    for holder, priority, since in zip(holders[1:], (0, 0, 5), (9.0, 3.0, 9.0), strict=True):
        assert table.ask(holder, (ONE,), priority=priority, since=since) == []
    order = [holders[0]]
    while granted := table.drop(order[-1]):
        order += granted
    assert [holder.run_id for holder in order] == ["first", "urgent", "old", "young"]


def test_several_locks_are_had_together_or_not_at_all() -> None:
    table = LockTable()
    first, both, other = Holder("r", "1"), Holder("r", "2"), Holder("r", "3")
    assert table.ask(first, (ONE,)) == [first]
    assert table.ask(both, (ONE, TWO)) == []
    assert table.ask(other, (TWO,)) == [], "nobody overtakes"
    assert table.drop(first) == [both, other]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([(ONE,), (TWO,), (ONE, TWO)]), st.booleans()), max_size=30)
)
def test_no_lock_has_more_holders_than_its_limit_and_none_is_idle(
    moves: list[tuple[int, tuple[Lock, ...], bool]],
) -> None:
    table, held, waits = LockTable(), dict[Holder, tuple[Lock, ...]](), dict[Holder, tuple[Lock, ...]]()
    for number, locks, leaves in moves:
        holder = Holder("r", str(number))
        if leaves:
            held.pop(holder, None)
            waits.pop(holder, None)
            granted = table.drop(holder)
        elif holder in held or holder in waits:
            continue
        else:
            waits[holder] = locks
            granted = table.ask(holder, locks)
        for each in granted:
            held[each] = waits.pop(each)
        for lock in (ONE, TWO):
            assert sum(lock in mine for mine in held.values()) <= lock.limit
        assert held or not waits


def test_what_failed_fast_while_it_waited_for_a_lock_waits_for_nothing_more() -> None:
    steps = (
        "  - {name: main, failFast: true, parallelism: 2, steps: [[{name: a, template: nested, onExit: echo}, "
        "{name: u, template: locked, withItems: [1, b], onExit: echo}]]}\n"
        "  - {name: nested, dag: {tasks: [{name: a, template: echo}, {name: b, template: fail, depends: a}]}}\n"
        "  - {name: locked, timeout: 3s, container: {image: busybox}, synchronization: {mutexes: [{name: m}]}}"
    )
    simulation = Simulation(new_run(document(steps), name="w", uid="u", parameters={}, created_at=START), script())
    simulation.at(Begin(now=START))
    while simulation.next():
        run = simulation.run
        assert not [id for id in run.timers if id in run.nodes and run.nodes[id].phase.fulfilled]
    assert simulation.run.phase == "Failed"
