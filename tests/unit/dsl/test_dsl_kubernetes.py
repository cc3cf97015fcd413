"""Steps and settings for Kubernetes: resources, volumes, containers beside a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authoring import document, parameters, step, task, tasks, template, templates
from penstock import dsl
from penstock.errors import InvalidPipeline
from penstock.workflow import load_yaml

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"generateName": "s-"}}


def manifest(found: dict[str, Any]) -> Any:
    return load_yaml(found["resource"]["manifest"])


# --- resources --------------------------------------------------------------------------------------------------


def test_a_resource() -> None:
    def pipeline(password: str) -> None:
        made = dsl.ResourceOp({**SECRET, "data": {"p": password, "on": "yes"}}, name="make", action="create")
        step("use", made.output, made.outputs["manifest"], dsl.InputArgumentPath(made.output))

    found = template(pipeline, "make")
    assert {key: value for key, value in found["resource"].items() if key != "manifest"} == {"action": "create"}
    assert manifest(found) == {**SECRET, "data": {"p": "{{inputs.parameters.password}}", "on": "yes"}}
    assert found["inputs"] == {"parameters": [{"name": "password"}]}
    assert found["outputs"] == {
        "parameters": [
            {"name": "make-manifest", "valueFrom": {"jsonPath": "{}"}},
            {"name": "make-name", "valueFrom": {"jsonPath": "{.metadata.name}"}},
        ]
    }
    reader = task(pipeline, "p", "use")
    assert list(parameters(reader)) == ["make-manifest", "make-name"]
    data = "{{tasks.make.outputs.parameters.make-name}}"
    assert reader["arguments"]["artifacts"] == [{"name": "make-name", "raw": {"data": data}}]
    assert template(pipeline, "use")["inputs"]["artifacts"] == [
        {"name": "make-name", "path": "/tmp/inputs/input-0/data"}
    ]


def test_conditions_and_outputs_of_a_resource() -> None:
    def pipeline() -> None:
        made = dsl.ResourceOp(
            SECRET,
            "apply",
            "merge",
            success_condition="status.ok == true",
            failure_condition="status.bad == true",
            set_owner_reference=True,
            attribute_outputs={"ip": "{.status.podIP}"},
            flags=["--validate=false"],
            name="make",
        )
        made.set_retry(2).set_timeout(9)
        step("use", made.output)

    found = template(pipeline, "make")
    assert {key: value for key, value in found["resource"].items() if key != "manifest"} == {
        "action": "apply",
        "mergeStrategy": "merge",
        "successCondition": "status.ok == true",
        "failureCondition": "status.bad == true",
        "setOwnerReference": True,
        "flags": ["--validate=false"],
    }
    assert (found["retryStrategy"], found["activeDeadlineSeconds"]) == ({"limit": 2}, 9)
    assert list(parameters(task(pipeline, "p", "use"))) == ["make-ip"]


def test_deleting_a_resource() -> None:
    def pipeline() -> None:
        made = dsl.ResourceOp(SECRET, name="make")
        made.delete().after(made)
        assert not dsl.ResourceOp(SECRET, "delete", name="gone").outputs

    found = templates(pipeline)
    assert found["kubernetes-resource-delete"]["container"]["command"] == [
        "kubectl",
        "delete",
        "Secret",
        "{{inputs.parameters.make-name}}",
        "--ignore-not-found",
        "--output",
        "name",
        "--wait=false",
    ]
    assert found["gone"]["resource"]["flags"] == ["--wait=false"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dsl.ResourceOp(name="a"), "step 'a': k8s_resource is missing"),
        (lambda: dsl.ResourceOp(SECRET, "make", name="a"), "action: expected one of get, create, apply"),
        (lambda: dsl.ResourceOp(SECRET, merge_strategy="merge", name="a"), "merge_strategy belongs to action 'apply'"),
        (lambda: dsl.ResourceOp(SECRET, "delete", success_condition="a", name="a"), "has no conditions and no outputs"),
        (lambda: dsl.ResourceOp(SECRET, "delete", name="a").delete(), "step 'a' deletes the object itself"),
        (lambda: dsl.ResourceOp(object(), name="a"), "expected a dict or a Kubernetes object, got object"),
        (lambda: dsl.VolumeOp("v", "much", name="a"), "size: 'much' is not an amount"),
        (lambda: dsl.VolumeOp("v", name="a"), "size: None is not an amount"),
        (lambda: dsl.VolumeOp(size="1Gi", name="a"), "resource_name is missing"),
        (lambda: dsl.VolumeOp("v", k8s_resource={}, name="a"), "k8s_resource is the whole object"),
        (lambda: dsl.VolumeSnapshotOp("s", name="a"), "a snapshot is taken of a claim"),
        (lambda: dsl.VolumeSnapshotOp("s", pvc="c", volume={}, name="a"), "a snapshot is taken of a claim"),
        (lambda: dsl.VolumeSnapshotOp("s", volume={"emptyDir": {}}, name="a"), "of a volume that has a claim"),
        (lambda: dsl.PipelineVolume("c", {"name": "v"}), "takes a volume, or a claim and a name, not both"),
        (lambda: dsl.PipelineVolume("c", empty_dir={}), "takes nothing but a name beside a claim"),
        (lambda: dsl.PipelineVolume(name="x" * 64), "volume name: 64 characters, limit 63"),
    ],
)
def test_what_does_not_go_together_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidPipeline, match=message) as caught:
        document(lambda: make())
    assert str(caught.value).startswith(f"{__file__}:")


# --- volumes ----------------------------------------------------------------------------------------------------


def test_a_volume_is_made_and_handed_on() -> None:
    def pipeline(size: str) -> None:
        made = dsl.VolumeOp(name="make", resource_name="My data", size=size, modes=dsl.VOLUME_MODE_RWO)
        first = step("first", pvolumes={"/data": made.volume})
        second = step("second", pvolumes={"/mnt": first.pvolume})
        step("third", pvolumes={"/a": second.pvolumes["/mnt"]}).after(made)

    found = templates(pipeline)
    assert manifest(found["make"]) == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "{{workflow.name}}-my-data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "{{inputs.parameters.size}}"}},
        },
    }
    assert [each["name"] for each in found["make"]["outputs"]["parameters"]] == [
        "make-manifest",
        "make-name",
        "make-size",
    ]
    assert found["second"]["volumes"] == [
        {"name": "make", "persistentVolumeClaim": {"claimName": "{{inputs.parameters.make-name}}"}}
    ]
    assert found["second"]["container"]["volumeMounts"] == [{"name": "make", "mountPath": "/mnt"}]
    waits = {name: each.get("dependencies") for name, each in tasks(found["p"]).items()}
    assert waits == {"make": None, "first": ["make"], "second": ["first", "make"], "third": ["make", "second"]}


def test_a_snapshot_of_a_volume_and_a_volume_of_a_snapshot() -> None:
    def pipeline() -> None:
        made = dsl.VolumeOp(name="make", resource_name="v", size="1Gi")
        user = step("user", pvolumes={"/data": made.volume})
        snapshot = dsl.VolumeSnapshotOp(name="snap", resource_name="s", volume=user.pvolume, snapshot_class="fast")
        dsl.VolumeOp(name="again", resource_name="w", data_source=snapshot.snapshot, size=snapshot.outputs["size"])
        dsl.VolumeOp(name="named", resource_name="x", data_source="old", size="1Gi", generate_unique_name=False)

    found = templates(pipeline)
    assert manifest(found["snap"]) == {
        "apiVersion": "snapshot.storage.k8s.io/v1alpha1",
        "kind": "VolumeSnapshot",
        "metadata": {"name": "{{workflow.name}}-s"},
        "spec": {
            "snapshotClassName": "fast",
            "source": {"kind": "PersistentVolumeClaim", "name": "{{inputs.parameters.make-name}}"},
        },
    }
    assert found["snap"]["resource"]["successCondition"] == "status.readyToUse == true"
    assert tasks(found["p"])["snap"]["dependencies"] == ["make", "user"]
    assert manifest(found["again"])["spec"]["dataSource"] == {
        "apiGroup": "snapshot.storage.k8s.io",
        "kind": "VolumeSnapshot",
        "name": "{{inputs.parameters.snap-name}}",
    }
    assert manifest(found["named"])["metadata"] == {"name": "x"}


def test_any_volume_can_be_mounted() -> None:
    def pipeline() -> None:
        first = step("a", pvolumes={"/e": dsl.PipelineVolume(empty_dir={}), "/c": dsl.PipelineVolume("claim")})
        step("b", pvolumes={"/s": {"name": "s", "secret": {"secretName": "x"}}, "/c": first.pvolumes["/c"]})
        assert first.pvolume is None

    found = templates(pipeline)
    names = {mount["mountPath"]: mount["name"] for mount in found["a"]["container"]["volumeMounts"]}
    assert names["/e"] != names["/c"]
    assert all(name.startswith("pvolume-") and len(name) == 63 for name in names.values())
    assert found["b"]["volumes"] == [
        {"name": names["/c"], "persistentVolumeClaim": {"claimName": "claim"}},
        {"name": "s", "secret": {"secretName": "x"}},
    ]
    assert tasks(found["p"])["b"]["dependencies"] == ["a"]


def test_who_had_a_volume_is_waited_for_once() -> None:
    def pipeline() -> None:
        volume = dsl.PipelineVolume("claim")
        first = step("a", pvolumes={"/c": volume})
        second = step("b", pvolumes={"/c": first.pvolume})
        other = step("c")
        step("d", pvolumes={"/c": first.pvolume.after(second, other)})

    assert task(pipeline, "p", "d")["dependencies"] == ["b", "c"]


# --- containers beside a step -----------------------------------------------------------------------------------


def test_containers_before_and_beside_a_step() -> None:
    def pipeline(tag: str) -> None:
        before = dsl.UserContainer("wait", "busybox", command="sleep", args=["1", "2"], mirror_volume_mounts=True)
        beside = dsl.Sidecar("cache", f"redis:{tag}", env=[{"name": "A", "value": "1"}])
        op = step("a", init_containers=[before], sidecars=[beside.set_image_pull_policy("Always")])
        op.add_init_container(dsl.UserContainer("more", "busybox"))
        op.add_sidecar(dsl.Sidecar("log", "fluent").set_mirror_volume_mounts())

    found = template(pipeline, "a")
    assert found["initContainers"] == [
        {"name": "wait", "image": "busybox", "command": ["sleep"], "args": ["1", "2"], "mirrorVolumeMounts": True},
        {"name": "more", "image": "busybox"},
    ]
    assert found["sidecars"] == [
        {
            "name": "cache",
            "image": "redis:{{inputs.parameters.tag}}",
            "env": [{"name": "A", "value": "1"}],
            "imagePullPolicy": "Always",
        },
        {"name": "log", "image": "fluent", "mirrorVolumeMounts": True},
    ]


CONTAINER: list[tuple[Callable[[Any], Any], dict[str, Any]]] = [
    (
        lambda c: c.add_volume_devices({"name": "d", "devicePath": "/d"}),
        {"volumeDevices": [{"name": "d", "devicePath": "/d"}]},
    ),
    (lambda c: c.set_stdin().set_stdin_once().set_tty(), {"stdin": True, "stdinOnce": True, "tty": True}),
    (lambda c: c.set_termination_message_path("/t"), {"terminationMessagePath": "/t"}),
    (lambda c: c.set_termination_message_policy("File"), {"terminationMessagePolicy": "File"}),
    (lambda c: c.set_readiness_probe({"tcpSocket": {"port": 1}}), {"readinessProbe": {"tcpSocket": {"port": 1}}}),
    (lambda c: c.set_liveness_probe({"tcpSocket": {"port": 1}}), {"livenessProbe": {"tcpSocket": {"port": 1}}}),
    (lambda c: c.set_lifecycle({"preStop": {}}), {"lifecycle": {"preStop": {}}}),
    (lambda c: c.set_security_context({"runAsUser": 1}), {"securityContext": {"runAsUser": 1}}),
]


@pytest.mark.parametrize(("change", "expected"), CONTAINER)
def test_settings_of_a_container(change: Callable[[Any], Any], expected: dict[str, Any]) -> None:
    def pipeline() -> None:
        change(step("a"))
        change(step("b").container)

    found = templates(pipeline)
    assert {key: found["a"]["container"][key] for key in expected} == expected
    assert found["a"]["container"] == found["b"]["container"]


def test_amounts_can_be_read_again() -> None:
    def pipeline() -> None:
        op = step("a").set_cpu_limit(2).set_memory_request("1G")
        assert op.get_resource_limit("cpu") == "2"
        assert op.container.get_resource_request("memory") == "1G"
        assert op.get_resource_request("cpu") is None

    document(pipeline)
