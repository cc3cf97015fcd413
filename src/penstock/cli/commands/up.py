"""`penstock up`: serve a home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock.cli.options import home_option, images_option, launcher_option, settings_of

if TYPE_CHECKING:
    from penstock.bootstrap import Home, Ready

__all__ = ["up"]


@click.command()
@click.option("--port", type=int, help="TCP port, 0 for any free one.  [default: 8080]")
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@home_option
@images_option
@launcher_option
def up(port: int | None, host: str | None, home: Path | None, images: Path | None, launcher: str | None) -> None:
    """Serve a home: the page, the API, and the engine of its runs, until Ctrl-C.

    Steps outlive the server: the next `penstock up` goes on with them.
    """
    settings = settings_of(port=port, host=host, home=home, launcher=launcher)

    import asyncio
    from dataclasses import replace

    from penstock.bootstrap import read_images, serve

    if images:
        settings = replace(settings, images=read_images(images))
    asyncio.run(serve(settings, _say, click.echo))


def _say(ready: Ready, home: Home) -> None:
    click.echo(f"Penstock serves {ready.url} (home {home.settings.home})")
    click.echo(f"Log in, once: {ready.login}")
    click.echo("Ctrl-C ends serving; running steps go on")
