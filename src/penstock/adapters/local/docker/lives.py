"""What becomes of a container: begun once, found again, lost."""

from __future__ import annotations

from pathlib import Path

from penstock.adapters.local.docker.engine import Container, Engine, Refused
from penstock.adapters.local.process.folders import StepFolder

__all__ = ["Lost", "Unstarted", "begun_once", "boot", "found_container"]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_UNCLEAN = 255
"""Exit code that the engine invents for a container that ran when the machine went down."""


class Lost(Exception):
    """A container is gone, or nobody knows how it ended."""


class Unstarted(Exception):
    """A container cannot be started. `str(error)` is the engine's reason."""


async def begun_once(engine: Engine, name: str) -> Container:
    """The container runs, or has run. Raises Lost, Unstarted, Unavailable."""
    found = await engine.inspect(name)
    if found is not None and found.fresh:
        try:
            await engine.run("start", name)
        except Refused as refused:
            raise Unstarted(str(refused)) from None
        found = await engine.inspect(name)
    if found is None:
        raise Lost
    return found


async def found_container(engine: Engine, folder: StepFolder, name: str) -> Container:
    """What became of a container that was started. Raises Lost, Unavailable."""
    found = await engine.inspect(name)
    if found is None or found.gone or (found.ended and _unclean(folder, found)):
        raise Lost
    return found


def _unclean(folder: StepFolder, found: Container) -> bool:
    """Whether the code is one that the engine made up after the machine went down."""
    return found.code == _UNCLEAN and folder.text("started").encode() != boot()


def boot() -> bytes:
    return _BOOT.read_bytes().strip()
