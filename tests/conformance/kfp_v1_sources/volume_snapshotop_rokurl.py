from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="VolumeSnapshotOp RokURL", description="The fifth example of the design doc.")
def volume_snapshotop_rokurl(rok_url):
    origin = {"rok/origin": rok_url}
    made = dsl.VolumeOp(name="create_volume_1", resource_name="vol1", size="1Gi", annotations=origin)
    line = "cat /data/file*| gzip -c >/data/full.gz"
    first = shell("step1_concat", line, pvolumes={"/data": made.volume})
    snapshot = dsl.VolumeSnapshotOp(name="create_snapshot_1", resource_name="snap1", volume=first.pvolume)
    made = dsl.VolumeOp(
        name="create_volume_2", resource_name="vol2", data_source=snapshot.snapshot, size=snapshot.outputs["size"]
    )
    command = ["gunzip", "-k", "/data/full.gz"]
    second = dsl.ContainerOp("step2_gunzip", IMAGE, command=command, pvolumes={"/data": made.volume})
    snapshot = dsl.VolumeSnapshotOp(name="create_snapshot_2", resource_name="snap2", volume=second.pvolume)
    made = dsl.VolumeOp(
        name="create_volume_3", resource_name="vol3", data_source=snapshot.snapshot, size=snapshot.outputs["size"]
    )
    dsl.ContainerOp("step3_output", IMAGE, command=["cat", "/data/full"], pvolumes={"/data": made.volume})
