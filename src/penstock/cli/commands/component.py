"""`penstock component …`: images that steps run in."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.options import DURATION

__all__ = ["component"]


@click.group()
def component() -> None:
    """Build what components run in."""


@component.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--image", required=True, metavar="NAME", help="Name of the image, with its registry.")
@click.option("--base-image", metavar="NAME", help="What it is built upon.  [default: python:3.11]")
@click.option(
    "--files", default=r".*\.py", show_default=True, metavar="REGEX", help="Files that go in, by their paths."
)
@click.option("--push/--no-push", default=True, help="Whether it is sent to its registry.")
@click.option("--timeout", type=DURATION, default="1000s", show_default=True, help="For the building, and the sending.")
def build(folder: Path, image: str, base_image: str | None, files: str, push: bool, timeout: float) -> None:
    """Make an image of FOLDER, by docker or podman; requirements.txt is installed, a Dockerfile is used as it is."""
    from penstock.components import build_image_from_working_dir

    made = build_image_from_working_dir(image, folder, files, timeout, base_image, push)
    click.echo(f"Built {made}", err=True)
