"""Parts of the machine that some tests need."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

__all__ = ["absent", "require"]


def absent(reason: str) -> NoReturn:
    """Something that the test needs is not there: it skips, and in CI it fails."""
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def require(program: str, command: str) -> str:
    """Path of a program. Where it is absent the test skips and names the command that installs it; in CI it fails."""
    return shutil.which(program) or absent(f"{program} is not on PATH; install it: {command}")
