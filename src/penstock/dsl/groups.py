"""Groups of steps: conditions, loops, exit handlers. Each is a `with` block that later becomes a DAG template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from penstock.dsl import tracing, types
from penstock.dsl.naming import kubernetes_name, output_name
from penstock.dsl.nodes import Node
from penstock.dsl.references import LoopItem, Predicate, Reference, ReferenceName, condition_of
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from types import TracebackType

    from penstock.dsl.base import BaseOp

__all__ = ["Condition", "ExitHandler", "Group", "ParallelFor", "SubGraph"]


class Group(Node):
    """Steps and groups inside one `with` block. `name` is set when the block is entered."""

    kind: ClassVar[str] = "group"

    def __init__(self, title: str | None = None) -> None:
        super().__init__()
        self.title = title
        self.children: list[Node] = []
        self.parallelism: int | None = None
        """How many of its steps may run at once; 0 sets no bound, None says nothing."""

    def enter(self) -> None:
        """Become the group that new steps belong to."""
        trace = tracing.current(f"A {self.kind}")
        parts = (self.kind, kubernetes_name(self.title or ""), str(trace.next_group()))
        self.name = trace.names.unique("-".join(part for part in parts if part))
        self.parent = trace.group
        trace.group.children.append(self)
        trace.stack.append(self)

    def leave(self) -> None:
        """Give that place back to the parent."""
        tracing.current().stack.pop()

    def __enter__(self) -> Any:
        self.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave()


class Root(Group):
    """The pipeline itself."""

    kind = "pipeline"


class Condition(Group):
    """Steps that run only when a condition holds: `with dsl.Condition(accuracy > 0.9): …`.

    Several are joined by `dsl.all_of`, `dsl.any_of` and `dsl.not_`. To a type checker, comparing a parameter that is
    declared as `int` gives a `bool`; here it gives a comparison. `name` appears in the group's name.
    Raises InvalidPipeline for anything but a condition with a reference in it.
    """

    kind = "condition"

    def __init__(self, condition: Predicate | bool, name: str | None = None) -> None:
        super().__init__(name)
        self.condition = condition_of(condition, f"dsl.{type(self).__name__}")


class ParallelFor(Group):
    """Steps that run once for each item: `with dsl.ParallelFor([1, 2]) as item: …`.

    `loop_args` is a list (of texts, numbers, booleans, lists or dicts), a pipeline parameter, an output, or an item of
    an outer loop, whose value must be a JSON list. `parallelism` bounds how many run at once; None sets no bound.
    Raises InvalidPipeline for something that is not a list, and for dicts with different keys.
    """

    kind = "for-loop"

    def __init__(self, loop_args: Any, parallelism: int | None = None) -> None:
        super().__init__()
        trace = tracing.current("dsl.ParallelFor")
        self.parallelism = _checked_parallelism(parallelism, 0) if parallelism is not None else 0
        self.items: Reference | list[Any] = _checked_items(loop_args)
        if isinstance(loop_args, Reference):
            name = ReferenceName(loop_args._id.step, f"{loop_args._id.name}-loop-item")
        else:
            name = ReferenceName("", f"loop-item-param-{trace.next_group()}")
        self.item = _register(trace, name, self)

    def __enter__(self) -> LoopItem:
        self.enter()
        return self.item

    def check_field(self, field: str) -> None:
        """Raise InvalidPipeline when the items are known to have no such field."""
        if isinstance(self.items, Reference) or not self.items:
            return
        known = sorted(self.items[0]) if isinstance(self.items[0], dict) else None
        if known is None:
            raise InvalidPipeline(tracing.located(f"item.{field}: the items of this loop are no dicts"))
        if output_name(field) not in known:
            raise InvalidPipeline(tracing.located(f"item.{field}: the items have the keys {', '.join(known)}"))


class SubGraph(Group):
    """Steps of which at most `parallelism` run at once: `with dsl.SubGraph(parallelism=2): …`."""

    kind = "subgraph"

    def __init__(self, parallelism: int) -> None:
        super().__init__()
        self.parallelism = _checked_parallelism(parallelism, 1)


class ExitHandler(Group):
    """`exit_op` runs after the steps inside, whatever became of them: `with dsl.ExitHandler(cleanup): …`.

    A pipeline has at most one, and all its other steps stand inside it. The exit step may use parameters of the
    pipeline, no outputs.
    """

    kind = "exit-handler"

    def __init__(self, exit_op: BaseOp, name: str | None = None) -> None:
        super().__init__()
        self.display_name = name
        self.exit_op = exit_op
        if exit_op.dependencies:
            raise InvalidPipeline(
                tracing.located(
                    f"the exit step '{exit_op.name}' runs after everything else; it cannot be .after() a step"
                )
            )
        exit_op.is_exit_handler = True
        self.takes_task = exit_op.parent is not None
        """Whether the exit step was a step among the others before."""
        if exit_op.parent is not None:
            exit_op.parent.children.remove(exit_op)
            exit_op.parent = None


def _register(trace: tracing.Trace, name: ReferenceName, loop: ParallelFor) -> LoopItem:
    """The loop's item. Loops beside one another over the same list may call their items alike, loops inside may not."""
    outer = {group.item._shown for group in trace.stack if isinstance(group, ParallelFor)}
    identity = trace.free(name)
    return trace.register(identity, LoopItem(identity, trace.free(name, outer), loop))


def _checked_parallelism(parallelism: int, least: int) -> int:
    if isinstance(parallelism, bool) or not isinstance(parallelism, int) or parallelism < least:
        raise InvalidPipeline(
            tracing.located(f"parallelism: expected an integer of at least {least}, got {parallelism!r}")
        )
    return parallelism


def _checked_items(items: Any) -> Reference | list[Any]:
    if isinstance(items, Reference):
        # A text may spell a list, and nothing is known of types of an author's own.
        if types.kind_of(items._type) in (int, float, bool, dict):
            told = f"'{items._id.full}' of type {types.spelled(items._type)}"
            # kfp takes any parameter for a list.
            tracing.complain(tracing.located(f"items: expected list, got {told}"))
        return items
    if not isinstance(items, list | tuple):
        raise InvalidPipeline(tracing.located(f"items: expected list, got {types.told(items).partition(' ')[0]}"))
    found = [_checked_item(index, item) for index, item in enumerate(items)]
    keys = {tuple(sorted(item)) if isinstance(item, dict) else None for item in found}
    if len(keys) > 1:
        raise InvalidPipeline(tracing.located("items: all items must be dicts with the same keys, or none a dict"))
    return found


def _checked_item(index: int, item: Any) -> Any:
    if isinstance(item, Reference):
        return str(item)
    try:
        plain = json.loads(json.dumps(item, default=_marker))
    except (TypeError, ValueError) as error:
        raise InvalidPipeline(tracing.located(f"items[{index}]: {item!r} cannot be written as JSON: {error}")) from None
    return {output_name(str(key)): value for key, value in plain.items()} if isinstance(plain, dict) else plain


def _marker(value: object) -> str:
    if isinstance(value, Reference):
        return str(value)
    raise TypeError(f"type {type(value).__name__}")
