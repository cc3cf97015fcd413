"""What a step says of an artifact that it made: read by the steps that get the artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.dsl import tracing
from penstock.dsl.branches import OneOf
from penstock.dsl.references import MARKER, PipelineParam, ReferenceName

if TYPE_CHECKING:
    from penstock.dsl.ops import ContainerOp

__all__ = ["EXECUTOR_OUTPUT", "Description", "description"]

EXECUTOR_OUTPUT = "executor-output"
"""The output of a step in which it tells of its artifacts, as KFP 2 does: `executor_output.json`."""


class Description(PipelineParam):
    """The facts of one artifact, as JSON: its type, its uri and its metadata."""

    __slots__ = ("_artifact",)

    def __init__(self, output: PipelineParam, artifact: str) -> None:
        super().__init__(f"{output.name}-facts", output.op_name, param_type="JsonObject")
        trace = tracing.current()
        self._id = trace.free(self._id)
        self._artifact = artifact
        """How the step calls it in its executor output."""
        trace.register(self._id, self)


def description(argument: str) -> str:
    """The text that stands for what is said of the artifact which is passed as `argument`; `{}` where nothing is."""
    marker = MARKER.fullmatch(argument)
    reference = tracing.current().references.get(ReferenceName.of(marker)) if marker else None
    found = _described(reference) if isinstance(reference, PipelineParam) else None
    return "{}" if found is None else str(found)


def _described(output: PipelineParam) -> PipelineParam | None:
    trace = tracing.current()
    if isinstance(output, OneOf):
        parts = [_described(each) for _, each in output._choices]
        known = [part for part in parts if part is not None]
        return OneOf(*known) if len(known) == len(parts) else None
    step: ContainerOp | None = trace.ops.get(output.op_name or "")  # type: ignore[assignment]
    return step.descriptions.get(output._id) if step is not None else None
