"""The small examples run to the end that their text promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import EXAMPLES, run


def test_hello_greets_whom_it_is_told(tmp_path: Path) -> None:
    finished = run(tmp_path / "home", EXAMPLES / "hello" / "pipeline.py", "-p", "name=Ada")
    assert finished.result("greet") == "Hello, Ada!"
    assert finished.log("greet") == "Hello, Ada!\n"


@pytest.mark.parametrize(
    ("seed", "side", "other", "says"), [("0", "tails", "heads", "lose"), ("1", "heads", "tails", "win")]
)
def test_flip_runs_one_branch_and_skips_the_other(tmp_path: Path, seed: str, side: str, other: str, says: str) -> None:
    finished = run(tmp_path / "home", EXAMPLES / "flip" / "pipeline.py", "-p", f"seed={seed}")
    nodes = finished.document["status"]["nodes"].values()
    groups = {n["displayName"]: n["phase"] for n in nodes if n["displayName"].startswith("condition-")}
    assert finished.result("flip") == side
    assert {phase for name, phase in groups.items() if side in name} == {"Succeeded"}
    assert {phase for name, phase in groups.items() if other in name} == {"Skipped"}
    (announced,) = [n["displayName"] for n in nodes if n["displayName"].startswith("announce")]
    assert finished.log(announced) == f"You {says}\n"


@pytest.mark.parametrize(
    ("score", "resit", "result", "praised"),
    [
        ("72", "False", "good (72)", True),
        ("72", "True", "good (72)", False),
        ("55", "False", "passed (55)", False),
        ("55", "True", "failed (55)", False),
        ("20", "False", "failed (20)", False),
    ],
)
def test_branches_run_one_block_and_read_what_it_made(
    tmp_path: Path, score: str, resit: str, result: str, praised: bool
) -> None:
    source = EXAMPLES / "branches" / "pipeline.py"
    finished = run(tmp_path / "home", source, "-p", f"score={score}", "-p", f"resit={resit}")
    assert finished.log("tell") == f"Result: {result}\n"
    assert finished.phases("tell-2") == (["Succeeded"] if praised else [])


def test_helpers_go_along_with_the_step(tmp_path: Path) -> None:
    finished = run(tmp_path / "home", EXAMPLES / "helpers" / "pipeline.py", "-p", "text=To be or not to be")
    assert finished.result("most-frequent") == "be"
    assert finished.log("most-frequent") == "be: 2\n"


@pytest.mark.parametrize(("rows", "trained"), [("8", "train"), ("20", "train-2")])
def test_artifacts_hand_on_what_is_said_of_them(tmp_path: Path, rows: str, trained: str) -> None:
    finished = run(tmp_path / "home", EXAMPLES / "artifacts" / "pipeline.py", "-p", f"rows={rows}", "-p", "threshold=1")
    assert finished.phases(trained) == ["Succeeded"]
    assert finished.log("announce") == f"accuracy 0.5 of a model of {rows} rows\n"
    assert finished.metrics() == [("accuracy", 0.5, "RAW"), ("rows", float(rows), "RAW")]
    assert {title: view.kind for (_, title), view in finished.views().items()} == {
        "quality: ROC curve": "roc",
        "quality: confusion matrix": "confusion_matrix",
        "page": "web-app",
        "note": "markdown",
    }


def test_loop_adds_up_what_its_rounds_made(tmp_path: Path) -> None:
    finished = run(tmp_path / "home", EXAMPLES / "loop" / "pipeline.py", "-p", "count=4")
    assert json.loads(finished.result("numbers")) == [1, 2, 3, 4]
    assert finished.phases("square") == ["Succeeded"] * 4
    assert finished.result("total") == "30"


def test_retry_tries_until_it_succeeds(tmp_path: Path) -> None:
    finished = run(tmp_path / "home", EXAMPLES / "retry" / "pipeline.py", "-p", "good_from=1")
    assert finished.phases("unreliable") == ["Failed", "Succeeded"]


@pytest.mark.parametrize(("fail", "code", "status"), [("no", 0, "Succeeded"), ("yes", 1, "Failed")])
def test_the_exit_handler_runs_whatever_happened(tmp_path: Path, fail: str, code: int, status: str) -> None:
    finished = run(tmp_path / "home", EXAMPLES / "exit_handler" / "pipeline.py", "-p", f"fail={fail}", code=code)
    assert finished.document["status"]["phase"] == status
    assert finished.phases("clean-up") == ["Succeeded"]
    assert finished.log(f"{finished.name}.onExit") == f"the run ended as {status}; cleaning up\n"


def test_files_go_from_step_to_step(tmp_path: Path) -> None:
    finished = run(tmp_path / "home", EXAMPLES / "files" / "pipeline.py", "-p", "lines=12")
    assert finished.result("count", "lines") == "12"
    assert finished.result("count", "characters") == str(len("".join(f"line {n}\n" for n in range(12))))
