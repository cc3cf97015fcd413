"""`benchmarks/`: what is measured are documents that run, and what is shown is what was measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from benchmarks import peers, pipelines
from benchmarks.__main__ import DOCUMENT, RESULTS
from benchmarks.figures import FIGURES
from benchmarks.picture import picture
from benchmarks.report import Peer, Result, machine, table, update
from benchmarks.turns import turn

from penstock import workflow

DOCUMENTS = {
    "shell_chain": lambda: pipelines.shell_chain(3),
    "fan_out": lambda: pipelines.fan_out(3),
    "tasks_in_layers": lambda: pipelines.tasks_in_layers(3, 4),
    "then_held": lambda: pipelines.then_held(3, "/var/tmp/go"),
    "printing": pipelines.printing,
    "hand_over": lambda: pipelines.hand_over(1 << 20),
    "contained": lambda: pipelines.contained("busybox", "true"),
    "chain": lambda: pipelines.chain(3),
}


def result(**more: Any) -> Result:
    given = {"work": "chain, a step", "unit": "ms", "reach": 6.0, "values": [5.0, 7.0, 6.0], "figure": "steps"}
    return Result(**{**given, **more})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_run_is_a_document(name: str) -> None:
    assert workflow.load(DOCUMENTS[name]()).spec.entrypoint


def test_each_task_of_a_layer_waits_for_two_of_the_layer_before() -> None:
    tasks = json.loads(pipelines.tasks_in_layers(3, 4))["spec"]["templates"][0]["dag"]["tasks"]
    assert [len(task.get("dependencies", ())) for task in tasks] == [0] * 4 + [2] * 8
    assert tasks[7]["dependencies"] == ["step-0-0", "step-0-3"]


def test_a_run_of_turns_goes_to_its_end() -> None:
    assert turn(100) > 0


def test_the_median_decides_at_most_or_at_least() -> None:
    assert result().reached
    assert not result(reach=5.9).reached
    assert result(reach=6.0, least=True).reached
    assert not result(reach=6.1, least=True).reached


def test_a_row_tells_the_promise_the_others_and_its_command() -> None:
    text = table([result(peers=[Peer("other 1.0", [60.0, 90.0, 75.0])])], machine())
    row = "| chain, a step | ≤ 6 | 5.00 | 6.00 | 7.00 | ms | other 1.0: 75 (60–90) | `make bench ARGS=steps` |"
    assert row in text.splitlines()


def test_a_result_comes_back_as_it_was_stored() -> None:
    made = result(peers=[Peer("other 1.0", [60.0])], steps=1)
    assert Result.of(json.loads(json.dumps(made.as_dict()))) == made


def test_the_picture_says_in_words_what_it_shows() -> None:
    wide = result(work="fan-out", unit="s", values=[1.0], steps=200, peers=[Peer("snakemake 9", [20.0])])
    root = ElementTree.fromstring(picture([wide, result()]))
    assert root.get("aria-label") == "Milliseconds a step. Fan-out: Penstock 5.0, snakemake 9 100.0"
    bars = [float(bar.get("width", 0)) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(bars) == 2
    assert bars[0] < bars[1]


def test_a_document_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="the marks"):
        update("# How fast it is\n", "| table |")


def test_every_command_in_the_table_measures_something() -> None:
    named = re.findall(r"`make bench ARGS=(\S+)`", DOCUMENT.read_text(encoding="utf-8"))
    stored = {entry["figure"] for entry in json.loads(RESULTS.read_text(encoding="utf-8"))["results"]}
    assert set(named) == stored
    assert stored <= set(FIGURES)


def test_the_others_versions_are_those_of_their_locks() -> None:
    from benchmarks.runs import KFP, SNAKEMAKE

    folder = Path(peers.__file__).parents[1] / "requirements"
    assert f"kfp=={KFP.split()[1]} " in (folder / "kfp-2.txt").read_text(encoding="utf-8")
    assert f"snakemake=={SNAKEMAKE.split()[1]} " in (folder / "snakemake.txt").read_text(encoding="utf-8")
