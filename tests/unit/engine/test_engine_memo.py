"""Memoized templates: what is taken from a cache, and what is kept there."""

from __future__ import annotations

import pytest
from engine_documents import FAILS, START, by_name, document, script

from penstock.engine import Run, new_run
from penstock.engine.protocol import Begin, Launch, Recall
from penstock.errors import InvalidDocument
from penstock.testing.simulation import Outcome, Simulation
from penstock.workflow.running import node_document
from penstock.workflow.status import MemoizationStatus, NodeType

MEMO = "memoize: {key: 'k-{{workflow.parameters.x}}', cache: {configMap: {name: c}}, maxAge: 1h}"
KINDS = {
    NodeType.POD: "container: {image: busybox}, outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}",
    NodeType.RETRY: "retryStrategy: {limit: 2}, container: {image: busybox}, "
    "outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}",
    NodeType.STEPS: "steps: [[{name: s, template: make}]], "
    "outputs: {parameters: [{name: p, valueFrom: {parameter: '{{steps.s.outputs.parameters.p}}'}}]}",
    NodeType.DAG: "dag: {tasks: [{name: s, template: make}]}, "
    "outputs: {parameters: [{name: p, valueFrom: {parameter: '{{tasks.s.outputs.parameters.p}}'}}]}",
}


def run_twice(kind: str, *, later: float = 60, second: str = "1", outcome: Outcome | None = None) -> tuple[Run, Run]:
    """Two runs of one home, the second `later` seconds after the first, with another `x` maybe."""
    templates = f"  - {{name: main, {MEMO}, {kind}}}"
    spec = "  arguments: {parameters: [{name: x, value: '1'}]}\n"
    outcomes = {"main": outcome or Outcome(parameters={"p": "made"})}
    first = _simulation(templates, spec, outcomes, START, "1")
    first.finish()
    again = _simulation(templates, spec, outcomes, START + later, second)
    again.cache = first.cache
    return first.run, again.finish()


def _simulation(templates: str, spec: str, outcomes: dict[str, Outcome], at: float, x: str) -> Simulation:
    run = new_run(document(templates, spec), name="w", uid="u", parameters={"x": x}, created_at=at)
    simulation = Simulation(run, script(outcomes))
    simulation.at(Begin(now=at))
    return simulation


@pytest.mark.parametrize("type", KINDS)
def test_the_second_run_takes_the_outputs_of_the_first(type: NodeType) -> None:
    first, second = run_twice(KINDS[type])
    assert by_name(first)[""].memoization_status == MemoizationStatus(hit=False, key="k-1", cache_name="c")
    (node,) = second.nodes.values()
    assert (node.type, str(node.phase), second.phase) == (type, "Succeeded", "Succeeded")
    assert node.memoization_status == MemoizationStatus(hit=True, key="k-1", cache_name="c")
    assert node.outputs is not None
    assert [p.value for p in node.outputs.parameters] == ["made"]
    assert node_document(node)["memoizationStatus"] == {"hit": True, "key": "k-1", "cacheName": "c"}


@pytest.mark.parametrize("type", [NodeType.STEPS, NodeType.DAG])
def test_what_was_taken_whole_is_an_end_of_what_is_around_it(type: NodeType) -> None:
    templates = f"  - {{name: main, steps: [[{{name: a, template: kept}}]]}}\n  - {{name: kept, {MEMO}, {KINDS[type]}}}"
    spec = "  arguments: {parameters: [{name: x, value: '1'}]}\n"
    first = _simulation(templates, spec, {}, START, "1")
    first.finish()
    again = _simulation(templates, spec, {}, START + 60, "1")
    again.cache = first.cache
    nodes = by_name(again.finish())
    assert nodes[""].outbound_nodes == (nodes["[0].a"].id,)


@pytest.mark.parametrize(("later", "second"), [(3601, "1"), (60, "2")])
def test_what_is_too_old_or_has_another_key_is_no_hit(later: float, second: str) -> None:
    _, run = run_twice(KINDS[NodeType.POD], later=later, second=second)
    status = by_name(run)[""].memoization_status
    assert status is not None
    assert not status.hit


def test_a_failure_is_not_kept() -> None:
    _, run = run_twice(KINDS[NodeType.POD], outcome=FAILS)
    assert by_name(run)[""].memoization_status == MemoizationStatus(hit=False, key="k-1", cache_name="c")
    assert run.phase == "Failed"


def test_it_is_asked_after_the_lock_is_had() -> None:
    templates = f"  - {{name: main, {MEMO}, synchronization: {{mutexes: [{{name: m}}]}}, {KINDS[NodeType.POD]}}}"
    simulation = _simulation(templates, "  arguments: {parameters: [{name: x}]}\n", {}, START, "1")
    simulation.finish()
    kinds = [type(command).__name__ for command in simulation.commands]
    assert kinds == ["Acquire", "Recall", "Launch", "Remember"]
    assert [c.key for c in simulation.commands if isinstance(c, Recall)] == ["k-1"]
    assert len([c for c in simulation.commands if isinstance(c, Launch)]) == 1


def test_a_wrong_age_is_an_error_of_the_node() -> None:
    templates = f"  - {{name: main, {MEMO.replace('1h', 'soon')}, {KINDS[NodeType.POD]}}}"
    simulation = _simulation(templates, "  arguments: {parameters: [{name: x}]}\n", {}, START, "1")
    assert simulation.finish().phase == "Error"
    assert "invalid maxAge" in simulation.run.message


def test_a_cache_must_have_a_name() -> None:
    with pytest.raises(InvalidDocument, match=r"memoize\.cache\.configMap\.name is required"):
        document("  - {name: main, memoize: {key: k, cache: {configMap: {}}}, container: {image: busybox}}")
