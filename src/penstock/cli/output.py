"""How commands print what they found: tables and facts for people, JSON for programs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from penstock.cli.options import AS_YAML

__all__ = ["json_of", "print_done", "print_facts", "print_json", "print_table", "when"]


def when(at: float | None) -> str:
    """The local date and time of seconds since the epoch, "" for none."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at else ""


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as what stands in them."""
    widths = [max(len(str(row[i])) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """One `Name: value` a line, without the empty ones."""
    for name, value in facts:
        if value:
            click.echo(f"{name + ':':11}{value}")


def print_json(value: Any) -> None:
    """JSON for programs, indented for people; YAML where `--output yaml` asks for it."""
    if click.get_current_context().meta.get(AS_YAML):
        from penstock.compiler.packages import yaml_of

        click.echo(yaml_of(value), nl=False)
        return
    import json

    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def json_of(value: Any, **more: Any) -> Mapping[str, Any]:
    """The fields of a value of `ports` as JSON has them, those at their defaults too."""
    import msgspec

    fields = {name: msgspec.to_builtins(getattr(value, name)) for name in value.__struct_fields__}
    return {**fields, **more}


def print_done(what: str, rows: Sequence[Any], output: str) -> None:
    """What was done to each of the rows: a line for people (`Deleted run x`), a list of them for programs."""
    if output == "json":
        print_json([json_of(row) for row in rows])
        return
    for row in rows:
        click.echo(f"{what} {row.name}")
