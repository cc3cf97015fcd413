"""Where the documents of others lie: beside the work tree, in no commit."""

from __future__ import annotations

from pathlib import Path

__all__ = ["MATERIAL"]

MATERIAL = Path(__file__).parents[2].parent / "shared" / "conformance"
