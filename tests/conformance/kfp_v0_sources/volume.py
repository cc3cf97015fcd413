import kfp.dsl as dsl
from kubernetes import client as k8s_client

FOLDER = "/secret/gcp-credentials"


@dsl.pipeline(name="Volume", description="A pipeline with volume.")
def volume():
    download = dsl.ContainerOp(
        name="download",
        image="google/cloud-sdk",
        command=["sh", "-c"],
        arguments=["ls | tee /tmp/results.txt"],
        file_outputs={"downloaded": "/tmp/results.txt"},
    )
    secret = k8s_client.V1SecretVolumeSource(secret_name="user-gcp-sa")
    download.add_volume(k8s_client.V1Volume(name="gcp-credentials", secret=secret))
    download.add_volume_mount(k8s_client.V1VolumeMount(mount_path=FOLDER, name="gcp-credentials"))
    key = k8s_client.V1EnvVar(name="GOOGLE_APPLICATION_CREDENTIALS", value=FOLDER + "/user-gcp-sa.json")
    download.add_env_variable(key).add_env_variable(k8s_client.V1EnvVar(name="Foo", value="bar"))
    dsl.ContainerOp(name="echo", image="library/bash", command=["sh", "-c"], arguments=["echo %s" % download.output])
