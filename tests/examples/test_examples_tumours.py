"""The tumours example: what its steps make and show, and what becomes of it where no model is good enough."""

from __future__ import annotations

import json
from pathlib import Path

from running import EXAMPLES, run

SOURCE = EXAMPLES / "tumours" / "pipeline.py"
KINDS = ["linear", "network", "boosting"]


def test_tumours_trains_three_models_publishes_the_best_and_compares_them(tmp_path: Path) -> None:
    finished = run(tmp_path / "home", SOURCE, "-p", "epochs=30")

    assert finished.phases("prepare") == ["Succeeded"]
    assert finished.phases("train") == finished.phases("evaluate") == ["Succeeded"] * 3
    assert finished.phases("pick-best") == finished.phases("publish") == finished.phases("report") == ["Succeeded"]
    assert finished.log(f"{finished.name}.onExit") == f"{finished.name}: Succeeded\n"

    judged = {}
    for node in finished.nodes("evaluate"):
        result = json.loads(finished.artifact(node["id"], "result"))
        judged[result["kind"]] = result
    assert sorted(judged) == sorted(KINDS)
    assert all(result["accuracy"] > 0.85 and result["auc"] > 0.9 for result in judged.values())
    best = max(judged.values(), key=lambda r: (r["accuracy"], r["auc"]))
    assert finished.result("pick-best", "kind") == best["kind"]
    (published,) = finished.nodes("publish")
    card = finished.artifact(published["id"], "card").decode()
    assert f"- kind: {best['kind']}\n" in card
    assert f"- trained by run: {finished.name}\n" in card

    views = finished.views()
    kinds = {title: view.kind for (_, title), view in views.items()}
    assert kinds == {
        "Means of the measurements": "table",
        **{f"ROC of {kind}": "roc" for kind in KINDS},
        **{f"Confusion matrix of {kind}": "confusion_matrix" for kind in KINDS},
        "The best": "markdown",
        "Report": "web-app",
    }
    table = views["prepare", "Means of the measurements"]
    assert (len(table.header), len(table.rows)) == (4, 30)
    page = views["report", "Report"].html
    assert all(f"</i>{kind}</th>" in page for kind in KINDS)
    assert f"Best: <b>{best['kind']}</b>" in page
    assert page.count("<path class=c") == 3
    assert "color-scheme: light dark" in page

    metrics = finished.metrics()
    assert sorted((name, form) for name, _, form in metrics) == [
        *[("accuracy", "PERCENTAGE")] * 3,
        *[("auc", "RAW")] * 3,
        ("best-accuracy", "PERCENTAGE"),
    ]
    assert {value for name, value, _ in metrics if name == "best-accuracy"} == {best["accuracy"]}

    log = "".join(finished.log(node["id"]) for node in finished.nodes("train"))
    assert "epoch" in log
    assert log.count("on 398 tumours") == 3


def test_tumours_publishes_nothing_where_no_model_is_good_enough(tmp_path: Path) -> None:
    finished = run(tmp_path / "home", SOURCE, "-p", "epochs=2", "-p", "good_enough=1.0")
    groups = [
        node["phase"]
        for node in finished.document["status"]["nodes"].values()
        if node["displayName"].startswith("condition-good-enough")
    ]
    assert groups == ["Skipped"]
    assert finished.phases("publish") == []
    assert finished.phases("report") == ["Succeeded"]
