"""Pipelines: `@dsl.pipeline` makes a plain, still callable object; tracing it gives its steps and groups."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from penstock.dsl import tracing
from penstock.dsl.conf import PipelineConf
from penstock.dsl.failures import translated
from penstock.dsl.groups import Root
from penstock.dsl.naming import MAX_LENGTH, component_title, kubernetes_name, output_name
from penstock.dsl.references import PipelineParam
from penstock.dsl.signature import InputSpec, docstring, function_place, input_of, read_annotations
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.dsl.schedules import Schedule

__all__ = ["Pipeline", "PipelineSpec", "pipeline"]


class PipelineSpec(NamedTuple):
    """What a pipeline says of itself."""

    name: str
    description: str | None
    inputs: tuple[InputSpec, ...]
    root: str | None = None
    """The folder of its results, which kfp takes as one more parameter."""

    def to_json(self) -> str:
        """The text of the annotation `pipelines.kubeflow.org/pipeline_spec`, as kfp 1.8.22 writes it."""
        fields: dict[str, Any] = {"name": self.name}
        if self.description:
            fields["description"] = self.description
        if self.inputs:
            fields["inputs"] = [port.to_dict() for port in self.inputs]
        return json.dumps(fields, sort_keys=True)


class Pipeline:
    """The function that defines a pipeline, and `.spec`. Calling it inside another pipeline adds its steps there."""

    def __init__(
        self,
        func: Callable[..., Any],
        name: str | None = None,
        description: str | None = None,
        pipeline_root: str | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.place = function_place(func, "pipeline")
        self.func = func
        self.__wrapped__ = func
        self.__name__ = func.__name__
        self.__doc__ = func.__doc__
        self.__module__ = func.__module__
        self.schedule = schedule
        """When it is to be run, if it says so."""
        self.spec = _read_spec(func, name, description, self.place)._replace(root=pipeline_root)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not tracing.is_tracing():
            return self.func(*args, **kwargs)
        trace = tracing.current()
        trace.called.append(self)
        return trace.calling(self.func, args, kwargs)

    def __repr__(self) -> str:
        return f"<pipeline {self.spec.name!r} at {self.place}>"

    def trace(self) -> tracing.Trace:
        """Call the function with references as its arguments, and return what it did.

        Raises InvalidPipeline, with file and line, for what cannot be a pipeline and for the function's own exceptions.
        """
        import inspect

        trace = tracing.Trace(Root(), PipelineConf())
        args: list[PipelineParam] = []
        kwargs: dict[str, PipelineParam] = {}
        parameters = inspect.signature(self.func).parameters.values()
        for parameter, port in zip(parameters, self.spec.inputs, strict=True):
            reference = PipelineParam(output_name(port.name), param_type=port.type)
            trace.register(reference._id, reference)
            if parameter.kind is parameter.KEYWORD_ONLY:
                kwargs[parameter.name] = reference
            else:
                args.append(reference)
        with tracing.tracing(trace), translated(self.place):
            trace.result = self.func(*args, **kwargs)
        return trace


@overload
def pipeline(name: Callable[..., Any], /) -> Pipeline: ...


@overload
def pipeline(
    name: str | None = None,
    description: str | None = None,
    pipeline_root: str | None = None,
    schedule: Schedule | None = None,
) -> Callable[[Callable[..., Any]], Pipeline]: ...


def pipeline(
    name: str | Callable[..., Any] | None = None,
    description: str | None = None,
    pipeline_root: str | None = None,
    schedule: Schedule | None = None,
) -> Pipeline | Callable[[Callable[..., Any]], Pipeline]:
    """Decorate the function that defines a pipeline: `@dsl.pipeline(name="Taxi tips", description="…")`.

    The name defaults to the function's, the description to the first paragraph of its docstring. The function's
    parameters are the pipeline's; a default of another type than declared raises InvalidPipeline.
    With a `schedule`, `penstock compile` makes a ScheduledWorkflow.
    `pipeline_root` is accepted for the sake of files written for Kubeflow Pipelines, and steps do not see it.
    """
    if callable(name):
        return Pipeline(name)
    return lambda func: Pipeline(func, name, description, pipeline_root, schedule)


def _read_spec(func: Callable[..., Any], name: str | None, description: str | None, place: str) -> PipelineSpec:
    import inspect

    doc = docstring(func)
    types = read_annotations(func)
    title = name or component_title(func.__name__)
    if not kubernetes_name(title):
        raise InvalidPipeline(
            f"{place}: pipeline name {title!r} has no letter or digit that a document's name may have"
        )
    if len(kubernetes_name(title)) > MAX_LENGTH:
        raise InvalidPipeline(f"{place}: pipeline name: {len(title)} characters, limit {MAX_LENGTH}")
    inputs = []
    for parameter in inspect.signature(func).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InvalidPipeline(f"{place}: '{parameter}' of pipeline '{func.__name__}': name each parameter")
        inputs.append(input_of(parameter, types.get(parameter.name), doc.params.get(parameter.name), place))
    return PipelineSpec(title, description or doc.summary, tuple(inputs))
