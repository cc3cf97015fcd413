"""What every step has, whatever it does: a name, outputs, and settings of its pod."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from penstock.dsl import tracing
from penstock.dsl.kubernetes import plain
from penstock.dsl.naming import MAX_LENGTH, kubernetes_name, output_name
from penstock.dsl.nodes import Node
from penstock.dsl.references import PipelineParam
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

__all__ = ["BaseOp", "RetryStrategy"]

_POLICIES = ("Always", "OnError", "OnFailure", "OnTransientError")


class RetryStrategy(NamedTuple):
    """How often, when and why a step is tried again."""

    limit: int = 0
    policy: str | None = None
    duration: str | None = None
    factor: int | None = None
    max_duration: str | None = None


class CachingStrategy:
    """How long results may be reused: `max_cache_staleness` is an ISO 8601 duration; `P0D` says never."""

    max_cache_staleness: str | None = None


class ExecutionOptions:
    """Further options of a step."""

    def __init__(self) -> None:
        self.caching_strategy = CachingStrategy()


class Outputs(dict[str, PipelineParam]):
    """A step's outputs by name. Raises InvalidPipeline for a name that there is not."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    def __missing__(self, name: str) -> PipelineParam:
        raise InvalidPipeline(tracing.located(f"step '{self._step}' has no output '{name}'; it has {_listed(self)}"))


