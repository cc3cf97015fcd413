"""Steps that use Google's cloud: secrets, processors, machines that may be taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.dsl.secrets import mounted

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["add_gpu_toleration", "use_gcp_secret", "use_preemptible_nodepool", "use_tpu"]

_PREEMPTIBLE = {"effect": "NoSchedule", "key": "preemptible", "operator": "Equal", "value": "true"}
_GPU = {"effect": "NoSchedule", "key": "nvidia.com/gpu", "operator": "Equal", "value": "true"}


def use_gcp_secret(
    secret_name: str = "user-gcp-sa",  # noqa: S107 (a name)
    secret_file_path_in_volume: str | None = None,
    volume_name: str | None = None,
    secret_volume_mount_path: str = "/secret/gcp-credentials",  # noqa: S107 (a path)
) -> Callable[[Any], Any]:
    """Mount the secret with a service account's key, and tell Google's libraries and `gcloud` where it lies."""
    file = secret_volume_mount_path + (secret_file_path_in_volume or f"/{secret_name}.json")
    told = {"GOOGLE_APPLICATION_CREDENTIALS": file, "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": file}
    return mounted(secret_name, volume_name or f"gcp-credentials-{secret_name}", secret_volume_mount_path, told)


def use_tpu(tpu_cores: int, tpu_resource: str, tf_version: str) -> Callable[[Any], Any]:
    """Ask for `tpu_cores` cores of a TPU, for example `v2` or `preemptible-v3`, with that version of TensorFlow."""

    def change(step: Any) -> Any:
        step.add_pod_annotation("tf-version.cloud-tpus.google.com", tf_version)
        return step.add_resource_limit(f"cloud-tpus.google.com/{tpu_resource}", str(tpu_cores))

    return change


def use_preemptible_nodepool(toleration: Any = None, hard_constraint: bool = False) -> Callable[[Any], Any]:
    """Accept machines that may be taken away, and prefer them, or with `hard_constraint` take no others.

    `toleration` is a `V1Toleration`, by default of the taint `preemptible=true`.
    """
    expression = {"key": "cloud.google.com/gke-preemptible", "operator": "In", "values": ["true"]}
    term = {"matchExpressions": [expression]}
    wanted: dict[str, Any] = (
        {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        if hard_constraint
        else {"preferredDuringSchedulingIgnoredDuringExecution": [{"preference": term, "weight": 50}]}
    )
    return lambda step: step.add_toleration(toleration or _PREEMPTIBLE).add_affinity({"nodeAffinity": wanted})


def add_gpu_toleration(toleration: Any = None) -> Callable[[Any], Any]:
    """Accept machines that are kept for steps with graphics processors."""
    return lambda step: step.add_toleration(toleration or _GPU)
