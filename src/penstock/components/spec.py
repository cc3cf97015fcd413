"""What a component is: its inputs, its outputs, and the container that turns the ones into the others."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.components.placeholders import part_to_plain
from penstock.dsl.signature import InputSpec, OutputSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.components.placeholders import Part

__all__ = [
    "ComponentSpec",
    "ContainerSpec",
    "ExecutorOutput",
    "GraphArgument",
    "GraphInput",
    "GraphSpec",
    "GraphTaskSpec",
    "InputSpec",
    "OutputSpec",
    "TaskOutput",
]


class ExecutorOutput(NamedTuple):
    """Where a program says what its artifacts are, as KFP 2 does."""

    path: str
    """The file, in the container: `executor_output.json`."""
    artifacts: tuple[str, ...]
    """The outputs that are described there."""


class ContainerSpec(NamedTuple):
    """The container of a component, its command line with placeholders."""

    image: str
    command: tuple[Part, ...] = ()
    args: tuple[Part, ...] = ()
    env: Mapping[str, Part] = {}
    file_outputs: Mapping[str, str] = {}
    """Outputs that the program always writes to the same file."""
    executor_output: ExecutorOutput | None = None

    def to_dict(self) -> dict[str, Any]:
        """As `component.yaml` has it."""
        fields: dict[str, Any] = {
            "image": self.image,
            "command": [part_to_plain(part) for part in self.command],
            "args": [part_to_plain(part) for part in self.args],
            "env": {name: part_to_plain(part) for name, part in self.env.items()},
            "fileOutputs": dict(self.file_outputs),
        }
        if self.executor_output is not None:
            path, artifacts = self.executor_output
            fields["executorOutput"] = {"path": path, "artifacts": list(artifacts)}
        return {key: value for key, value in fields.items() if value}


class GraphInput(NamedTuple):
    """An input of a graph component, as an argument of one of its tasks."""

    name: str


class TaskOutput(NamedTuple):
    """An output of a task of a graph component."""

    task: str
    output: str


GraphArgument = str | GraphInput | TaskOutput


class GraphTaskSpec(NamedTuple):
    """One task of a graph component."""

    component: ComponentSpec
    arguments: Mapping[str, GraphArgument]
    max_retries: int | None = None
    max_cache_staleness: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As `component.yaml` has it; the component is written out unless it has an address."""
        reference: dict[str, Any] = {"name": self.component.name, **self.component.reference}
        if "url" not in reference:
            reference = {"spec": self.component.to_dict()}
        options: dict[str, Any] = {}
        if self.max_retries is not None:
            options["retryStrategy"] = {"maxRetries": self.max_retries}
        if self.max_cache_staleness is not None:
            options["cachingStrategy"] = {"maxCacheStaleness": self.max_cache_staleness}
        arguments = {name: _argument(each) for name, each in self.arguments.items()}
        fields = {"componentRef": reference, "arguments": arguments, "executionOptions": options}
        return {key: value for key, value in fields.items() if value}


class GraphSpec(NamedTuple):
    """The tasks of a component that is made of others, and the values of its outputs."""

    tasks: Mapping[str, GraphTaskSpec]
    output_values: Mapping[str, GraphArgument]

    def to_dict(self) -> dict[str, Any]:
        """As `component.yaml` has it."""
        fields = {
            "tasks": {name: task.to_dict() for name, task in self.tasks.items()},
            "outputValues": {name: _argument(each) for name, each in self.output_values.items()},
        }
        return {key: value for key, value in fields.items() if value}


def _argument(value: GraphArgument) -> Any:
    if isinstance(value, GraphInput):
        return {"graphInput": {"inputName": value.name}}
    if isinstance(value, TaskOutput):
        return {"taskOutput": {"taskId": value.task, "outputName": value.output}}
    return value


class ComponentSpec:
    """A component. Not to be changed once made."""

    def __init__(
        self,
        name: str,
        implementation: ContainerSpec | GraphSpec,
        *,
        description: str | None = None,
        inputs: tuple[InputSpec, ...] = (),
        outputs: tuple[OutputSpec, ...] = (),
        annotations: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.implementation = implementation
        self.description = description
        self.inputs = inputs
        self.outputs = outputs
        self.annotations = dict(annotations or {})
        self.labels = dict(labels or {})
        self.reference: dict[str, str] = {}
        """Where it was loaded from: the `digest` of its text (SHA-256), and the `url`, if it came from one."""

    @property
    def container(self) -> ContainerSpec:
        """The container. A component that is made of others has none."""
        assert isinstance(self.implementation, ContainerSpec)
        return self.implementation

    @cached_property
    def inputs_by_name(self) -> dict[str, InputSpec]:
        """The inputs by their names."""
        return {port.name: port for port in self.inputs}

    @cached_property
    def summary(self) -> str:
        """The interface as JSON: what pages show of a step's component. The program is not repeated in it."""
        return json.dumps(self._interface(), sort_keys=True)

    def to_dict(self) -> dict[str, Any]:
        """The whole component as `component.yaml` has it."""
        metadata = {"annotations": self.annotations, "labels": self.labels}
        found = {key: value for key, value in metadata.items() if value}
        return {
            **self._interface(),
            **({"metadata": found} if found else {}),
            "implementation": {_kind(self.implementation): self.implementation.to_dict()},
        }

    def _interface(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "inputs": [port.to_dict() for port in self.inputs],
            "outputs": [port.to_dict() for port in self.outputs],
        }
        return {key: value for key, value in fields.items() if value}


def _kind(implementation: ContainerSpec | GraphSpec) -> str:
    return "graph" if isinstance(implementation, GraphSpec) else "container"
