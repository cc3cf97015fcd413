"""The card that stands where an output could not be drawn."""

from __future__ import annotations

from penstock.outputs.view import View

__all__ = ["ErrorView"]


class ErrorView(View, frozen=True, kw_only=True, tag="error"):
    """`message` says what is wrong, `output` is what was read (cut short), `expected` what would have been right."""

    title: str = "Cannot be shown"
    message: str
    output: str = ""
    expected: str = ""
