"""Objects of Kubernetes that steps make, and volumes."""

from kfp import dsl
from kubernetes import client as k8s


def step(name, *arguments, **more):
    return dsl.ContainerOp(name, "alpine", arguments=list(arguments), **more)


CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "c"},
    "data": {"a": "1", "yes": "no", "t": "a\nb\n"},
}


@dsl.pipeline(name="A resource")
def resource(x: str = "x"):
    made = dsl.ResourceOp(name="make", k8s_resource=CONFIG, action="create", attribute_outputs={"data": "{.data}"})
    step("reads", made.outputs["name"], made.outputs["manifest"], made.outputs["data"], made.output)


@dsl.pipeline(name="All of a resource")
def whole_resource(name: str = "c"):
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {"x": f"a-{name}"}},
        "spec": {"parallelism": 1},
    }
    dsl.ResourceOp(
        name="job",
        k8s_resource=manifest,
        action="apply",
        merge_strategy="strategic",
        success_condition="status.succeeded > 0",
        failure_condition="status.failed > 3",
        set_owner_reference=True,
        flags=["--validate=false"],
    )


@dsl.pipeline(name="Actions")
def actions():
    for action in ("get", "create", "apply", "replace", "patch"):
        dsl.ResourceOp(name=action, k8s_resource=CONFIG, action=action)
    dsl.ResourceOp(name="delete", k8s_resource=CONFIG, action="delete")


@dsl.pipeline(name="Deleted again")
def deleted_again():
    made = dsl.ResourceOp(name="make", k8s_resource=CONFIG)
    made.delete()
    made.delete(flags=["--now"]).after(step("between"))


@dsl.pipeline(name="An object for a resource")
def object_for_a_resource():
    secret = k8s.V1Secret(
        api_version="v1",
        kind="Secret",
        metadata=k8s.V1ObjectMeta(generate_name="s-", labels={"a": "b"}),
        string_data={"k": "v"},
    )
    dsl.ResourceOp(name="secret", k8s_resource=secret).set_retry(2).add_pod_label("a", "b").set_timeout(10)


@dsl.pipeline(name="Volumes")
def volumes(size: str = "1Gi"):
    made = dsl.VolumeOp(name="make", resource_name="claim", size=size, modes=dsl.VOLUME_MODE_RWO)
    first = step("first", pvolumes={"/mnt": made.volume})
    second = step("second", pvolumes={"/mnt": first.pvolume})
    step("third", pvolumes={"/mnt": second.pvolumes["/mnt"]})


@dsl.pipeline(name="All of a volume")
def whole_volume():
    made = dsl.VolumeOp(
        name="make",
        resource_name="My Claim",
        size="10Gi",
        storage_class="fast",
        modes=["ReadWriteOnce", "ReadOnlyMany"],
        annotations={"a": "b"},
        volume_name="pv",
        generate_unique_name=False,
    )
    step("a", made.outputs["name"], made.outputs["size"], made.outputs["manifest"], made.output)


@dsl.pipeline(name="A claim of one's own")
def own_claim():
    claim = k8s.V1PersistentVolumeClaim(
        api_version="v1",
        kind="PersistentVolumeClaim",
        metadata=k8s.V1ObjectMeta(name="claim"),
        spec=k8s.V1PersistentVolumeClaimSpec(
            access_modes=["ReadWriteMany"], resources=k8s.V1ResourceRequirements(requests={"storage": "1Gi"})
        ),
    )
    made = dsl.VolumeOp(name="make", k8s_resource=claim)
    step("a", pvolumes={"/a": made.volume})


@dsl.pipeline(name="Snapshots")
def snapshots():
    made = dsl.VolumeOp(name="make", resource_name="claim", size="1Gi")
    first = step("first", pvolumes={"/mnt": made.volume})
    taken = dsl.VolumeSnapshotOp(name="take", resource_name="snap", volume=first.pvolume)
    again = dsl.VolumeOp(name="again", resource_name="copy", data_source=taken.snapshot, size=taken.outputs["size"])
    step("second", pvolumes={"/mnt": again.volume})


@dsl.pipeline(name="Snapshots by name")
def snapshots_by_name(claim: str = "c"):
    dsl.VolumeSnapshotOp(name="one", resource_name="snap", pvc=claim, snapshot_class="fast", annotations={"a": "b"})
    dsl.VolumeOp(name="two", resource_name="copy", data_source="snap", size="1Gi")


@dsl.pipeline(name="Claims that exist")
def existing_claims(claim: str = "c"):
    volume = dsl.PipelineVolume(pvc="claim", name="mine")
    first = step("first", pvolumes={"/a": volume})
    step("second", pvolumes={"/a": first.pvolume, "/b": dsl.PipelineVolume(pvc=claim)})
    step("third", pvolumes={"/a": volume.after(first)})


@dsl.pipeline(name="Other volumes")
def other_volumes():
    empty = k8s.V1Volume(name="empty", empty_dir=k8s.V1EmptyDirVolumeSource(medium="Memory"))
    step("a", pvolumes={"/a": dsl.PipelineVolume(volume=empty)})
    step("b", pvolumes={"/b": dsl.PipelineVolume(name="host", host_path=k8s.V1HostPathVolumeSource(path="/x"))})
    step("c", pvolumes={"/c": k8s.V1Volume(name="nfs", nfs=k8s.V1NFSVolumeSource(path="/x", server="s"))})


@dsl.pipeline(name="Parallel readers")
def parallel_readers():
    made = dsl.VolumeOp(name="make", resource_name="claim", size="1Gi", modes=dsl.VOLUME_MODE_RWM)
    one = step("one", pvolumes={"/mnt": made.volume})
    two = step("two", pvolumes={"/mnt": made.volume})
    step("both", pvolumes={"/mnt": made.volume.after(one, two)})


@dsl.pipeline(name="A volume in a branch")
def volume_in_a_branch(x: str = "x"):
    made = dsl.VolumeOp(name="make", resource_name="claim", size="1Gi")
    with dsl.Condition(x == "x"):
        one = step("one", pvolumes={"/mnt": made.volume})
        step("two", pvolumes={"/mnt": one.pvolume})
    made.delete().after(one)


@dsl.pipeline(name="A resource in a loop")
def resource_in_a_loop():
    with dsl.ParallelFor(["a", "b"]) as item:
        made = dsl.ResourceOp(
            name="make", k8s_resource={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": item}}
        )
        step("reads", made.output)


@dsl.pipeline(name="A resource's output as a file")
def resource_output_as_a_file():
    made = dsl.ResourceOp(name="make", k8s_resource=CONFIG)
    step("reads", artifact_argument_paths=[dsl.InputArgumentPath(made.outputs["manifest"], input="m", path="/m")])
