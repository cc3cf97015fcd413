"""Selectors of nodes: which nodes fit, and which texts are none."""

from __future__ import annotations

import pytest

from penstock.errors import InvalidInput
from penstock.workflow import node_selector
from penstock.workflow.status import Node, NodeInputs, NodeType, Parameter, Phase

NODE = Node(
    id="w-1",
    name="w.train(0:a=b)",
    display_name="train(0:a=b)",
    type=NodeType.POD,
    phase=Phase.FAILED,
    template_name="train",
    inputs=NodeInputs(parameters=(Parameter(name="x.y", value="1,2"),)),
)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("phase=Failed", True),
        ("phase==Failed,templateName=train", True),
        ("phase=Failed,templateName=other", False),
        ("phase!=Failed", False),
        ("id!=w-2", True),
        (r"displayName=train(0:a\=b)", True),
        (r"inputs.parameters.x.y.value=1\,2", True),
        ("inputs.parameters.z.value=", True),
        ("inputs.parameters.z.value!=1", True),
    ],
)
def test_a_selector(text: str, fits: bool) -> None:
    assert node_selector(text)(NODE) is fits


@pytest.mark.parametrize("text", ["phase", "phase=a=b", "=x", "color=red", "phase~Failed", "inputs.parameters=1"])
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(InvalidInput, match="selector of nodes: got"):
        node_selector(text)
