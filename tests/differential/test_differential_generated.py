"""Made-up pipelines, compiled by kfp 1.8.22 and by us: the same documents. `make differential` compares 2,000."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from comparing import differing, normal
from hypothesis import HealthCheck, given, settings
from made_up import sources

from penstock.compat import kfp

if TYPE_CHECKING:
    from official_kfp import Official


def test_the_documents_of_made_up_pipelines_are_the_same(official: Official, generated: int, tmp_path: Path) -> None:
    path = tmp_path / "made_up.py"

    @settings(max_examples=generated, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(source=sources())
    def compare(source: str) -> None:
        path.write_text(source, encoding="utf-8")
        theirs = official.compiled(path, "made_up", written=False)
        ours = kfp.compiled(path, "made_up", "1.8", lambda _warning: None)
        assert not differing(normal(ours), normal(theirs))

    compare()
