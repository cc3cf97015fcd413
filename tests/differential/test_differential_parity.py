"""The table of parity names all that kfp 1.8.22 offers; the objects of Kubernetes are those that it works with."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tools import parity

if TYPE_CHECKING:
    from official_kfp import Official


def _printed(official: Official, tool: str) -> str:
    command = [str(official.python), str(parity.ROOT / "tools" / tool)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_every_name_of_the_official_modules_is_in_the_table(official: Official) -> None:
    offered = json.loads(_printed(official, "kfp_surface.py"))
    table = parity.PAGE.read_text(encoding="utf-8")
    names = [name for module in offered.values() for name in module]
    assert len(names) > 300
    assert not [name for name in names if f"| `{name}` |" not in table]
    assert [(name, ours) for _, name, _, ours in parity.rows(offered) if not ours.startswith(("yes", "— "))] == []


def test_the_table_of_objects_is_that_of_kubernetes(official: Official) -> None:
    assert _printed(official, "kubernetes_models.py") == Path(parity.MODELS).read_text(encoding="utf-8")
