"""The built page: what is loaded before anything is shown stays small, and nothing in it needs another host."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from needs import absent

BUILT = Path(__file__).parents[3] / "src" / "penstock" / "web"
SHELL_LIMIT = 60 * 1024
WHOLE_LIMIT = 600 * 1024


@pytest.fixture(scope="module")
def index() -> str:
    if not (BUILT / "index.html").is_file():
        absent("the page is not built; run: make page")
    return (BUILT / "index.html").read_text(encoding="utf-8")


def _packed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def test_the_shell_is_small(index: str) -> None:
    named = set(re.findall(r'(?:src|href)="/([^"]+\.(?:js|css))"', index))
    assert any(name.endswith(".js") for name in named)
    assert any(name.endswith(".css") for name in named)
    shell = sum(_packed(BUILT / name) for name in named | {"index.html"})
    assert shell <= SHELL_LIMIT


def test_the_whole_page_is_small(index: str) -> None:
    assert sum(_packed(path) for path in BUILT.rglob("*") if path.suffix in (".js", ".css", ".html")) <= WHOLE_LIMIT


def test_every_file_lies_packed_beside_itself(index: str) -> None:
    for path in BUILT.rglob("*"):
        if path.suffix in (".js", ".css", ".html", ".svg"):
            assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == path.read_bytes()


def test_scripts_stand_in_files(index: str) -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", index) == []
    assert re.findall(r'(?:src|href)="(?!/)[^"]*"', index) == []
