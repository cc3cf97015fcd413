"""`penstock retry`, `rerun` and `resubmit`: ended runs, once more. RUN is a run's id, name, or workflow's name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from penstock.cli.home import opened
from penstock.cli.options import DURATION, home_option, json_option, parameters_of, parameters_option
from penstock.cli.output import print_json

if TYPE_CHECKING:
    from penstock.bootstrap import Home

__all__ = ["rerun", "resubmit", "retry"]

_timeout = click.option("--timeout", type=DURATION, help="Terminate the run after this time (300, 300s, 5m).")
_json = json_option("json: print the finished Workflow document, and nothing else, on standard output.")


@click.command()
@click.argument("run")
@click.option("--restart-successful", is_flag=True, help="Run steps again that succeeded: those of the selector.")
@click.option("--node-field-selector", default="", metavar="TERMS", help="Such as displayName=train,phase!=Failed.")
@parameters_option
@_timeout
@home_option
@_json
def retry(
    run: str,
    restart_successful: bool,
    node_field_selector: str,
    pairs: Sequence[str],
    timeout: float | None,
    home: Path | None,
    output: str,
) -> int:
    """Try a run that failed again, under the same name: failed steps and what comes after them run, the rest stays.

    A run that succeeded is tried again with --restart-successful and --node-field-selector.
    """
    values = parameters_of(pairs)

    def begin(found: Home, old: Any) -> Any:
        return found.services.runs.retry(
            old.id,
            restart_successful=restart_successful,
            node_field_selector=node_field_selector,
            parameters=values,
        )

    return _begun(home, run, begin, timeout, output)


@click.command()
@click.argument("run")
@click.option("--from", "step", required=True, metavar="STEP", help="Where it goes on: a step's name as it is shown.")
@parameters_option
@_timeout
@home_option
@_json
def rerun(run: str, step: str, pairs: Sequence[str], timeout: float | None, home: Path | None, output: str) -> int:
    """Make a new run that goes on with a step of an ended one; what went well before and beside it is reused."""
    values = parameters_of(pairs)
    return _begun(
        home, run, lambda found, old: found.services.runs.rerun(old.id, step, parameters=values), timeout, output
    )


@click.command()
@click.argument("run")
@click.option("--memoized", is_flag=True, help="Skip what went well in a run that failed.")
@parameters_option
@_timeout
@home_option
@_json
def resubmit(
    run: str, memoized: bool, pairs: Sequence[str], timeout: float | None, home: Path | None, output: str
) -> int:
    """Make a new run with the document and the parameters of an earlier one."""
    values = parameters_of(pairs)

    def begin(found: Home, old: Any) -> Any:
        return found.services.runs.resubmit(old.id, memoized=memoized, parameters=values)

    return _begun(home, run, begin, timeout, output)


def _begun(home: Path | None, name: str, begin: Callable[[Home, Any], Any], timeout: float | None, output: str) -> int:
    """Begin, and follow to the end; the exit code. Of a run that is tried again only what is new is shown."""
    import asyncio

    import msgspec

    from penstock.cli.board import Board
    from penstock.cli.follow import follow_to_end, summary
    from penstock.cli.show import show_on

    stream = sys.stderr if output == "json" else sys.stdout
    with opened(home) as found:
        old = found.services.runs.find(name)
        nodes, last = found.services.runs.nodes(old.id)
        run = begin(found, old)
        board, after = Board(title=run.name), 0
        if run.id == old.id:
            after = last
            for node in nodes:
                board.apply("node", 0.0, msgspec.to_builtins(node))
        with show_on(stream, [board]) as show:
            followed = asyncio.run(follow_to_end(found, run.id, board, show, timeout, after=after))
        click.echo("\n".join(summary(board)), file=stream)
        if output == "json":
            print_json(found.services.runs.document(run.id))
        return followed.exit_code
