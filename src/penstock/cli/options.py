"""Options that several commands share, and what their texts mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from penstock.errors import InvalidInput, InvalidSetting
from penstock.settings import Settings, load, parse_duration

if TYPE_CHECKING:
    from penstock.compiler.schedules import Schedule

__all__ = [
    "AS_YAML",
    "DURATION",
    "Place",
    "as_kfp_option",
    "config_option",
    "home_option",
    "ignore_option",
    "images_option",
    "json_option",
    "launcher_option",
    "limit_option",
    "parameters_of",
    "parameters_option",
    "place_option",
    "schedule_of",
    "schedule_options",
    "settings_of",
    "templates_option",
]

Command = TypeVar("Command", bound=Callable[..., Any])


class _Duration(click.ParamType):  # type: ignore[type-arg] # generic for type checkers alone
    """Seconds, as `settings.parse_duration` reads them; more than none."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds of a text; a usage error for anything else."""
        try:
            seconds = parse_duration(str(value))
        except InvalidSetting as error:
            self.fail(str(error).removeprefix("duration: "), param, ctx)
        if seconds <= 0:
            self.fail(f"got {value!r}, expected more than 0 s", param, ctx)
        return seconds


DURATION = _Duration()

AS_YAML = "penstock.as_yaml"
"""Among what a click context knows: whether values are printed as YAML."""


def as_kfp_option(command: Command) -> Command:
    """`--as-kfp VERSION`."""
    text = "The version of kfp that the file was written for: `import kfp` works, and the document is as it writes it."
    return click.option("--as-kfp", type=click.Choice(["1.8", "0.1"]), help=text)(command)


def home_option(command: Command) -> Command:
    """`--home FOLDER`."""
    text = "Folder of all state.  [default: PENSTOCK_HOME, else ~/.penstock]"
    return click.option("--home", type=click.Path(path_type=Path), metavar="FOLDER", help=text)(command)


class Place(NamedTuple):
    """Where a command works: on a home of this machine, or on a server that it is told."""

    home: Path | None = None
    server: str | None = None
    token: str | None = None


def place_option(command: Command) -> Command:
    """`--home FOLDER`, or `--server ADDRESS --token TOKEN`; the command is given a `Place`, called `place`."""

    @wraps(command)
    def placed(*args: Any, home: Path | None, server: str | None, token: str | None, **values: Any) -> Any:
        if server is None and token is not None:
            raise InvalidInput("--token: is for a server; name it with --server ADDRESS")
        if server is not None and home is not None:
            raise InvalidInput("--home and --server: got both; a command works on one of them")
        return command(*args, place=Place(home, server, token), **values)

    text = "Work on the server at this address, not on a home."
    placed = click.option("--token", metavar="TEXT", help="Token of --server.  [default: PENSTOCK_TOKEN]")(placed)
    placed = click.option("--server", metavar="ADDRESS", help=text)(placed)
    return home_option(placed)  # type: ignore[return-value]


def limit_option(command: Command) -> Command:
    """`--limit N`."""
    text = "Most rows to list."
    return click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help=text)(command)


def parameters_option(command: Command) -> Command:
    """`-p NAME=VALUE`."""
    text = "A parameter; may be repeated."
    return click.option("-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help=text)(command)


def schedule_options(command: Command) -> Command:
    """`--cron`, `--every` and what goes with them; `schedule_of` reads what the command is given."""
    often = click.option("--allow-high-frequency", is_flag=True, help="Take more than one run a minute.")
    catchup = click.option("--catchup/--no-catchup", default=True, help="Whether missed runs are made up for.")
    overlap = click.option(
        "--overlap",
        type=click.Choice(["wait", "skip", "replace", "latest-only"]),
        default="wait",
        show_default=True,
        help="What becomes of a run that is due while one goes on.",
    )
    zone = click.option("--zone", metavar="ZONE", default="UTC", show_default=True, help="Time zone of --cron.")
    every = click.option("--every", metavar="DURATION", help="Run it again and again: 30m, 12h, 1d.")
    cron = click.option("--cron", metavar="TEXT", help="Run it by the clock: minute hour day month weekday.")
    return cron(every(zone(overlap(catchup(often(command))))))


def schedule_of(cron: str | None, every: str | None, **more: Any) -> Schedule | None:
    """The schedule of the options; None where neither --cron nor --every is given."""
    if cron is None and every is None:
        return None
    from penstock.compiler.schedules import Schedule

    made = Schedule(cron, every, **more)
    made.place = ""  # not a line of the file
    return made


def images_option(command: Command) -> Command:
    """`--images FILE`."""
    text = "TOML file with a table [images]: image name or glob = what stands for it here."
    return click.option("--images", type=click.Path(path_type=Path), metavar="FILE", help=text)(command)


def config_option(command: Command) -> Command:
    """`--config DIR`."""
    text = "Folder with YAML files of config maps, secrets and claims that the document refers to."
    return click.option("--config", type=click.Path(path_type=Path), metavar="DIR", help=text)(command)


def ignore_option(command: Command) -> Command:
    """`--ignore FIELD`."""
    text = "Run though this machine does not meet what the document says there; may be repeated."
    fields = click.Choice(["nodeSelector", "affinity", "resources"])
    return click.option("--ignore", "ignored", type=fields, multiple=True, help=text)(command)


def templates_option(command: Command) -> Command:
    """`--templates DIR`."""
    text = "Folder with YAML files of WorkflowTemplates that the document refers to."
    return click.option("--templates", type=click.Path(path_type=Path), metavar="DIR", help=text)(command)


def launcher_option(command: Command) -> Command:
    """`--launcher NAME`."""
    text = "How steps are started: auto, process or docker.  [default: auto]"
    return click.option("--launcher", metavar="NAME", help=text)(command)


def json_option(text: str, *, yaml: bool = True) -> Callable[[Command], Command]:
    """`--output table|json|yaml`. The command is told `table` or `json`; `print_json` writes the YAML."""
    forms = click.Choice(["table", "json", "yaml"] if yaml else ["table", "json"])
    told = f"{text} yaml: the same as YAML." if yaml else text
    return click.option("--output", type=forms, default="table", show_default=True, help=told, callback=_form)


def _form(context: click.Context, _option: click.Parameter, form: str) -> str:
    context.meta[AS_YAML] = form == "yaml"
    return "json" if form == "yaml" else form


def settings_of(**flags: Any) -> Settings:
    """The settings with these flags; None stands for one that was not given. Raises InvalidSetting."""
    return load(flags)


def parameters_of(pairs: Sequence[str]) -> Mapping[str, str]:
    """`name=value` texts as a table. Raises InvalidInput."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise InvalidInput(f"-p: got {pair!r}, expected name=value")
        if name.strip() in values:
            raise InvalidInput(f"-p: parameter {name.strip()!r} is given twice")
        values[name.strip()] = value
    return values
