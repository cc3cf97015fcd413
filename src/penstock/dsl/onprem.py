"""Steps on a cluster of one's own: claims of volumes, secrets, resources where a step names none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.dsl.ops import ContainerOp
from penstock.dsl.secrets import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["add_default_resource_spec", "mount_pvc", "use_k8s_secret"]


def mount_pvc(
    pvc_name: Any = "pipeline-claim", volume_name: str = "pipeline", volume_mount_path: str = "/mnt/pipeline"
) -> Callable[[Any], Any]:
    """Mount a claim of a volume. Steps that run no container stay as they are."""

    def change(step: Any) -> Any:
        if isinstance(step, ContainerOp):
            step.add_volume({"name": volume_name, "persistentVolumeClaim": {"claimName": str(pvc_name)}})
            step.add_volume_mount({"name": volume_name, "mountPath": volume_mount_path})
        return step

    return change


def use_k8s_secret(
    secret_name: str = "k8s-secret",  # noqa: S107 (a name)
    k8s_secret_key_to_env: Mapping[str, str] | None = None,
) -> Callable[[Any], Any]:
    """Set environment variables from keys of a secret; `k8s_secret_key_to_env` maps keys to variables."""
    return variables(secret_name, {name: key for key, name in (k8s_secret_key_to_env or {}).items()})


def add_default_resource_spec(
    memory_limit: Any = None, cpu_limit: Any = None, memory_request: Any = None, cpu_request: Any = None
) -> Callable[[Any], Any]:
    """Limits and requests for steps that have none; a request is by default what the limit is.

    To be used on one step, or as `PipelineConf.add_op_transformer(add_default_resource_spec(…))` on all.
    """
    amounts = {"cpu": (cpu_request or cpu_limit, cpu_limit), "memory": (memory_request or memory_limit, memory_limit)}

    def change(step: Any) -> Any:
        for resource, (request, limit) in amounts.items() if isinstance(step, ContainerOp) else ():
            # A limit alone is a request, too.
            if step.get_resource_limit(resource) is None:
                _set(step, resource, request, limit)
        return step

    return change


def _set(step: ContainerOp, resource: str, request: Any, limit: Any) -> None:
    if limit:
        step.add_resource_limit(resource, limit)
    if request and step.get_resource_request(resource) is None:
        step.add_resource_request(resource, request)
