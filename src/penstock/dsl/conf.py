"""Settings of a whole pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.dsl import tracing
from penstock.dsl.container import PULL_POLICIES
from penstock.dsl.kubernetes import plain
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Self

    from penstock.dsl.base import BaseOp
    from penstock.dsl.data_passing_methods import KubernetesVolume

__all__ = ["PipelineConf", "get_pipeline_conf"]


class PipelineConf:
    """Settings of a whole pipeline; each method returns the object, so that calls can be chained.

    Use `dsl.get_pipeline_conf()` inside the pipeline's function, or hand one to the compiler, which then counts alone.
    A wrong value raises InvalidPipeline with the author's file and line.
    """

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        """Fields of the workflow's spec, under their names in a document."""
        self.image_pull_policy: str | None = None
        """The pull policy of every container that has none of its own."""
        self.op_transformers: list[Callable[[Any], Any]] = []
        """Functions that are called with each step before the pipeline is compiled."""
        self.data_passing_method: KubernetesVolume | None = None
        """How files get from step to step; None: as artifacts."""

    def set_image_pull_secrets(self, image_pull_secrets: Iterable[Any]) -> Self:
        """The secrets with which images are pulled (`V1LocalObjectReference`, or dicts with `name`)."""
        return self._set("imagePullSecrets", [plain(secret) for secret in image_pull_secrets])

    def set_timeout(self, seconds: int) -> Self:
        """Fail the run when it takes longer than `seconds`."""
        return self._set("activeDeadlineSeconds", _whole(seconds, 1, "timeout"))

    def set_parallelism(self, max_num_pods: int) -> Self:
        """How many steps may run at once."""
        return self._set("parallelism", _whole(max_num_pods, 1, "parallelism"))

    def set_ttl_seconds_after_finished(self, seconds: int) -> Self:
        """Delete the workflow from the cluster that many seconds after its end."""
        return self._set("ttlStrategy", {"secondsAfterCompletion": _whole(seconds, 0, "ttl")})

    def set_pod_disruption_budget(self, min_available: int | str) -> Self:
        """How many pods of the run must stay when machines are emptied: a number, or a part such as `100%`."""
        return self._set("podDisruptionBudget", {"minAvailable": min_available})

    def set_default_pod_node_selector(self, label_name: str, value: str) -> Self:
        """Run only on machines with that label, where a step says nothing else."""
        self.fields.setdefault("nodeSelector", {})[str(label_name)] = str(value)
        return self

    def set_image_pull_policy(self, policy: str) -> Self:
        """`Always`, `Never` or `IfNotPresent`, for every container that has no policy of its own."""
        if policy not in PULL_POLICIES:
            raise InvalidPipeline(
                tracing.located(f"image pull policy: expected one of {', '.join(PULL_POLICIES)}, got {policy!r}")
            )
        self.image_pull_policy = policy
        return self

    def set_dns_config(self, dns_config: Any) -> Self:
        """How names are resolved in pods (`V1PodDNSConfig`)."""
        return self._set("dnsConfig", plain(dns_config))

    def add_op_transformer(self, transformer: Callable[[Any], Any]) -> Self:
        """Call `transformer` with each step before the pipeline is compiled; it changes the step in place."""
        if not callable(transformer):
            raise InvalidPipeline(tracing.located(f"op transformer: expected a function, got {transformer!r}"))
        self.op_transformers.append(transformer)
        return self

    def transform(self, ops: Iterable[BaseOp]) -> None:
        """Apply all transformers, and the default pull policy, to steps."""
        for op in ops:
            for transformer in self.op_transformers:
                transformer(op)
            container = getattr(op, "container", None)
            if self.image_pull_policy and container is not None:
                container.settings.setdefault("imagePullPolicy", self.image_pull_policy)

    def _set(self, field: str, value: Any) -> Self:
        self.fields[field] = value
        return self


def get_pipeline_conf() -> PipelineConf:
    """The settings of the pipeline being traced. Raises InvalidPipeline outside of one."""
    return tracing.current("dsl.get_pipeline_conf()").conf


def _whole(number: Any, least: int, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise InvalidPipeline(tracing.located(f"{what}: expected an integer of at least {least}, got {number!r}"))
    return number
