"""Web app: HTML that a step made. A stranger's: it is shown in a sandbox only."""

from __future__ import annotations

from penstock.outputs.source import Output, text_of
from penstock.outputs.view import View

__all__ = ["WebAppView", "read"]


class WebAppView(View, frozen=True, kw_only=True, tag="web-app"):
    """`html` is a whole document or a part of one; `truncated` says that it was cut."""

    html: str
    truncated: bool = False


def read(output: Output) -> WebAppView:
    """A `web-app` output. Raises BadOutput."""
    content = output.content()
    return WebAppView(title="Web page", html=text_of(content.text), truncated=content.truncated)
