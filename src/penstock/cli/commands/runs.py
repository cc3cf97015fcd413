"""`penstock runs`: the history of a home."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from penstock.cli.home import opened, use_cases
from penstock.cli.options import Place, json_option, limit_option, parameters_of, place_option
from penstock.cli.output import json_of, print_done, print_facts, print_json, print_table, when

if TYPE_CHECKING:
    from penstock.bootstrap import Home, Services, Shutdown
    from penstock.cli.remote import Server

__all__ = ["runs"]


@click.group()
def runs() -> None:
    """List, read, stop, resume, archive and delete runs. RUN is a run's id, its name, or its workflow's name."""


@runs.command("list")
@limit_option
@place_option
@json_option("json: a list of runs.")
def list_(limit: int, place: Place, output: str) -> None:
    """The newest runs."""
    from penstock.bootstrap import Page
    from penstock.cli.board import duration

    with use_cases(place) as found:
        listing = found.runs.list(Page(size=limit))
    if output == "json":
        print_json([json_of(run) for run in listing.items])
        return
    now = time.time()
    table = [
        (run.name, run.state.capitalize(), when(run.created_at), duration((run.finished_at or now) - run.started_at)
         if run.started_at else "", run.pipeline_name, run.id)
        for run in listing.items
    ]  # fmt: skip
    print_table(("NAME", "STATE", "CREATED", "TOOK", "PIPELINE", "ID"), table)
    if listing.next_token:
        click.echo(f"… {listing.total - len(listing.items)} more", err=True)


@runs.command()
@click.argument("run")
@place_option
@json_option("json: the run's Workflow document with its status.")
def get(run: str, place: Place, output: str) -> None:
    """One run: its state, parameters, metrics and steps."""
    from penstock.cli.board import SHOWN

    with use_cases(place) as found:
        row = found.runs.find(run)
        if output == "json":
            print_json(found.runs.document(row.id))
            return
        nodes, _ = found.runs.nodes(row.id)
    print_facts(_facts(row))
    click.echo()
    steps = [(n.display_name, n.phase.value, when(n.started_at), n.message) for n in nodes if n.type in SHOWN]
    print_table(("STEP", "PHASE", "STARTED", "MESSAGE"), steps)


@runs.command()
@click.argument("run")
@click.option("--force", is_flag=True, help="Terminate: exit handlers do not run.")
@place_option
@json_option("json: the run's Workflow document with its status, when it has ended.")
def stop(run: str, force: bool, place: Place, output: str) -> None:
    """End a run that goes on, and wait until it has ended."""
    import asyncio

    from penstock.bootstrap import Shutdown
    from penstock.cli.board import Board
    from penstock.cli.follow import follow_to_end, summary
    from penstock.cli.show import Lines

    strategy = Shutdown.TERMINATE if force else Shutdown.STOP
    if place.server is not None:
        _stop_there(place, run, strategy, output)
        return
    stream = sys.stderr if output == "json" else sys.stdout
    with opened(place.home) as found:
        row = found.services.runs.find(run)
        found.services.runs.stop(row.id, strategy)
        board = Board(title=row.name)
        asyncio.run(follow_to_end(found, row.id, board, Lines(stream)))
        click.echo("\n".join(summary(board)), file=stream)
        if output == "json":
            print_json(found.services.runs.document(row.id))


def _stop_there(place: Place, run: str, strategy: Shutdown, output: str) -> None:
    with use_cases(place) as found:
        row = found.runs.stop(found.runs.find(run).id, strategy)
        if output == "json":
            print_json(found.runs.document(row.id))
        else:
            click.echo(f"{row.state.capitalize()} run {row.name}")


@runs.command()
@click.argument("run")
@click.option("--step", default="", metavar="NAME", help="Only the step of that name.  [default: all that wait]")
@click.option("-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A value that the step waits for.")
@place_option
@json_option("json: a list with the run that goes on.")
def resume(run: str, step: str, pairs: Sequence[str], place: Place, output: str) -> None:
    """Let steps that wait for a person go on."""
    values = parameters_of(pairs)
    with _engaged(place) as (found, fulfilled):
        row = found.runs.find(run)
        found.runs.resume(row.id, step, values)
        fulfilled(row.id)
    print_done("Resumed run", [row], output)


@runs.command()
@click.argument("run", nargs=-1, required=True)
@place_option
@json_option("json: a list of the runs that were removed.")
def delete(run: Sequence[str], place: Place, output: str) -> None:
    """Remove runs and all they made; what still runs of them is killed."""
    with _engaged(place) as (found, fulfilled):
        rows = [found.runs.find(each) for each in run]
        for row in rows:
            found.runs.delete(row.id)
            fulfilled(row.id)
    print_done("Deleted run", rows, output)


@runs.command()
@click.argument("run", nargs=-1, required=True)
@place_option
@json_option("json: a list of the runs.")
def archive(run: Sequence[str], place: Place, output: str) -> None:
    """Take runs out of the lists."""
    with use_cases(place) as found:
        rows = [found.runs.find(each) for each in run]
        print_done("Archived run", [found.runs.archive(row.id) for row in rows], output)


@runs.command()
@click.argument("run", nargs=-1, required=True)
@place_option
@json_option("json: a list of the runs.")
def unarchive(run: Sequence[str], place: Place, output: str) -> None:
    """Put runs back into the lists."""
    with use_cases(place) as found:
        rows = [found.runs.find(each) for each in run]
        print_done("Unarchived run", [found.runs.unarchive(row.id) for row in rows], output)


@contextmanager
def _engaged(place: Place) -> Iterator[tuple[Services | Server, Callable[[str], None]]]:
    """What can be done at a place, and what returns when all that was asked of the engine for a run is done.

    A server does it by itself.
    """
    import asyncio

    if place.server is not None:
        with use_cases(place) as server:
            yield server, lambda _run_id: None
        return
    with opened(place.home) as home:
        yield home.services, lambda run_id: asyncio.run(_fulfilled(home, run_id))


async def _fulfilled(home: Home, run_id: str) -> None:
    """Return when all that was asked of the engine for a run is done, by whoever drives the home."""
    import asyncio

    async with home.engaged():
        while await asyncio.to_thread(
            home.records.read, lambda store: any(i.run_id == run_id for i in store.intents())
        ):
            await asyncio.sleep(0.05)


def _facts(run: Any) -> Iterator[tuple[str, str]]:
    yield "Run", run.name
    yield "Id", run.id
    yield "Workflow", run.workflow_name
    yield "Pipeline", run.pipeline_name
    yield "State", run.state.capitalize() + (f": {run.message}" if run.message else "")
    yield "Created", when(run.created_at)
    yield "Finished", when(run.finished_at)
    for name, value in run.parameters.items():
        yield "Parameter", f"{name}={value}"
    for metric in run.metrics:
        yield "Metric", f"{metric.name}={metric.value}"
