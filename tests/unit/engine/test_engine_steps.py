"""Steps templates: groups one after the other, steps of a group beside each other."""

from __future__ import annotations

import pytest
from engine_documents import FAILS, by_name, ended, node, phases, told

from penstock.testing.simulation import Outcome
from penstock.workflow.status import NodeType


def steps(*groups: str, more: str = "") -> str:
    lines = "".join(f"\n    - [{group}]" for group in groups)
    return f"  - name: main\n{more}    steps:{lines}"


def test_groups_and_their_tree() -> None:
    run = ended(steps("{name: a, template: echo}, {name: b, template: echo}", "{name: c, template: echo}"))
    found = by_name(run)
    assert {name: one.type for name, one in found.items()} == {
        "": NodeType.STEPS,
        "[0]": NodeType.STEP_GROUP,
        "[0].a": NodeType.POD,
        "[0].b": NodeType.POD,
        "[1]": NodeType.STEP_GROUP,
        "[1].c": NodeType.POD,
    }
    ids = {name: one.id for name, one in found.items()}
    assert found[""].children == (ids["[0]"],)
    assert found["[0]"].children == (ids["[0].a"], ids["[0].b"])
    assert found["[0].a"].children == found["[0].b"].children == (ids["[1]"],)
    assert found[""].outbound_nodes == (ids["[1].c"],)
    assert found["[0].a"].display_name == "a"
    assert found["[1]"].display_name == "[1]"


def test_a_group_ends_when_all_end_and_then_nothing_follows() -> None:
    run = ended(
        steps("{name: a, template: fail}, {name: b, template: echo}", "{name: c, template: echo}"),
        {"b": Outcome(seconds=60)},
    )
    assert phases(run) == {"": "Failed", "[0]": "Failed", "[0].a": "Failed", "[0].b": "Succeeded"}
    child = node(run, "[0].a").id
    assert told(run) == {
        "": f"child '{child}' failed",
        "[0]": f"child '{child}' failed",
        "[0].a": "main: Error (exit code 1)",
    }
    assert (run.phase, run.message) == ("Failed", f"child '{child}' failed")


def test_continue_on_failure() -> None:
    run = ended(
        steps(
            "{name: A, template: echo}",
            "{name: B, template: fail, continueOn: {failed: true}}",
            "{name: C, template: echo}",
        )
    )
    found = by_name(run)
    assert run.phase == "Succeeded"
    assert len(found) == 7
    assert found["[1].B"].phase == "Failed"
    assert found["[1].B"].children == (found["[2]"].id,)


def test_an_error_in_a_group_surfaces_as_a_failure() -> None:
    run = ended(steps("{name: a, template: echo}"), {"a": Outcome(exit_code=None, error="gone")})
    assert phases(run) == {"": "Failed", "[0]": "Failed", "[0].a": "Error"}
    assert told(run)["[0].a"] == "gone"


def test_loops_make_no_group_of_their_own() -> None:
    run = ended(
        steps(
            "{name: l, template: echo, withItems: [1, 2]}",
            "{name: b, template: echo}",
        )
    )
    found = by_name(run)
    assert [name for name in found if name.startswith("[0].")] == ["[0].l(0:1)", "[0].l(1:2)"]
    assert found["[0]"].children == (found["[0].l(0:1)"].id, found["[0].l(1:2)"].id)


def test_an_empty_loop_is_skipped() -> None:
    run = ended(
        steps("{name: a, template: make}", "{name: l, template: echo, withParam: '{{steps.a.outputs.parameters.p}}'}"),
        {"a": Outcome(parameters={"p": "[]"})},
    )
    assert phases(run)["[1].l"] == "Skipped"
    assert told(run)["[1].l"] == "Skipped, empty params"
    assert len(run.nodes) == 5


def test_conditions() -> None:
    run = ended(
        steps(
            "{name: flip, template: flip}",
            "{name: heads, template: echo, when: '{{steps.flip.outputs.result}} == heads'}, "
            "{name: tails, template: echo, when: '{{steps.flip.outputs.result}} == tails'}",
        )
        + "\n  - {name: flip, script: {image: python, source: print(1), command: [python]}}",
        {"flip": Outcome(result="heads")},
    )
    assert (phases(run)["[1].heads"], phases(run)["[1].tails"]) == ("Succeeded", "Skipped")
    assert told(run)["[1].tails"] == "when 'heads == tails' evaluated false"


def test_aggregates_of_a_loop() -> None:
    run = ended(
        steps(
            "{name: l, template: make, withItems: [a, b]}",
            "{name: r, template: echo, arguments: "
            "{parameters: [{name: text, value: '{{steps.l.outputs.parameters}}'}]}}",
        ),
        {"l(0:a)": Outcome(parameters={"p": "1"}, seconds=9), "l(1:b)": Outcome(parameters={"p": "2"})},
    )
    assert node(run, "[1].r").inputs.parameters[0].value == '[{"p":"1"},{"p":"2"}]'  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["withItems: [1]", "withParam: '[1]'", "withSequence: {count: 1}"])
def test_every_kind_of_loop(kind: str) -> None:
    run = ended(steps(f"{{name: l, template: echo, {kind}}}"))
    assert run.phase == "Succeeded"
    assert len(run.nodes) == 3


def test_outputs_of_steps_come_from_their_children() -> None:
    templates = (
        steps(
            "{name: a, template: make}",
            more="    outputs:\n"
            "      parameters: [{name: q, valueFrom: {parameter: '{{steps.a.outputs.parameters.p}}'}}]\n"
            "      artifacts: [{name: b, from: '{{steps.a.outputs.artifacts.a}}'}]\n",
        )
        + ""
    )
    run = ended(templates)
    outputs = node(run, "").outputs
    assert outputs is not None
    assert [(p.name, p.value) for p in outputs.parameters] == [("q", "made")]
    assert [(a.name, bool(a.key)) for a in outputs.artifacts] == [("b", True)]


def test_a_failed_step_stops_before_its_exit_handler_is_done() -> None:
    run = ended(
        steps("{name: a, template: fail, onExit: echo}", "{name: b, template: echo}"),
        {"a.onExit": Outcome(seconds=5)},
    )
    assert phases(run) == {"": "Failed", "[0]": "Failed", "[0].a": "Failed", "[0].a.onExit": "Succeeded"}


def test_a_failing_exit_handler_of_a_step() -> None:
    run = ended(steps("{name: a, template: echo, onExit: fail}", "{name: b, template: echo}"), {"a.onExit": FAILS})
    assert phases(run)["[0].a.onExit"] == "Failed"
    assert run.finished
