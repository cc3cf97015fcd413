"""`penstock gc`: free what a home holds for nobody."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.home import opened
from penstock.cli.options import home_option, json_option
from penstock.cli.output import print_json, print_table

__all__ = ["gc"]


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@home_option
@json_option("json: a list of what goes, each with its name and its size in bytes.")
def gc(dry_run: bool, home: Path | None, output: str) -> None:
    """Remove artifacts and logs of which no run and no cache knows, environments of packages that no run asks for, and
    entries of the cache that point to nothing.

    What a run made goes with `penstock runs delete`; this finds what was left when a machine failed in the midst of it.
    Files under keys that a document gives stay, and so does what is younger than an hour.
    """
    with opened(home) as found:
        waste = found.waste(remove=not dry_run)
    if output == "json":
        print_json([{"name": each.name, "size": each.size} for each in waste])
        return
    if waste:
        print_table(("WHAT", "BYTES"), [(each.name, f"{each.size:,}") for each in waste])
    verb = "would be freed" if dry_run else "freed"
    click.echo(f"{sum(each.size for each in waste):,} bytes {verb}")
