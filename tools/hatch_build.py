"""Hatchling's hook: the page is built before it goes into a wheel or a source distribution.

An editable install takes the page from the work tree, so it needs no Node.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface[Any]):
    """Builds the page where its sources changed; refuses to build a package without it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        """Called by hatchling before files are gathered. Raises RuntimeError where there is no page."""
        if version == "editable":
            return
        page = _page_tool(Path(self.root))
        try:
            page.build()
        except page.PageError as error:
            raise RuntimeError(str(error)) from None


def _page_tool(root: Path) -> ModuleType:
    """`tools/page.py`, which is no package."""
    spec = importlib.util.spec_from_file_location("penstock_page", root / "tools" / "page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
