"""Real commands on a home of each test's own."""

from __future__ import annotations

from commandline import rig, up

__all__ = ["rig", "up"]
