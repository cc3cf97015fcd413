from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="Test adding pod env", description="Test adding pod env")
def add_pod_env():
    shell("echo", "echo $KFP_POD_NAME", "library/bash").add_pod_label("add-pod-env", "true")
