"""Retries: how often, after which waits, and what the Retry node becomes."""

from __future__ import annotations

import pytest
from engine_documents import FAILS, START, by_name, ended, node, phases, told

from penstock.testing.simulation import Outcome
from penstock.workflow.status import NodeType


def tried(strategy: str, container: str = "container: {image: busybox, args: ['{{retries}}']}") -> str:
    template = f"{{name: tried, retryStrategy: {strategy}, {container}}}"
    return f"  - name: main\n    steps: [[{{name: a, template: tried}}]]\n  - {template}"


ERRS = Outcome(exit_code=None, error="lost")


def attempts(count: int, last: Outcome, bad: Outcome = FAILS) -> dict[str, Outcome]:
    return {f"a({i})": bad for i in range(count - 1)} | {f"a({count - 1})": last}


def test_the_first_attempt_succeeds() -> None:
    run = ended(tried("{limit: 2}"))
    found = by_name(run)
    assert found["[0].a"].type is NodeType.RETRY
    assert found["[0].a"].children == (found["[0].a(0)"].id,)
    assert found["[0].a(0)"].node_flag.retried  # type: ignore[union-attr]
    assert phases(run) == {"": "Succeeded", "[0]": "Succeeded", "[0].a": "Succeeded", "[0].a(0)": "Succeeded"}


def test_as_many_attempts_as_the_limit_and_one() -> None:
    run = ended(tried("{limit: 2}"), {"tried": FAILS})
    assert [name for name in by_name(run) if "(" in name] == ["[0].a(0)", "[0].a(1)", "[0].a(2)"]
    assert (phases(run)["[0].a"], told(run)["[0].a"]) == ("Failed", "No more retries left")
    assert run.message == f"child '{node(run, '[0].a').id}' failed"


def test_the_limit_may_be_a_parameter() -> None:
    templates = """\
  - name: main
    inputs: {parameters: [{name: limit}]}
    retryStrategy: {limit: "{{inputs.parameters.limit}}"}
    container: {image: busybox}"""
    run = ended(templates, {"main": FAILS}, spec="  arguments: {parameters: [{name: limit, value: 1}]}\n")
    assert len(run.nodes) == 3
    assert (run.phase, run.message) == ("Failed", "No more retries left")


def test_without_a_limit_there_is_no_end_but_success() -> None:
    run = ended(tried("{}"), attempts(7, Outcome()))
    assert phases(run)["[0].a"] == "Succeeded"
    assert len(run.nodes) == 3 + 7


@pytest.mark.parametrize(
    ("policy", "bad", "tries"),
    [
        ("", FAILS, 2),
        ("", ERRS, 1),
        ("retryPolicy: OnFailure, ", FAILS, 2),
        ("retryPolicy: OnFailure, ", ERRS, 1),
        ("retryPolicy: OnError, ", FAILS, 1),
        ("retryPolicy: OnError, ", ERRS, 2),
        ("retryPolicy: Always, ", FAILS, 2),
        ("retryPolicy: Always, ", ERRS, 2),
        ("retryPolicy: OnTransientError, ", FAILS, 1),
    ],
)
def test_policies(policy: str, bad: Outcome, tries: int) -> None:
    run = ended(tried(f"{{{policy}limit: 1}}"), {"tried": bad})
    assert len(run.nodes) == 3 + tries
    assert phases(run)["[0].a"] == ("Failed" if bad is FAILS else "Error")


def test_outputs_are_those_of_the_last_attempt() -> None:
    template = "outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}, container: {image: busybox}"
    run = ended(tried("{limit: 3}", template), attempts(3, Outcome(parameters={"p": "third"})))
    outputs = node(run, "[0].a").outputs
    assert outputs is not None
    assert [(p.name, p.value) for p in outputs.parameters] == [("p", "third")]
    assert outputs.exit_code == "0"


