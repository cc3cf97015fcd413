"""Components as an author handles them: plain objects that can be called."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from penstock.components.functions import Interface, function_component, function_interface
from penstock.components.spec import GraphSpec
from penstock.components.tasks import bind, make_step
from penstock.dsl import tracing
from penstock.dsl.naming import python_name
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from penstock.components.spec import ComponentSpec

__all__ = ["Component", "FunctionComponent", "component"]


class Component:
    """A component. Inside a pipeline, calling it adds a step and returns it; `.spec` tells its inputs and outputs."""

    def __init__(self, spec: ComponentSpec) -> None:
        self._spec = spec
        self.__name__ = python_name(spec.name)
        self.__doc__ = spec.description

    @property
    def spec(self) -> ComponentSpec:
        """The component's inputs, outputs and container."""
        return self._spec

    @property
    def component_spec(self) -> ComponentSpec:
        """The same as `spec`, under kfp's name."""
        return self.spec

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a step to the pipeline being traced. Raises InvalidPipeline outside one, and for wrong arguments."""
        tracing.current(f"The step '{self.__name__}'")
        given = bind(self.spec, self.__name__, self._aliases, args, kwargs)
        if isinstance(self.spec.implementation, GraphSpec):
            from penstock.components.graphs import make_graph

            return make_graph(self.spec, given)
        return make_step(self.spec, given)

    @cached_property
    def _aliases(self) -> dict[str, str]:
        """Names of inputs as Python spells them."""
        return {python_name(port.name): port.name for port in self.spec.inputs}

    def __repr__(self) -> str:
        return f"<component {self.__name__}>"


class FunctionComponent(Component):
    """A component made from a function. Outside a pipeline, calling it calls the function."""

    def __init__(
        self,
        func: Callable[..., Any],
        *,
        base_image: str | None = None,
        packages_to_install: Sequence[str] = (),
        name: str | None = None,
        annotations: Mapping[str, str] | None = None,
        helpers: Sequence[Any] = (),
        extra_code: str = "",
    ) -> None:
        self.interface: Interface = function_interface(func, name)
        self.func = func
        self.python_func = func
        self.__wrapped__ = func
        self.__name__ = func.__name__
        self.__doc__ = func.__doc__
        self.__module__ = func.__module__
        self.base_image = base_image
        self.packages_to_install = tuple(packages_to_install)
        self.annotations = annotations
        self.helpers = tuple(helpers)
        self.extra_code = extra_code

    @cached_property
    def spec(self) -> ComponentSpec:
        """The component; made when it is first asked for. Raises InvalidPipeline for a name from outside."""
        return function_component(
            self.func,
            self.interface,
            base_image=self.base_image,
            packages_to_install=self.packages_to_install,
            annotations=self.annotations,
            helpers=self.helpers,
            extra_code=self.extra_code,
        )

    @cached_property
    def _aliases(self) -> dict[str, str]:
        """Names of inputs as the function calls them: `data_path` for `data`."""
        return {port.argument.parameter: port.spec.name for port in self.interface.ports}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Inside a pipeline: add a step. Elsewhere: call the function."""
        return super().__call__(*args, **kwargs) if tracing.is_tracing() else self.func(*args, **kwargs)


@overload
def component(func: Callable[..., Any]) -> FunctionComponent: ...


@overload
def component(
    func: None = None,
    *,
    base_image: str | None = None,
    packages_to_install: Sequence[str] = (),
    name: str | None = None,
    annotations: Mapping[str, str] | None = None,
    helpers: Sequence[Any] = (),
) -> Callable[[Callable[..., Any]], FunctionComponent]: ...


def component(
    func: Callable[..., Any] | None = None,
    *,
    base_image: str | None = None,
    packages_to_install: Sequence[str] = (),
    name: str | None = None,
    annotations: Mapping[str, str] | None = None,
    helpers: Sequence[Any] = (),
) -> FunctionComponent | Callable[[Callable[..., Any]], FunctionComponent]:
    """Decorate a function that is to run as a step of its own: `@component` or `@component(packages_to_install=[…])`.

    The function must stand alone: it imports and defines inside what it uses. `helpers` are functions and modules of
    one's own that come along, as source; a module brings what it imports from beside it. `base_image` defaults to
    `python:3.11`; `packages_to_install` are pip's requirements; `name` is the title of the step, by default the
    function's name.
    Raises InvalidPipeline for a signature that no component can have.
    """

    def make(function: Callable[..., Any]) -> FunctionComponent:
        if isinstance(packages_to_install, str):
            raise InvalidPipeline(tracing.located("packages_to_install: expected a list of texts, got one text"))
        return FunctionComponent(
            function,
            base_image=base_image,
            packages_to_install=packages_to_install or (),
            name=name,
            annotations=annotations,
            helpers=helpers,
        )

    return make if func is None else make(func)
