"""Durations as Argo reads them: a whole number is seconds, else Go's form (`1h30m`, `1.5s`)."""

from __future__ import annotations

import re

from penstock.engine.state import Fault

__all__ = ["seconds_of"]

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|ms|s|m|h|d)")


def seconds_of(text: str) -> float:
    """Seconds of a duration. Raises Fault."""
    text = text.strip()
    if re.fullmatch(r"[0-9]+", text):
        return float(text)
    position, seconds = 0, 0.0
    while match := _PART.match(text, position):
        seconds += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    if not text or position != len(text):
        raise Fault(f'unable to parse {text} as a duration: time: invalid duration "{text}"')
    return seconds
