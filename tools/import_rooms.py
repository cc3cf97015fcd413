"""An import contract that is a table: each room, and the rooms that it may import. See `.importlinter`.

The built-in contracts say what is forbidden, so a new room is free until somebody forbids it something. Here a room
may import what its line names and nothing else, and a room without a line may import nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from grimp import ImportGraph
from importlinter.application import output
from importlinter.domain import fields
from importlinter.domain.contract import Contract, ContractCheck

__all__ = ["RoomsContract"]

ANY = "*"


class RoomsContract(Contract):
    """Options: `roots` (rooms that every room may import) and `rooms` (lines `room: imports`, `*` for all).

    A room is a module below the root package, with everything in it; of two lines that fit, the longer name counts.
    Rooms that do not exist yet may stand in the table. Only direct imports are looked at: what a room imports has
    a line of its own.
    """

    type_name = "rooms"

    roots = fields.ListField(subfield=fields.StringField())
    rooms = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - the interface's
        """Find every import that no line allows."""
        package = self.session_options["root_packages"][0]
        table = _table(self.rooms)  # type: ignore[arg-type]
        roots = {str(root) for root in self.roots}  # type: ignore[attr-defined]
        found = []
        for importer in sorted(graph.modules):
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                source, target = (_below(name, package) for name in (importer, imported))
                if target and not _allowed(source, target, table, roots):
                    found.append((importer, imported, _lines(graph, importer, imported)))
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that no line allows."""
        for importer, imported, lines in check.metadata["found"]:
            output.print_error(f"{importer} -> {imported} (l.{', l.'.join(map(str, lines))})", bold=False)
        output.new_line()


def _below(name: str, package: str) -> str:
    return name[len(package) + 1 :]


def _table(lines: list[str]) -> dict[str, list[str]]:
    pairs = (str(line).partition(":") for line in lines)
    return {room.strip(): [each.strip() for each in allowed.split(",") if each.strip()] for room, _, allowed in pairs}


def _allowed(source: str, target: str, table: Mapping[str, list[str]], roots: set[str]) -> bool:
    room = _room(source, table)
    if room is not None and _inside(target, room):
        return True
    if any(_inside(target, root) for root in roots):
        return True
    return room is not None and any(each == ANY or _inside(target, each) for each in table[room])


def _room(module: str, table: Mapping[str, list[str]]) -> str | None:
    fitting = [room for room in table if _inside(module, room)]
    return max(fitting, key=len, default=None)


def _inside(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def _lines(graph: ImportGraph, importer: str, imported: str) -> list[int]:
    return sorted({detail["line_number"] for detail in graph.get_import_details(importer=importer, imported=imported)})
