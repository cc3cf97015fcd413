"""Settings of whole pipelines."""

from kfp import dsl
from kfp.dsl.data_passing_methods import KubernetesVolume
from kubernetes import client as k8s


def step(name="step", *arguments):
    return dsl.ContainerOp(name, "alpine", arguments=list(arguments), file_outputs={"out": "/tmp/outputs/out/data"})


@dsl.pipeline(name="Secrets")
def pull_secrets():
    dsl.get_pipeline_conf().set_image_pull_secrets(
        [k8s.V1LocalObjectReference(name="a"), k8s.V1ObjectReference(name="b")]
    )
    step()


@dsl.pipeline(name="Limits")
def limits():
    dsl.get_pipeline_conf().set_timeout(100).set_parallelism(3).set_ttl_seconds_after_finished(60)
    step()


@dsl.pipeline(name="At once")
def at_once():
    dsl.get_pipeline_conf().set_ttl_seconds_after_finished(0)
    step()


@dsl.pipeline(name="Budget")
def budget():
    dsl.get_pipeline_conf().set_pod_disruption_budget("100%")
    step()


@dsl.pipeline(name="Places")
def places():
    dsl.get_pipeline_conf().set_default_pod_node_selector("a", "b").set_default_pod_node_selector("c", "d")
    step("own").add_node_selector_constraint("x", "y")
    step()


@dsl.pipeline(name="Policy")
def policy():
    dsl.get_pipeline_conf().set_image_pull_policy("Always")
    step("own").container.set_image_pull_policy("Never")
    step()
    dsl.ResourceOp(name="r", k8s_resource={"apiVersion": "v1", "kind": "Pod"})


@dsl.pipeline(name="Names")
def dns():
    dsl.get_pipeline_conf().set_dns_config(
        k8s.V1PodDNSConfig(nameservers=["1.2.3.4"], options=[k8s.V1PodDNSConfigOption(name="ndots", value="2")])
    )
    step()


@dsl.pipeline(name="Transformers")
def transformers(x: str = "x"):
    def label(op):
        return op.add_pod_label("seen", "yes")

    def remember(op):
        op.add_pod_annotation("given", x)

    conf = dsl.get_pipeline_conf()
    conf.add_op_transformer(label)
    conf.add_op_transformer(remember)
    step("one")
    with dsl.Condition(x == "x"):
        step("two")


@dsl.pipeline(name="Transformed everywhere")
def transformed_everywhere():
    def only_containers(op):
        if isinstance(op, dsl.ContainerOp):
            op.set_memory_limit("1Gi").add_toleration(k8s.V1Toleration(key="a", operator="Exists"))
        return op

    dsl.get_pipeline_conf().add_op_transformer(only_containers)
    with dsl.ExitHandler(step("end")):
        step("one")


@dsl.pipeline(name="By a volume")
def by_a_volume(x: str = "x"):
    volume = k8s.V1Volume(name="data", persistent_volume_claim=k8s.V1PersistentVolumeClaimVolumeSource("claim"))
    dsl.get_pipeline_conf().data_passing_method = KubernetesVolume(volume=volume, path_prefix="files/")
    made = step("one", x)
    dsl.ContainerOp("two", "alpine", command=["cat", dsl.InputArgumentPath(made.output, path="/tmp/inputs/a/data")])


@dsl.pipeline(name="By a volume, into groups")
def by_a_volume_into_groups(x: str = "x"):
    volume = k8s.V1Volume(name="data", persistent_volume_claim=k8s.V1PersistentVolumeClaimVolumeSource("claim"))
    dsl.get_pipeline_conf().data_passing_method = KubernetesVolume(volume=volume)
    made = step("one", x)
    with dsl.Condition(made.output == "x"):
        dsl.ContainerOp("two", "alpine", command=["cat", dsl.InputArgumentPath(made.output, path="/tmp/inputs/a/data")])


@dsl.pipeline(name="All at once")
def all_at_once():
    conf = dsl.get_pipeline_conf()
    conf.set_image_pull_policy("IfNotPresent").set_timeout(5)
    conf.set_image_pull_secrets([k8s.V1LocalObjectReference(name="a")])
    step().set_timeout(3)
