"""`podSpecPatch` and `workflowMetadata`: what a step and a run become by them."""

from __future__ import annotations

import pytest
from engine_documents import START, document

from penstock.engine import new_run, step
from penstock.engine.protocol import Begin, Launch, Pod
from penstock.errors import InvalidDocument, InvalidInput, UnsupportedField
from penstock.workflow import labels_from
from penstock.workflow.pods import Mount


def pod_of(patch: str, more: str = "", spec: str = "", container: str = "") -> Pod:
    text = f"  - name: main\n    podSpecPatch: {patch}\n{more}    container: {{image: busybox, args: [a]{container}}}"
    run = new_run(document(text, spec), name="w", uid="u", parameters={"p": "1"}, created_at=START)
    _, commands = step(run, Begin(now=START))
    (launch,) = (command for command in commands if isinstance(command, Launch))
    return launch.pod


def test_a_patch_changes_the_containers() -> None:
    pod = pod_of(
        """'{"containers": [{"name": "main", "image": "alpine", "args": ["b"], "resources": {"limits": {"cpu": "2"}},
          "env": [{"name": "B", "value": "{{workflow.parameters.p}}"}, {"name": "C", "value": "3"}],
          "volumeMounts": [{"name": "v", "mountPath": "/v"}]}, {"name": "beside", "args": ["x"]}, {"name": "wait"}],
          "volumes": [{"name": "v", "emptyDir": {}}]}'""",
        more="    sidecars: [{name: beside, image: busybox}]\n",
        spec="  arguments: {parameters: [{name: p}]}\n",
        container=", env: [{name: A, value: '0'}, {name: B, value: '2'}]",
    )
    assert (pod.image, pod.args) == ("alpine", ("b",))
    assert pod.env == (("A", "0"), ("B", "1"), ("C", "3"))
    assert pod.mounts == (Mount("v", "/v"),)
    assert pod.sidecars[0].args == ("x",)


def test_the_patch_of_the_workflow_comes_first() -> None:
    pod = pod_of(
        "'containers: [{name: main, image: own}]'",
        spec="  podSpecPatch: '{containers: [{name: main, image: common, args: [\"{{workflow.name}}\"]}]}'\n",
    )
    assert (pod.image, pod.args) == ("own", ("w",))


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ("'{hostPID: true}'", "spec.templates[0].podSpecPatch.hostPID"),
        (
            "'containers: [{name: main, lifecycle: {postStart: {exec: {command: [x]}}}}]'",
            "spec.templates[0].podSpecPatch.containers[0].lifecycle",
        ),
        ("'volumes: [{name: a, hostPath: {path: /}}]'", "spec.templates[0].podSpecPatch.volumes[0].hostPath"),
    ],
)
def test_what_no_host_can_do_is_refused_by_its_path(patch: str, path: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        pod_of(patch)
    assert caught.value.path == path


def test_a_patch_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(InvalidDocument):
        pod_of("'containers: ['")


def test_what_is_wrong_once_tags_are_replaced_is_said_of_the_step() -> None:
    bad = pod_of("'{containers: [{name: {{workflow.name}}}]}'")
    assert bad.unmet == "podSpecPatch: there is no container 'w'; there are main"


# --- workflowMetadata -------------------------------------------------------------------------------------------

METADATA = """\
  arguments: {parameters: [{name: team, value: red}]}
  workflowMetadata:
    labels: {fixed: one}
    annotations: {note: two}
    labelsFrom:
      team: {expression: "workflow.parameters.team + '-' + workflow.labels.fixed"}
"""
PLAIN = (
    "  - name: main\n    container: {image: busybox, args: ['{{workflow.labels.fixed}} {{workflow.annotations.note}}']}"
)


def test_a_run_gets_labels_and_annotations() -> None:
    workflow = document(PLAIN, METADATA)
    assert (workflow.labels, workflow.annotations) == ({"fixed": "one"}, {"note": "two"})
    assert labels_from(workflow, "w", "u", {"team": "red"}) == {"team": "red-one"}


@pytest.mark.parametrize(
    ("expression", "message"),
    [("1 + 1", "expected a text, got 2"), ("workflow.parameters.absent", ""), ("(", "")],
)
def test_a_label_that_is_no_text_is_refused(expression: str, message: str) -> None:
    workflow = document(PLAIN, METADATA.replace("workflow.parameters.team + '-' + workflow.labels.fixed", expression))
    with pytest.raises(InvalidInput, match=f"spec.workflowMetadata.labelsFrom.team: {message}"):
        labels_from(workflow, "w", "u", {"team": "red"})
