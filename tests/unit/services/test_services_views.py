"""What a node shows: from its artifacts in the store, by every kind of source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.outputs import ErrorView, MarkdownView, View
from penstock.ports import Objects
from penstock.services.views import LIMIT, metrics_of, views_of
from penstock.testing import MemoryObjects
from penstock.workflow.status import Artifact, Node, NodeOutputs, NodeType, Phase


@pytest.fixture
def objects() -> Objects:
    return MemoryObjects()


def node(*artifacts: Artifact) -> Node:
    return Node(
        id="n",
        name="w.n",
        display_name="train",
        type=NodeType.POD,
        phase=Phase.SUCCEEDED,
        outputs=NodeOutputs(artifacts=artifacts),
    )


METADATA = Artifact(name="mlpipeline-ui-metadata", path="/mlpipeline-ui-metadata.json", key="w/n/ui")


def shown(objects: Objects, source: str, *artifacts: Artifact, **fields: Any) -> View:
    """The one view of a node that shows Markdown from that source."""
    output = {"type": "markdown", "source": source, **fields}
    objects.write("w/n/ui", json.dumps({"outputs": [output]}).encode())
    (view,) = views_of(node(METADATA, *artifacts), objects)
    return view


def test_a_node_without_the_artifact_shows_nothing(objects: Objects) -> None:
    assert views_of(node(), objects) == []
    assert views_of(node(Artifact(name="mlpipeline-ui-metadata", path="/x")), objects) == []
    assert metrics_of(node(), objects) == ((), ())


def test_content_that_is_inline(objects: Objects) -> None:
    view = shown(objects, "# Hi", storage="inline")
    assert view == MarkdownView(title="Markdown", text="# Hi", step="train", node_id="n")


@pytest.mark.parametrize("name", ["mlpipeline-ui-metadata", "MLPipeline_UI_Metadata", "train-mlpipeline-ui-metadata"])
def test_the_artifact_may_be_spelt_in_any_way(objects: Objects, name: str) -> None:
    objects.write("k", b'{"outputs": []}')
    assert views_of(node(Artifact(name=name, path="/x", key="k")), objects) == []
    objects.write("k", b"nonsense")
    assert len(views_of(node(Artifact(name=name, path="/x", key="k")), objects)) == 1


@pytest.fixture
def stored(objects: Objects, tmp_path: Path) -> list[Artifact]:
    """An output file, and an output folder of parts."""
    folder = tmp_path / "parts"
    folder.mkdir()
    for i in range(3):
        (folder / f"part-{i}.md").write_text(f"{i} ")
    (folder / "other.txt").write_text("other")
    objects.put("artifacts/w/n/parts", folder)
    objects.write("artifacts/w/n/report", b"a report")
    return [
        Artifact(name="report", path="/tmp/outputs/report/data", key="artifacts/w/n/report"),
        Artifact(name="parts", path="/tmp/outputs/parts/", key="artifacts/w/n/parts", directory=True),
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("/tmp/outputs/report/data", "a report"),
        ("file:///tmp/outputs/report/data", "a report"),
        ("/tmp/outputs/parts/part-1.md", "1 "),
        ("/tmp/outputs/parts/part-*.md", "0 1 2 "),
        ("s3://bucket/artifacts/w/n/report", "a report"),
        ("minio://mlpipeline/artifacts/w/n/report", "a report"),
        ("minio://mlpipeline/artifacts/w/n/parts/other.txt", "other"),
        ("minio://mlpipeline/artifacts/w/n/parts/*.md", "0 1 2 "),
    ],
)
def test_content_by_reference(objects: Objects, stored: list[Artifact], source: str, text: str) -> None:
    view = shown(objects, source, *stored)
    assert isinstance(view, MarkdownView), view
    assert view.text == text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/etc/passwd", "none of the step's output artifacts"),
        ("/tmp/outputs/parts/../report/data", "has no file"),
        ("/tmp/outputs/parts", "none of the step's output artifacts"),
        ("/tmp/outputs/parts/none-*", "no file inside matches"),
        ("report.md", "none of the step's output artifacts"),
        ("gs://bucket/report.md", "cannot be read here"),
        ("https://example.org/report.md", "cannot be read here"),
        ("volume://claim/report.md", "cannot be read here"),
        ("s3://bucket/artifacts/w/n/nothing", "the object store has no"),
        ("s3://bucket/../../etc/passwd", "object key"),
        ("s3://bucket", "object key"),
        ("http://[", "Invalid IPv6 URL"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_card(
    objects: Objects, stored: list[Artifact], source: str, message: str
) -> None:
    view = shown(objects, source, *stored)
    assert isinstance(view, ErrorView)
    assert message in view.message


def test_an_artifact_that_is_gone_is_one_card(objects: Objects) -> None:
    (view,) = views_of(node(METADATA), objects)
    assert isinstance(view, ErrorView)
    assert (view.step, view.node_id) == ("train", "n")
    assert "w/n/ui" in view.message


def test_what_is_taken_together_is_bounded(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for i in range(4):
        (tmp_path / "parts" / f"{i}").write_bytes(b"x" * (LIMIT // 2))
    objects.put("p", tmp_path / "parts")
    view = shown(objects, "/p/*", Artifact(name="p", path="/p", key="p", directory=True))
    assert isinstance(view, MarkdownView)
    assert view.truncated


def test_metrics_and_what_is_wrong_with_them(objects: Objects) -> None:
    artifact = Artifact(name="mlpipeline-metrics", path="/mlpipeline-metrics.json", key="w/n/metrics")
    found, problems = metrics_of(node(artifact), objects)
    assert found == ()
    assert problems[0].startswith("mlpipeline-metrics of step 'train': ")
    objects.write("w/n/metrics", b'{"metrics": [{"name": "auc", "numberValue": 0.9}, {"name": "1", "numberValue": 1}]}')
    found, problems = metrics_of(node(artifact), objects)
    assert [(m.name, m.node_id, m.value, m.format) for m in found] == [("auc", "n", 0.9, "RAW")]
    assert len(problems) == 1
