from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="Volume Op DAG", description="The second example of the design doc.")
def volumeop_dag():
    made = dsl.VolumeOp(name="create_pvc", resource_name="my-pvc", size="10Gi", modes=dsl.VOLUME_MODE_RWM)
    first = shell("step1", "echo 1 | tee /mnt/file1", pvolumes={"/mnt": made.volume})
    second = shell("step2", "echo 2 | tee /mnt2/file2", pvolumes={"/mnt2": made.volume})
    shell("step3", "cat /mnt/file1 /mnt/file2", pvolumes={"/mnt": made.volume.after(first, second)})
