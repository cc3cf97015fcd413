"""One entry of the file, and how its fields and its content are read. What is wrong is raised as `BadOutput`."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import InvalidInput

__all__ = ["CONTENT_LIMIT", "BadOutput", "Content", "Output", "number", "shown", "text_of"]

CONTENT_LIMIT = 16 * 1024 * 1024
"""Most bytes read of what one output shows."""

SHOWN_LIMIT = 400
"""Most characters of a wrong value in a message."""


class BadOutput(InvalidInput):
    """An output that cannot be drawn. `expected` says what would have been right."""

    def __init__(self, message: str, *, expected: str = "") -> None:
        super().__init__(message)
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Content:
    """What an output shows: `text`, cut at `CONTENT_LIMIT` bytes (then `truncated`)."""

    text: str
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """An entry of `outputs`. `fetch` reads what `source` refers to; see `read_ui_metadata` for what it may raise."""

    fields: Mapping[str, Any]
    fetch: Callable[[str], bytes]

    @property
    def inline(self) -> bool:
        """True where `source` is the content itself."""
        return self.fields.get("storage") == "inline"

    @property
    def source(self) -> str:
        """The field `source`."""
        value = self.fields.get("source")
        if not isinstance(value, str) or (not value and not self.inline):
            raise self._wrong("source", "the content (with storage: inline) or the address of a file")
        return value

    def content(self) -> Content:
        """The content, inline or by reference."""
        data = self.source.encode("utf-8", "replace") if self.inline else self.fetch(self.source)
        text = data[:CONTENT_LIMIT].decode("utf-8-sig", "replace")
        return Content(text, truncated=len(data) > CONTENT_LIMIT)

    def rows(self) -> Iterator[list[str]]:
        """The rows of the content as CSV without a header, empty lines left out. Raises BadOutput past the limit."""
        content = self.content()
        if content.truncated:
            raise BadOutput(f"content is over {CONTENT_LIMIT:,} bytes", expected="a smaller file")
        return csv_rows(content.text)

    def csv_only(self, *, required: bool = False) -> None:
        """Refuse any `format` but csv."""
        if self.fields.get("format") != "csv" and (required or self.fields.get("format") is not None):
            raise self._wrong("format", '"csv"')

    def names(self, field: str) -> list[str]:
        """A field that is a list of texts (`header`, `labels`); numbers and booleans are taken as their text."""
        value = self.fields.get(field)
        if not isinstance(value, list) or not all(isinstance(v, (str, int, float)) for v in value):
            raise self._wrong(field, "a list of texts")
        return [v if isinstance(v, str) else json.dumps(v) for v in value]

    def schema(self) -> list[str]:
        """Names of the columns: `schema` is a list of `{name, type}`, or of plain names."""
        value = self.fields.get("schema")
        columns = value if isinstance(value, list) else [None]
        names = [c.get("name") if isinstance(c, dict) else c for c in columns]
        texts = [n for n in names if isinstance(n, str)]
        if len(texts) < len(names):
            raise self._wrong("schema", 'a list of columns, each {"name": …, "type": …}')
        return texts

    def _wrong(self, field: str, expected: str) -> BadOutput:
        got = shown(self.fields[field]) if field in self.fields else "nothing"
        return BadOutput(f"{field}: got {got}", expected=f"{field}: {expected}")


def csv_rows(text: str) -> Iterator[list[str]]:
    """Rows of a CSV text. Raises BadOutput with the line where it is not one."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        raise BadOutput(f"line {reader.line_num}: {error}", expected="rows of CSV") from None


def number(text: str, where: str) -> float:
    """A finite number of a CSV cell. `where` names the cell in the message."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadOutput(f"{where}: got {shown(text)}", expected=f"{where}: a number")
    return value


def shown(value: Any) -> str:
    """A value as short JSON text, for messages."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = "something nested too deeply"
    return text if len(text) <= SHOWN_LIMIT else text[: SHOWN_LIMIT - 1] + "…"


def text_of(value: Any) -> str:
    """A text that can be encoded: lone surrogates, which JSON may hold, become question marks."""
    return str(value).encode("utf-8", "replace").decode()
