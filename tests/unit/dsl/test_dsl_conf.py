"""Settings of a whole pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authoring import document, step, task, template
from penstock import dsl
from penstock.compiler import compile_pipeline
from penstock.errors import InvalidPipeline

SETTINGS: list[tuple[Callable[[Any], Any], dict[str, Any]]] = [
    (lambda conf: conf.set_image_pull_secrets([{"name": "s"}]), {"imagePullSecrets": [{"name": "s"}]}),
    (lambda conf: conf.set_timeout(60), {"activeDeadlineSeconds": 60}),
    (lambda conf: conf.set_parallelism(3), {"parallelism": 3}),
    (lambda conf: conf.set_ttl_seconds_after_finished(0), {"ttlStrategy": {"secondsAfterCompletion": 0}}),
    (lambda conf: conf.set_pod_disruption_budget("100%"), {"podDisruptionBudget": {"minAvailable": "100%"}}),
    (
        lambda conf: conf.set_default_pod_node_selector("a", 1).set_default_pod_node_selector("b", "2"),
        {"nodeSelector": {"a": "1", "b": "2"}},
    ),
    (lambda conf: conf.set_dns_config({"nameservers": ["1.2.3.4"]}), {"dnsConfig": {"nameservers": ["1.2.3.4"]}}),
]


@pytest.mark.parametrize(("change", "expected"), SETTINGS)
def test_settings(change: Callable[[Any], Any], expected: dict[str, Any]) -> None:
    def pipeline() -> None:
        step("a")
        change(dsl.get_pipeline_conf())

    spec, plain = document(pipeline)["spec"], document(lambda: step("a"))["spec"]
    assert {key: value for key, value in spec.items() if plain.get(key) != value} == expected


def test_settings_given_to_the_compiler_count_alone() -> None:
    @dsl.pipeline(name="p")
    def pipeline() -> None:
        dsl.get_pipeline_conf().set_timeout(60)
        step("a")

    spec = compile_pipeline(pipeline, conf=dsl.PipelineConf().set_parallelism(2))["spec"]
    assert spec["parallelism"] == 2
    assert "activeDeadlineSeconds" not in spec


def test_the_pull_policy_is_that_of_every_container_without_one() -> None:
    def pipeline() -> None:
        step("a")
        step("b").set_image_pull_policy("Never")
        dsl.get_pipeline_conf().set_image_pull_policy("Always")

    assert template(pipeline, "a")["container"]["imagePullPolicy"] == "Always"
    assert template(pipeline, "b")["container"]["imagePullPolicy"] == "Never"


def test_transformers_change_each_step() -> None:
    def secret(op: dsl.BaseOp) -> None:
        op.add_pod_label("team", "a")
        if isinstance(op, dsl.ContainerOp):
            op.container.set_env_variable("X", dsl.PipelineParam("x"))

    def pipeline(x: str) -> None:
        with dsl.ExitHandler(step("clean")):
            step("a")
            dsl.ResourceOp({"kind": "Secret"}, name="r")
        dsl.get_pipeline_conf().add_op_transformer(secret)

    assert template(pipeline, "a")["container"]["env"] == [{"name": "X", "value": "{{inputs.parameters.x}}"}]
    assert template(pipeline, "clean")["container"]["env"] == template(pipeline, "a")["container"]["env"]
    assert template(pipeline, "r")["metadata"]["labels"]["team"] == "a"
    assert task(pipeline, "exit-handler-1", "a")["arguments"]["parameters"][0]["name"] == "x"


def test_what_a_transformer_raises_is_told_with_its_line() -> None:
    def broken(op: dsl.BaseOp) -> None:
        raise ValueError("boom")

    def pipeline() -> None:
        step("a")
        dsl.get_pipeline_conf().add_op_transformer(broken)

    with pytest.raises(InvalidPipeline, match=f"{__file__}:{broken.__code__.co_firstlineno + 1}: ValueError: boom"):
        document(pipeline)


def test_a_label_asks_for_what_a_step_is() -> None:
    found = template(lambda: step("a").add_pod_label("add-pod-env", "true"), "a")["container"]["env"]
    assert {each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"] for each in found} == {
        "KFP_POD_NAME": "metadata.name",
        "KFP_POD_UID": "metadata.uid",
        "KFP_NAMESPACE": "metadata.namespace",
        "WORKFLOW_ID": "metadata.labels['workflows.argoproj.io/workflow']",
        "KFP_RUN_ID": "metadata.labels['pipeline/runid']",
        "ENABLE_CACHING": "metadata.labels['pipelines.kubeflow.org/enable_caching']",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda conf: conf.set_timeout(0), "timeout: expected an integer of at least 1, got 0"),
        (lambda conf: conf.set_parallelism(0), "parallelism: expected an integer of at least 1, got 0"),
        (lambda conf: conf.set_ttl_seconds_after_finished("1h"), "ttl: expected an integer of at least 0, got '1h'"),
        (lambda conf: conf.set_image_pull_policy("Often"), "image pull policy: expected one of Always, Never"),
        (lambda conf: conf.add_op_transformer("f"), "op transformer: expected a function, got 'f'"),
    ],
)
def test_a_wrong_setting_is_refused(change: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(InvalidPipeline, match=message):
        document(lambda: change(dsl.get_pipeline_conf()))


def test_settings_belong_into_a_pipeline() -> None:
    with pytest.raises(InvalidPipeline, match=r"dsl\.get_pipeline_conf\(\) can only be made inside a function"):
        dsl.get_pipeline_conf()


# --- files on a volume ------------------------------------------------------------------------------------------


def by_volume() -> None:
    """Hand files on by a volume."""
    volume = {"persistentVolumeClaim": {"claimName": "c"}}
    dsl.get_pipeline_conf().data_passing_method = dsl.data_passing_methods.KubernetesVolume(volume, "files/")


def filed(name: str, *arguments: Any) -> dsl.ContainerOp:
    """A step whose output lies in a folder of its own."""
    return dsl.ContainerOp(name, "alpine", arguments=list(arguments), file_outputs={"out": "/made/out/data"})


def test_files_lie_on_a_volume() -> None:
    def pipeline(x: str) -> None:
        by_volume()
        maker = filed("make")
        with dsl.Condition(dsl.PipelineParam("x") == "1"):
            filed("read", dsl.InputArgumentPath(maker.output, input="data"))

    spec = document(pipeline)["spec"]
    assert spec["volumes"] == [{"persistentVolumeClaim": {"claimName": "c"}, "name": "data-storage"}]
    path = "files/{{workflow.uid}}_{{pod.name}}/make-out"
    make, read = template(pipeline, "make"), template(pipeline, "read")
    assert make["container"]["volumeMounts"] == [{"mountPath": "/made/out", "name": "data-storage", "subPath": path}]
    assert make["outputs"]["parameters"] == [{"name": "make-out-subpath", "value": path}]
    assert [each["name"] for each in make["outputs"]["artifacts"]] == ["mlpipeline-ui-metadata", "mlpipeline-metrics"]
    assert read["container"]["volumeMounts"][0] == {
        "mountPath": "/tmp/inputs/data",
        "name": "data-storage",
        "subPath": "{{inputs.parameters.make-out-subpath}}",
        "readOnly": True,
    }
    handed = "{{tasks.make.outputs.parameters.make-out-subpath}}"
    assert {"name": "make-out-subpath", "value": handed} in task(pipeline, "p", "condition-1")["arguments"][
        "parameters"
    ]
    assert template(pipeline, "condition-1")["inputs"]["parameters"] == [{"name": "make-out-subpath"}]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: filed("a", dsl.InputArgumentPath("text")), "step 'a' reads a constant as the file"),
        (lambda x: filed("a", dsl.InputArgumentPath(x)), "'x': a parameter cannot be read as a file from a volume"),
        (lambda x: step("a"), "'a-out' of step 'a' is the file /out; on a volume it must lie in a folder of its own"),
        (lambda x: dsl.data_passing_methods.KubernetesVolume("claim"), "volume: expected a V1Volume or a dict"),
    ],
)
def test_what_a_volume_cannot_hand_on_is_refused(make: Callable[[Any], Any], message: str) -> None:
    def pipeline(x: str) -> None:
        by_volume()
        make(dsl.PipelineParam("x"))

    with pytest.raises(InvalidPipeline, match=message):
        document(pipeline)
