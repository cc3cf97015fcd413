"""The taxi example: on the rides beside the checkout, on a sample without them, and with features of one's own."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from running import EXAMPLES, Finished, run

RIDES = EXAMPLES.parents[1] / "shared" / "data" / "taxi"
STEPS = ["validation", "preprocess", "training", "prediction", "confusion-matrix", "roc"]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The example in a checkout that has nothing beside it."""
    return Path(shutil.copytree(EXAMPLES / "taxi", tmp_path / "checkout" / "examples" / "taxi"))


def taxi(tmp_path: Path, example: Path, *words: str | Path) -> Finished:
    return run(
        tmp_path / "home", example / "pipeline.py", "--images", example / "images.toml", "-p", "steps=300", *words
    )


def sampled(name: str) -> str:
    """The text of the sample's file."""
    spec = importlib.util.spec_from_file_location("taxi_sample", EXAMPLES / "taxi" / "programs" / "sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.make(name))


def check(finished: Finished) -> None:
    """All six steps succeeded, each saw what the one before made, and what they show is there and sound."""
    assert {name: finished.phases(name) for name in STEPS} == {name: ["Succeeded"] for name in STEPS}
    views = finished.views()
    assert set(views) == {
        ("validation", "Columns"),
        ("validation", "Anomalies"),
        ("confusion-matrix", "Tips as they were and as predicted"),
        ("roc", "ROC of tips"),
    }
    assert len(views["validation", "Columns"].rows) == 18
    assert views["confusion-matrix", "Tips as they were and as predicted"].labels == ["no", "yes"]
    points = views["roc", "ROC of tips"].points
    assert (points[0][:2], points[-1][:2]) == ((0.0, 0.0), (1.0, 1.0))
    metrics = {name: (value, form) for name, value, form in finished.metrics()}
    assert {name: form for name, (_, form) in metrics.items()} == {"accuracy": "PERCENTAGE", "auc": "RAW"}
    # Rides that are never tipped well are three of four: a model that has learnt nothing is right for them.
    assert metrics["accuracy"][0] > 0.78
    assert metrics["auc"][0] > 0.8


def test_taxi_runs_on_a_sample_where_there_are_no_rides(tmp_path: Path, copied: Path) -> None:
    finished = taxi(tmp_path, copied)
    check(finished)
    assert "a sample of the same shape is made" in finished.log("validation")
    assert "2,000 rides judged" in finished.log("prediction")


def test_taxi_runs_on_the_rides_beside_the_checkout(tmp_path: Path, copied: Path) -> None:
    example = EXAMPLES / "taxi"
    if not RIDES.is_dir():
        example, beside = copied, tmp_path / "shared" / "data" / "taxi"
        beside.mkdir(parents=True)
        for name in ("train.csv", "eval.csv"):
            (beside / name).write_text(sampled(name))
    finished = taxi(tmp_path, example)
    check(finished)
    assert "rides of " in finished.log("validation")
    assert "sample" not in finished.log("validation")


def test_taxi_takes_files_and_features_of_ones_own(tmp_path: Path, copied: Path) -> None:
    # Beside the programs, which steps see; the rest of the host's /tmp is hidden from them.
    own = copied / "programs"
    (own / "train.csv").write_text("".join(sampled("train.csv").splitlines(keepends=True)[:800]))
    features = (copied / "programs" / "preprocessing.py").read_text().replace("FREQUENT = 20", "FREQUENT = 10_000")
    (own / "features.py").write_text(features)
    finished = taxi(
        tmp_path, copied, "-p", f"train={own / 'train.csv'}", "-p", f"preprocess-module={own / 'features.py'}"
    )
    assert "train: 800 rides, 10 features" in finished.log("preprocess")


def test_the_images_have_the_entrypoints_of_the_dockerfile() -> None:
    import tomllib

    images = tomllib.loads((EXAMPLES / "taxi" / "images.toml").read_text())["images"]
    lines = (EXAMPLES / "taxi" / "Dockerfile").read_text().splitlines()
    stages = [line.split(" AS ")[1] for line in lines if line.startswith("FROM base AS ")]
    entrypoints = [line.split(" ", 1)[1] for line in lines if line.startswith("ENTRYPOINT ")]
    built = {
        f"taxi/{stage}:1": entrypoint.replace('"/programs/', '"./programs/')
        for stage, entrypoint in zip(stages, entrypoints, strict=True)
    }
    told = {
        image: str(rule["entrypoint"]).replace("'", '"') for image, rule in images.items() if rule["root"] == "host"
    }
    assert told == built
