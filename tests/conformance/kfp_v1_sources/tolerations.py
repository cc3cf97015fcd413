from kfp import dsl
from kubernetes.client.models import V1Toleration

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="Tolerations")
def tolerations():
    line = "sleep 10; wget localhost:5678 -O /tmp/results.txt"
    download = shell("download", line, "busybox", file_outputs={"downloaded": "/tmp/results.txt"})
    download.add_toleration(V1Toleration(effect="NoSchedule", key="gpu", operator="Equal", value="run"))
    shell("echo", f"echo {download.output}")