def waits(strategy: str, tries: int) -> list[float]:
    """Seconds from the start of the run to each attempt; an attempt takes one second."""
    run = ended(tried(strategy), attempts(tries, Outcome()))
    return [one.started_at - START for name, one in by_name(run).items() if "(" in name]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("backoff", "starts"),
    [
        ("{duration: 10}", [0, 11, 22, 33]),
        ("{duration: 10s, factor: 2}", [0, 11, 32, 73]),
        ("{duration: 1m, factor: 3, cap: 2m}", [0, 61, 182, 303]),
        ("{duration: 1h30m}", [0, 5401, 10802, 16203]),
    ],
)
def test_backoff(backoff: str, starts: list[float]) -> None:
    assert waits(f"{{limit: 10, backoff: {backoff}}}", 4) == starts


@pytest.mark.parametrize(
    ("backoff", "message", "tries"),
    [
        ("{duration: 10, maxDuration: 25}", "Backoff would exceed max duration limit", 3),
        ("{duration: 100, maxDuration: 25}", "Backoff would exceed max duration limit", 1),
        ("{duration: soon}", 'unable to parse soon as a duration: time: invalid duration "soon"', 1),
        ("{factor: 2}", "no base duration specified for retryStrategy", 1),
        ("{duration: 1, factor: x}", "retryStrategy.backoff.factor: got 'x', expected an integer", 1),
    ],
)
def test_ends_of_a_backoff(backoff: str, message: str, tries: int) -> None:
    run = ended(tried(f"{{limit: 10, backoff: {backoff}}}"), {"tried": FAILS})
    assert told(run)["[0].a"] == message
    assert len(run.nodes) == 3 + tries


def test_attempts_without_a_limit_do_not_wait() -> None:
    assert waits("{backoff: {duration: 10}}", 3) == [0, 1, 2]


def test_a_long_attempt_ends_the_retries() -> None:
    run = ended(
        tried("{limit: 10, backoff: {duration: 1, maxDuration: 25}}"), {"tried": Outcome(exit_code=1, seconds=30)}
    )
    assert told(run)["[0].a"] == "Max duration limit exceeded"


def test_an_attempt_knows_its_number_and_the_one_before() -> None:
    text = "{{retries}} {{lastRetry.exitCode}} {{lastRetry.status}} {{lastRetry.duration}} {{lastRetry.message}}"
    seen: list[tuple[str, ...]] = []
    from engine_documents import document

    from penstock.engine.protocol import Pod
    from penstock.testing.simulation import simulate

    def outcome(pod: Pod) -> Outcome:
        seen.append(pod.args)
        return Outcome(exit_code=3 if len(seen) < 3 else 0, seconds=2)

    simulate(document(tried("{limit: 5}", f"container: {{image: busybox, args: ['{text}']}}")), outcome)
    assert seen[0] == ("0 0  0 ",)
    assert ("1 3 Failed 2 main: Error (exit code 3)",) in seen
    assert seen[-1] == ("2 3 Failed 2 main: Error (exit code 3)",)


def test_a_whole_dag_is_tried_again() -> None:
    templates = """\
  - name: main
    retryStrategy: {limit: 1}
    dag: {tasks: [{name: A, template: echo}, {name: B, template: fail, dependencies: [A]}]}"""
    run = ended(templates)
    assert {name: one.type for name, one in by_name(run).items()} == {
        "": NodeType.RETRY,
        "(0)": NodeType.DAG,
        "(0).A": NodeType.POD,
        "(0).B": NodeType.POD,
        "(1)": NodeType.DAG,
        "(1).A": NodeType.POD,
        "(1).B": NodeType.POD,
    }
    assert (run.phase, run.message) == ("Failed", "No more retries left")


def test_a_retried_task_keeps_its_exit_handler() -> None:
    templates = """\
  - name: main
    steps: [[{name: a, template: tried, onExit: echo}]]
  - {name: tried, retryStrategy: {limit: 1}, container: {image: busybox}}"""
    run = ended(templates, attempts(2, Outcome()))
    assert phases(run)["[0].a.onExit"] == "Succeeded"
    assert [name for name in by_name(run) if name.endswith(".onExit")] == ["[0].a.onExit"]
