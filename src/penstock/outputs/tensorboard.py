"""TensorBoard: where a step left its event files. Shown as an address."""

from __future__ import annotations

from penstock.outputs.source import BadOutput, Output, text_of
from penstock.outputs.view import View

__all__ = ["SOURCE_LIMIT", "TensorboardView", "read"]

SOURCE_LIMIT = 10_000
"""Most characters of an address."""


class TensorboardView(View, frozen=True, kw_only=True, tag="tensorboard"):
    """`source` is the address of a folder of event files, or several as `Name:address,…`."""

    source: str


def read(output: Output) -> TensorboardView:
    """A `tensorboard` output. Raises BadOutput."""
    if output.inline:
        raise BadOutput("storage: got inline", expected="source: the address of a folder of event files")
    if len(output.source) > SOURCE_LIMIT:
        raise BadOutput(f"source: {len(output.source):,} characters", expected=f"at most {SOURCE_LIMIT:,}")
    return TensorboardView(title="TensorBoard", source=text_of(output.source))
