"""The public surface as mypy sees it: right uses pass, wrong ones are found, each where it is."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("cases")
COMPLAINT = re.compile(r"^(\S+\.py):(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)
EXPECTED = re.compile(r"# wrong: ([a-z, -]+)$")


def expected(path: Path) -> Iterator[tuple[str, int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for codes in EXPECTED.findall(line):
            yield from ((path.name, number, code) for code in codes.split(", "))


def test_mypy_says_what_is_expected(request: pytest.FixtureRequest) -> None:
    cases = sorted(CASES.glob("*.py"))
    # A cache that outlives the test: the package itself is read once.
    cache = request.config.cache.mkdir("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--cache-dir", str(cache)]
    said = subprocess.run([*command, *(path.name for path in cases)], cwd=CASES, capture_output=True, text=True)
    found = {(name, int(line), code) for name, line, code in COMPLAINT.findall(said.stdout)}
    assert len(cases) == 2
    assert said.returncode == 1, said.stderr or said.stdout
    assert found == {each for path in cases for each in expected(path)}
