"""`penstock doctor`: what this machine offers, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import click

from penstock import __version__
from penstock.cli.exits import FAILED, SUCCEEDED
from penstock.cli.options import home_option, json_option, settings_of
from penstock.cli.output import print_json
from penstock.errors import PenstockError
from penstock.settings import Settings

__all__ = ["doctor"]

LITTLE_DISK = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what was found, and what to do where that is not enough.

    `needed`: Penstock cannot work without it.
    """

    name: str
    found: str
    advice: str = ""
    needed: bool = False


@click.command()
@home_option
@json_option("json: a list of what was looked at.")
def doctor(home: Path | None, output: str) -> int:
    """Say what this machine offers to steps, and what is missing with the command that installs it.

    Exit code 1 where something is missing that Penstock cannot work without.
    """
    findings = list(_findings(settings_of(home=home)))
    if output == "json":
        print_json([asdict(finding) for finding in findings])
    for finding in findings if output == "table" else ():
        sign = "✓" if not finding.advice else "✗" if finding.needed else "!"
        click.echo(f"{sign} {finding.name}: {finding.found}")
        if finding.advice:
            click.echo(f"    {finding.advice}")
    return FAILED if any(finding.needed and finding.advice for finding in findings) else SUCCEEDED


def _findings(settings: Settings) -> Iterator[Finding]:
    system = f"{platform.system()} {platform.release()} on {platform.machine()}, {os.cpu_count()} cores"
    yield Finding("Penstock", __version__)
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("Kernel", system)
    yield _home(settings)
    yield from _isolation(settings)
    yield _containers()
    yield _disk(settings)
    yield Finding("SQLite", sqlite3.sqlite_version)
    yield _uv()
    yield _page()
    yield _examples()


def _isolation(settings: Settings) -> Iterator[Finding]:
    from penstock.bootstrap import isolation

    try:
        for line in isolation(settings):
            name, _, found = line.partition(": ")
            yield Finding(name.capitalize(), found)
    except PenstockError:
        # The line about the home tells it.
        yield Finding("Isolation of steps", "not tried: the home cannot be written")


def _containers() -> Finding:
    from penstock.bootstrap import container_engine

    answers, found = container_engine()
    if answers:
        return Finding("Containers", f"{found} answers; images that no rule maps run in it")
    return Finding(
        "Containers",
        f"no engine answers ({found})",
        "start Docker or Podman (apt-get install docker.io), or map images in [images] of penstock.toml",
    )


def _home(settings: Settings) -> Finding:
    from penstock.bootstrap import open_home

    try:
        open_home(settings).close()
    except PenstockError as error:
        return Finding("Home", str(settings.home), str(error), needed=True)
    return Finding("Home", str(settings.home))


def _disk(settings: Settings) -> Finding:
    place = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    advice = "free some space; artifacts, logs and environments of steps go there" if free < LITTLE_DISK else ""
    return Finding("Disk", f"{free / 1024**3:.1f} GiB free at {place}", advice)


def _uv() -> Finding:
    beside = Path(sys.executable).with_name("uv")
    path = str(beside) if beside.exists() else shutil.which("uv")
    if path is None:
        return Finding("uv", "not found", "pip install uv (it installs the packages of steps)", needed=True)
    return Finding("uv", path)


def _page() -> Finding:
    import penstock

    index = Path(penstock.__file__).parent / "web" / "index.html"
    return Finding("Page", "built") if index.is_file() else Finding("Page", "not built", "make page")


def _examples() -> Finding:
    if find_spec("sklearn") is None:
        return Finding("Examples", "scikit-learn is missing", "pip install 'penstock[examples]'")
    return Finding("Examples", "scikit-learn is here")
