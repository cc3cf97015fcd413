"""Graph components: a function whose steps become a DAG of their own, which may call itself."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from penstock.dsl import tracing
from penstock.dsl.groups import Condition, Group
from penstock.dsl.nodes import Node
from penstock.dsl.references import Reference
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Graph", "GraphCall", "graph_component"]


class Graph(Group):
    """The steps of one call of a graph component."""

    kind = "graph"

    def __init__(self, func: Callable[..., Any], arguments: Mapping[str, Reference]) -> None:
        super().__init__(func.__name__)
        self.func = func
        self.arguments = dict(arguments)
        """What the call handed in, by the function's parameters. Inside, each stands for what a later call hands in."""


class GraphCall(Node):
    """A graph component calling itself: a task of the graph that it stands in."""

    def __init__(self, graph: Graph, arguments: Mapping[str, Reference]) -> None:
        super().__init__()
        self.graph = graph
        self.arguments = dict(arguments)
        trace = tracing.current()
        if not any(isinstance(group, Condition) for group in trace.stack[trace.stack.index(graph) :]):
            raise InvalidPipeline(
                tracing.located(f"'{graph.func.__name__}' calls itself without end; put the call under a dsl.Condition")
            )
        self.parent = trace.group
        taken = {child.name for child in self.parent.children}
        names = (graph.name, *(f"{graph.name}-{number}" for number in range(2, len(taken) + 2)))
        self.name = next(name for name in names if name not in taken)
        self.parent.children.append(self)


def graph_component(func: Callable[..., Any]) -> Callable[..., Graph | GraphCall]:
    """Decorate a function that makes steps: each call becomes a DAG of its own, and the function may call itself.

    A call inside the function, under a `dsl.Condition`, runs the same DAG again with other values. Its arguments are
    parameters and outputs; constants are refused. It returns the group, for `.after(…)`.
    Raises InvalidPipeline for other arguments.
    """

    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Graph | GraphCall:
        trace = tracing.current(f"The graph component '{func.__name__}'")
        arguments = _bound(func, args, kwargs)
        for group in trace.stack:
            if isinstance(group, Graph) and group.func is func:
                return GraphCall(group, arguments)
        with Graph(func, arguments) as graph:
            trace.calling(func, args, kwargs)
        made: Graph = graph
        return made

    return call


def _bound(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Reference]:
    import inspect

    try:
        arguments = inspect.signature(func).bind(*args, **kwargs).arguments
    except TypeError as error:
        raise InvalidPipeline(tracing.located(f"graph component '{func.__name__}': {error}")) from None
    for name, value in arguments.items():
        if not isinstance(value, Reference):
            raise InvalidPipeline(
                tracing.located(
                    f"'{name}' of graph component '{func.__name__}': expected a parameter or an output, got {value!r}"
                )
            )
    return arguments
