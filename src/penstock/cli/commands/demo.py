"""`penstock demo`: a server with the example pipelines running on it."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.options import home_option, launcher_option, settings_of

__all__ = ["demo"]


@click.command()
@click.option("--once", is_flag=True, help="End after the runs: 0 if all succeeded.")
@click.option("--browser", is_flag=True, help="Open the page in a browser.")
@click.option("--port", type=int, help="TCP port, 0 for any free one.  [default: 8080]")
@home_option
@launcher_option
def demo(once: bool, browser: bool, port: int | None, home: Path | None, launcher: str | None) -> int:
    """Serve Penstock on this machine, run the example pipelines, and stay up until Ctrl-C."""
    settings = settings_of(home=home, port=port, host="127.0.0.1", launcher=launcher)

    import asyncio

    from penstock.cli.demo import Demo, examples

    return asyncio.run(Demo(settings, examples(), once, browser).run())
