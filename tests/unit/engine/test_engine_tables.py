"""Tables: what was read stays as it was, and a turn costs what it changes."""

from __future__ import annotations

import json
import random
import sys
from types import FrameType
from typing import Any

import pytest
from engine_documents import START
from hypothesis import given
from hypothesis import strategies as st

from penstock import engine, workflow
from penstock.engine.protocol import Begin, Exited, Launch
from penstock.engine.tables import Draft, Table, edited, tabled

KEYS = st.integers(0, 9)
CHANGES = st.lists(st.tuples(st.sampled_from(["set", "delete", "pop", "clear"]), KEYS, st.integers()), max_size=6)


def changed(content: Any, changes: list[tuple[str, int, int]]) -> None:
    for kind, key, value in changes:
        if kind == "set":
            content[key] = value
        elif kind == "delete" and key in content:
            del content[key]
        elif kind == "pop":
            assert content.pop(key, None) is None or key not in content
        elif kind == "clear":
            content.clear()


@given(st.lists(CHANGES, max_size=8), st.randoms())
def test_every_value_stays_what_it_was(turns: list[list[tuple[str, int, int]]], chosen: random.Random) -> None:
    plain: list[dict[int, int]] = [{0: 0, 1: 1}]
    tables: list[Table[int, int]] = [Table(plain[0])]
    for changes in turns:
        # Mostly the newest goes on; sometimes somebody goes back.
        before = chosen.randrange(len(tables)) if chosen.random() < 0.3 else len(tables) - 1
        draft, copy = edited(tables[before]), dict(plain[before])
        changed(draft, changes)
        changed(copy, changes)
        assert draft == copy
        if chosen.random() < 0.2:
            continue  # a turn that was given up
        tables.append(tabled(draft))
        plain.append(copy)
    order = list(range(len(tables)))
    chosen.shuffle(order)
    assert all(tables[i] == plain[i] and list(tables[i].values()) == list(tables[i].values()) for i in order)


def test_the_newest_value_shares_the_content() -> None:
    table = Table(dict.fromkeys(range(10)))
    content = edited(table)
    content[3] = "three"
    assert edited(tabled(content)) is content


@pytest.mark.parametrize("name", ["setdefault", "update", "popitem", "__ior__"])
def test_nothing_uses_what_would_not_be_noted(name: str) -> None:
    with pytest.raises(TypeError, match="set, delete, pop or clear"):
        getattr(Draft({}), name)({})


# --- what a turn costs ----------------------------------------------------------------------------------------------


def layered(nodes: int) -> dict[str, Any]:
    """Ten chains beside each other."""
    tasks = [
        {"name": f"t-{i}", "template": "pod", **({"dependencies": [f"t-{i - 10}"]} if i >= 10 else {})}
        for i in range(nodes)
    ]
    return {"name": "main", "dag": {"tasks": tasks}}


def looped(nodes: int) -> dict[str, Any]:
    """A loop over a DAG, some of whose iterations wait for room."""
    task = {"name": "all", "template": "one", "withSequence": {"count": str(nodes)}}
    return {"name": "main", "parallelism": nodes // 2, "dag": {"tasks": [task]}}


def calls_of_a_turn(main: dict[str, Any], turns: int) -> int:
    """How many functions one turn calls, after so many."""
    one = {"name": "one", "dag": {"tasks": [{"name": "only", "template": "pod"}]}}
    pod = {"name": "pod", "container": {"image": "a", "command": ["true"]}}
    document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "w-"},
        "spec": {"entrypoint": "main", "templates": [main, one, pod]},
    }
    run = engine.new_run(workflow.load(json.dumps(document)), name="w", uid="w", parameters={}, created_at=START)
    run, commands = engine.step(run, Begin(now=START))
    launched = [command.pod.node_id for command in commands if isinstance(command, Launch)]
    for _ in range(turns):
        run, commands = engine.step(run, Exited(now=START, node_id=launched.pop(0), exit_code=0))
        launched += [command.pod.node_id for command in commands if isinstance(command, Launch)]
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        engine.step(run, Exited(now=START, node_id=launched.pop(0), exit_code=0))
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("main", [layered, looped])
def test_a_turn_costs_the_same_among_many_nodes(main: Any) -> None:
    few, many = (calls_of_a_turn(main(nodes), nodes // 4) for nodes in (100, 2_000))
    assert many <= 1.1 * few
