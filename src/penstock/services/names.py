"""Names and descriptions that people give."""

from __future__ import annotations

import unicodedata

from penstock.errors import InvalidInput

__all__ = ["DESCRIPTION_LIMIT", "LIMIT", "checked_description", "checked_name"]

LIMIT = 128
"""Most characters of a name, as Kubeflow Pipelines has it."""

DESCRIPTION_LIMIT = 10_000
"""Most characters of a description."""


def checked_name(what: str, name: str) -> str:
    """The name without blanks around it. Raises InvalidInput: empty, too long, or with characters that are none."""
    name = name.strip()
    if not name:
        raise InvalidInput(f"{what}: got an empty text, expected a name of 1 to {LIMIT} characters")
    if len(name) > LIMIT:
        raise InvalidInput(f"{what}: {len(name):,} characters, limit {LIMIT}")
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        raise InvalidInput(f"{what}: got {name!r}, expected a name without control characters")
    return name


def checked_description(text: str) -> str:
    """The text itself. Raises InvalidInput: too long, or with characters that no database takes."""
    if len(text) > DESCRIPTION_LIMIT:
        raise InvalidInput(f"description: {len(text):,} characters, limit {DESCRIPTION_LIMIT:,}")
    if any(c == "\0" or unicodedata.category(c) == "Cs" for c in text):
        raise InvalidInput("description: got a NUL or a lone surrogate, expected text")
    return text
