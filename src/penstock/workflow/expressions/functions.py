"""Operators and functions of expr-lang, and Argo's own (`asInt`, `asFloat`, `jsonpath`, `toJson`).

What reads a clock is in `moment`; not here are `date`, `duration`, `timezone`.
"""

from __future__ import annotations

import base64
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from penstock.workflow import gojson
from penstock.workflow.expressions.jsonpath import query
from penstock.workflow.expressions.syntax import ExpressionError, TooMuch

__all__ = [
    "FUNCTIONS",
    "MAX_SIZE",
    "OPERATORS",
    "PREDICATES",
    "NilFetch",
    "as_key",
    "bounded",
    "family",
    "fetched",
    "kind",
    "number",
    "sliced",
    "unique",
]

MAX_SIZE = 1_000_000
"""Longest text (characters) and list (elements) that an expression may make."""

Apply = Callable[..., Any]
"""Evaluates a predicate for an item."""


class NilFetch(ExpressionError):
    """A member of nil."""


# --- kinds ------------------------------------------------------------------------------------------------------


def kind(value: Any) -> str:
    """The name that Go has for the type of a value."""
    names = {bool: "bool", int: "int", float: "float64", str: "string", type(None): "nil", list: "[]interface {}"}
    return names.get(type(value), "map[string]interface {}")


def family(value: Any) -> str:
    """`kind`, numbers alike."""
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else kind(value)


