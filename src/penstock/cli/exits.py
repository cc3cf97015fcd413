"""Exit codes of commands that follow runs."""

from __future__ import annotations

__all__ = ["FAILED", "STOPPED", "SUCCEEDED", "TIMED_OUT", "USAGE"]

SUCCEEDED = 0
FAILED = 1
USAGE = 2
"""Wrong usage or bad input: nothing was started."""
TIMED_OUT = 124
"""As coreutils' `timeout` has it."""
STOPPED = 130
"""As a shell has it for a program that Ctrl-C ended."""
