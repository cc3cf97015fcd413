from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="VolumeOp Parallel", description="The first example of the design doc.")
def volumeop_parallel():
    made = dsl.VolumeOp(name="create_pvc", resource_name="my-pvc", size="10Gi", modes=dsl.VOLUME_MODE_RWM)
    for number, folder in enumerate(("/mnt", "/common", "/mnt3"), 1):
        line = f"echo {number} | tee {folder}/file{number}"
        shell(f"step{number}", line, pvolumes={folder: made.volume})
