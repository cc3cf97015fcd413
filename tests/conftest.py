"""What all tests share: parts of the machine that a test needs, and the rule that nothing skips in CI.

A test that needs a program says so: `from needs import absent, require`, or the fixture `require`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from containers import _own_engine, container_engine
from database import postgresql_database, postgresql_server, postgresql_url
from isolations import isolation, own_root
from needs import absent, require

__all__ = [
    "_own_engine",
    "container_engine",
    "isolation",
    "own_root",
    "postgresql_database",
    "postgresql_server",
    "postgresql_url",
    "require",
]

# How long one example takes says nothing on a machine that does other work besides.
settings.register_profile("penstock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("penstock")


# Tests find no container engine but the one that they start: `containers.container_engine`.
os.environ["DOCKER_HOST"] = os.environ["CONTAINER_HOST"] = "unix:///var/empty/no-engine.sock"


@pytest.fixture(name="require", scope="session")
def _require() -> Callable[[str, str], str]:
    return require


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for two megabytes. Only root may make one; CI is root."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    if os.geteuid() or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode:
        absent("a small disk is mounted by root only; run the tests as root: sudo make test")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def _forbidden() -> bool:
    return bool(os.environ.get("CI"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """In CI a skipped test is a failed one: what it lacks belongs into .ci/run."""
    return _unskipped((yield), item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """The same for modules that skip themselves whole."""
    return _unskipped((yield), collector.nodeid)


def _unskipped(report: Any, name: str) -> Any:
    if _forbidden() and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{name}: nothing may skip in CI, install what is missing in .ci/run: {reason}"
    return report
