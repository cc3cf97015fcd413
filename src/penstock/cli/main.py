"""The entry point: `penstock COMMAND …`.

A person's mistake is one line on standard error and the exit code of the error's class; never a traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from penstock import __version__
from penstock.cli.exits import FAILED, STOPPED, USAGE
from penstock.cli.lazy import LazyGroup
from penstock.errors import PenstockError

__all__ = ["cli", "main"]

HERE = "penstock.cli.commands"

cli = LazyGroup(
    "penstock",
    {
        "up": (f"{HERE}.up:up", "Serve a home: the page, the API, and the engine of its runs."),
        "demo": (f"{HERE}.demo:demo", "Serve, and run the example pipelines."),
        "compile": (f"{HERE}.compile:compile", "Make the Argo Workflow of a pipeline's source."),
        "run": (f"{HERE}.run:run", "Run a pipeline here and follow it to its end."),
        "retry": (f"{HERE}.again:retry", "Try an ended run again from its failed steps."),
        "rerun": (f"{HERE}.again:rerun", "Go on with a step of an ended run, in a new run that reuses the rest."),
        "resubmit": (f"{HERE}.again:resubmit", "Make a new run like an earlier one."),
        "runs": (f"{HERE}.runs:runs", "List, read, stop, resume, archive and delete runs."),
        "logs": (f"{HERE}.logs:logs", "Print the logs of a run's steps."),
        "component": (f"{HERE}.component:component", "Build the images that components run in."),
        "pipeline": (f"{HERE}.pipeline:pipeline", "Upload, list, read and delete pipelines."),
        "recurring": (f"{HERE}.recurring:recurring", "Say how a pipeline is run again and again."),
        "experiment": (f"{HERE}.experiment:experiment", "List, make, read, archive and delete experiments."),
        "gc": (f"{HERE}.gc:gc", "Remove what no run and no cache refers to."),
        "doctor": (f"{HERE}.doctor:doctor", "Say what this machine offers to steps, and what is missing."),
    },
    help="Write a pipeline, run it, see what every step made.",
    epilog='Completion in bash: eval "$(_PENSTOCK_COMPLETE=bash_source penstock)"; also zsh_source and fish_source.',
)
click.version_option(__version__, prog_name="penstock", message="%(prog)s %(version)s")(cli)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed before we began
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="penstock", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return STOPPED
    except PenstockError as error:
        return _complain(str(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has enough. Python would complain again when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except RecursionError:
        return _complain("the input is nested too deeply", USAGE)


def _complain(message: str, code: int) -> int:
    click.echo(f"Error: {message}", err=True)
    return code


if __name__ == "__main__":
    main()
