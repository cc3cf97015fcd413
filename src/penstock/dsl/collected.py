"""What the rounds of a loop made, read after the loop: the list of their outputs."""

from __future__ import annotations

from penstock.dsl import tracing
from penstock.dsl.groups import ParallelFor
from penstock.dsl.references import PipelineParam
from penstock.errors import InvalidPipeline

__all__ = ["Collected"]


class Collected(PipelineParam):
    """All values of an output of a step inside `dsl.ParallelFor`, as one JSON list in the order of the items.

    Use it outside of the loop: `pick(dsl.Collected(train.output))`. Only rounds that succeeded are in the list. Its
    items are texts, or lists and objects where every value is the JSON of one. Raises InvalidPipeline for anything but
    an output of a step inside a loop.
    """

    __slots__ = ()

    def __init__(self, output: PipelineParam) -> None:
        trace = tracing.current("dsl.Collected")
        step = trace.ops.get(output.op_name or "") if isinstance(output, PipelineParam) else None
        group = step.parent if step is not None else None
        while group is not None and not isinstance(group, ParallelFor):
            group = group.parent
        if group is None:
            raise InvalidPipeline(
                tracing.located(
                    f"dsl.Collected takes an output of a step inside dsl.ParallelFor, for example "
                    f"dsl.Collected(train.output); got {output!r}"
                )
            )
        super().__init__(output.name, output.op_name, param_type="JsonArray")
        self._id = output._id._replace(collected=True)
        trace.register(self._id, self)
