from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="VolumeSnapshotOp Sequential", description="The fourth example of the design doc.")
def volume_snapshotop_sequential(url):
    made = dsl.VolumeOp(name="create_volume", resource_name="vol1", size="1Gi", modes=dsl.VOLUME_MODE_RWM)
    line = f"mkdir /data/step1 && gsutil cat {url} | gzip -c >/data/step1/file1.gz"
    first = shell("step1_ingest", line, "google/cloud-sdk:279.0.0", pvolumes={"/data": made.volume})
    dsl.VolumeSnapshotOp(name="step1_snap", resource_name="step1_snap", volume=first.pvolume)
    line = "mkdir /data/step2 && gunzip /data/step1/file1.gz -c >/data/step2/file1"
    second = shell("step2_gunzip", line, pvolumes={"/data": first.pvolume})
    dsl.VolumeSnapshotOp(name="step2_snap", resource_name="step2_snap", volume=second.pvolume)
    line = "mkdir /data/step3 && cp -av /data/step2/file1 /data/step3/file3"
    third = shell("step3_copy", line, pvolumes={"/data": second.pvolume})
    dsl.VolumeSnapshotOp(name="step3_snap", resource_name="step3_snap", volume=third.pvolume)
    command = ["cat", "/data/step2/file1", "/data/step3/file3"]
    dsl.ContainerOp("step4_output", IMAGE, command=command, pvolumes={"/data": third.pvolume})
