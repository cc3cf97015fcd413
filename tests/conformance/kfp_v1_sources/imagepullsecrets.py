from kfp import dsl
from kubernetes import client as k8s_client

IMAGE = "library/bash:4.4.23"
OLD_PYTHON = "python:3.5-jessie"
MOST_FREQUENT = (
    "python -c \"from collections import Counter; words = Counter('{}'.split()); print(max(words, key=words.get))\" "
    "| tee /tmp/message.txt"
)


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="Save Most Frequent", description="Get Most Frequent Word and Save to GCS")
def imagepullsecrets(message: str):
    shell("get-frequent", MOST_FREQUENT.format(message), OLD_PYTHON, file_outputs={"word": "/tmp/message.txt"})
    dsl.get_pipeline_conf().set_image_pull_secrets([k8s_client.V1ObjectReference(name="secretA")])
