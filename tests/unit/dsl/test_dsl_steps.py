"""`dsl.ContainerOp`: a step, its outputs, and everything that is set on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from authoring import container, document, parameters, step, task, tasks, template, templates
from penstock import component, dsl
from penstock.errors import InvalidPipeline


def test_a_container_step() -> None:
    def pipeline(rate: float) -> None:
        dsl.ContainerOp(
            name="Train it!",
            image="trainer:1",
            command=["train"],
            arguments=["--rate", rate, "--mode", f"fast-{rate}", 3],
            file_outputs={"model": "/model", "loss": "/loss"},
        )

    assert template(pipeline, "train-it") == {
        "name": "train-it",
        "inputs": {"parameters": [{"name": "rate"}]},
        "container": {
            "image": "trainer:1",
            "command": ["train"],
            "args": ["--rate", "{{inputs.parameters.rate}}", "--mode", "fast-{{inputs.parameters.rate}}", "3"],
        },
        "metadata": {"labels": {"pipelines.kubeflow.org/enable_caching": "true"}},
        "outputs": {
            "artifacts": [
                {"name": "mlpipeline-ui-metadata", "path": "/mlpipeline-ui-metadata.json", "optional": True},
                {"name": "mlpipeline-metrics", "path": "/mlpipeline-metrics.json", "optional": True},
                {"name": "train-it-loss", "path": "/loss"},
                {"name": "train-it-model", "path": "/model"},
            ]
        },
    }


def test_equal_names_of_components_are_told_apart() -> None:
    @component
    def a():
        """Any."""

    def pipeline() -> None:
        for _ in range(3):
            a()
        step("a")
        step("a-2")

    found = templates(pipeline)
    assert list(found) == ["a", "a-2-2", "a-4", "p"]
    assert {name: each["template"] for name, each in tasks(found["p"]).items()} == {
        "a": "a",
        "a-2": "a",
        "a-3": "a",
        "a-4": "a-4",
        "a-2-2": "a-2-2",
    }


def test_two_steps_of_one_name_are_refused() -> None:
    def pipeline() -> None:
        dsl.ContainerOp("Train it", "alpine")
        dsl.ContainerOp("train-it", "alpine")

    with pytest.raises(InvalidPipeline) as error:
        document(pipeline)
    first = pipeline.__code__.co_firstlineno + 1
    assert str(error.value) == (
        f"{__file__}:{first + 1}: two steps are called 'train-it', the other at {__file__}:{first}; rename one"
    )


def test_each_call_of_a_pipeline_has_names_of_its_own() -> None:
    @dsl.pipeline(name="inner")
    def inner() -> None:
        step("a")

    def pipeline() -> None:
        inner()
        inner()
        step("a")

    assert list(templates(pipeline)) == ["a", "a-2", "a-3", "p"]


def test_a_step_has_no_name_of_the_pipeline() -> None:
    assert document(lambda: step("p"))["spec"]["entrypoint"] == "p-2"


def test_an_output_that_a_step_reads_is_a_parameter_and_orders_the_two() -> None:
    def pipeline() -> None:
        maker = step("make")
        step("read", maker.output)

    found = templates(pipeline)
    assert found["make"]["outputs"]["parameters"] == [{"name": "make-out", "valueFrom": {"path": "/out"}}]
    assert "parameters" not in found["read"]["outputs"]
    assert found["read"]["container"]["args"] == ["{{inputs.parameters.make-out}}"]
    assert task(pipeline, "p", "read") == {
        "name": "read",
        "template": "read",
        "dependencies": ["make"],
        "arguments": {"parameters": [{"name": "make-out", "value": "{{tasks.make.outputs.parameters.make-out}}"}]},
    }


def test_an_output_is_read_by_name_where_there_are_several() -> None:
    def pipeline() -> None:
        maker = dsl.ContainerOp("make", "alpine", file_outputs={"a": "/a", "b": "/b"})
        step("read", maker.outputs["b"])

    assert list(parameters(task(pipeline, "p", "read"))) == ["make-b"]


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda op: op.outputs["c"], r"step 'make' has no output 'c'; it has the outputs 'a', 'b'"),
        (
            lambda op: op.output,
            r"'make': it has the outputs 'a', 'b'; read one with \.outputs\[NAME\]",
        ),
        (
            lambda op: dsl.ContainerOp("n", "i").output,
            r"'n': it has no outputs \(file_outputs declares",
        ),
    ],
)
def test_an_output_that_does_not_exist_is_refused(read: Callable[[Any], Any], message: str) -> None:
    def pipeline() -> None:
        step("read", read(dsl.ContainerOp("make", "alpine", file_outputs={"a": "/a", "b": "/b"})))

    with pytest.raises(InvalidPipeline, match=message) as caught:
        document(pipeline)
    assert str(caught.value).startswith(__file__)


def test_a_reference_of_another_pipeline_is_refused() -> None:
    kept: list[Any] = []

    def first() -> None:
        kept.append(step("make").output)

    document(first)
    with pytest.raises(InvalidPipeline, match="'read' uses output 'out' of 'make', which this pipeline does not have"):
        document(lambda: step("read", kept[0]))


def test_after_orders_steps() -> None:
    def pipeline() -> None:
        first, second = step("a"), step("b")
        step("c").after(first, second)

    assert task(pipeline, "p", "c")["dependencies"] == ["a", "b"]


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_a_circle_is_refused(names: str) -> None:
    def pipeline() -> None:
        steps = [step(name) for name in names]
        for each, other in zip(steps, [*steps[1:], steps[0]], strict=True):
            each.after(other)

    with pytest.raises(InvalidPipeline, match=r"a circle: '.', which waits for .*take one \.after\(…\)"):
        document(pipeline)


def test_a_circle_through_a_group_is_refused() -> None:
    def pipeline() -> None:
        first = step("a")
        with dsl.Condition(first.output == "1"):
            inner = step("b")
        first.after(inner)

    with pytest.raises(InvalidPipeline, match="a circle: 'a', which waits for 'condition-1', which waits for 'a'"):
        document(pipeline)


def test_after_takes_steps() -> None:
    def pipeline() -> None:
        maker = step("a")
        step("b").after(maker.output)

    with pytest.raises(InvalidPipeline, match=r"'b'\.after\(…\) takes steps and groups, got PipelineParam"):
        document(pipeline)


def test_a_file_is_handed_over_as_an_artifact() -> None:
    def pipeline() -> None:
        maker = step("make")
        step("read", dsl.InputArgumentPath(maker.output, input="data"))

    found = templates(pipeline)
    assert found["read"]["inputs"] == {"artifacts": [{"name": "make-out", "path": "/tmp/inputs/data/data"}]}
    assert found["read"]["container"]["args"] == ["/tmp/inputs/data/data"]
    assert "parameters" not in found["make"]["outputs"]
    assert task(pipeline, "p", "read")["arguments"] == {
        "artifacts": [{"name": "make-out", "from": "{{tasks.make.outputs.artifacts.make-out}}"}]
    }


def test_a_constant_is_handed_over_as_a_file() -> None:
    def pipeline(word: str) -> None:
        step("a", dsl.InputArgumentPath("text", path="/in/text"), dsl.InputArgumentPath(word, input="w"))

    assert template(pipeline, "a")["inputs"]["artifacts"] == [
        {"name": "input-0", "path": "/in/text", "raw": {"data": "text"}},
        {"name": "word", "path": "/tmp/inputs/w/data"},
    ]


def test_files_for_pages_and_metrics_are_listed_once() -> None:
    def pipeline() -> None:
        dsl.ContainerOp("a", "alpine", file_outputs={"MLPipeline UI metadata": "/ui.json", "out": "/out"})
        dsl.ContainerOp("b", "alpine", output_artifact_paths={"log": "/log", "mlpipeline-metrics": "/m.json"})

    found = {name: each.get("outputs", {}).get("artifacts") for name, each in templates(pipeline).items()}
    assert found["a"] == [
        {"name": "mlpipeline-metrics", "path": "/mlpipeline-metrics.json", "optional": True},
        {"name": "mlpipeline-ui-metadata", "path": "/ui.json"},
        {"name": "a-out", "path": "/out"},
    ]
    assert found["b"] == [
        {"name": "mlpipeline-ui-metadata", "path": "/mlpipeline-ui-metadata.json", "optional": True},
        {"name": "log", "path": "/log"},
        {"name": "mlpipeline-metrics", "path": "/m.json"},
    ]


SETTINGS: list[tuple[Callable[[Any], Any], dict[str, Any]]] = [
    (lambda op: op.set_retry(3), {"retryStrategy": {"limit": 3}}),
    (
        lambda op: op.set_retry(2, "Always", "10s", 2, "1m"),
        {
            "retryStrategy": {
                "limit": 2,
                "retryPolicy": "Always",
                "backoff": {"duration": "10s", "factor": 2, "maxDuration": "1m"},
            }
        },
    ),
    (lambda op: op.set_timeout(60), {"activeDeadlineSeconds": 60}),
    (lambda op: op.add_node_selector_constraint("zone", "a"), {"nodeSelector": {"zone": "a"}}),
    (lambda op: op.add_toleration({"key": "gpu"}), {"tolerations": [{"key": "gpu"}]}),
    (lambda op: op.add_affinity({"nodeAffinity": {}}), {"affinity": {"nodeAffinity": {}}}),
    (
        lambda op: op.add_volume({"name": "v", "emptyDir": {}}).add_volume_mount({"name": "v", "mountPath": "/v"}),
        {"volumes": [{"name": "v", "emptyDir": {}}]},
    ),
]


@pytest.mark.parametrize(("change", "expected"), SETTINGS)
def test_settings_of_a_step(change: Callable[[Any], Any], expected: dict[str, Any]) -> None:
    plain = template(lambda: step("a"), "a")
    made = template(lambda: change(step("a")), "a")
    assert {key: value for key, value in made.items() if plain.get(key) != value and key != "container"} == expected


CONTAINER: list[tuple[Callable[[Any], Any], dict[str, Any]]] = [
    (
        lambda op: op.set_env_variable("A", 1).set_env_variable("A", 2).set_env_variable("B", "x"),
        {"env": [{"name": "A", "value": "2"}, {"name": "B", "value": "x"}]},
    ),
    (
        lambda op: op.add_env_variable({"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}),
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
    ),
    (lambda op: op.add_env_from({"configMapRef": {"name": "c"}}), {"envFrom": [{"configMapRef": {"name": "c"}}]}),
    (
        lambda op: op.set_cpu_request("500m").set_cpu_limit(2).set_memory_request("1G").set_memory_limit("2Gi"),
        {"resources": {"requests": {"cpu": "500m", "memory": "1G"}, "limits": {"cpu": "2", "memory": "2Gi"}}},
    ),
    (
        lambda op: op.set_ephemeral_storage_request("1Gi").set_ephemeral_storage_limit("2Gi"),
        {"resources": {"requests": {"ephemeral-storage": "1Gi"}, "limits": {"ephemeral-storage": "2Gi"}}},
    ),
    (lambda op: op.set_gpu_limit(1), {"resources": {"limits": {"nvidia.com/gpu": 1}}}),
    (lambda op: op.set_gpu_limit("2", "amd"), {"resources": {"limits": {"amd.com/gpu": "2"}}}),
    (lambda op: op.add_resource_limit("fpga", 1), {"resources": {"limits": {"fpga": 1}}}),
    (lambda op: op.set_image_pull_policy("Always"), {"imagePullPolicy": "Always"}),
    (lambda op: op.container.set_working_dir("/w"), {"workingDir": "/w"}),
    (lambda op: op.add_port({"containerPort": 80}), {"ports": [{"containerPort": 80}]}),
]


@pytest.mark.parametrize(("change", "expected"), CONTAINER)
def test_settings_of_a_container(change: Callable[[Any], Any], expected: dict[str, Any]) -> None:
    plain = container(lambda: step("a"))
    made = container(lambda: change(step("a")))
    assert {key: value for key, value in made.items() if plain.get(key) != value} == expected


def test_settings_hold_references() -> None:
    def pipeline(size: str, zone: str) -> None:
        op = step("a").set_memory_limit(size).set_env_variable("ZONE", zone)
        op.set_cpu_limit("1").add_node_selector_constraint("zone", zone)

    found = template(pipeline, "a")
    assert found["inputs"]["parameters"] == [{"name": "size"}, {"name": "zone"}]
    assert "nodeSelector" not in found
    assert found["container"]["env"] == [{"name": "ZONE", "value": "{{inputs.parameters.zone}}"}]
    assert found["container"]["resources"] == {"limits": {"cpu": "1"}}
    assert json.loads(found["podSpecPatch"]) == {
        "nodeSelector": {"zone": "{{inputs.parameters.zone}}"},
        "containers": [{"name": "main", "resources": {"limits": {"memory": "{{inputs.parameters.size}}"}}}],
    }


def test_what_pages_and_the_cache_read_of_a_step() -> None:
    def pipeline() -> None:
        op = step("a").set_display_name("The step").add_pod_label("l", 1).add_pod_annotation("n", "2")
        op.set_caching_options(False)
        op.execution_options.caching_strategy.max_cache_staleness = "P0D"

    assert template(pipeline, "a")["metadata"] == {
        "annotations": {
            "n": "2",
            "pipelines.kubeflow.org/task_display_name": "The step",
            "pipelines.kubeflow.org/max_cache_staleness": "P0D",
        },
        "labels": {"l": "1", "pipelines.kubeflow.org/enable_caching": "false"},
    }


def test_a_step_is_changed_by_a_function() -> None:
    def quick(op: dsl.ContainerOp) -> None:
        op.set_timeout(1)

    assert template(lambda: step("a").apply(quick).set_retry(1), "a")["activeDeadlineSeconds"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda op: op.set_retry(-1), "num_retries: expected an integer of at least 0, got -1"),
        (lambda op: op.set_retry(1, "Never"), "policy: expected one of Always, OnError, OnFailure, OnTransientError"),
        (lambda op: op.set_timeout("soon"), "timeout: expected an integer of at least 0, got 'soon'"),
        (lambda op: op.set_memory_limit("lots"), "memory: 'lots' is not an amount; write for example '512M' or '2Gi'"),
        (lambda op: op.set_cpu_limit("fast"), "cpu: 'fast' is not an amount"),
        (lambda op: op.set_gpu_limit(0), "gpu: expected a positive integer, got 0"),
        (lambda op: op.set_gpu_limit(1, "intel"), "gpu vendor: expected 'nvidia' or 'amd', got 'intel'"),
        (
            lambda op: op.set_image_pull_policy("Often"),
            "image pull policy: expected one of Always",
        ),
        (lambda op: op.add_volume(object()), "expected a dict or a Kubernetes object, got object"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_line(change: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(InvalidPipeline, match=message) as caught:
        document(lambda: change(step("a")))
    assert str(caught.value).startswith(f"{__file__}:")


@pytest.mark.parametrize(
    ("name", "message"),
    [("?!", "expected a text with a letter or digit"), (3, "step name 3"), ("x" * 129, "129 characters, limit 128")],
)
def test_a_name_that_no_document_can_have_is_refused(name: Any, message: str) -> None:
    with pytest.raises(InvalidPipeline, match=message):
        document(lambda: step(name))


def test_a_misspelled_method_is_an_error() -> None:
    with pytest.raises(
        InvalidPipeline, match="AttributeError: 'ContainerOp' object has no attribute 'set_memory_limits'"
    ):
        document(lambda: step("a").set_memory_limits("1G"))


def test_objects_of_the_kubernetes_package_are_taken() -> None:
    class V1EnvVar:
        attribute_map = {"name": "name", "value_from": "valueFrom"}
        name = "A"
        value_from = {"fieldRef": {"fieldPath": "metadata.name"}}

    assert container(lambda: step("a").add_env_variable(V1EnvVar()))["env"] == [
        {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    ]


def test_text_stays_as_it_is() -> None:
    texts = ["'", '"', "a\nb", "'''", "é", "-x", "yes", "1e3", "", " ", "\\", "$HOME", "x" * 100_000]
    assert container(lambda: step("a", *texts))["args"] == texts
