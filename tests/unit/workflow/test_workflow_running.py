"""The document of a run: named before it, with its status after it."""

from __future__ import annotations

from penstock.workflow import named, status_document
from penstock.workflow.running import node_document, progress, timestamp
from penstock.workflow.status import Artifact, Node, NodeInputs, NodeOutputs, NodeType, Parameter, Phase

RAW = {
    "kind": "Workflow",
    "metadata": {"generateName": "train-", "labels": {"a": "1"}},
    "spec": {"arguments": {"parameters": [{"name": "x", "value": "1"}, {"name": "y"}]}},
    "status": {"phase": "Failed"},
}


def node(name: str, **changes: object) -> Node:
    return Node(**{"id": name, "name": name, "display_name": name, "type": NodeType.POD, **changes})  # type: ignore[arg-type]


def test_a_document_gets_its_run_s_name_and_values() -> None:
    document = named(
        RAW, name="train-abc", uid="u", parameters={"y": "2", "z": "3"}, created_at=1.5, annotations={"k": "v"}
    )
    assert document["metadata"] == {
        "name": "train-abc",
        "uid": "u",
        "creationTimestamp": "1970-01-01T00:00:01Z",
        "labels": {"a": "1"},
        "annotations": {"k": "v"},
    }
    assert document["spec"]["arguments"]["parameters"] == [
        {"name": "x", "value": "1"},
        {"name": "y", "value": "2"},
        {"name": "z", "value": "3"},
    ]
    assert "status" not in document
    assert RAW["metadata"] == {"generateName": "train-", "labels": {"a": "1"}}


def test_times_are_whole_seconds_in_utc() -> None:
    assert timestamp(1_700_000_000.9) == "2023-11-14T22:13:20Z"


def test_progress_counts_pods() -> None:
    nodes = [node("a", phase=Phase.SUCCEEDED), node("b"), node("c", type=NodeType.DAG, phase=Phase.SUCCEEDED)]
    assert progress(nodes) == "1/2"


def test_a_node_as_argo_writes_it() -> None:
    made = node(
        "r.a",
        phase=Phase.FAILED,
        boundary_id="r",
        started_at=0.0,
        inputs=NodeInputs(
            parameters=(Parameter(name="p", value=""),),
            artifacts=(Artifact(name="d", path="/d", raw="text", optional=True),),
        ),
        outputs=NodeOutputs(
            parameters=(Parameter(name="q", value="1", global_name="g"), Parameter(name="never")),
            artifacts=(Artifact(name="m", key="k/m", size=3, global_name="gm"),),
            exit_code="1",
        ),
    )
    assert node_document(made) == {
        "id": "r.a",
        "name": "r.a",
        "displayName": "r.a",
        "type": "Pod",
        "phase": "Failed",
        "boundaryID": "r",
        "startedAt": "1970-01-01T00:00:00Z",
        "progress": "0/1",
        "inputs": {
            "parameters": [{"name": "p", "value": ""}],
            "artifacts": [{"name": "d", "path": "/d", "raw": {"data": "text"}, "optional": True}],
        },
        "outputs": {
            "parameters": [{"name": "q", "value": "1", "globalName": "g"}, {"name": "never"}],
            "artifacts": [{"name": "m", "s3": {"key": "k/m"}, "globalName": "gm"}],
            "exitCode": "1",
        },
    }


def test_a_status_has_no_empty_fields() -> None:
    document = status_document(RAW, nodes=[node("r", phase=Phase.SUCCEEDED)], phase="Succeeded", started_at=0.0)
    assert set(document["status"]) == {"phase", "startedAt", "progress", "nodes"}
    assert document["status"]["nodes"]["r"]["phase"] == "Succeeded"
