"""`penstock recurring`: pipelines that are run again and again.

No server has recurring runs yet. What asks for one is refused; `document` writes what a controller in a cluster takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from penstock.cli.options import (
    Place,
    json_option,
    limit_option,
    parameters_of,
    parameters_option,
    place_option,
    schedule_of,
    schedule_options,
)
from penstock.errors import InvalidInput

__all__ = ["recurring"]


@click.group()
def recurring() -> None:
    """Say how a pipeline is run again and again. RUN is a recurring run's id or its name.

    The server of this version has no recurring runs, and refuses them: `penstock recurring document` makes a
    ScheduledWorkflow, which a controller in a cluster turns into runs.
    """


@recurring.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write; - for a pipe.")
@click.option("--function", metavar="NAME", help="The pipeline's function, where FILE has several.")
@parameters_option
@schedule_options
def document(file: Path, output: Path | None, function: str | None, pairs: Sequence[str], **when: Any) -> None:
    """Make the ScheduledWorkflow of FILE: Python source, or a Workflow document.

    Without -o it stands beside FILE, as NAME.scheduled.yaml.
    """
    from penstock.compiler import packages

    made = _scheduled(file, function, pairs, when)
    target = output or file.with_name(f"{file.name.partition('.')[0]}.scheduled.yaml")
    warning = packages.too_heavy(made)
    if warning:
        click.echo(f"Warning: {warning}", err=True)
    if str(target) == "-":
        click.echo(packages.package(made, Path("-.yaml")), nl=False)
        return
    packages.write_package(made, target)
    click.echo(f"Scheduled {file} in {target}", err=True)


def _scheduled(file: Path, function: str | None, pairs: Sequence[str], when: dict[str, Any]) -> dict[str, Any]:
    from penstock.cli.source import Source, packaged, workflow_of

    values, schedule = parameters_of(pairs), schedule_of(**when)
    if schedule is not None:
        schedule.arguments = dict(values)
    elif values:
        raise InvalidInput("-p: goes with --cron or --every; a schedule in the file has its own values")
    if file.suffix == ".py":
        made = packaged(Source(file, function), schedule)
        if made["kind"] == "Workflow":
            raise InvalidInput(f"{file}: the pipeline has no schedule; give one with --cron or --every")
        return made
    if function is not None:
        raise InvalidInput(f"--function: {file} is a document; the option is for Python files")
    if schedule is None:
        raise InvalidInput(f"{file}: a document has no schedule; give one with --cron or --every")
    from penstock.compiler.schedules import scheduled

    return scheduled(workflow_of(file), schedule, str(file))


@recurring.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--name", metavar="TEXT", help="Name of the recurring run.  [default: the pipeline's]")
@click.option("--experiment", metavar="NAME", help="Experiment that takes the runs.  [default: Default]")
@click.option("--function", metavar="NAME", help="The pipeline's function, where FILE has several.")
@parameters_option
@schedule_options
@place_option
@json_option("json: the recurring run.")
def create(file: Path, **_options: Any) -> None:
    """Have a server run the pipeline of FILE (Python source, or a Workflow document) again and again."""
    raise _not_served(f"create {file}")


@recurring.command("list")
@limit_option
@place_option
@json_option("json: a list of recurring runs.")
def list_(limit: int, place: Place, output: str) -> None:  # noqa: ARG001 - what is refused needs none of them
    """The newest recurring runs."""
    raise _not_served("list")


@recurring.command()
@click.argument("run")
@place_option
@json_option("json: the recurring run.")
def get(run: str, place: Place, output: str) -> None:  # noqa: ARG001 - what is refused needs none of them
    """One recurring run."""
    raise _not_served(f"get {run}")


@recurring.command()
@click.argument("run", nargs=-1, required=True)
@place_option
@json_option("json: a list of the recurring runs.")
def enable(run: Sequence[str], place: Place, output: str) -> None:  # noqa: ARG001 - what is refused needs none of them
    """Make runs again."""
    raise _not_served("enable", *run)


@recurring.command()
@click.argument("run", nargs=-1, required=True)
@place_option
@json_option("json: a list of the recurring runs.")
def disable(run: Sequence[str], place: Place, output: str) -> None:  # noqa: ARG001 - what is refused needs none of them
    """Make no more runs until they are enabled."""
    raise _not_served("disable", *run)


@recurring.command()
@click.argument("run", nargs=-1, required=True)
@place_option
@json_option("json: a list of the recurring runs that were removed.")
def delete(run: Sequence[str], place: Place, output: str) -> None:  # noqa: ARG001 - what is refused needs none of them
    """Remove recurring runs; the runs that they made stay."""
    raise _not_served("delete", *run)


def _not_served(*words: str) -> Exception:
    from penstock.client.recurring import not_served

    return not_served(" ".join(("recurring", *words)))
