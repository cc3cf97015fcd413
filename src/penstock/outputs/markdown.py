"""Markdown: prose of a step. The page renders it, with raw HTML off."""

from __future__ import annotations

from penstock.outputs.source import Output, text_of
from penstock.outputs.view import View

__all__ = ["TEXT_LIMIT", "MarkdownView", "read"]

TEXT_LIMIT = 400_000
"""Most characters that are shown, as in Kubeflow's page."""


class MarkdownView(View, frozen=True, kw_only=True, tag="markdown"):
    """`text` is Markdown; `truncated` says that it was cut."""

    text: str
    truncated: bool = False


def read(output: Output) -> MarkdownView:
    """A `markdown` output. Raises BadOutput."""
    content = output.content()
    return MarkdownView(
        title="Markdown",
        text=text_of(content.text[:TEXT_LIMIT]),
        truncated=content.truncated or len(content.text) > TEXT_LIMIT,
    )