class BaseOp(Node, ABC):
    """Base of all steps. A step is made while a pipeline is traced; elsewhere InvalidPipeline is raised.

    `name` is the step's own: a second step of that name raises InvalidPipeline, unless it is made by another call of a
    pipeline or graph component. `init_containers` run before the step, `sidecars` beside it.
    """

    named_by_author: ClassVar[bool] = True
    """Whether the author gave the step its name. Of others, a second `train` becomes `train-2`."""

    def __init__(
        self,
        name: str,
        init_containers: Iterable[Any] | None = None,
        sidecars: Iterable[Any] | None = None,
        is_exit_handler: bool = False,
    ) -> None:
        trace = tracing.current("A step")
        super().__init__()
        self.human_name = name
        self.name = self._own(_document_name(name), trace)
        self.is_exit_handler = is_exit_handler
        self.outputs: dict[str, PipelineParam] = Outputs(self.name)
        self.sources: dict[str, str] = {}
        """Where each output comes from, by its name in the document without the step's before it."""
        self.init_containers = list(init_containers or ())
        self.sidecars = list(sidecars or ())
        self._init_settings()
        trace.ops[self.name] = self
        if not is_exit_handler:
            self.parent = trace.group
            trace.group.children.append(self)

    def _own(self, name: str, trace: tracing.Trace) -> str:
        if self.named_by_author:
            other = trace.given_names.setdefault((trace.scope, name), self)
            if other is not self:
                tracing.complain(
                    tracing.located(f"two steps are called '{self.human_name}', the other at {other.place}; rename one")
                )
        return trace.names.unique(name)

    def _init_settings(self) -> None:
        self.pod_labels: dict[str, Any] = {}
        self.pod_annotations: dict[str, Any] = {}
        self.node_selector: dict[str, Any] = {}
        self.tolerations: list[Any] = []
        self.volumes: list[Any] = []
        self.affinity: Any = None
        self.retry: RetryStrategy | None = None
        self.timeout: int | None = None
        self.display_name: str | None = None
        self.enable_caching = True
        self.cache_key = ""
        self.execution_options = ExecutionOptions()
        self.component: Any = None
        """The component that the step was made from, if any."""
        self.value_arguments: dict[str, str] = {}
        """Inputs of the component whose values stand in the command line: name of the input → text of the argument."""
        self.component_arguments: Mapping[str, str] = {}
        """All inputs of the component that have a value: name of the input → text of the argument."""
        self.artifact_inputs: dict[str, tuple[str, str]] = {}
        """Files that the step reads: name of the input → (file, text of the argument)."""
        self.artifact_paths: dict[str, str] = {}
        """Files that no step reads: name in the document → file."""

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """The field of the template that says what the step does, with the markers of references in its texts."""

    def _add_output(self, name: str, source: str) -> None:
        reference = PipelineParam(output_name(name), self.name)
        _bounded(reference.full_name, "name of an output")
        self.outputs[name] = tracing.current().register(reference._id, reference)
        self.sources[reference.name] = source

    @property
    def output(self) -> PipelineParam:
        """The step's output. Raises InvalidPipeline when it has none, or several."""
        unique = {reference._id: reference for reference in self.outputs.values()}
        if len(unique) == 1:
            return next(iter(unique.values()))
        advice = "" if not unique else "; read one with .outputs[NAME]"
        raise InvalidPipeline(tracing.located(f".output of step '{self.name}': it has {_listed(self.outputs)}{advice}"))

    def apply(self, mod_func: Callable[[Any], Any]) -> Any:
        """Call `mod_func` with the step and return what it returns, or the step when that is None."""
        return mod_func(self) or self

    def set_retry(
        self,
        num_retries: int,
        policy: str | None = None,
        backoff_duration: str | None = None,
        backoff_factor: float | None = None,
        backoff_max_duration: str | None = None,
    ) -> Self:
        """Try again up to `num_retries` times.

        `policy` is Always, OnError, OnFailure (the default) or OnTransientError. Durations are seconds or texts such
        as `30s` and `5m`: the wait before the first retry is `backoff_duration`, each next one `backoff_factor` times
        as long; nothing is started after `backoff_max_duration` in all. Returns self.
        """
        self.retry = RetryStrategy(
            _whole(num_retries, "num_retries"),
            _one_of(policy, _POLICIES, "policy"),
            None if backoff_duration is None else str(backoff_duration),
            None if backoff_factor is None else _whole(backoff_factor, "backoff_factor"),
            None if backoff_max_duration is None else str(backoff_max_duration),
        )
        return self

    def set_timeout(self, seconds: int) -> Self:
        """Fail the step when it runs longer than `seconds`. Returns self."""
        self.timeout = _whole(seconds, "timeout")
        return self

    def set_display_name(self, name: str) -> Self:
        """The name under which pages show the step. Returns self."""
        self.display_name = name
        return self

    def set_caching_options(self, enable_caching: bool, cache_key: str = "") -> Self:
        """Whether an earlier result of the same work may be used. Work is the same that has the same `cache_key`;
        without one, that whose image, command, inputs and environment are equal. Returns self."""
        self.enable_caching = enable_caching
        self.cache_key = cache_key
        return self

    def add_pod_label(self, name: str, value: Any) -> Self:
        """Label the step's pod. Returns self."""
        self.pod_labels[name] = str(value)
        return self

    def add_pod_annotation(self, name: str, value: Any) -> Self:
        """Annotate the step's pod. Returns self."""
        self.pod_annotations[name] = str(value)
        return self

    def add_node_selector_constraint(self, label_name: Any, value: Any) -> Self:
        """Run only on machines with that label. Returns self."""
        self.node_selector[str(label_name)] = str(value)
        return self

    def add_toleration(self, tolerations: Any) -> Self:
        """Accept machines with a taint (`V1Toleration`). Returns self."""
        self.tolerations.append(plain(tolerations))
        return self

    def add_affinity(self, affinity: Any) -> Self:
        """Prefer or require machines (`V1Affinity`). Returns self."""
        self.affinity = plain(affinity)
        return self

    def add_init_container(self, init_container: Any) -> Self:
        """Run a container before the step (`UserContainer`). Returns self."""
        self.init_containers.append(init_container)
        return self

    def add_sidecar(self, sidecar: Any) -> Self:
        """Run a container beside the step (`Sidecar`). Returns self."""
        self.sidecars.append(sidecar)
        return self

    def add_volume(self, volume: Any) -> Self:
        """Add a volume (`V1Volume`) that `add_volume_mount` can mount. Returns self."""
        self.volumes.append(plain(volume))
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def _listed(outputs: Mapping[str, PipelineParam]) -> str:
    names = ", ".join(f"'{name}'" for name in outputs)
    return f"the outputs {names}" if names else "no outputs (file_outputs declares them)"


def _document_name(name: Any) -> str:
    if not isinstance(name, str) or not kubernetes_name(name):
        raise InvalidPipeline(
            tracing.located(
                f"step name {name!r}: expected a text with a letter or digit that a document's name may have"
            )
        )
    made = kubernetes_name(name)
    if made[0].isdigit() and tracing.written_for_kfp("1.8"):
        made = f"n{made}"
    return _bounded(made, "step name")


def _bounded(name: str, what: str) -> str:
    if len(name) > MAX_LENGTH:
        raise InvalidPipeline(tracing.located(f"{what}: {len(name)} characters, limit {MAX_LENGTH}: '{name[:20]}…'"))
    return name


def _whole(number: Any, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number) or number < 0:
        raise InvalidPipeline(tracing.located(f"{what}: expected an integer of at least 0, got {number!r}"))
    return int(number)


def _one_of(value: str | None, allowed: tuple[str, ...], what: str) -> str | None:
    if value is not None and value not in allowed:
        raise InvalidPipeline(tracing.located(f"{what}: expected one of {', '.join(allowed)}, got {value!r}"))
    return value
