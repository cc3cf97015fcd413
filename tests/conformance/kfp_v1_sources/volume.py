from kfp import dsl
from kubernetes.client.models import V1EnvVar, V1SecretVolumeSource, V1Volume, V1VolumeMount

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="Volume", description="A pipeline with volume.")
def volume():
    download = shell(
        "download", "ls | tee /tmp/results.txt", "google/cloud-sdk", file_outputs={"downloaded": "/tmp/results.txt"}
    )
    download.add_volume(V1Volume(name="gcp-credentials", secret=V1SecretVolumeSource(secret_name="user-gcp-sa")))
    download.add_volume_mount(V1VolumeMount(mount_path="/secret/gcp-credentials", name="gcp-credentials"))
    key = "/secret/gcp-credentials/user-gcp-sa.json"
    download.add_env_variable(V1EnvVar(name="GOOGLE_APPLICATION_CREDENTIALS", value=key))
    download.add_env_variable(V1EnvVar(name="Foo", value="bar"))
    shell("echo", f"echo {download.output}", "library/bash")
