"""What authors import loads nothing heavy: pipelines are compiled in editors and hooks, often."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"sqlalchemy", "yaml", "rich", "click", "msgspec", "starlette", "httpx2", "re2", "asyncio", "kubernetes"}
LOADED = "import sys; import {}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"


@pytest.mark.parametrize("module", ["penstock", "penstock.dsl", "penstock.components", "penstock.compiler"])
def test_nothing_heavy_is_loaded(module: str) -> None:
    code = LOADED.format(module)
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "penstock" in loaded
    assert not HEAVY & set(loaded)


def test_the_component_decorator_is_the_packages_own() -> None:
    import penstock
    from penstock.components import component

    assert penstock.component is component
    with pytest.raises(AttributeError, match="module 'penstock' has no attribute 'nothing'"):
        _ = penstock.nothing  # type: ignore[attr-defined]
