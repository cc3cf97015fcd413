"""Resource templates and claims: what the host is asked for, and what is refused before a run."""

from __future__ import annotations

import pytest
from engine_documents import START, document, ended, node, script

from penstock.engine import new_run, step
from penstock.engine.protocol import Begin, Launch, Pod
from penstock.errors import InvalidDocument, UnsupportedField
from penstock.testing.simulation import Outcome, Simulation
from penstock.workflow.pods import Mount, Resource, ResourceOutput, Volume

CLAIM = "{kind: PersistentVolumeClaim, metadata: {name: '{{workflow.name}}-c'}}"
CREATE = f"""\
  - name: create
    resource: {{action: create, manifest: "{CLAIM}"}}
    outputs:
      parameters:
      - {{name: name, valueFrom: {{jsonPath: '{{.metadata.name}}'}}}}
      - {{name: size, valueFrom: {{jqFilter: .status.capacity.storage, default: none}}}}
"""
USE = """\
  - name: use
    inputs: {parameters: [{name: claim}]}
    volumes: [{name: v, persistentVolumeClaim: {claimName: "{{inputs.parameters.claim}}", readOnly: true}}]
    container: {image: busybox, volumeMounts: [{name: v, mountPath: /v, subPath: a}]}
"""
MAIN = """\
  - name: main
    steps:
    - [{name: make, template: create}]
    - - name: use
        template: use
        arguments: {parameters: [{name: claim, value: "{{steps.make.outputs.parameters.name}}"}]}
"""


def pods_of(templates: str, outcomes: dict[str, Outcome] | None = None, spec: str = "") -> list[Pod]:
    run = new_run(document(templates, spec), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script(outcomes))
    simulation.send(Begin(now=START))
    simulation.finish()
    return [command.pod for command in simulation.commands if isinstance(command, Launch)]


def test_a_resource_step_is_asked_of_the_host_and_its_claim_mounted() -> None:
    make, use = pods_of(MAIN + CREATE + USE, {"create": Outcome(parameters={"name": "w-c"})})
    assert make.resource == Resource(
        action="create",
        manifest="{kind: PersistentVolumeClaim, metadata: {name: 'w-c'}}",
        outputs=(
            ResourceOutput("name", "{.metadata.name}"),
            ResourceOutput("size", ".status.capacity.storage", "none"),
        ),
    )
    assert use.volumes == (Volume(name="v", claim="w-c"),)
    assert use.mounts == (Mount("v", "/v", "a", True),)


def test_a_resource_step_is_a_pod_with_the_outputs_that_it_read() -> None:
    run = ended(MAIN + CREATE + USE, {"create": Outcome(parameters={"name": "w-c"})})
    made = node(run, "[0].make")
    assert (str(made.type), str(made.phase)) == ("Pod", "Succeeded")
    assert made.outputs is not None
    assert {p.name: p.value for p in made.outputs.parameters} == {"name": "w-c", "size": "none"}


def test_a_run_makes_claims_for_itself() -> None:
    (pod,) = pods_of(
        "  - {name: main, container: {image: busybox, volumeMounts: [{name: work, mountPath: /w}]}}",
        spec="  volumeClaimTemplates: [{metadata: {name: work}, spec: {accessModes: [ReadWriteOnce]}}]\n",
    )
    assert pod.volumes == (Volume(name="work", claim="w-work", owner="u"),)
    assert pod.mounts == (Mount("work", "/w"),)


def test_volumes_of_the_workflow_may_name_globals() -> None:
    (pod,) = pods_of(
        "  - {name: main, container: {image: busybox, volumeMounts: [{name: v, mountPath: /v}]}}",
        spec="  volumes: [{name: v, persistentVolumeClaim: {claimName: 'for-{{workflow.name}}'}}]\n",
    )
    assert pod.volumes == (Volume(name="v", claim="for-w"),)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{action: create, manifest: '{kind: Secret}'}", "templates.main.resource.manifest"),
        ('{action: create, manifest: "apiVersion: v1\\nkind: Job\\n"}', "templates.main.resource.manifest"),
        ("{action: patch, manifest: '{kind: PersistentVolumeClaim}'}", "templates.main.resource.action"),
    ],
)
def test_what_needs_a_cluster_is_refused_by_its_field(template: str, path: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        document(f"  - {{name: main, resource: {template}}}")
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("resource: {action: make, manifest: '{kind: PersistentVolumeClaim}'}", "must be one of: create, apply, get"),
        ("resource: {action: create}", "either one of flags or manifest must be specified"),
        (
            "resource: {action: get, flags: [pvc, a]}, outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}",
            "must specify jsonPath or jqFilter for resource templates",
        ),
        (
            "resource: {action: get, flags: [pvc, a]}, "
            "outputs: {parameters: [{name: p, valueFrom: {jqFilter: '.a | keys'}}]}",
            "a path by names and indices is read here",
        ),
    ],
)
def test_what_is_malformed_is_refused(more: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        document(f"  - {{name: main, {more}}}")


def test_steps_of_a_claim_are_not_cached() -> None:
    run = new_run(
        document(
            "  - name: main\n"
            "    metadata: {labels: {pipelines.kubeflow.org/enable_caching: 'true'}}\n"
            "    volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]\n"
            "    container: {image: busybox}"
        ),
        name="w",
        uid="u",
        parameters={},
        created_at=START,
    )
    _, commands = step(run, Begin(now=START))
    (launch,) = (command for command in commands if isinstance(command, Launch))
    assert launch.pod.caching is None
