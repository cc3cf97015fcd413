"""Node selectors and affinity, held to the labels of one machine."""

from __future__ import annotations

import pytest

from penstock.errors import UnsupportedField
from penstock.workflow import Machine, check_scheduling, load

LABELS = {"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": "here"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def check(more: str, *ignored: str, spec: str = "", container: str = "") -> None:
    head = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: main\n"
    text = f"{head}{spec}  templates:\n  - {{name: main, {more}container: {{image: busybox{container}}}}}\n"
    check_scheduling(load(text), Machine(LABELS, {"nvidia.com/gpu": 1}, frozenset(ignored)))


def required(key: str, operator: str, *values: str) -> str:
    term = f"{{matchExpressions: [{{key: {key}, operator: {operator}, values: [{', '.join(values)}]}}]}}"
    return f"affinity: {{nodeAffinity: {{{REQUIRED}: {{nodeSelectorTerms: [{term}]}}}}}}, "


@pytest.mark.parametrize(
    "more",
    [
        "nodeSelector: {kubernetes.io/arch: amd64, kubernetes.io/os: linux}, ",
        "nodeSelector: {kubernetes.io/arch: '{{workflow.name}}'}, ",
        required("kubernetes.io/os", "In", "'{{workflow.name}}'"),
        required("kubernetes.io/os", "In", "windows", "linux"),
        required("kubernetes.io/os", "NotIn", "windows"),
        required("kubernetes.io/os", "Exists"),
        required("gpu", "DoesNotExist"),
        "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1}]}}, ",
        f"affinity: {{podAffinity: {{{REQUIRED}: [{{topologyKey: zone}}]}}}}, ",
    ],
)
def test_what_this_machine_meets_passes(more: str) -> None:
    check(more)


@pytest.mark.parametrize(
    ("more", "field", "path"),
    [
        ("nodeSelector: {cloud.google.com/gke-accelerator: k80}, ", "nodeSelector", "templates.main.nodeSelector"),
        (
            required("kubernetes.io/os", "In", "windows"),
            "affinity",
            f"templates.main.affinity.nodeAffinity.{REQUIRED}",
        ),
        (required("gpu", "Exists"), "affinity", f"templates.main.affinity.nodeAffinity.{REQUIRED}"),
        (required("kubernetes.io/os", "Gt", "1"), "affinity", f"templates.main.affinity.nodeAffinity.{REQUIRED}"),
        (
            f"affinity: {{podAntiAffinity: {{{REQUIRED}: [{{topologyKey: zone}}]}}}}, ",
            "affinity",
            f"templates.main.affinity.podAntiAffinity.{REQUIRED}",
        ),
    ],
)
def test_what_it_does_not_meet_is_refused_unless_a_person_lets_it_pass(more: str, field: str, path: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        check(more)
    assert caught.value.path == path
    assert f"`--ignore {field}`" in str(caught.value)
    check(more, field)


def test_selectors_of_the_workflow_count_too() -> None:
    with pytest.raises(UnsupportedField, match=r"spec\.nodeSelector: this machine does not meet it: disk=ssd; it has"):
        check("", spec="  nodeSelector: {disk: ssd}\n")


def test_devices_that_the_machine_has_are_given_and_others_refused() -> None:
    check("", container=", resources: {limits: {nvidia.com/gpu: 1, cpu: 64}}")
    with pytest.raises(UnsupportedField, match="2 wanted, it has 1") as caught:
        check("", container=", resources: {limits: {nvidia.com/gpu: 2}}")
    assert caught.value.path == "templates.main.container.resources.limits.nvidia.com/gpu"
    check("", "resources", container=", resources: {limits: {nvidia.com/gpu: 2}}")
    with pytest.raises(UnsupportedField, match="1 wanted, it has 0"):
        check("sidecars: [{name: s, image: a, resources: {requests: {example.com/tpu: 1}}}], ")
