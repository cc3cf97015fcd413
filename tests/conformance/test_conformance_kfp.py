"""Documents that Kubeflow Pipelines 1.8.22 and 0.1.3 made, and what we make of sources in the manner of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from kfp_documents import differing, expected, made_by_command, names_of

HERE = Path(__file__).parent

FRAGMENTS = {"kfp-v1/tolerations": "holds one template of a pipeline, and no entrypoint"}
"""Documents that no compiler made whole: what there is of them must be in ours."""

CASES = [
    *(("kfp-v1", "1.8", name) for name in names_of("kfp-v1")),
    *(("kfp-v0", "0.1", name) for name in names_of("kfp-v0")),
]


def test_each_document_has_a_source() -> None:
    assert {kind: len(names_of(kind)) for kind in ("kfp-v0", "kfp-v1")} == {"kfp-v0": 6, "kfp-v1": 24}
    for kind in ("kfp-v0", "kfp-v1"):
        assert names_of(kind) == sorted(path.stem for path in _sources(kind).glob("*.py"))


@pytest.mark.parametrize(("kind", "version", "name"), CASES, ids=["/".join((kind, name)) for kind, _, name in CASES])
def test_the_document_is_the_same(kind: str, version: str, name: str, tmp_path: Path) -> None:
    made = made_by_command(_sources(kind) / f"{name}.py", version, tmp_path)
    whole = f"{kind}/{name}" not in FRAGMENTS
    assert not differing(made, expected(kind, name), whole=whole, old=version == "0.1")


def _sources(kind: str) -> Path:
    return HERE / f"{kind.replace('-', '_')}_sources"
