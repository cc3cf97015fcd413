"""A launcher to try steps on, in each way of isolation that this machine allows."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_bench import Bench

from isolations import best_isolation
from penstock.adapters.local.process.isolation import Isolation
from penstock.ports import ImageRule


@pytest.fixture
def bench(tmp_path: Path, isolation: Isolation) -> Iterator[Bench]:
    """The bench in every way."""
    yield from _bench(tmp_path, isolation)


@pytest.fixture
def any_bench(tmp_path: Path) -> Iterator[Bench]:
    """The bench in the best way, for what does not depend on it."""
    yield from _bench(tmp_path, best_isolation())


def _bench(tmp_path: Path, isolation: Isolation) -> Iterator[Bench]:
    (tmp_path / "home").mkdir()
    bench = Bench(tmp_path / "home", isolation, {"host": ImageRule()})
    yield bench
    bench.remove_all()


@pytest.fixture
def rooted(tmp_path: Path, own_root: Isolation) -> Iterator[Bench]:
    """The bench where steps have roots of their own."""
    yield from _bench(tmp_path, own_root)


@pytest.fixture(scope="session")
def folder_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is a small root: a shell and a few programs, as an image would bring them."""
    root = tmp_path_factory.mktemp("image")
    for program in ("sh", "cat", "ls", "env", "pwd", "rm", "mkdir"):
        path = shutil.which(program)
        assert path is not None
        for file, place in ((path, f"/usr/bin/{program}"), *((file, file) for file in _libraries(path))):
            target = root / place.lstrip("/")
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
    (root / "bin").mkdir(exist_ok=True)
    for name in ("sh", "cat"):
        if not (root / "bin" / name).exists():
            (root / "bin" / name).symlink_to(f"/usr/bin/{name}")
    (root / "etc").mkdir()
    (root / "etc" / "image-release").write_text("a small image\n")
    return root


def _libraries(program: str) -> list[str]:
    lines = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.split()
    return [word for word in lines if word.startswith("/")]
