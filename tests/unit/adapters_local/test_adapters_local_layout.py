"""What a step sees of folders that are its own otherwise."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from penstock.adapters.local.process.layout import shown_paths
from penstock.ports import ImageRule


def test_the_links_that_lead_to_the_interpreter_are_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment's interpreter is a link; what it names may lie in the host's /tmp, which steps do not see."""
    real, links = os.path.realpath(sys.executable), tmp_path / "links"
    for folder in (links, tmp_path / "venv" / "bin"):
        folder.mkdir(parents=True)
    (links / "python3").symlink_to(real)
    (tmp_path / "venv" / "bin" / "python3").symlink_to("../../links/python3")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python3"))
    shown = [os.path.realpath(path) for path in shown_paths(tmp_path / "home", ImageRule(), None)]
    assert (str(links) in shown) is str(links).startswith(("/tmp/", "/run/"))
