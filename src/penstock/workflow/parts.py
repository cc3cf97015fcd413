"""What the parts of a document and of its status have in common."""

from __future__ import annotations

import msgspec

__all__ = ["Part"]


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A part of a document: JSON keys in camel case; a field at its default is left out."""
