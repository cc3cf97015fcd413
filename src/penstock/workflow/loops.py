"""Loops: from `withItems`, `withParam` and `withSequence` to items, and from an item to tags and a name.

(Argo: `expandTask`, `processItem` and `expandSequence` in `workflow/controller`.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence as Items
from typing import Any

from penstock.workflow import gojson
from penstock.workflow.document import Sequence, Task
from penstock.workflow.nodes import value_text

__all__ = ["LoopError", "aggregate", "item_scope", "items"]

_VERB = re.compile(r"%(%|[-+ 0#]*[0-9]*(?:\.[0-9]+)?[dxXo])")


class LoopError(Exception):
    """A loop cannot be expanded. `str(error)` is the node's message."""


def items(task: Task, limit: int) -> list[Any]:
    """The items of a loop, its tags replaced. Raises LoopError for what is no list, and for more than `limit` items."""
    if task.with_items:
        # On the cluster such a list is stored as JSON with sorted keys; a parameter's keys stay as they are written.
        found: list[Any] = [gojson.normal(item) for item in task.with_items]
    elif task.with_param:
        found = _parsed(task.with_param)
    elif task.with_sequence is not None:
        found = _sequence(task.with_sequence, limit)
    else:
        found = []
    if len(found) > limit:
        raise _too_many(len(found), limit)
    return found


def _too_many(count: int, limit: int) -> LoopError:
    return LoopError(f"{count:,} items exceed max_iterations {limit:,}")


def _parsed(text: str) -> list[Any]:
    try:
        value = gojson.loads(text)
    except (ValueError, RecursionError) as error:
        shown = text.strip()
        raise LoopError(f"withParam value could not be parsed as a JSON list: {shown}: {error}") from None
    if value is None:
        return []
    if not isinstance(value, list):
        raise LoopError(
            f"items: expected list, got {_kind(value)}; "
            f"withParam value could not be parsed as a JSON list: {text.strip()}"
        )
    return value


def _kind(value: Any) -> str:
    names = {dict: "dict", str: "string", bool: "boolean", int: "integer"}
    return names.get(type(value), "number")


def _sequence(sequence: Sequence, limit: int) -> list[str]:
    start = _integer(sequence.start, "start") if sequence.start is not None else 0
    if sequence.end is not None:
        end = _integer(sequence.end, "end")
    else:
        count = _integer(sequence.count or "0", "count")
        if count == 0:
            return []
        end = start + count - 1
    if abs(end - start) >= limit:
        raise _too_many(abs(end - start) + 1, limit)
    numbers = range(start, end + 1) if start <= end else range(start, end - 1, -1)
    form = sequence.format or "%d"
    return [_formatted(form, number) for number in numbers]


def _integer(text: str, name: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise LoopError(f'withSequence.{name}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _formatted(form: str, number: int) -> str:
    return _VERB.sub(lambda match: "%" if match.group(1) == "%" else match.group() % number, form)


def item_scope(item: Any) -> dict[str, str | None]:
    """What `{{item}}` and `{{item.KEY}}` stand for."""
    if isinstance(item, dict):
        fields: dict[str, str | None] = {f"item.{key}": value_text(value) for key, value in item.items()}
        return {**fields, "item": gojson.dumps_raw({key: item[key] for key in sorted(item)})}
    return {"item": item if isinstance(item, str) else gojson.dumps_raw(item)}


def aggregate(values: Items[str]) -> str:
    """One output of all children of a loop: parsed where every value is a JSON object or list, else texts."""
    parsed = []
    for value in values:
        try:
            parsed.append(json.loads(value))
        except (ValueError, RecursionError):
            return gojson.dumps(list(values))
        if not isinstance(parsed[-1], (dict, list)):
            return gojson.dumps(list(values))
    return gojson.dumps(parsed)
