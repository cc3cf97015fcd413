"""`penstock demo`: the examples run in front of a person, on a server that stays up until Ctrl-C."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from commandline import Rig


def history(rig: Rig) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(rig.call("runs", "list", "--output", "json").stdout)
    return rows


@pytest.mark.slow
def test_it_follows_both_examples_and_the_next_start_keeps_their_history(rig: Rig) -> None:
    first = rig.call("demo", "--once", "--port", "0")
    assert (first.returncode, first.stderr) == (0, ""), first.stdout
    assert re.search(
        r"Penstock serves http://127\.0\.0\.1:\d+ \(home .*\)\nLog in, once: http://127\.0\.0\.1", first.stdout
    )
    for step in ("prepare", "train", "pick-best", "publish", "validation", "preprocess", "roc"):
        assert re.search(rf"^\d\d:\d\d:\d\d  {step}  Succeeded", first.stdout, re.MULTILINE), step
    done = history(rig)
    assert {(run["pipeline_name"], run["state"]) for run in done} == {("tumours", "SUCCEEDED"), ("taxi", "SUCCEEDED")}
    assert re.findall(r"^Run (\S+) succeeded after", first.stdout, re.MULTILINE) == [run["name"] for run in done[::-1]]

    with rig.start("demo", "--port", "0") as second:
        second.until("Log in, once: ")
        second.until("  Running")
        both = history(rig)
        second.interrupt()
        assert second.end() == 0
    assert both[2:] == done, "the history is kept"
    assert {run["pipeline_name"] for run in both[:2]} == {"tumours", "taxi"}
    pipelines = json.loads(rig.call("pipeline", "list", "--output", "json").stdout)
    versions = [
        json.loads(rig.call("pipeline", "get", p["id"], "--output", "json").stdout)["versions"] for p in pipelines
    ]
    assert [len(each) for each in versions] == [1, 1], "the same document is no new version"
    # Steps outlive their server.
    assert rig.call("runs", "delete", *(run["id"] for run in both[:2])).returncode == 0
