"""Metrics of documents: when they count, and what their tags stand for."""

from __future__ import annotations

import pytest
from engine_documents import FAILS, document, ended, script

from penstock.engine import new_run
from penstock.engine.protocol import Begin, Measure, Note
from penstock.testing.simulation import START, Outcome, Simulation
from penstock.workflow.metrics import Measurement

LABELS = "labels: [{key: status, value: '{{status}}'}, {key: exit_code, value: '{{exitCode}}'}]"


def measured(templates: str, outcomes: dict[str, Outcome] | None = None, spec: str = "") -> list[Measurement]:
    """What is counted, in order."""
    return [each.measurement for each in played(templates, outcomes, spec).commands if isinstance(each, Measure)]


def played(templates: str, outcomes: dict[str, Outcome] | None = None, spec: str = "") -> Simulation:
    run = new_run(document(templates, spec), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script(outcomes))
    simulation.send(Begin(now=START))
    simulation.finish()
    return simulation


def main(*metrics: str, more: str = "") -> str:
    """A step with metrics."""
    listed = ", ".join(f"{{{metric}}}" for metric in metrics)
    made = "outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}"
    return f"  - {{name: main, container: {{image: busybox}}, {made}, metrics: {{prometheus: [{listed}]}}{more}}}"


MADE = {"main": Outcome(seconds=2.5, parameters={"p": "0.75"})}


def test_a_step_counts_when_it_has_ended() -> None:
    counter = f"name: runs, help: Runs, {LABELS}, counter: {{value: '1'}}"
    gauge = "name: took, help: 'How long {{inputs.parameters.of}}', gauge: {value: '{{duration}}', operation: Add}"
    histogram = "name: p, help: P, histogram: {value: '{{outputs.parameters.p}}', buckets: [1, 0.5]}"
    inputs = ", inputs: {parameters: [{name: of, value: it}]}"
    assert measured(main(counter, gauge, histogram, more=inputs), MADE) == [
        Measurement(
            name="runs", help="Runs", kind="counter", labels={"status": "Succeeded", "exit_code": "0"}, value=1.0
        ),
        Measurement(name="took", help="How long it", kind="gauge", value=2.5, operation="Add"),
        Measurement(name="p", help="P", kind="histogram", value=0.75, buckets=(1.0, 0.5)),
    ]


def test_only_when_it_is_wanted() -> None:
    metrics = [
        f"name: {each}, help: H, when: '{{{{status}}}} == {each}', counter: {{value: '1'}}"
        for each in ("Failed", "Succeeded")
    ]
    assert [each.name for each in measured(main(*metrics), {"main": FAILS})] == ["Failed"]


def test_each_attempt_counts_once_and_the_last_one_with_its_retries() -> None:
    labels = "labels: [{key: retries, value: '{{retries}}'}, {key: code, value: '{{exitCode}}'}]"
    counter = f"name: runs, help: Runs, {labels}, counter: {{value: '1'}}"
    found = measured(main(counter, more=", retryStrategy: {limit: 2}"), {"main": FAILS})
    assert [dict(each.labels) for each in found] == [
        {"retries": "{{retries}}", "code": "1"},
        {"retries": "{{retries}}", "code": "1"},
        {"retries": "2", "code": "1"},
    ]


def test_a_gauge_in_real_time_grows_from_the_beginning() -> None:
    gauge = "name: took, help: H, gauge: {realtime: true, value: '{{duration}}'}"
    began, over = measured(main(gauge), MADE)
    assert (began.since, over.since, over.value) == (START, None, 2.5)


def test_a_run_counts_its_own() -> None:
    spec = (
        "  metrics: {prometheus: [{name: took, help: H, labels: [{key: status, value: '{{workflow.status}}'}], "
        "gauge: {value: '{{workflow.duration}}'}}, "
        "{name: live, help: H, gauge: {realtime: true, value: '{{workflow.duration}}'}}]}\n"
    )
    live, took, over = measured(main(), MADE, spec)
    assert (live.name, live.since) == ("live", START)
    assert (took.value, took.labels) == (2.5, {"status": "Succeeded"})
    assert (over.name, over.since, over.value) == ("live", None, 2.5)


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (
            "name: m, help: H, gauge: {value: '{{outputs.result}}'}",
            "could not convert string to float: '{{outputs.result}}'",
        ),
        ("name: m, help: H", "expected gauge, counter or histogram"),
        ("name: m, help: H, when: 'a ==', counter: {value: '1'}", "unable to compute 'when' clause for metric 'm'"),
        ("name: m, help: H, gauge: {realtime: true, value: '3'}", "'3' is not available as a real time metric"),
        (
            "name: m, help: H, labels: [{key: of, value: '{{=sprig.repeat(2000000, \"x\")}}'}], counter: {value: '1'}",
            "unable to substitute parameters for metric 'm'",
        ),
        ("name: m, help: H, labels: [{key: 'a b', value: x}], counter: {value: '1'}", "metric label 'a b' is invalid"),
    ],
)
def test_what_cannot_be_counted_is_told_and_hinders_nothing(metric: str, reason: str) -> None:
    simulation = played(main(), MADE, f"  metrics: {{prometheus: [{{{metric}}}]}}\n")
    assert simulation.run.phase == "Succeeded"
    notes = [command.message for command in simulation.commands if isinstance(command, Note)]
    assert notes
    assert all(reason in note for note in notes)


def test_skipped_steps_and_groups_count_nothing() -> None:
    steps = (
        "  - {name: main, steps: [[{name: a, template: counted, when: '1 == 2'}, "
        "{name: b, template: counted, withItems: [1, 2]}]]}\n"
    )
    counted = main("name: runs, help: H, counter: {value: '1'}").replace("name: main", "name: counted")
    assert len(measured(steps + counted, {"counted": Outcome(parameters={"p": "1"})})) == 2
    assert ended(steps + counted, {"counted": Outcome(parameters={"p": "1"})}).phase == "Succeeded"
