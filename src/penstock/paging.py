"""The rules of lists, shared by every store of records: columns, filters, order, page tokens.

A `Page` as it came from outside is checked here into a `Plan`; a store only carries plans out. Listed columns are the
plain fields of the value. Order is by one column with the id as tie-break; rows without a value in it come last
either way. A token names the last row that was shown, so rows added meanwhile neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, get_type_hints

import msgspec

from penstock.errors import InvalidInput
from penstock.ports import Experiment, Page, Pipeline, PipelineVersion, Run, Value

__all__ = ["COLUMNS", "LAST", "Filter", "Operation", "Plan", "plan", "token"]

LAST = 1.7e308
"""Stands for a missing number in the order: after all others ascending, its negative after all others descending."""

METRIC = "metric:"
"""Prefix of a sort key that is a run's metric, as Kubeflow Pipelines writes it."""

_HIDDEN = {"parameters", "options", "progress", "metrics", "inputs"}
_FILTERS, _LISTED, _TEXT, _SIZE = 20, 200, 1000, 200


class Operation(StrEnum):
    """What a filter compares by. IS_SUBSTRING takes A to Z and a to z for the same."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    GREATER_THAN = "greater_than"
    GREATER_THAN_OR_EQUALS = "greater_than_or_equals"
    LESS_THAN = "less_than"
    LESS_THAN_OR_EQUALS = "less_than_or_equals"
    IN = "in"
    IS_SUBSTRING = "is_substring"


class Filter(Value, frozen=True, kw_only=True):
    """A checked filter: `value` is a text or a number as the column is, a tuple of them for IN."""

    column: str
    operation: Operation
    value: Any


class Plan(Value, frozen=True, kw_only=True):
    """A checked page: rows after (`after_value`, `after_id`) where `after_id` is set, at most `size`.

    `sort_by` is a column, or "" where `metric` is the name of the metric to sort by.
    """

    size: int
    sort_by: str
    metric: str = ""
    descending: bool
    nullable: bool = False
    filters: tuple[Filter, ...] = ()
    after_value: str | float | None = None
    after_id: str = ""
    fingerprint: str = ""

    @property
    def last(self) -> float:
        """The number that stands for a missing one."""
        return -LAST if self.descending else LAST


def _kinds(value: type[Value]) -> dict[str, type]:
    hints = get_type_hints(value)
    return {name: float if "float" in str(hint) else str for name, hint in hints.items() if name not in _HIDDEN}


COLUMNS: Mapping[type[Value], Mapping[str, type]] = {
    kind: _kinds(kind) for kind in (Experiment, Pipeline, PipelineVersion, Run)
}
"""The listed columns of each kind, with the type of their values (str or float)."""

_NULLABLE = {"started_at", "finished_at", "last_run_created_at"}


def plan(kind: type[Value], page: Page, scope: str = "") -> Plan:
    """The page, checked against the columns of `kind`. `scope` is what else the list is bound to (a pipeline's id).

    Raises InvalidInput for a size, column, operation, value or token that does not fit.
    """
    if not 1 <= page.size <= _SIZE:
        raise InvalidInput(f"page_size: got {page.size}, expected 1 to {_SIZE}")
    metric = page.sort_by.removeprefix(METRIC) if kind is Run and page.sort_by.startswith(METRIC) else ""
    if not metric:
        _column(kind, page.sort_by, "sort_by")
    if len(page.filters) > _FILTERS:
        raise InvalidInput(f"filter: got {len(page.filters)} predicates, limit {_FILTERS}")
    checked = Plan(
        size=page.size,
        sort_by="" if metric else page.sort_by,
        metric=metric,
        descending=page.descending,
        nullable=bool(metric) or page.sort_by in _NULLABLE,
        filters=tuple(_filter(kind, *given) for given in page.filters),
    )
    return _continued(checked, kind, page, scope)


def token(plan: Plan, value: str | float | None, id: str) -> str:
    """The token of the page after the row with this sort value and id."""
    value = plan.last if value is None else value
    return base64.urlsafe_b64encode(msgspec.json.encode((plan.fingerprint, value, id))).decode().rstrip("=")


def _continued(checked: Plan, kind: type[Value], page: Page, scope: str) -> Plan:
    asked = (kind.__name__, scope, page.sort_by, page.descending, checked.filters)
    fingerprint = hashlib.blake2b(msgspec.json.encode(asked), digest_size=8).hexdigest()
    if not page.token:
        return msgspec.structs.replace(checked, fingerprint=fingerprint)
    number = bool(checked.metric) or COLUMNS[kind][checked.sort_by] is float
    try:
        data = base64.b64decode(page.token + "=" * (-len(page.token) % 4), altchars=b"-_", validate=True)
        given, value, id = msgspec.json.decode(data, type=tuple[str, float if number else str, str])  # type: ignore[misc]
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise InvalidInput("page_token: not a token that this server gave; start again without one") from None
    if given != fingerprint:
        raise InvalidInput("page_token: it belongs to a list with another order or filter; start again without one")
    return msgspec.structs.replace(checked, fingerprint=fingerprint, after_value=value, after_id=id)


def _column(kind: type[Value], name: str, where: str) -> type:
    columns = COLUMNS[kind]
    if name not in columns:
        raise InvalidInput(f"{where}: got {name!r}, expected one of {', '.join(columns)}")
    return columns[name]


def _filter(kind: type[Value], column: str, operation: str, value: Any) -> Filter:
    type_ = _column(kind, column, "filter")
    if operation not in tuple(Operation):
        raise InvalidInput(f"filter {column}: got operation {operation!r}, expected one of {', '.join(Operation)}")
    op = Operation(operation)
    if op is Operation.IN:
        return Filter(column=column, operation=op, value=_several(column, type_, value))
    if op is Operation.IS_SUBSTRING and type_ is not str:
        raise InvalidInput(f"filter {column}: is_substring needs a column of text")
    return Filter(column=column, operation=op, value=_one(column, type_, value))


def _several(column: str, type_: type, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not 1 <= len(value) <= _LISTED:
        raise InvalidInput(f"filter {column}: in needs a list of 1 to {_LISTED} values, got {value!r:.80}")
    return tuple(_one(column, type_, item) for item in value)


def _one(column: str, type_: type, value: Any) -> str | float:
    if type_ is str and isinstance(value, str) and len(value) <= _TEXT and "\0" not in value:
        return str(value)
    if type_ is float and isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    expected = f"a text of at most {_TEXT} characters" if type_ is str else "a number (seconds since the epoch)"
    raise InvalidInput(f"filter {column}: got {value!r:.80}, expected {expected}")
