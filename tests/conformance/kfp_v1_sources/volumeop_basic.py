from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="VolumeOp Basic", description="A Basic Example on VolumeOp Usage.")
def volumeop_basic(size):
    made = dsl.VolumeOp(name="create-pvc", resource_name="my-pvc", modes=dsl.VOLUME_MODE_RWM, size=size)
    shell("cop", "echo foo > /mnt/file1", pvolumes={"/mnt": made.volume})
