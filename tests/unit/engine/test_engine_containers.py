"""Container sets: the nodes of a pod's containers, what comes behind them, and what their ends make of the pod."""

from __future__ import annotations

import pytest
from engine_documents import START, by_name, document, ended, node, script
from test_engine_properties import rebuilt

from penstock.engine import new_run, reset
from penstock.engine.protocol import Begin, Launch, Pod, Shutdown, Stop
from penstock.errors import InvalidDocument
from penstock.testing.simulation import Outcome, Simulation, simulate
from penstock.workflow.status import NodeType

GRAPH = """
  - name: graph
    containerSet:
      containers:
      - {name: a, image: busybox}
      - {name: b, image: busybox, dependencies: [a]}
      - {name: c, image: busybox, dependencies: [a]}
      - {name: d, image: busybox, dependencies: [b, c]}
"""
MAIN = "  - {name: main, dag: {tasks: [{name: one, template: graph}, {name: two, template: echo, depends: one}]}}\n"


def names(run: object, ids: tuple[str, ...]) -> set[str]:
    """Names of nodes, without the run's."""
    return {run.nodes[id].name.removeprefix("w") for id in ids}  # type: ignore[attr-defined]


def test_each_container_has_a_node_below_those_that_it_depends_on() -> None:
    run = ended(MAIN + GRAPH)
    assert run.phase == "Succeeded"
    pod, found = node(run, "one"), by_name(run)
    assert (pod.type, found["one.a"].type, found["one.d"].display_name) == (NodeType.POD, NodeType.CONTAINER, "d")
    assert {str(found[f"one.{each}"].phase) for each in "abcd"} == {"Succeeded"}
    assert {found[f"one.{each}"].boundary_id for each in "abcd"} == {pod.id}
    assert found["one.b"].template_name == "graph"
    assert names(run, pod.children) == {".one.a"}
    assert names(run, found["one.a"].children) == {".one.b", ".one.c"}
    assert names(run, found["one.b"].children) == names(run, found["one.c"].children) == {".one.d"}
    # What comes next hangs from the last container.
    assert names(run, found["one.d"].children) == {".two"}


def test_outputs_and_the_exit_code_are_those_of_main() -> None:
    templates = """
  - name: main
    containerSet: {containers: [{name: side, image: busybox}, {name: main, image: busybox}]}
    outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}
"""
    run = ended(templates, {"w": Outcome(parameters={"p": "made"})})
    outputs = node(run, "").outputs
    assert outputs is not None
    assert (outputs.exit_code, outputs.parameters[0].value) == ("0", "made")
    assert node(ended(MAIN + GRAPH), "one").outputs is None


def test_a_container_that_fails_fails_the_pod_the_first_by_name() -> None:
    run = ended(MAIN + GRAPH, {"one": Outcome(containers={"c": 3, "b": 4, "d": 64})})
    found = by_name(run)
    assert (node(run, "one").phase, node(run, "one").message) == ("Failed", "b: Error (exit code 4)")
    # As the last container of the branch has it, which never began.
    assert run.phase == "Error"
    assert (found["one.a"].phase, found["one.c"].phase) == ("Succeeded", "Failed")
    assert found["one.c"].message == "c: Error (exit code 3): "
    assert found["one.d"].phase == "Error"
    assert found["two"].phase == "Omitted"


@pytest.mark.parametrize("strategy", list(Shutdown))
def test_a_stop_ends_the_nodes_of_the_containers(strategy: Shutdown) -> None:
    run = ended(MAIN + GRAPH, {"one": Outcome(seconds=100)}, events=[Stop(now=START + 5, strategy=strategy)])
    assert run.phase == "Failed"
    assert all(each.phase.fulfilled for each in run.nodes.values())


def test_every_attempt_has_containers_of_its_own() -> None:
    graph = GRAPH.replace("    containerSet", "    retryStrategy: {limit: 1}\n    containerSet")
    run = ended(MAIN + graph, {"one(0)": Outcome(containers={"a": 1})})
    found = by_name(run)
    assert run.phase == "Succeeded"
    assert (found["one(0).a"].phase, found["one(1).a"].phase, found["one"].phase) == (
        "Failed",
        "Succeeded",
        "Succeeded",
    )


def test_a_run_rebuilt_from_its_rows_equals_the_live_one() -> None:
    run = new_run(document(MAIN + GRAPH), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script())
    simulation.at(Begin(now=START))
    phases = []
    while simulation.next():
        assert rebuilt(simulation.run) == simulation.run
        phases += [str(each.phase) for name, each in by_name(simulation.run).items() if name == "one.a"]
    assert set(phases) == {"Pending", "Running", "Succeeded"}


def test_a_set_that_failed_is_taken_back_as_a_whole() -> None:
    run = ended(MAIN + GRAPH, {"one": Outcome(containers={"d": 1})})
    kept = reset(run, START + 100)
    assert {each.name for each in kept.nodes} == {"w"}


def test_the_pod_knows_its_containers() -> None:
    templates = """
  - name: main
    volumes: [{name: work, emptyDir: {}}]
    containerSet:
      volumeMounts: [{name: work, mountPath: /work}]
      retryStrategy: {retries: 3, duration: 2s}
      containers: [{name: a, image: one, args: [x]}, {name: main, image: two, dependencies: [a]}]
"""
    run = new_run(document(templates), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script())
    simulation.send(Begin(now=START))
    (pod,) = [command.pod for command in simulation.commands if isinstance(command, Launch)]
    assert pod.image == "two"
    assert [(each.name, each.image, each.after, each.tries, each.pause) for each in pod.containers] == [
        ("a", "one", (), 3, 2.0),
        ("main", "two", ("a",), 3, 2.0),
    ]
    assert [mount.path for mount in pod.containers[0].mounts] == ["/work"]


@pytest.mark.parametrize(
    ("containers", "message"),
    [
        ("[]", "templates.main.containerSet containers must have at least one container"),
        ("[{name: a, image: b}, {name: a, image: b}]", "is not unique"),
        ("[{name: a, image: b, dependencies: [c]}]", "containerSet.containers.a dependency 'c' not defined"),
        ("[{name: a, image: b, dependencies: [a]}]", "sorting failed: cycle a -> a"),
        ("[{name: wait, image: b}]", "'wait' is a reserved Argo container name"),
        ("[{name: a}]", "containers.a.image may not be empty"),
    ],
)
def test_a_set_that_argo_refuses_is_refused(containers: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        document(f"  - {{name: main, containerSet: {{containers: {containers}}}}}")
    assert message in str(caught.value)


def test_outputs_want_a_container_main() -> None:
    with pytest.raises(InvalidDocument, match='must have a container named "main" for input or output'):
        document(
            "  - {name: main, containerSet: {containers: [{name: a, image: b}]}, "
            "outputs: {artifacts: [{name: o, path: /o}]}}"
        )


def test_containers_that_ask_for_a_terminal_have_one() -> None:
    pods: list[Pod] = []
    beside = "sidecars: [{name: s, image: i, tty: true}], "
    template = f"  - {{name: main, {beside}container: {{image: i, tty: true, stdin: true}}}}"
    simulate(document(template), lambda pod: pods.append(pod) or Outcome())
    assert (pods[0].tty, pods[0].sidecars[0].tty) == (True, True)
