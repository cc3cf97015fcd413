"""`penstock run`: run a pipeline and follow it to its end, with no server needed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from penstock.cli.home import opened
from penstock.cli.options import (
    DURATION,
    as_kfp_option,
    config_option,
    home_option,
    ignore_option,
    images_option,
    json_option,
    launcher_option,
    parameters_of,
    parameters_option,
    templates_option,
)
from penstock.cli.output import print_json

__all__ = ["run"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@parameters_option
@click.option("--name", metavar="TEXT", help="Name of the run.  [default: the workflow's]")
@click.option("--experiment", metavar="NAME", help="Experiment that takes the run.  [default: Default]")
@click.option("--function", metavar="NAME", help="The pipeline's function, where FILE has several.")
@as_kfp_option
@click.option("--timeout", type=DURATION, help="Terminate the run after this time (300, 300s, 5m).")
@home_option
@config_option
@templates_option
@ignore_option
@images_option
@launcher_option
@click.option("--no-cache", is_flag=True, help="Run every step, though an equal one ran before.")
@json_option("json: print the finished Workflow document, and nothing else, on standard output.")
def run(
    file: Path,
    pairs: Sequence[str],
    name: str | None,
    experiment: str | None,
    function: str | None,
    as_kfp: str | None,
    timeout: float | None,
    home: Path | None,
    config: Path | None,
    templates: Path | None,
    ignored: Sequence[str],
    images: Path | None,
    launcher: str | None,
    no_cache: bool,
    output: str,
) -> int:
    """Run the pipeline of FILE (Python source, or a Workflow document) and follow it to its end.

    Where another process serves the same home, that one runs it. Ctrl-C stops the run (exit handlers run), a second
    Ctrl-C terminates it.

    Exit codes: 0 succeeded, 1 failed, 2 wrong usage or bad input, 124 timed out, 130 stopped.
    """
    from penstock.cli.source import read_document

    values = parameters_of(pairs)
    document = read_document(file, function, as_kfp)

    import asyncio

    from penstock.bootstrap import RunOptions, read_images
    from penstock.cli.board import Board
    from penstock.cli.follow import follow_to_end, summary
    from penstock.cli.show import show_on

    own = read_images(images) if images else {}
    stream = sys.stderr if output == "json" else sys.stdout
    with opened(home, launcher) as found:
        served = found.served()
        created = found.services.runs.create(
            document,
            source=str(file),
            name=name or "",
            parameters=values,
            experiment_id=found.services.experiments.find(experiment).id if experiment else "",
            templates=found.configurations.templates(str(templates)) if templates else None,
            options=RunOptions(
                images={**(served.images if served else {}), **own},
                cache=not no_cache,
                ignored=tuple(ignored),
                config=str(config.absolute()) if config else "",
            ),
        )
        board = Board(title=created.name)
        with show_on(stream, [board]) as show:
            followed = asyncio.run(follow_to_end(found, created.id, board, show, timeout))
        click.echo("\n".join(summary(board)), file=stream)
        if output == "json":
            print_json(found.services.runs.document(created.id))
        return followed.exit_code
