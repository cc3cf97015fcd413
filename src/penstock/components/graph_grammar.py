"""`implementation.graph` of a `component.yaml`: the tasks of a component that is made of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.components.plain_values import expected, fields_of, listed, text_of
from penstock.components.spec import GraphInput, GraphSpec, GraphTaskSpec, TaskOutput
from penstock.dsl import tracing
from penstock.dsl.types import value_text
from penstock.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock.components.spec import ComponentSpec, GraphArgument

__all__ = ["GraphReader"]


_NO_EFFECT = (
    "the task would run all the same: kfp 1.8 reads this and does nothing with it. Make a pipeline of these steps, "
    "with dsl.Condition around the one that depends on a value"
)


class GraphReader:
    """Reads a graph, and holds it to the inputs and outputs that the component declares.

    `load` gives the component at an address, `read` that of values.
    """

    def __init__(
        self,
        inputs: list[str],
        outputs: list[str],
        load: Callable[[str], ComponentSpec],
        read: Callable[[Any, Callable[[str], ComponentSpec]], ComponentSpec],
    ) -> None:
        self._inputs = inputs
        self._outputs = outputs
        self._load = load
        self._read = read

    def read(self, value: Any, path: str) -> GraphSpec:
        """The graph. Raises InvalidDocument, with the place, for whatever does not fit together."""
        fields = fields_of(value, path, required=("tasks",), known=("outputValues",))
        tasks = self._map(fields["tasks"], f"{path}.tasks")
        components = {name: self._component(task, f"{path}.tasks.{name}") for name, task in tasks.items()}
        found = {name: self._task(task, components, name, f"{path}.tasks.{name}") for name, task in tasks.items()}
        given = self._map(fields.get("outputValues", {}), f"{path}.outputValues")
        for name in (*given, *self._outputs):
            if name not in self._outputs or name not in given:
                known = f"outputs: {listed(self._outputs)}; values of outputs: {listed(given)}"
                raise InvalidDocument(f"'{name}' is no output with a value; {known}", path=f"{path}.outputValues")
        values = {n: self._argument(each, components, f"{path}.outputValues.{n}") for n, each in given.items()}
        return GraphSpec(found, values)

    def _component(self, task: Any, path: str) -> ComponentSpec:
        known = ("arguments", "annotations", "executionOptions", "isEnabled")
        fields = fields_of(task, path, required=("componentRef",), known=known)
        if "isEnabled" in fields:
            tracing.complain(tracing.located(f"{path}.isEnabled: {_NO_EFFECT}"))
        path = f"{path}.componentRef"
        reference = fields_of(fields["componentRef"], path, known=("name", "digest", "tag", "url", "spec"))
        if "spec" in reference:
            try:
                return self._read(reference["spec"], self._load)
            except InvalidDocument as error:
                raise InvalidDocument(str(error), path=f"{path}.spec") from None
        if "url" not in reference:
            raise InvalidDocument("expected the component itself (spec), or its address (url)", path=path)
        found = self._load(text_of(reference["url"], f"{path}.url"))
        if reference.get("digest", found.reference.get("digest")) != found.reference.get("digest"):
            got = found.reference.get("digest")
            raise InvalidDocument(f"expected the digest {reference['digest']}, got {got}", path=f"{path}.digest")
        return found

    def _task(self, value: Any, components: Mapping[str, ComponentSpec], name: str, path: str) -> GraphTaskSpec:
        component = components[name]
        given = self._map(value.get("arguments") or {}, f"{path}.arguments")
        for port in given:
            if port not in component.inputs_by_name:
                known = listed(component.inputs_by_name)
                raise InvalidDocument(f"the component has no input '{port}'; its inputs: {known}", path=path)
        arguments = {n: self._argument(each, components, f"{path}.arguments.{n}") for n, each in given.items()}
        path = f"{path}.executionOptions"
        options = fields_of(value.get("executionOptions") or {}, path, known=("retryStrategy", "cachingStrategy"))
        retry = fields_of(options.get("retryStrategy", {}), f"{path}.retryStrategy", known=["maxRetries"])
        caching = fields_of(options.get("cachingStrategy", {}), f"{path}.cachingStrategy", known=["maxCacheStaleness"])
        return GraphTaskSpec(component, arguments, retry.get("maxRetries"), caching.get("maxCacheStaleness"))

    def _argument(self, value: Any, components: Mapping[str, ComponentSpec], path: str) -> GraphArgument:
        if not isinstance(value, dict):
            return value_text(value)
        fields = fields_of(value, path, known=("graphInput", "taskOutput"))
        if len(fields) != 1:
            raise expected("a text, a graphInput or a taskOutput", value, path)
        if "graphInput" in fields:
            inner = fields_of(fields["graphInput"], f"{path}.graphInput", required=("inputName",), known=("type",))
            if inner["inputName"] not in self._inputs:
                known = listed(self._inputs)
                raise InvalidDocument(f"no input '{inner['inputName']}'; inputs: {known}", path=f"{path}.graphInput")
            return GraphInput(inner["inputName"])
        path = f"{path}.taskOutput"
        inner = fields_of(fields["taskOutput"], path, required=("taskId", "outputName"), known=("type",))
        task, output = inner["taskId"], inner["outputName"]
        if task not in components:
            raise InvalidDocument(f"no task '{task}'; tasks: {listed(components)}", path=path)
        outputs = [port.name for port in components[task].outputs]
        if output not in outputs:
            raise InvalidDocument(f"task '{task}' has no output '{output}'; its outputs: {listed(outputs)}", path=path)
        return TaskOutput(task, output)

    @staticmethod
    def _map(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise expected("a map", value, path)
        return value
