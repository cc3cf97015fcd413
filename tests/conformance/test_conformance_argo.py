"""Node trees held to what Argo 4.1.2 wrote for the same documents, pods ending as they did there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from material import MATERIAL

from penstock.engine import new_run
from penstock.engine.protocol import Begin, Pod, Resume
from penstock.errors import InvalidInput, PenstockError, UnsupportedField
from penstock.testing.simulation import START, Outcome, Simulation, simulate, status_of
from penstock.testing.trees import compare
from penstock.workflow import bind, load
from penstock.workflow.loading import parse

KINDS = ("argo", "argo-e2e", "kfp-v1")

OUTSIDE: Mapping[str, str] = {
    "kfp-v1/resourceop_basic": "templates.create-my-secret.resource.manifest",
    "kfp-v1/volume_snapshotop_rokurl": "templates.create-snapshot-1.resource.manifest",
    "kfp-v1/volume_snapshotop_sequential": "templates.step1-snap.resource.manifest",
}
"""Documents that need a cluster, and the field for which they are refused."""


def _cases() -> list[str]:
    return sorted(f"{kind}/{path.stem}" for kind in KINDS for path in (MATERIAL / kind / "observed").glob("*.json"))


def _document(case: str) -> str:
    return (MATERIAL / f"{case}.yaml").read_text(encoding="utf-8")


def _observed(case: str) -> dict[str, Any]:
    kind, name = case.split("/")
    found: dict[str, Any] = json.loads((MATERIAL / kind / "observed" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _unstable(case: str) -> list[str]:
    kind, name = case.split("/")
    path = MATERIAL / kind / "observed" / "unstable.yaml"
    table = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}
    return list(table.get(name, ()))


def _script(nodes: Mapping[str, Any]) -> Any:
    """Outcomes as the observed tree has them."""

    def outcome(pod: Pod) -> Outcome:
        node = nodes.get(pod.node_id)
        if node is None:
            return Outcome()
        outputs, message = node.get("outputs") or {}, node.get("message", "")
        code = outputs.get("exitCode")
        return Outcome(
            exit_code=int(code) if code is not None else (0 if node["phase"] == "Succeeded" else None),
            error=message if node["phase"] == "Error" else "",
            message=message if node["phase"] == "Failed" else "",
            parameters={p["name"]: p["value"] for p in outputs.get("parameters") or () if "value" in p},
            artifacts=tuple(a["name"] for a in outputs.get("artifacts") or ()),
            result=outputs.get("result"),
            seconds=1e6 if "deadline" in message else 1.0,
            killed_code=int(code) if code is not None else None,
        )

    return outcome


@pytest.mark.parametrize("case", [case for case in _cases() if case not in OUTSIDE])
def test_node_tree_equals_the_observed_one(case: str) -> None:
    observed = _observed(case)
    status, given = observed["status"], observed.get("given") or {}
    if status.get("message", "").startswith("invalid spec:"):
        _refused_like_argo(case, given, status["message"])
        return
    run = simulate(
        load(_document(case), source=case),
        _script(status.get("nodes") or {}),
        parameters=given,
        name=observed["metadata"]["name"],
    )
    differences = compare(status_of(run), status, unstable=_unstable(case))
    assert not differences, "\n".join(differences)


def _refused_like_argo(case: str, given: Mapping[str, object], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        bind(load(_document(case), source=case), given)
    field = message.removeprefix("invalid spec: ").removeprefix("spec.arguments.").partition(".")[0]
    assert field.split()[0] in str(caught.value)


@pytest.mark.parametrize("case", sorted(path.stem for path in MATERIAL.glob("argo/suspend-*.yaml")))
def test_suspended_run_ends_as_expected_when_a_person_resumes_it(case: str) -> None:
    workflow = load(_document(f"argo/{case}"), source=case)
    simulation = Simulation(new_run(workflow, name="w", uid="u", parameters={}, created_at=START))
    simulation.at(Begin(now=START))
    while simulation.next() or not simulation.run.finished:
        for node in [node for node in simulation.run.nodes.values() if node.message == "waits to be resumed"]:
            wanted = node.outputs.parameters if node.outputs is not None else ()
            values = {parameter.name: "given" for parameter in wanted}
            simulation.send(Resume(now=simulation.now, node_id=node.id, parameters=values))
    expected = yaml.safe_load((MATERIAL / "argo" / "expected.yaml").read_text(encoding="utf-8"))[case]
    assert simulation.run.phase == expected["phase"]


@pytest.mark.parametrize("case", OUTSIDE)
def test_document_outside_the_subset_is_refused_by_the_field(case: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        load(_document(case), source=case)
    assert caught.value.path == OUTSIDE[case]


@pytest.mark.parametrize("path", sorted((MATERIAL / "kfp-v2").rglob("*.yaml")), ids=lambda path: path.stem)
def test_pipeline_spec_is_refused_by_its_name(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    documents = parse(text)
    with pytest.raises(PenstockError) as caught:
        load(text)
    if "sdkVersion" in documents[0]:
        assert documents[0]["sdkVersion"] in str(caught.value)
    assert "PipelineSpec" in str(caught.value)
