from kfp import dsl
from kubernetes import client as k8s_client

IMAGE = "library/bash:4.4.23"
FLIP = (
    "python -c \"import random; result = 'heads' if random.randint(0,1) == 0 else 'tails'; print(result)\" "
    "| tee /tmp/output"
)


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


def flip_coin():
    """Heads or tails."""
    return shell("flip", FLIP, "python:alpine3.6", file_outputs={"output": "/tmp/output"})


@dsl.pipeline(name="pipeline flip coin", description="shows how to use dsl.Condition.")
def preemptible_tpu_gpu():
    preemptible = k8s_client.V1NodeSelectorRequirement(
        key="cloud.google.com/gke-preemptible", operator="In", values=["true"]
    )
    preference = k8s_client.V1PreferredSchedulingTerm(
        preference=k8s_client.V1NodeSelectorTerm(match_expressions=[preemptible]), weight=50
    )
    machines = k8s_client.V1NodeAffinity(preferred_during_scheduling_ignored_during_execution=[preference])
    flip = flip_coin().set_gpu_limit(1, "nvidia").set_retry(5)
    flip.add_toleration(k8s_client.V1Toleration(effect="NoSchedule", key="preemptible", operator="Equal", value="true"))
    flip.add_affinity(k8s_client.V1Affinity(node_affinity=machines))
