"""Steps of files for kfp 0.1, and everything that can be set on them."""

import kfp.components as comp
import kfp.dsl as dsl
import kfp.gcp as gcp
from kubernetes import client as k8s_client


def step(name="step", **more):
    return dsl.ContainerOp(name=name, image="alpine:3.6", command=["sh", "-c"], arguments=["echo hello"], **more)


@dsl.pipeline(name="One step", description="The least of all")
def one_step():
    step()


@dsl.pipeline(name="No command", description="Only an image")
def no_command():
    dsl.ContainerOp("nothing", "alpine")


@dsl.pipeline(name="Parameters", description="With values and without")
def parameters(
    message: dsl.PipelineParam = dsl.PipelineParam(name="message", value="hello"),
    number=dsl.PipelineParam(name="number", value=3),
    nothing=dsl.PipelineParam(name="nothing"),
):
    dsl.ContainerOp(
        "say", "alpine", command=["echo"], arguments=[message, number, nothing, "%s-%s" % (message, number)]
    )


@dsl.pipeline(name="Names with Capitals and _", description="")
def strange_names(In_Put=dsl.PipelineParam(name="In_Put", value="a")):
    one = dsl.ContainerOp("Capital Letters", "alpine", arguments=[In_Put], file_outputs={"Out Put": "/a", "x_Y": "/b"})
    dsl.ContainerOp("a__b--", "alpine", arguments=[one.outputs["Out Put"], one.outputs["x_Y"]])


@dsl.pipeline(name="Equal names", description="")
def equal_names():
    for _ in range(3):
        step("twin")


@dsl.pipeline(name="In a row", description="Outputs and waiting")
def in_a_row(url=dsl.PipelineParam(name="url", value="gs://x")):
    first = dsl.ContainerOp("download", "gsutil", arguments=[url], file_outputs={"downloaded": "/tmp/results.txt"})
    second = dsl.ContainerOp("read", "alpine", arguments=["echo", first.output], file_outputs={"a": "/a", "b": "/b"})
    third = dsl.ContainerOp("both", "alpine", arguments=["%s %s" % (second.outputs["a"], second.outputs["b"])])
    step("last").after(third)
    step("least").after(first)


@dsl.pipeline(name="Arguments of all kinds", description="")
def argument_kinds(text=dsl.PipelineParam(name="text", value="a")):
    dsl.ContainerOp("kinds", "alpine", command=["run"], arguments=["x", 1, 2.5, True, text, "n=%s" % text])


@dsl.pipeline(name="An image by parameter", description="")
def image_by_parameter(tag=dsl.PipelineParam(name="tag", value="3.6")):
    dsl.ContainerOp("tagged", "alpine:%s" % tag)


@dsl.pipeline(name="Resources", description="")
def resources():
    heavy = step("heavy")
    heavy.set_memory_limit("1G").set_memory_request("100M").set_cpu_limit("2").set_cpu_request("500m")
    heavy.set_gpu_limit("1")
    heavy.add_resource_limit("ephemeral-storage", "1Gi").add_resource_request("ephemeral-storage", "1Gi")
    step("amd").set_gpu_limit("2", vendor="amd")


@dsl.pipeline(name="Volumes and variables", description="")
def volumes():
    claim = k8s_client.V1PersistentVolumeClaimVolumeSource(claim_name="data")
    one = step("one").add_volume(k8s_client.V1Volume(name="data", persistent_volume_claim=claim))
    one.add_volume_mount(k8s_client.V1VolumeMount(mount_path="/mnt", name="data"))
    one.add_env_variable(k8s_client.V1EnvVar(name="DEBUG", value="1"))
    two = step("two").add_volume(k8s_client.V1Volume(name="scratch", empty_dir=k8s_client.V1EmptyDirVolumeSource()))
    two.add_volume_mount(k8s_client.V1VolumeMount(mount_path="/scratch", name="scratch"))


@dsl.pipeline(name="Machines", description="")
def machines():
    step("there").add_node_selector_constraint("cloud.google.com/gke-accelerator", "nvidia-tesla-p4")


@dsl.pipeline(name="A secret", description="")
def a_secret():
    step("asks").apply(gcp.use_gcp_secret("user-gcp-sa"))


@dsl.pipeline(name="A function", description="")
def a_function(count=dsl.PipelineParam(name="count", value="7")):
    def add(a: float, b: float) -> float:
        """Adds two numbers."""
        return a + b

    add_op = comp.func_to_container_op(add)
    first = add_op(count, "1")
    add_op(first.output, "2.5")


@dsl.pipeline(name="A loaded component", description="")
def loaded(data=dsl.PipelineParam(name="data", value="x")):
    train_op = comp.load_component_from_text(
        """
name: Train
description: Trains
inputs: [{name: Training data}, {name: rate, default: '0.1'}]
outputs: [{name: Model path}]
implementation:
  container:
    image: trainer:1
    command: [python, train.py]
    args: [--data, {inputValue: Training data}, --rate, {inputValue: rate}, --model, {outputPath: Model path}]
"""
    )
    trained = train_op(training_data=data, rate="0.5")
    dsl.ContainerOp("judge", "judge:1", arguments=[trained.outputs["model-path"]])
