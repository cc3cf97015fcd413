from kfp import dsl
from kubernetes import client as k8s_client

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="ResourceOp Basic", description="A Basic Example on ResourceOp Usage.")
def resourceop_basic(username, password):
    secret = k8s_client.V1Secret(
        api_version="v1",
        kind="Secret",
        metadata=k8s_client.V1ObjectMeta(generate_name="my-secret-"),
        type="Opaque",
        data={"username": username, "password": password},
    )
    made = dsl.ResourceOp(name="create-my-secret", k8s_resource=secret)
    volume = dsl.PipelineVolume(name="my-secret", secret=k8s_client.V1SecretVolumeSource(secret_name=made.output))
    shell("cop", "ls /etc/secret-volume", pvolumes={"/etc/secret-volume": volume})
