"""Table: rows of text under a header."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from penstock.outputs.source import BadOutput, Output, csv_rows, text_of
from penstock.outputs.view import View

__all__ = ["CELL_LIMIT", "COLUMNS_LIMIT", "ROWS_LIMIT", "TableView", "read"]

ROWS_LIMIT = 10_000
COLUMNS_LIMIT = 1_000
CELLS_LIMIT = 500_000
"""Most cells of one table that are shown: of a broad table fewer rows."""
CELL_LIMIT = 10_000
"""Most characters of one cell."""


class TableView(View, frozen=True, kw_only=True, tag="table"):
    """`rows` are as long as `header`, padded with empty texts. `total` counts the rows that were read; `truncated`
    says that there are more than `rows` holds."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    truncated: bool = False
    total: int = 0


def read(output: Output) -> TableView:
    """A `table` output: CSV under the names in `header`. Raises BadOutput."""
    output.csv_only(required=True)
    header = output.names("header")
    content = output.content()
    text = content.text if not content.truncated else content.text[: content.text.rfind("\n") + 1]
    source = csv_rows(text)
    rows = list(islice(source, max(1, min(ROWS_LIMIT, CELLS_LIMIT // max(1, len(header))))))
    total = len(rows) + sum(1 for _ in source)
    width = _width(header, rows)
    return TableView(
        title="Table",
        header=_padded(header, width),
        rows=[_padded(row, width) for row in rows],
        truncated=content.truncated or total > len(rows),
        total=total,
    )


def _width(header: list[str], rows: list[list[str]]) -> int:
    """Columns of the table: a row may be longer than the header, and nothing of it is hidden."""
    width = max([len(header), *map(len, rows)])
    if width > COLUMNS_LIMIT:
        raise BadOutput(f"{width:,} columns", expected=f"at most {COLUMNS_LIMIT:,} columns")
    return width


def _padded(row: list[str], width: int) -> list[str]:
    return [text_of(cell[:CELL_LIMIT]) for cell in row] + [""] * (width - len(row))
