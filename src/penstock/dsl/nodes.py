"""What steps, groups and recursive calls have in common: a name, a place in the author's file, and an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.dsl import tracing
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from typing import Self

    from penstock.dsl.groups import Group

__all__ = ["Node"]


class Node:
    """One node of a pipeline's graph; in a document, one task of the DAG of its parent."""

    def __init__(self) -> None:
        self.name = ""
        """The name in the document."""
        self.place = tracing.place()
        """`file:line` that made the node, for messages."""
        self.parent: Group | None = None
        self.dependencies: list[Node] = []
        """What was asked for by `after`."""

    def after(self, *nodes: Node) -> Self:
        """Start only when the given steps and groups have succeeded (or were skipped). Returns self."""
        for node in nodes:
            if not isinstance(node, Node):
                raise InvalidPipeline(
                    tracing.located(
                        f"'{self.name}'.after(…) takes steps and groups, got {type(node).__name__} {node!r}"
                    )
                )
        self.dependencies.extend(nodes)
        return self