def number(value: Any) -> int | float:
    """A number, or ExpressionError."""
    if family(value) != "number":
        raise ExpressionError(f"invalid operation on {kind(value)}")
    return value  # type: ignore[no-any-return]


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ExpressionError(f"expected an integer, got {kind(value)}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ExpressionError(f"expected a string, got {kind(value)}")
    return value


def as_key(value: Any) -> str:
    """A value as a map's key."""
    return value if isinstance(value, str) else gojson.shown(value)


def bounded(value: Any) -> Any:
    """`value`, if it is not too large."""
    if isinstance(value, (str, list, dict)) and len(value) > MAX_SIZE:
        raise _too_large(len(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return _wrapped(value)
    return value


def _too_large(size: int) -> ExpressionError:
    return TooMuch(f"memory budget exceeded: a result of {size:,}; limit {MAX_SIZE:,}")


def _wrapped(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


# --- members ----------------------------------------------------------------------------------------------------


def fetched(base: Any, key: Any) -> Any:
    """`base[key]`: nil for a key that a map lacks, an error for an index that a list lacks."""
    if isinstance(base, Mapping):
        return base.get(as_key(key))
    if isinstance(base, (list, str)) and isinstance(key, int) and not isinstance(key, bool):
        if not -len(base) <= key < len(base):
            raise ExpressionError(f"index out of range: {key} (array length is {len(base)})")
        return base[key]
    error = NilFetch if base is None else ExpressionError
    raise error(f"cannot fetch {gojson.shown(key)} from {gojson.shown(base) if base is None else kind(base)}")


def sliced(base: Any, start: Any, stop: Any) -> Any:
    """`base[start:stop]`."""
    if not isinstance(base, (list, str)):
        raise ExpressionError(f"cannot slice {kind(base)}")
    size = len(base)
    first, last = (_place(start, size, 0), _place(stop, size, size))
    return base[first : max(first, last)]


def _place(value: Any, size: int, default: int) -> int:
    place = default if value is None else _integer(value)
    return min(max(place + size if place < 0 else place, 0), size)


# --- operators --------------------------------------------------------------------------------------------------


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_SIZE:
            raise _too_large(len(left) + len(right))
        return left + right
    return _arithmetic("+", operator.add)(left, right)


def _arithmetic(symbol: str, work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        if family(left) != "number" or family(right) != "number":
            raise ExpressionError(f"invalid operation: {kind(left)} {symbol} {kind(right)}")
        try:
            return bounded(work(left, right))
        except (ZeroDivisionError, OverflowError, ValueError):
            return math.nan

    return apply


def _divided(left: float, right: float) -> float:
    if right == 0:
        return math.nan if left == 0 or left != left else math.copysign(math.inf, left)
    return left / right


def _remainder(left: Any, right: Any) -> int:
    if _integer(right) == 0:
        raise ExpressionError("integer divide by zero")
    # As in Go the remainder has the sign of the dividend.
    rest: int = abs(_integer(left)) % abs(right)
    return rest if left >= 0 else -rest


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf


def _ordered(symbol: str, work: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def apply(left: Any, right: Any) -> bool:
        if family(left) != family(right) or family(left) not in ("number", "string"):
            raise ExpressionError(f"invalid operation: {kind(left)} {symbol} {kind(right)}")
        return work(left, right)

    return apply


def _within(left: Any, right: Any) -> bool:
    if right is None:
        return False
    if isinstance(right, Mapping):
        return isinstance(left, str) and left in right
    if not isinstance(right, list):
        raise ExpressionError(f'operator "in" not defined on {kind(right)}')
    return any(_equal(left, item) for item in right)


def _matches(left: Any, right: Any) -> bool:
    import re2  # type: ignore[import-untyped]

    if left is None or right is None:
        return False
    try:
        return re2.search(_text(right), _text(left)) is not None
    except re2.error as error:
        raise ExpressionError(f"error parsing regexp: {error}") from None


def _texts(work: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: left is not None and right is not None and work(_text(left), _text(right))


def _range(left: Any, right: Any) -> list[int]:
    size = _integer(right) - _integer(left) + 1
    if size > MAX_SIZE:
        raise _too_large(size)
    return list(range(left, right + 1))


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered("<", operator.lt),
    "<=": _ordered("<=", operator.le),
    ">": _ordered(">", operator.gt),
    ">=": _ordered(">=", operator.ge),
    "in": _within,
    "matches": _matches,
    "contains": _texts(lambda left, right: right in left),
    "startsWith": _texts(str.startswith),
    "endsWith": _texts(str.endswith),
    "..": _range,
    "+": _plus,
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", _divided),
    "%": _remainder,
    "**": _arithmetic("**", _power),
    "^": _arithmetic("^", _power),
}

# --- functions --------------------------------------------------------------------------------------------------


def _int(value: Any) -> int:
    if isinstance(value, str):
        try:
            return _wrapped(int(value)) if value.strip() == value and "_" not in value else int("")
        except ValueError:
            raise ExpressionError(f'strconv.Atoi: parsing "{value}": invalid syntax') from None
    return int(number(value))


def _float(value: Any) -> float:
    if isinstance(value, str):
        try:
            return float(value) if value.strip() == value and "_" not in value else float("")
        except ValueError:
            raise ExpressionError(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from None
    return float(number(value))


def _indented(value: Any, indent: str = "") -> str:
    """JSON as `json.MarshalIndent` writes it, two blanks a level."""
    inner = indent + "  "
    if isinstance(value, Mapping) and value:
        rows = [f"{inner}{gojson.dumps(str(key))}: {_indented(value[key], inner)}" for key in sorted(value)]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + _indented(item, inner) for item in value) + f"\n{indent}]"
    return gojson.dumps(value)


def _from_json(text: Any) -> Any:
    import json

    try:
        # As in Go, every number is a float64.
        return json.loads(_text(text), parse_int=float, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"fromJSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"invalid value {name}")


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        parts = list(text)
        return parts if limit < 0 or len(parts) <= limit else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return _text(text).split(separator, limit - 1 if limit > 0 else -1)


def _split_after(text: str, separator: str, limit: int = -1) -> list[str]:
    parts = _split(text, separator, limit)
    return [part + separator for part in parts[:-1]] + parts[-1:]


def repeated(text: str, times: int) -> str:
    """`text` so many times, if that is not too much."""
    if times < 0:
        raise ExpressionError(f"invalid argument for repeat (expected positive integer, got {times})")
    if len(text) * times > MAX_SIZE:
        raise _too_large(len(text) * times)
    return text * times


def _replaced(text: str, old: str, new: str, count: int = -1) -> str:
    if (len(text) + 1) * (len(new) + 1) > MAX_SIZE * 10 and text.count(old) * len(new) > MAX_SIZE:
        raise _too_large(text.count(old) * len(new))
    return _text(text).replace(_text(old), _text(new), count)


def _joined(items: list[Any], glue: str = "") -> str:
    return _text(glue).join(_text(item) for item in items)


def _numbers(values: tuple[Any, ...]) -> list[Any]:
    flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
    return [number(item) for item in flat]


def _median(*values: Any) -> float:
    ordered = sorted(_numbers(values))
    if not ordered:
        return 0.0
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def _get(base: Any, key: Any) -> Any:
    try:
        return fetched(base, key)
    except ExpressionError:
        return None


def _flattened(value: Any) -> list[Any]:
    return [inner for item in value for inner in (_flattened(item) if isinstance(item, list) else [item])]


def unique(items: list[Any]) -> list[Any]:
    """The different ones among `items`, in order."""
    found: dict[str, Any] = {}
    for item in items:
        found.setdefault(gojson.dumps(item), item)
    return list(found.values())


def _sorted(items: list[Any], order: str = "asc") -> list[Any]:
    if order not in ("asc", "desc"):
        raise ExpressionError(f'invalid argument for sort (expected "asc" or "desc", got "{order}")')
    return sorted(items, reverse=order == "desc")


def _type(value: Any) -> str:
    names = {"float64": "float", "[]interface {}": "array", "map[string]interface {}": "map"}
    return names.get(kind(value), kind(value))


def _length(value: Any) -> int:
    if not isinstance(value, (str, list, Mapping)):
        raise ExpressionError(f"invalid argument for len (type {kind(value)})")
    return len(value)


def _rounded(value: Any) -> float:
    return math.copysign(math.floor(abs(number(value)) + 0.5), value)


def _decoded(text: str) -> str:
    return base64.b64decode(_text(text), validate=True).decode("utf-8", "replace")


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "asInt": _int,
    "asFloat": _float,
    "jsonpath": lambda text, path: query(_from_json(text), path),
    "toJson": gojson.dumps,
    "len": _length,
    "type": _type,
    "abs": lambda value: abs(number(value)),
    "ceil": lambda value: float(math.ceil(number(value))),
    "floor": lambda value: float(math.floor(number(value))),
    "round": _rounded,
    "int": _int,
    "float": _float,
    "string": lambda value: value if isinstance(value, str) else gojson.shown(value),
    "trim": lambda text, cutset=None: _text(text).strip(cutset),
    "trimPrefix": lambda text, prefix=" ": _text(text).removeprefix(prefix),
    "trimSuffix": lambda text, suffix=" ": _text(text).removesuffix(suffix),
    "upper": lambda text: _text(text).upper(),
    "lower": lambda text: _text(text).lower(),
    "split": _split,
    "splitAfter": _split_after,
    "replace": _replaced,
    "repeat": repeated,
    "join": _joined,
    "indexOf": lambda text, part: _text(text).find(part),
    "lastIndexOf": lambda text, part: _text(text).rfind(part),
    "hasPrefix": lambda text, prefix: _text(text).startswith(prefix),
    "hasSuffix": lambda text, suffix: _text(text).endswith(suffix),
    "max": lambda *values: max(_numbers(values)),
    "min": lambda *values: min(_numbers(values)),
    "mean": lambda *values: sum(_numbers(values)) / len(_numbers(values)) if _numbers(values) else 0.0,
    "median": _median,
    "toJSON": _indented,
    "fromJSON": _from_json,
    "toBase64": lambda text: base64.b64encode(_text(text).encode()).decode(),
    "fromBase64": _decoded,
    "first": lambda items: _get(items, 0),
    "last": lambda items: _get(items, -1),
    "get": _get,
    "take": lambda items, count: items[: _integer(count)],
    "keys": lambda value: list(value.keys()),
    "values": lambda value: list(value.values()),
    "toPairs": lambda value: [[key, item] for key, item in value.items()],
    "fromPairs": lambda pairs: {as_key(key): item for key, item in pairs},
    "reverse": lambda items: items[::-1],
    "uniq": unique,
    "concat": lambda *lists: [item for each in lists for item in each],
    "flatten": _flattened,
    "sort": _sorted,
    "bitnot": lambda value: ~_integer(value),
    "bitand": lambda left, right: _integer(left) & _integer(right),
    "bitor": lambda left, right: _integer(left) | _integer(right),
    "bitxor": lambda left, right: _integer(left) ^ _integer(right),
    "bitnand": lambda left, right: _integer(left) & ~_integer(right),
    "bitshl": lambda value, places: _integer(value) << min(_integer(places), 64),
    "bitshr": lambda value, places: _integer(value) >> min(_integer(places), 64),
    "bitushr": lambda value, places: (_integer(value) % 2**64) >> min(_integer(places), 64),
}

# --- functions with a predicate ---------------------------------------------------------------------------------


def _true(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"predicate should return boolean (got {kind(value)})")
    return value


def _found(items: list[Any], apply: Apply, *, last: bool = False) -> int:
    places = range(len(items) - 1, -1, -1) if last else range(len(items))
    return next((place for place in places if _true(apply(items[place]))), -1)


def _reduced(items: list[Any], apply: Apply, *start: Any) -> Any:
    if not items and not start:
        raise ExpressionError("reduce of empty array with no initial value")
    result, rest = (start[0], items) if start else (items[0], items[1:])
    for index, item in enumerate(rest, start=0 if start else 1):
        result = apply(item, acc=result, index=index)
    return result


def _grouped(items: list[Any], apply: Apply) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for item in items:
        groups.setdefault(as_key(apply(item)), []).append(item)
    return groups


def _indexed(items: list[Any], apply: Apply) -> list[Any]:
    return [apply(item, index=index) for index, item in enumerate(items)]


PREDICATES: Mapping[str, Callable[..., Any]] = {
    "all": lambda items, apply: all(_true(apply(item)) for item in items),
    "any": lambda items, apply: any(_true(apply(item)) for item in items),
    "none": lambda items, apply: not any(_true(apply(item)) for item in items),
    "one": lambda items, apply: sum(_true(apply(item)) for item in items) == 1,
    "filter": lambda items, apply: [item for item in items if _true(apply(item))],
    "map": _indexed,
    "find": lambda items, apply: items[place] if (place := _found(items, apply)) >= 0 else None,
    "findIndex": _found,
    "findLast": lambda items, apply: items[place] if (place := _found(items, apply, last=True)) >= 0 else None,
    "findLastIndex": lambda items, apply: _found(items, apply, last=True),
    "count": lambda items, apply: sum(_true(apply(item)) for item in items),
    "sum": lambda items, apply: sum(number(apply(item)) for item in items),
    "groupBy": _grouped,
    "sortBy": lambda items, apply, order="asc": sorted(items, key=apply, reverse=order == "desc"),
    "reduce": _reduced,
}
