"""What a step needs of a cloud or a cluster, in one call: secrets, claims, machines, resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authoring import step, template
from penstock import dsl
from penstock.dsl import aws, azure, gcp, onprem, secrets
from penstock.errors import InvalidPipeline


def applied(*changes: Callable[[Any], Any], name: str = "a") -> dict[str, Any]:
    """The template of a step to which changes were applied."""

    def p() -> None:
        made = step(name)
        for change in changes:
            assert made.apply(change) is made

    return template(p, name)


def key(secret: str, name: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": secret, "key": name}}


def test_a_secret_of_google() -> None:
    found = applied(gcp.use_gcp_secret("sa"))
    file = "/secret/gcp-credentials/sa.json"
    assert found["volumes"] == [{"name": "gcp-credentials-sa", "secret": {"secretName": "sa"}}]
    assert found["container"]["volumeMounts"] == [
        {"mountPath": "/secret/gcp-credentials", "name": "gcp-credentials-sa"}
    ]
    assert found["container"]["env"] == [
        {"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": file},
        {"name": "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", "value": file},
    ]


def test_machines_of_google() -> None:
    found = applied(gcp.use_preemptible_nodepool(), gcp.add_gpu_toleration(), gcp.use_tpu(8, "v2", "1.12"))
    assert [each["key"] for each in found["tolerations"]] == ["preemptible", "nvidia.com/gpu"]
    (preferred,) = found["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred["weight"] == 50
    assert preferred["preference"]["matchExpressions"][0]["key"] == "cloud.google.com/gke-preemptible"
    assert found["container"]["resources"] == {"limits": {"cloud-tpus.google.com/v2": "8"}}
    assert found["metadata"]["annotations"]["tf-version.cloud-tpus.google.com"] == "1.12"


def test_only_machines_that_may_be_taken_away() -> None:
    found = applied(gcp.use_preemptible_nodepool({"key": "own", "operator": "Exists"}, hard_constraint=True))
    (term,) = found["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["true"]
    assert found["tolerations"] == [{"key": "own", "operator": "Exists"}]


def test_secrets_of_amazon_and_microsoft() -> None:
    assert applied(aws.use_aws_secret("s", "id", "key", "eu-1"))["container"]["env"] == [
        {"name": "AWS_ACCESS_KEY_ID", "valueFrom": key("s", "id")},
        {"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": key("s", "key")},
        {"name": "AWS_REGION", "value": "eu-1"},
    ]
    names = ("AZ_SUBSCRIPTION_ID", "AZ_TENANT_ID", "AZ_CLIENT_ID", "AZ_CLIENT_SECRET")
    assert applied(azure.use_azure_secret())["container"]["env"] == [
        {"name": name, "valueFrom": key("azcreds", name)} for name in names
    ]


def test_a_claim_and_a_secret_of_ones_own_cluster() -> None:
    found = applied(onprem.mount_pvc("claim"), onprem.use_k8s_secret("s3", {"secret_key": "PASSWORD"}))
    assert found["volumes"] == [{"name": "pipeline", "persistentVolumeClaim": {"claimName": "claim"}}]
    assert found["container"]["volumeMounts"] == [{"name": "pipeline", "mountPath": "/mnt/pipeline"}]
    assert found["container"]["env"] == [{"name": "PASSWORD", "valueFrom": key("s3", "secret_key")}]


@pytest.mark.parametrize(
    ("before", "resources"),
    [
        (lambda made: made, {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}),
        (
            lambda made: made.set_cpu_limit("4").set_memory_request("2Gi"),
            {"limits": {"cpu": "4", "memory": "1Gi"}, "requests": {"memory": "2Gi"}},
        ),
    ],
)
def test_resources_for_steps_that_name_none(before: Callable[[Any], Any], resources: dict[str, Any]) -> None:
    def p() -> None:
        dsl.get_pipeline_conf().add_op_transformer(
            onprem.add_default_resource_spec(memory_limit="1Gi", cpu_limit="2", cpu_request="1")
        )
        before(step("a"))
        dsl.ResourceOp({"kind": "Job", "apiVersion": "batch/v1"}, name="job")

    assert template(p, "a")["container"]["resources"] == resources
    assert "container" not in template(p, "job")


def test_any_secret_as_a_volume() -> None:
    found = applied(secrets.use_secret("cert", "/etc/cert", "CERT", "tls.crt"))
    assert found["volumes"] == [{"name": "cert", "secret": {"secretName": "cert"}}]
    assert found["container"]["env"] == [{"name": "CERT", "value": "/etc/cert/tls.crt"}]


def test_a_secret_that_a_parameter_names() -> None:
    def p(which: str) -> None:
        step("a").apply(secrets.use_secret(which, "/etc/cert"))

    (volume,) = template(p, "a")["volumes"]
    assert volume == {"name": "secret-which", "secret": {"secretName": "{{inputs.parameters.which}}"}}


@pytest.mark.parametrize("arguments", [("", "/x"), ("s", ""), ("s", "/x", "VAR"), ("s", "/x", None, "file")])
def test_wrong_arguments_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidPipeline, match=r"use_secret: .*(must not be empty|belong together)"):
        secrets.use_secret(*arguments)
