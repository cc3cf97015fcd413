"""Steps that run containers, and everything that can be set on them."""

from kfp import dsl
from kubernetes import client as k8s
from kubernetes.client import models


def step(name="step", **more):
    return dsl.ContainerOp(name=name, image="alpine:3.9", command=["sh", "-c"], arguments=["echo hello"], **more)


@dsl.pipeline(name="One step", description="The least of all")
def one_step():
    step()


@dsl.pipeline(name="No command")
def no_command():
    dsl.ContainerOp("nothing", "alpine")


@dsl.pipeline(name="A text for a command")
def text_command(x: str = "a"):
    dsl.ContainerOp("text", "alpine", command="run", arguments="once")
    dsl.ContainerOp("reference", "alpine", command=x, arguments=x)
    dsl.ContainerOp("empty", "alpine", command=[], arguments=[])


@dsl.pipeline(name="Arguments of all kinds")
def argument_kinds(text: str = "a", number: int = 3):
    dsl.ContainerOp(
        "kinds",
        "alpine",
        command=["run"],
        arguments=["x", 1, 2.5, True, None, text, f"--n={number}", "%s/%s" % (text, number)],
    )


@dsl.pipeline(name="Images by parameter")
def image_by_parameter(image: str = "alpine", tag: str = "3.9"):
    dsl.ContainerOp("whole", image)
    dsl.ContainerOp("tagged", f"{image}:{tag}")


@dsl.pipeline(name="Names: Capitals, _ and (others)!")
def strange_names(In_Put: str = "a", another__one: str = "b"):
    one = dsl.ContainerOp("Capital Letters", "alpine", arguments=[In_Put], file_outputs={"Out Put": "/a", "x_Y": "/b"})
    two = dsl.ContainerOp("--a__b--", "alpine", arguments=[one.outputs["Out Put"], one.outputs["x_Y"], another__one])
    dsl.ContainerOp("12 monkeys", "alpine").after(two)


@dsl.pipeline(name="Equal names")
def equal_names():
    for _ in range(4):
        step("twin")
    step("twin-2")


@dsl.pipeline(name="same as its step")
def same_as_its_step():
    step("same as its step")


@dsl.pipeline(name="Outputs")
def outputs():
    one = step("one", file_outputs={"out": "/tmp/out"})
    two = step("two", file_outputs={"a": "/tmp/a", "b": "/tmp/b", "never-read": "/tmp/c"})
    dsl.ContainerOp(
        "reader", "alpine", arguments=[one.output, two.outputs["a"], f"{two.outputs['b']}{one.outputs['out']}"]
    )


@dsl.pipeline(name="Conventional outputs")
def conventional_outputs():
    step(file_outputs={"MLPipeline UI metadata": "/ui.json", "mlpipeline-metrics": "/metrics.json", "out": "/out"})


@dsl.pipeline(name="Artifact paths")
def artifact_paths():
    step(
        output_artifact_paths={"mlpipeline-ui-metadata": "/tmp/ui.json", "Other_One": "/tmp/other"},
        file_outputs={"a": "/a"},
    )


@dsl.pipeline(name="Input files")
def input_files(x: str = "a"):
    maker = step("maker", file_outputs={"data": "/tmp/data"})
    dsl.ContainerOp(
        "reader",
        "alpine",
        command=[
            "cat",
            dsl.InputArgumentPath(maker.output),
            dsl.InputArgumentPath(x, path="/in/x"),
            dsl.InputArgumentPath("constant"),
        ],
        artifact_argument_paths=[dsl.InputArgumentPath(f"<{x}>", input="in brackets", path="/in/brackets")],
    )


@dsl.pipeline(name="Chain")
def chain():
    last = step("first", file_outputs={"out": "/out"})
    for number in range(5):
        last = dsl.ContainerOp(f"link {number}", "alpine", arguments=[last.output], file_outputs={"out": "/out"})


@dsl.pipeline(name="Order")
def order():
    a, b, c = step("a"), step("b"), step("c")
    c.after(a, b)
    step("d").after(c).after(a)


@dsl.pipeline(name="Diamond")
def diamond():
    top = step("top", file_outputs={"x": "/x"})
    left = dsl.ContainerOp("left", "alpine", arguments=[top.output], file_outputs={"x": "/x"})
    right = dsl.ContainerOp("right", "alpine", arguments=[top.output], file_outputs={"x": "/x"})
    dsl.ContainerOp("bottom", "alpine", arguments=[left.output, right.output]).after(top)


