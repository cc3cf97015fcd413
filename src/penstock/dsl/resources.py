"""Steps that make, change or delete an object of Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from penstock.dsl import tracing
from penstock.dsl.base import BaseOp
from penstock.dsl.kubernetes import plain
from penstock.dsl.ops import ContainerOp
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.dsl.references import PipelineParam

__all__ = ["ResourceOp", "kubernetes_resource_delete_op"]

_ACTIONS = ("get", "create", "apply", "delete", "replace", "patch")


class ResourceOp(BaseOp):
    """A step that hands an object to Kubernetes.

    `k8s_resource` is a dict or a model of the `kubernetes` package; it may hold references. `action` is `create`,
    `apply` (with `merge_strategy`), `patch`, `replace`, `get` or `delete`. The step succeeds when `success_condition`
    holds for the object, fails when `failure_condition` does, else when Kubernetes took it. `attribute_outputs` maps
    names of outputs to JSON paths in the object, such as `{.status.podIP}`; `name` and `manifest` are always there.
    Raises InvalidPipeline for arguments that do not go together.
    """

    standard_outputs: ClassVar[Mapping[str, str]] = {"name": "{.metadata.name}", "manifest": "{}"}
    """Outputs that are always there, with their JSON paths."""

    def __init__(
        self,
        k8s_resource: Any = None,
        action: str = "create",
        merge_strategy: str | None = None,
        success_condition: str | None = None,
        failure_condition: str | None = None,
        set_owner_reference: bool | None = None,
        attribute_outputs: Mapping[str, str] | None = None,
        flags: Sequence[str] | None = None,
        *,
        name: str,
        **settings: Any,
    ) -> None:
        super().__init__(name, **settings)
        if k8s_resource is None:
            raise InvalidPipeline(tracing.located(f"step '{self.name}': k8s_resource is missing"))
        if action not in _ACTIONS:
            raise InvalidPipeline(tracing.located(f"action: expected one of {', '.join(_ACTIONS)}, got {action!r}"))
        if merge_strategy and action not in ("apply", "patch"):
            raise InvalidPipeline(tracing.located(f"merge_strategy belongs to action 'apply', got {action!r}"))
        if action == "delete" and (success_condition or failure_condition or attribute_outputs):
            raise InvalidPipeline(tracing.located("a deleted object has no conditions and no outputs"))
        self.k8s_resource = plain(k8s_resource)
        self.resource: dict[str, Any] = {
            "action": action,
            "mergeStrategy": merge_strategy,
            "successCondition": success_condition,
            "failureCondition": failure_condition,
            "setOwnerReference": set_owner_reference,
            "flags": list(flags) if flags is not None else ["--wait=false"] if action == "delete" else None,
        }
        self._own_outputs = tuple(attribute_outputs or ())
        if action != "delete":
            for output, path in {**self.standard_outputs, **(attribute_outputs or {})}.items():
                self._add_output(output, path)

    def body(self) -> dict[str, Any]:
        """The object, and what is done with it."""
        return {"resource": {**self.resource, "manifest": self.k8s_resource}}

    @property
    def output(self) -> PipelineParam:
        """The one output that was asked for, else the object's name."""
        return self.outputs[self._own_outputs[0] if len(self._own_outputs) == 1 else "name"]

    def delete(self, flags: Sequence[str] | None = None) -> ContainerOp:
        """A step that deletes the object. Raises InvalidPipeline when this step does so itself."""
        if self.resource["action"] == "delete":
            raise InvalidPipeline(tracing.located(f"step '{self.name}' deletes the object itself"))
        kind = str(self.k8s_resource.get("kind", ""))
        return kubernetes_resource_delete_op(self.outputs["name"], kind, flags=flags or ["--wait=false"])


class _DeleteOp(ContainerOp):
    named_by_author = False


def kubernetes_resource_delete_op(
    name: Any, kind: Any, namespace: Any = None, flags: Sequence[str] | None = None
) -> ContainerOp:
    """A step that deletes the Kubernetes object of that kind and name, if it is there."""
    command = ["kubectl", "delete", kind, name, "--ignore-not-found", "--output", "name"]
    if namespace:
        command += ["--namespace", namespace]
    return _DeleteOp("kubernetes_resource_delete", "gcr.io/cloud-builders/kubectl", [*command, *(flags or ())])
