from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="VolumeOp Sequential", description="The third example of the design doc.")
def volumeop_sequential():
    made = dsl.VolumeOp(name="mypvc", resource_name="newpvc", size="10Gi", modes=dsl.VOLUME_MODE_RWM)
    first = shell("step1", "echo 1|tee /data/file1", pvolumes={"/data": made.volume})
    second = shell("step2", "cp /data/file1 /data/file2", pvolumes={"/data": first.pvolume})
    command = ["cat", "/mnt/file1", "/mnt/file2"]
    dsl.ContainerOp("step3", IMAGE, command=command, pvolumes={"/mnt": second.pvolume})