@dsl.pipeline(name="Amounts")
def amounts():
    step("on the op").set_memory_limit("1Gi").set_memory_request("512M").set_cpu_limit("2").set_cpu_request(
        "500m"
    ).set_gpu_limit(1)
    step("on the container").container.set_memory_limit("1Gi").set_cpu_limit("0.5").set_gpu_limit("2", "amd")
    step("any").container.add_resource_limit("example.com/fpga", "1").add_resource_request("example.com/fpga", 1)
    step("storage").set_ephemeral_storage_limit("10Gi").set_ephemeral_storage_request("1Gi")


@dsl.pipeline(name="Amounts by parameter")
def amounts_by_parameter(memory: str = "1Gi", cpu: str = "1", gpu: str = "1", name: str = "example.com/fpga"):
    one = step("one")
    one.container.set_memory_limit(memory).set_cpu_request(cpu)
    two = step("two")
    two.container.set_memory_request("1Gi").set_memory_limit(memory).set_gpu_limit(gpu)
    maker = step("maker", file_outputs={"n": "/n"})
    three = step("three")
    three.container.set_cpu_limit(maker.output)
    four = step("four")
    four.container.add_resource_request(name, cpu)


@dsl.pipeline(name="Environment")
def environment(value: str = "v"):
    one = step("one")
    one.container.add_env_variable(k8s.V1EnvVar("PLAIN", "1")).add_env_variable(
        k8s.V1EnvVar(name="PARAMETER", value=value)
    )
    one.add_env_variable(k8s.V1EnvVar(name="MORE", value=f"<{value}>"))
    two = step("two")
    two.container.add_env_variable(
        k8s.V1EnvVar(
            name="SECRET", value_from=k8s.V1EnvVarSource(secret_key_ref=k8s.V1SecretKeySelector(name="s", key="k"))
        )
    )
    two.container.add_env_from(k8s.V1EnvFromSource(config_map_ref=k8s.V1ConfigMapEnvSource(name="settings")))
    two.container.add_env_from(k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name="secrets", optional=True)))


@dsl.pipeline(name="Everything of a container")
def whole_container():
    op = step()
    op.container.set_image_pull_policy("Always").set_security_context(
        k8s.V1SecurityContext(run_as_user=1000, privileged=False)
    )
    op.container.set_stdin().set_stdin_once().set_tty().set_termination_message_path(
        "/dev/log"
    ).set_termination_message_policy("File")
    op.container.add_port(k8s.V1ContainerPort(container_port=80, name="http", host_ip="0.0.0.0"))
    op.container.add_volume_devices(k8s.V1VolumeDevice(device_path="/dev/x", name="block"))
    probe = k8s.V1Probe(http_get=k8s.V1HTTPGetAction(path="/", port=80), initial_delay_seconds=3)
    op.container.set_readiness_probe(probe)
    op.container.set_liveness_probe(k8s.V1Probe(_exec=k8s.V1ExecAction(command=["true"]), period_seconds=5))
    op.container.set_lifecycle(
        models.V1Lifecycle(pre_stop=models.V1LifecycleHandler(_exec=models.V1ExecAction(command=["bye"])))
    )


@dsl.pipeline(name="Container by keywords")
def container_by_keywords():
    step(
        container_kwargs={
            "env": [k8s.V1EnvVar("A", "1")],
            "image_pull_policy": "Never",
            "working_dir": "/srv",
            "tty": True,
        }
    )


@dsl.pipeline(name="Retries")
def retries():
    step("often").set_retry(5)
    step("always").set_retry(3, policy="Always")
    step("slowly").set_retry(2, "OnError", "30s", 2, "5m")
    step("now and then").set_retry(num_retries=1, policy="OnTransientError", backoff_duration="10s")


@dsl.pipeline(name="Time limits")
def time_limits():
    step("short").set_timeout(60)
    step("long").set_timeout(86400).set_retry(1)


@dsl.pipeline(name="Pods")
def pods(value: str = "v"):
    op = step("labels").add_pod_label("a", "b").add_pod_annotation("c", "d").add_pod_label("parameter", value)
    op.add_pod_annotation("also", f"<{value}>").add_pod_annotation("number", "3")
    step("placed").add_node_selector_constraint("disk", "ssd").add_node_selector_constraint("zone", "a")
    step("tolerant").add_toleration(k8s.V1Toleration(effect="NoSchedule", key="gpu", operator="Equal", value="true"))
    step("patient").add_toleration(k8s.V1Toleration(key="x", operator="Exists", toleration_seconds=30))


