"""`penstock experiment`: groups of runs."""

from __future__ import annotations

from collections.abc import Sequence

import click

from penstock.cli.home import use_cases
from penstock.cli.options import Place, json_option, limit_option, place_option
from penstock.cli.output import json_of, print_done, print_facts, print_json, print_table, when

__all__ = ["experiment"]


@click.group()
def experiment() -> None:
    """List, make, read, archive and delete experiments: groups of runs. EXPERIMENT is its id or its name."""


@experiment.command("list")
@limit_option
@place_option
@json_option("json: a list of experiments.")
def list_(limit: int, place: Place, output: str) -> None:
    """The newest experiments."""
    from penstock.bootstrap import Page

    with use_cases(place) as found:
        listing = found.experiments.list(Page(size=limit))
    if output == "json":
        print_json([json_of(row) for row in listing.items])
        return
    table = [
        (row.name, row.storage_state.capitalize(), when(row.created_at), when(row.last_run_created_at), row.id)
        for row in listing.items
    ]
    print_table(("NAME", "STATE", "CREATED", "LAST RUN", "ID"), table)
    if listing.next_token:
        click.echo(f"… {listing.total - len(listing.items)} more", err=True)


@experiment.command()
@click.argument("name")
@click.option("--description", default="", metavar="TEXT", help="What it is about.")
@place_option
@json_option("json: the experiment.")
def create(name: str, description: str, place: Place, output: str) -> None:
    """Make an experiment. `penstock run --experiment NAME` puts runs into it."""
    with use_cases(place) as found:
        made = found.experiments.create(name, description)
    if output == "json":
        print_json(json_of(made))
    else:
        click.echo(f"Created experiment {made.name}")


@experiment.command()
@click.argument("experiment")
@place_option
@json_option("json: the experiment.")
def get(experiment: str, place: Place, output: str) -> None:
    """One experiment."""
    with use_cases(place) as found:
        row = found.experiments.find(experiment)
    if output == "json":
        print_json(json_of(row))
        return
    print_facts(
        [
            ("Experiment", row.name),
            ("Id", row.id),
            ("About", row.description),
            ("State", row.storage_state.capitalize()),
            ("Created", when(row.created_at)),
            ("Last run", when(row.last_run_created_at)),
        ]
    )


@experiment.command()
@click.argument("experiment", nargs=-1, required=True)
@place_option
@json_option("json: a list of the experiments.")
def unarchive(experiment: Sequence[str], place: Place, output: str) -> None:
    """Put experiments back into the lists."""
    with use_cases(place) as found:
        experiments = found.experiments
        rows = [experiments.find(each) for each in experiment]
        print_done("Unarchived experiment", [experiments.unarchive(row.id) for row in rows], output)


@experiment.command()
@click.argument("experiment", nargs=-1, required=True)
@place_option
@json_option("json: a list of the experiments.")
def archive(experiment: Sequence[str], place: Place, output: str) -> None:
    """Take experiments out of the lists."""
    with use_cases(place) as found:
        experiments = found.experiments
        rows = [experiments.find(each) for each in experiment]
        print_done("Archived experiment", [experiments.archive(row.id) for row in rows], output)


@experiment.command()
@click.argument("experiment", nargs=-1, required=True)
@place_option
@json_option("json: a list of the experiments.")
def delete(experiment: Sequence[str], place: Place, output: str) -> None:
    """Remove experiments; their runs stay."""
    with use_cases(place) as found:
        experiments = found.experiments
        rows = [experiments.find(each) for each in experiment]
        for row in rows:
            experiments.delete(row.id)
        print_done("Deleted experiment", rows, output)
