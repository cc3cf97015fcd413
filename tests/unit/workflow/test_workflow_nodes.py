"""Names and ids of nodes and pods: hashes that Argo made for the same names."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.workflow.nodes import fnv1a, item_name, node_id, pod_name, run_name


@pytest.mark.parametrize(("text", "value"), [("", 2166136261), ("a", 3826002220), ("foobar", 3214735720)])
def test_fnv1a(text: str, value: int) -> None:
    assert fnv1a(text) == value


def test_ids_of_nodes() -> None:
    run = "loops-param-argument-rec"
    assert node_id(run, run) == run
    assert node_id(run, f"{run}[0]") == f"{run}-2068649155"
    assert node_id(run, f"{run}[0].test-linux(1:image:debian,tag:8.9)") == f"{run}-1183342115"


def test_names_of_pods() -> None:
    assert pod_name("run", "run", "main") == "run"
    assert pod_name("run", "run.a", "echo") == f"run-echo-{fnv1a('run.a')}"
    long = pod_name("r" * 200, "n", "t" * 200)
    assert len(long) <= 253
    assert long.endswith(f"-{fnv1a('n')}")


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ("a", "N(3:a)"),
        ("a(b)c", "N(3:abc)"),
        ("<a & b>", "N(3:<a & b>)"),
        ('say "hi"', 'N(3:say \\"hi\\")'),
        ("a\nb", "N(3:a\\nb)"),
        (1, "N(3:1)"),
        (True, "N(3:true)"),
        (1.5, "N(3:1.5)"),
        (None, "N(3:null)"),
        ({"tag": "9.1", "image": "debian"}, "N(3:image:debian,tag:9.1)"),
        ({"a": {"c": 1, "b": 2}}, 'N(3:a:{"c":1,"b":2})'),
        (["a", 1], "N(3:[a 1])"),
        ("", "N(3:)"),
    ],
)
def test_names_of_items(item: Any, name: str) -> None:
    assert item_name("N", 3, item) == name


def test_names_of_runs_follow_from_their_seeds() -> None:
    assert run_name("train-", "seed") == run_name("train-", "seed")
    assert run_name("train-", "seed") != run_name("train-", "other")
    assert run_name("", "seed").startswith("run-")
    assert len(run_name("x" * 100, "seed")) == 63
