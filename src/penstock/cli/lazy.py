"""A click group that imports a command's module when that command is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

import click

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """`table` maps a command's name to `module:attribute` and its line of help, so that help needs no import."""

    def __init__(self, name: str, table: Mapping[str, tuple[str, str]], help: str, epilog: str) -> None:
        super().__init__(name, help=help, epilog=epilog)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """In the table's order."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command, imported now; None where the table has none of that name."""
        if cmd_name not in self._table:
            return None
        module, _, attribute = self._table[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(self._rows())

    def _rows(self) -> Sequence[tuple[str, str]]:
        return [(name, line) for name, (_, line) in self._table.items()]
