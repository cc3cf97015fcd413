"""Branches of which exactly one runs, and the value that the one that ran has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.dsl import tracing
from penstock.dsl.groups import Condition, Group
from penstock.dsl.references import PipelineParam, Predicate, all_of, any_of, condition_of, not_
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Elif", "Else", "If", "OneOf"]


class If(Condition):
    """Steps that run when a condition holds: `with dsl.If(side == "heads"): …`.

    `dsl.Elif(…)` and `dsl.Else()` may follow, with nothing between them; then exactly one of the blocks runs.
    Conditions are joined by `dsl.all_of`, `dsl.any_of` and `dsl.not_`. Raises InvalidPipeline for anything else.
    """

    def __init__(self, condition: Predicate | bool, name: str | None = None) -> None:
        super().__init__(condition, name)
        self.chain: list[If] = [self]
        """The blocks of which one runs, in their order; the same list in each."""
        self.own = self.condition
        """The condition as the author wrote it, without those of the blocks before."""


class Elif(If):
    """Steps that run when no block before did and a condition holds. Raises InvalidPipeline without a dsl.If before."""

    def __init__(self, condition: Predicate | bool, name: str | None = None) -> None:
        chain = _chain("dsl.Elif")
        own = condition_of(condition, "dsl.Elif")
        super().__init__(all_of(_none_of(chain), own), name)
        self.own = own
        self.chain = chain
        chain.append(self)


class Else(If):
    """Steps that run when no block before did. Raises InvalidPipeline without a dsl.If before."""

    def __init__(self, name: str | None = None) -> None:
        chain = _chain("dsl.Else")
        super().__init__(_none_of(chain), name)
        self.chain = chain
        chain.append(self)


def _none_of(chain: list[If]) -> Predicate:
    return not_(any_of(*(branch.own for branch in chain)))


def _chain(what: str) -> list[If]:
    """The blocks that a further one follows: the last thing of the current group is one of them."""
    before = next(reversed(tracing.current(what).group.children), None)
    if not isinstance(before, If) or isinstance(before, Else) or before.chain[-1] is not before:
        raise InvalidPipeline(
            tracing.located(f"{what} stands right after a block of dsl.If or dsl.Elif, with no other step between them")
        )
    return before.chain


class OneOf(PipelineParam):
    """The output of the branch that ran: `publish(dsl.OneOf(left.output, right.output))`.

    It takes one output of each block of a chain of `dsl.If`, `dsl.Elif` and `dsl.Else`, and is read after the chain.
    The outputs are of one type. Raises InvalidPipeline for a chain without `dsl.Else`, and for other outputs.
    """

    __slots__ = ("_choices", "_group")

    def __init__(self, *outputs: PipelineParam) -> None:
        trace = tracing.current("dsl.OneOf")
        chain = _common_chain(outputs, trace)
        found = [_branch_of(output, chain, trace) for output in outputs]
        if not isinstance(chain[-1], Else) or {id(each) for each in found} != {id(each) for each in chain}:
            raise InvalidPipeline(
                tracing.located("dsl.OneOf takes one output of each block of a chain that ends with dsl.Else")
            )
        kinds = {str(output.param_type) for output in outputs}
        if len(found) != len(chain) or len(kinds) > 1:
            told = f"outputs of the types {', '.join(sorted(kinds))}" if len(kinds) > 1 else "two outputs of one block"
            raise InvalidPipeline(tracing.located(f"dsl.OneOf takes one output of each block, of one type; got {told}"))
        super().__init__(outputs[0].name, chain[0].name, param_type=outputs[0].param_type)
        self._id = trace.free(self._id)
        self._choices = tuple(zip(found, outputs, strict=True))
        assert chain[0].parent is not None
        self._group: Group = chain[0].parent
        trace.register(self._id, self)


def _around(output: PipelineParam, trace: tracing.Trace) -> Iterator[Group]:
    """The groups around the place where an output is made, innermost first."""
    step = trace.ops.get(output.op_name or "")
    group = output._group if isinstance(output, OneOf) else step.parent if step is not None else None
    while group is not None:
        yield group
        group = group.parent


def _branch_of(output: PipelineParam, chain: list[If], trace: tracing.Trace) -> If:
    return next(group for group in _around(output, trace) if isinstance(group, If) and group.chain is chain)


def _common_chain(outputs: tuple[PipelineParam, ...], trace: tracing.Trace) -> list[If]:
    """The innermost chain that each of the outputs is made in."""
    for output in outputs:
        if not isinstance(output, PipelineParam):
            raise InvalidPipeline(tracing.located(f"dsl.OneOf takes outputs of steps, got {output!r}"))
    chains = [[group.chain for group in _around(output, trace) if isinstance(group, If)] for output in outputs]
    for chain in chains[0] if chains else ():
        if all(any(chain is other for other in others) for others in chains):
            return chain
    raise InvalidPipeline(
        tracing.located(
            "dsl.OneOf takes one output of each block of one chain of dsl.If, dsl.Elif and dsl.Else, for example "
            "dsl.OneOf(left.output, right.output)"
        )
    )
