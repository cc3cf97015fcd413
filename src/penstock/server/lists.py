"""What part of a list a client asks for: `page_size`, `page_token`, `sort_by`, `filter`, as in Kubeflow Pipelines.

A filter is JSON: `{"predicates": [{"operation": "EQUALS", "key": "display_name", "string_value": "x"}]}`, joined by
AND. Columns and values are checked by `paging`; here they get the names that records have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from penstock.errors import InvalidInput
from penstock.ports import Page
from penstock.server.failures import as_invalid
from penstock.server.wire import Count, Wire

__all__ = ["ListQuery", "RunListQuery", "page"]

DEFAULT_SIZE, MAX_SIZE = 20, 200

OPERATIONS: Mapping[str, str] = {
    "GREATER_THAN_EQUALS": "greater_than_or_equals",
    "LESS_THAN_EQUALS": "less_than_or_equals",
}
"""Operations of the wire that have another name in records; the rest is the same in small letters."""


class ListQuery(Wire, kw_only=True):
    """`page_size` 0 is 20, and 200 is the most. `sort_by` is a field, `field asc` or `field desc`; newest first where
    it is empty. `filter` is JSON, in which `predicates` are joined by AND."""

    page_size: Count = 0
    page_token: str = ""
    sort_by: str = ""
    filter: str = ""


class RunListQuery(ListQuery, kw_only=True):
    """As every list, and the runs of one experiment; `sort_by` may be `metric:<name>`."""

    experiment_id: str = ""


class _Values(Wire, kw_only=True):
    values: Sequence[Any] = ()


class _Predicate(Wire, kw_only=True):
    key: str
    operation: str = ""
    op: str = ""
    string_value: str | None = None
    int_value: int | None = None
    long_value: int | None = None
    timestamp_value: str | None = None
    string_values: _Values | None = None
    int_values: _Values | None = None
    long_values: _Values | None = None


class _Filter(Wire, kw_only=True):
    predicates: Sequence[_Predicate] = ()


def page(query: ListQuery, names: Mapping[str, str] = {}, **fixed: str) -> Page:
    """The page that is asked for. `names` are those of the wire that records know under another one; columns named in
    `fixed` have to equal the value, where it is not "". Raises InvalidInput."""
    column = _columns(names)
    sort_by, descending = _order(query.sort_by)
    held = [(name, "equals", value) for name, value in fixed.items() if value]
    return Page(
        size=min(query.page_size or DEFAULT_SIZE, MAX_SIZE),
        token=query.page_token,
        sort_by=column(sort_by),
        descending=descending,
        filters=(*held, *_filters(query.filter, column)),
    )


def _columns(names: Mapping[str, str]) -> Callable[[str], str]:
    return lambda name: names.get(name, name)


def _order(text: str) -> tuple[str, bool]:
    field, _, direction = text.strip().rpartition(" ") if text.strip().endswith((" asc", " desc")) else (text, "", "")
    if not field.strip():
        return "created_at", True
    return field.strip(), direction == "desc"


def _filters(text: str, column: Callable[[str], str]) -> Sequence[tuple[str, str, Any]]:
    if not text:
        return ()
    try:
        given = msgspec.json.decode(text, type=_Filter, strict=False)
    except msgspec.DecodeError as error:
        as_invalid("filter", error)
    return [(column(p.key), _operation(p), _value(p)) for p in given.predicates]


def _operation(predicate: _Predicate) -> str:
    name = predicate.operation or predicate.op
    return OPERATIONS.get(name, name.lower())


def _value(predicate: _Predicate) -> Any:
    several = predicate.string_values or predicate.int_values or predicate.long_values
    if several is not None:
        return list(several.values)
    if predicate.timestamp_value is not None:
        return _seconds(predicate.timestamp_value)
    values = (predicate.string_value, predicate.int_value, predicate.long_value)
    return next((value for value in values if value is not None), None)


def _seconds(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"filter: got timestamp_value {text!r:.80}, expected 2026-01-31T12:00:00Z") from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