@dsl.pipeline(name="Places by parameter")
def places_by_parameter(zone: str = "a", label: str = "zone"):
    step("value").add_node_selector_constraint("zone", zone)
    step("both").add_node_selector_constraint("disk", "ssd").add_node_selector_constraint("zone", zone)
    step("key").add_node_selector_constraint(label, "a")


@dsl.pipeline(name="Affinity")
def affinity():
    term = k8s.V1NodeSelectorTerm(
        match_expressions=[k8s.V1NodeSelectorRequirement(key="type", operator="In", values=["big", "bigger"])]
    )
    required = k8s.V1NodeSelector(node_selector_terms=[term])
    chosen = k8s.V1Affinity(
        node_affinity=k8s.V1NodeAffinity(required_during_scheduling_ignored_during_execution=required)
    )
    step().add_affinity(chosen)


@dsl.pipeline(name="Shown as")
def shown_as():
    step("a").set_display_name("The first step")
    step("b").set_caching_options(False)
    step("c").set_caching_options(enable_caching=True)
    step("d").execution_options.caching_strategy.max_cache_staleness = "P0D"
    step("e").execution_options.caching_strategy.max_cache_staleness = "P30D"


@dsl.pipeline(name="Before and beside")
def before_and_beside(value: str = "v"):
    before = dsl.UserContainer("before", "alpine", command=["echo", "hi"], args=["a", value], mirror_volume_mounts=True)
    op = step("one", init_containers=[before], sidecars=[dsl.Sidecar("beside", "nginx")])
    op.add_init_container(dsl.UserContainer(name="second", image="alpine", command="sh", env=[k8s.V1EnvVar("A", "1")]))
    op.add_sidecar(
        dsl.Sidecar(name="echo", image="hashicorp/http-echo", args=['-text="hello world"'], mirror_volume_mounts=False)
    )


@dsl.pipeline(name="Settings of a sidecar")
def sidecar_settings():
    side = (
        dsl.Sidecar("side", "nginx")
        .set_mirror_volume_mounts(True)
        .set_memory_limit("1Gi")
        .add_env_variable(k8s.V1EnvVar("A", "1"))
    )
    side.add_port(k8s.V1ContainerPort(container_port=80)).set_image_pull_policy("IfNotPresent")
    step().add_sidecar(side)


@dsl.pipeline(name="Volumes by hand")
def volumes_by_hand():
    op = step()
    op.add_volume(k8s.V1Volume(name="secret", secret=k8s.V1SecretVolumeSource(secret_name="s", default_mode=256)))
    op.add_volume(k8s.V1Volume(name="empty", empty_dir=k8s.V1EmptyDirVolumeSource()))
    op.add_volume(k8s.V1Volume(name="a-host", host_path=k8s.V1HostPathVolumeSource(path="/data", type="Directory")))
    op.container.add_volume_mount(k8s.V1VolumeMount(mount_path="/secret", name="secret", read_only=True, sub_path="x"))
    op.add_volume_mount(k8s.V1VolumeMount(mount_path="/empty", name="empty"))


@dsl.pipeline(name="Volumes by parameter")
def volumes_by_parameter(secret: str = "s", where: str = "/mnt"):
    op = step()
    op.add_volume(k8s.V1Volume(name="v", secret=k8s.V1SecretVolumeSource(secret_name=secret)))
    op.add_volume_mount(k8s.V1VolumeMount(mount_path=where, name="v"))


@dsl.pipeline(name="Pod environment")
def pod_environment():
    step("with").add_pod_label("add-pod-env", "true")
    step("without").add_pod_label("add-pod-env", "false")


@dsl.pipeline(name="Applied functions")
def applied_functions():
    def twice(op):
        return op.add_pod_label("twice", "yes")

    def silent(op):
        op.add_pod_label("silent", "yes")
        return op

    step("a").apply(twice).apply(silent)


@dsl.pipeline(name="Placeholders")
def placeholders():
    dsl.ContainerOp(
        "a", "alpine", arguments=[dsl.RUN_ID_PLACEHOLDER, dsl.EXECUTION_ID_PLACEHOLDER, "{{workflow.name}}", "{{ x }}"]
    )


@dsl.pipeline(name="Texts")
def texts(x: str = "a"):
    hard = [
        '"',
        "'",
        "\\",
        "a: b",
        "- a",
        "yes",
        "1e3",
        "0o14",
        "null",
        "~",
        "# no",
        " x ",
        "é ü 漢 🎈",
        "a\nb\n",
        "\t",
        "",
        "{a}",
        "[a]",
        "%",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "@",
        "`",
    ]
    dsl.ContainerOp("hard", "alpine", command=hard, arguments=[f"{each}{x}" for each in hard])
