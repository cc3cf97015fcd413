"""Pages of lists by keyset: the rows after the last one that was shown, whatever was added meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, literal, select, tuple_

from penstock.adapters.sql import schema as t
from penstock.paging import Filter, Operation, Plan, token

__all__ = ["fetched"]

_COMPARE: Mapping[Operation, Callable[[Any, Any], ColumnElement[bool]]] = {
    Operation.EQUALS: lambda column, value: column == value,
    Operation.NOT_EQUALS: lambda column, value: column != value,
    Operation.GREATER_THAN: lambda column, value: column > value,
    Operation.GREATER_THAN_OR_EQUALS: lambda column, value: column >= value,
    Operation.LESS_THAN: lambda column, value: column < value,
    Operation.LESS_THAN_OR_EQUALS: lambda column, value: column <= value,
    Operation.IN: lambda column, value: column.in_(value),
    Operation.IS_SUBSTRING: lambda column, value: func.lower(column).contains(_lower(value), autoescape=True),
}

_LOWER = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}


def fetched(
    connection: Connection, table: Table, plan: Plan, *scope: ColumnElement[bool]
) -> tuple[list[dict[str, Any]], str, int]:
    """Rows of the page by column name, the next page's token, and how many rows match in all."""
    wanted = and_(True, *scope, *(_matches(table, f) for f in plan.filters))
    key = _key(table, plan)
    query = select(*table.columns, key.label("sort_key")).where(wanted)
    if plan.after_id:
        query = query.where(_after(key, table, plan))
    order = [c.desc() if plan.descending else c.asc() for c in (key, table.c.id)]
    found = [dict(row) for row in connection.execute(query.order_by(*order).limit(plan.size + 1)).mappings()]
    total = connection.execute(select(func.count()).select_from(table).where(wanted)).scalar_one()
    keys = [row.pop("sort_key") for row in found]
    more = len(found) > plan.size
    following = token(plan, keys[plan.size - 1], found[plan.size - 1]["id"]) if more else ""
    return found[: plan.size], following, total


def _matches(table: Table, filter: Filter) -> ColumnElement[bool]:
    return _COMPARE[filter.operation](table.c[filter.column], filter.value)


def _key(table: Table, plan: Plan) -> ColumnElement[Any]:
    """What the list is sorted by. A missing number takes part as one that comes last."""
    column: Any = _metric(table, plan.metric) if plan.metric else table.c[plan.sort_by]
    return func.coalesce(column, literal(plan.last)) if plan.nullable else column


def _metric(table: Table, name: str) -> Any:
    of = t.run_metrics.c
    return select(func.max(of.value)).where(of.run_id == table.c.id, of.name == name).scalar_subquery()


def _after(key: ColumnElement[Any], table: Table, plan: Plan) -> ColumnElement[bool]:
    here, last = tuple_(key, table.c.id), tuple_(literal(plan.after_value), literal(plan.after_id))
    return here < last if plan.descending else here > last


def _lower(text: str) -> str:
    return text.translate(_LOWER)
