"""The graph of a run: its shape from the document, its phases from the nodes, its places from the layout."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from penstock.services.graph import Graph, graph
from penstock.services.layout import layered
from penstock.workflow.status import Node, NodeFlag, NodeType, Phase

WORKFLOW = "tumours-x"


def node_id(name: str) -> str:
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return name if name == WORKFLOW else f"{WORKFLOW}-{value}"


def node(name: str, phase: Phase = Phase.SUCCEEDED, type: NodeType = NodeType.POD, **more: Any) -> Node:
    return Node(id=node_id(name), name=name, display_name=name.rsplit(".", 1)[-1], type=type, phase=phase, **more)


def document(*templates: dict[str, Any], on_exit: str = "") -> dict[str, Any]:
    spec: dict[str, Any] = {"entrypoint": "main", "templates": list(templates)}
    return {"metadata": {"name": WORKFLOW}, "spec": {**spec, **({"onExit": on_exit} if on_exit else {})}}


def dag(name: str, **tasks: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "dag": {"tasks": [{"name": n.replace("_", "-"), **t} for n, t in tasks.items()]}}


def step(name: str) -> dict[str, Any]:
    return {"name": name, "container": {"image": "x"}}


TUMOURS = document(
    dag(
        "main",
        exit_handler_1={"template": "exit-handler-1"},
    ),
    dag(
        "exit-handler-1",
        prepare={"template": "prepare"},
        for_loop_1={"template": "for-loop-1", "dependencies": ["prepare"], "withItems": ["a", "b", "c"]},
        pick={"template": "pick", "dependencies": ["for-loop-1", "prepare"]},
        condition_1={"template": "condition-1", "dependencies": ["pick"], "when": "{{tasks.pick.x}} == y"},
        report={"template": "report", "depends": "condition-1.Succeeded && pick"},
    ),
    dag("for-loop-1", train={"template": "train"}, evaluate={"template": "evaluate", "dependencies": ["train"]}),
    dag("condition-1", publish={"template": "publish"}),
    *(step(n) for n in ("prepare", "train", "evaluate", "pick", "publish", "report", "bye")),
    on_exit="bye",
)


def labels(found: Graph) -> list[str]:
    return [box.label for box in found.nodes]


def pairs(found: Graph) -> set[tuple[str, str]]:
    names = {box.id: box.label for box in found.nodes}
    return {(names[e.source], names[e.target]) for e in found.edges}


def by_label(found: Graph, label: str) -> Any:
    return next(box for box in found.nodes if box.label == label)


def test_groups_are_flattened_with_edges_at_their_borders() -> None:
    assert pairs(graph(TUMOURS, [])) == {
        ("prepare", "train · evaluate"),
        ("train · evaluate", "pick"),
        ("prepare", "pick"),
        ("pick", "publish"),
        ("publish", "report"),
        ("pick", "report"),
        ("report", "bye"),
    }


def test_before_the_run_every_box_is_there_without_a_phase() -> None:
    found = graph(TUMOURS, [])
    assert {box.phase for box in found.nodes} == {""}
    assert by_label(found, "train · evaluate").counts == {"": 3}
    assert by_label(found, "bye").kind == "exit"
    assert by_label(found, "bye").y == max(box.y for box in found.nodes)


def test_a_box_has_the_id_that_its_node_will_have() -> None:
    prepare = node(f"{WORKFLOW}.exit-handler-1.prepare", Phase.RUNNING, started_at=3.0)
    before, after = by_label(graph(TUMOURS, []), "prepare"), by_label(graph(TUMOURS, [prepare]), "prepare")
    assert before.id == after.id == after.node_id == prepare.id
    assert (before.node_id, after.phase, after.started_at) == ("", "Running", 3.0)


def rounds() -> list[Node]:
    group = f"{WORKFLOW}.exit-handler-1"
    found = [node(WORKFLOW, Phase.RUNNING, NodeType.DAG), node(group, Phase.RUNNING, NodeType.DAG)]
    found.append(node(f"{group}.for-loop-1", Phase.RUNNING, NodeType.TASK_GROUP, boundary_id=node_id(group)))
    phases = (Phase.SUCCEEDED, Phase.SUCCEEDED, Phase.RUNNING)
    for i, (item, phase) in enumerate(zip("abc", phases, strict=True)):
        name = f"{group}.for-loop-1({i}:{item})"
        found.append(node(name, phase, NodeType.DAG, boundary_id=node_id(group), children=("x",)))
        found.append(node(f"{name}.train", phase, boundary_id=node_id(name)))
    return found


def test_a_loop_is_one_box_that_counts() -> None:
    box = by_label(graph(TUMOURS, rounds()), "train · evaluate")
    assert (box.kind, box.phase, box.counts) == ("loop", "Running", {"Succeeded": 2, "Running": 1})
    assert box.expandable
    assert not box.expanded


def test_an_open_loop_shows_its_rounds() -> None:
    loop = by_label(graph(TUMOURS, rounds()), "train · evaluate")
    found = graph(TUMOURS, rounds(), [loop.id])
    inside = [box for box in found.nodes if box.parent == loop.id]
    names = [f"{step} · {item}" for step in ("evaluate", "train") for item in "abc"]
    assert sorted(box.label for box in inside) == names
    assert sorted(box.phase for box in inside if box.label.startswith("train")) == ["Running", "Succeeded", "Succeeded"]
    assert by_label(found, "train · evaluate").expanded


def test_a_skipped_condition_makes_its_steps_skipped() -> None:
    skipped = node(f"{WORKFLOW}.exit-handler-1.condition-1", Phase.SKIPPED, NodeType.SKIPPED, message="when false")
    box = by_label(graph(TUMOURS, [skipped]), "publish")
    assert (box.phase, box.node_id, box.message) == ("Skipped", skipped.id, "when false")


def test_places_do_not_depend_on_phases() -> None:
    before = [(b.id, b.x, b.y) for b in graph(TUMOURS, []).nodes]
    assert [(b.id, b.x, b.y) for b in graph(TUMOURS, rounds()).nodes] == before


def test_step_groups_follow_each_other() -> None:
    steps = {"name": "main", "steps": [[{"name": "a", "template": "s"}], [{"name": n, "template": "s"} for n in "bc"]]}
    assert pairs(graph(document(steps, step("s")), [])) == {("a", "b"), ("a", "c")}


def test_a_loop_of_steps_finds_its_rounds_without_a_group_node() -> None:
    steps = {"name": "main", "steps": [[{"name": "s", "template": "s", "withParam": "{{x}}"}]]}
    root = node(WORKFLOW, Phase.RUNNING, NodeType.STEPS)
    one = [node(f"{WORKFLOW}[0].s({i}:v.w)", Phase.RUNNING, boundary_id=WORKFLOW) for i in range(12)]
    attempt = node(f"{WORKFLOW}[0].s(0:v)(0)", boundary_id=WORKFLOW, node_flag=NodeFlag(retried=True))
    box = by_label(graph(document(steps, step("s")), [root, *one, attempt]), "s")
    assert (box.phase, box.counts) == ("Running", {"Running": 12})


def test_a_recursion_ends_where_no_node_exists() -> None:
    main = dag("main", flip={"template": "flip"}, again={"template": "main", "dependencies": ["flip"]})
    assert labels(graph(document(main, step("flip")), [])) == ["flip", "again"]
    again = node(f"{WORKFLOW}.again", Phase.RUNNING, NodeType.DAG, children=("x",))
    found = graph(document(main, step("flip")), [again])
    assert labels(found) == ["flip", "flip", "again"]
    assert next(b for b in found.nodes if b.kind == "group").phase == ""


def test_a_document_that_explodes_is_cut() -> None:
    levels = [dag(f"t{i}", a={"template": f"t{i + 1}"}, b={"template": f"t{i + 1}"}) for i in range(40)]
    levels[0]["name"] = "main"
    assert len(graph(document(*levels, step("t40")), []).nodes) < 6000


def test_hooks_hang_below_their_task() -> None:
    main = dag("main", a={"template": "s", "hooks": {"exit": {"template": "bye"}}}, b={"template": "s"})
    assert ("a", "bye") in pairs(graph(document(main, step("s"), step("bye")), []))


@pytest.mark.parametrize(
    "odd",
    [{}, {"spec": None}, {"spec": {"entrypoint": "gone"}}, document({"name": "main", "dag": {"tasks": [None, {}]}})],
)
def test_odd_documents_give_a_picture(odd: dict[str, Any]) -> None:
    assert isinstance(graph(odd, []), Graph)


def test_a_cycle_is_drawn() -> None:
    main = dag("main", a={"template": "s", "dependencies": ["b"]}, b={"template": "s", "dependencies": ["a"]})
    assert pairs(graph(document(main, step("s")), [])) == {("a", "b"), ("b", "a")}


def test_boxes_of_a_layer_do_not_overlap_and_edges_go_down() -> None:
    found = graph(TUMOURS, rounds(), [by_label(graph(TUMOURS, []), "train · evaluate").id])
    boxes = sorted(found.nodes, key=lambda b: (b.y, b.x))
    for left, right in itertools.pairwise(boxes):
        assert left.y != right.y or left.x + left.width <= right.x
    for edge in found.edges:
        assert [y for _, y in edge.points] == sorted(y for _, y in edge.points)


def test_long_edges_pass_beside_boxes() -> None:
    plan = layered(dict.fromkeys("abcd", (100.0, 30.0)), [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
    for x, y in plan.lines["a", "d"][1:-1]:
        for left, top in plan.places.values():
            assert not (left < x < left + 100 and top <= y <= top + 30)


def test_two_thousand_boxes_find_their_places() -> None:
    dice = random.Random(7)
    names = [[f"n{i}-{j}" for j in range(40)] for i in range(50)]
    edges = [(dice.choice(names[i]), b) for i in range(49) for b in names[i + 1] for _ in (0, 1)][:3470]
    sizes = {name: (150.0, 36.0) for row in names for name in row}
    places = layered(sizes, edges).places
    rows = sorted(places.values(), key=lambda place: (place[1], place[0]))
    assert len(rows) == 2000
    assert all(one[1] != two[1] or one[0] + 150 <= two[0] for one, two in itertools.pairwise(rows))
