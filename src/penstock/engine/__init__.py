"""The embedded engine's mind: `step(run, event) → (run, commands)`.

Pure: no clock, no disk, no network. What it decides is Argo's, node for node; each policy (retry, timeout, loops,
parallelism, exit handlers, stop) has a file of its own.
"""

from __future__ import annotations

from penstock.engine.machine import new_run, relaunch, restore, step
from penstock.engine.reset import reset
from penstock.engine.reuse import taken_over
from penstock.engine.state import Run

__all__ = ["Run", "new_run", "relaunch", "reset", "restore", "step", "taken_over"]
