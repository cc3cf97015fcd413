"""The home that a command works on, or the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock.cli.options import Place, settings_of

if TYPE_CHECKING:
    from penstock.bootstrap import Home, Services
    from penstock.cli.remote import Server

__all__ = ["opened", "use_cases"]


@contextmanager
def opened(home: Path | None, launcher: str | None = None) -> Iterator[Home]:
    """The home of these flags and the settings, open while inside. Raises HomeError, InvalidSetting."""
    settings = settings_of(home=home, launcher=launcher)

    from penstock.bootstrap import open_home

    def note(text: str) -> None:
        with suppress(OSError):  # nobody reads it
            click.echo(text, err=True)

    found = open_home(settings, note=note)
    try:
        yield found
    finally:
        found.close()


@contextmanager
def use_cases(place: Place) -> Iterator[Services | Server]:
    """What can be done at a place. Raises what `opened` raises; for a server InvalidInput, Unavailable."""
    if place.server is None:
        with opened(place.home) as home:
            yield home.services
        return
    from penstock.cli.remote import Server
    from penstock.client import Client

    with Client(place.server, place.token) as client:
        yield Server(client)
