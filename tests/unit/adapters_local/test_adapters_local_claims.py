"""Claims of a home: made and removed by resource steps and by runs, and which of them stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stage import Stage, pod, staged, workflow

from penstock.adapters.local.claims import Claims
from penstock.errors import InvalidInput
from penstock.workflow.pods import Volume

CLAIM = "{kind: PersistentVolumeClaim, metadata: {name: disk}, spec: {resources: {requests: {storage: 1Gi}}}}"


def resource(step: str, action: str, manifest: str = CLAIM, **outputs: str) -> dict[str, Any]:
    declared = [{"name": key, "valueFrom": {"jsonPath": path}} for key, path in outputs.items()]
    return {"name": step, "resource": {"action": action, "manifest": manifest}, "outputs": {"parameters": declared}}


def steps(*names: str) -> dict[str, Any]:
    return {"name": "main", "steps": [[{"name": name, "template": name}] for name in names]}


@staged
async def test_a_step_makes_a_claim_and_another_removes_it(stage: Stage) -> None:
    made = resource("make", "create", name="{.metadata.name}", size="{.status.capacity.storage}")
    document = workflow(steps("make", "use", "drop"), made, _user("disk"), resource("drop", "delete"))
    id = stage.create(document)
    run = await stage.end(id)
    assert run.phase == "Succeeded"
    node = stage.nodes(id)["make"]
    assert node.outputs is not None
    assert {p.name: p.value for p in node.outputs.parameters} == {"name": "disk", "size": "1Gi"}
    assert node.outputs.exit_code == "0"
    assert stage.claims.names() == frozenset()


@staged
async def test_a_claim_that_is_there_is_not_made_again(stage: Stage) -> None:
    stage.claims.make("disk")
    id = stage.create(workflow(steps("make"), resource("make", "create")))
    assert (await stage.end(id)).phase == "Failed"
    message = 'main: Error (exit code 64): persistentvolumeclaims "disk" already exists'
    assert stage.nodes(id)["make"].message == message


@staged
async def test_a_run_removes_its_own_claims_when_it_succeeds(stage: Stage) -> None:
    main = pod("main")
    main["container"]["volumeMounts"] = [{"name": "work", "mountPath": "/work"}]
    document = workflow(main, volumeClaimTemplates=[{"metadata": {"name": "work"}, "spec": {}}])
    run = await stage.end(stage.create(document))
    (launched,) = stage.launcher.launched
    assert launched.volumes[0].folder.endswith(f"claims/{run.workflow_name}-work")
    assert run.phase == "Succeeded"
    await stage.until(lambda: not stage.claims.names())


def _user(claim: str) -> dict[str, Any]:
    user = pod("use")
    user["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]
    user["container"]["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    return user


def test_claims_are_folders(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "claims")
    assert claims.names() == frozenset()
    assert claims.make("a", {"kind": "x"}, owner="me")
    assert not claims.make("a")
    (tmp_path / "claims/by-hand").mkdir()
    assert claims.names() == {"a", "by-hand"}
    assert (claims.owner("a"), claims.owner("by-hand"), claims.owned("me")) == ("me", "", ["a"])
    assert claims.object("a") == {"kind": "x"}
    assert claims.object("by-hand") == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "by-hand"},
    }
    assert claims.object("none") is None
    (tmp_path / "claims/a/file").write_text("x")
    assert claims.remove("a")
    assert not claims.remove("a")
    assert claims.names() == {"by-hand"}


def test_a_volume_of_a_claim_that_nobody_made_is_refused(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    with pytest.raises(InvalidInput, match="there is no PersistentVolumeClaim 'c'; make the folder"):
        claims.mounted(Volume(name="v", claim="c"))
    assert claims.mounted(Volume(name="v", claim="c", owner="run")).folder == str(tmp_path / "c")


@pytest.mark.parametrize("name", ["", "../up", "Big", "a/b", ".hidden", "a" * 254])
def test_names_are_those_of_kubernetes(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="expected a name of small letters"):
        Claims(tmp_path).make(name)
