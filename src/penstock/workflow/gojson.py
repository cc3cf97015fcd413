"""JSON as Go's `encoding/json` writes it: map keys sorted, no blanks, `<`, `>` and `&` escaped, whole floats bare.

Node names, and so node ids, hang on this form (items of a loop, aggregates), since Argo hashes it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

__all__ = ["dumps", "dumps_raw", "loads", "normal", "number", "quote", "shown", "unescaped"]

_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class _Verbatim(float):
    """A number that keeps the text it was read from, as Go's `json.RawMessage` does."""

    __slots__ = ("text",)
    text: str


def _verbatim(text: str) -> _Verbatim:
    number = _Verbatim(text)
    number.text = text
    return number


def loads(text: str) -> Any:
    """The value of a JSON text, numbers with a point or an exponent kept as they are spelt. Raises ValueError."""
    return json.loads(text, parse_float=_verbatim, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"invalid value {name}")


def dumps(value: Any) -> str:
    """JSON text of `value` in Go's form. Raises ValueError for NaN and infinity."""
    return dumps_raw(normal(value))


def unescaped(text: str) -> str:
    """JSON text with `<`, `>` and `&` as they are (Argo: `jsonutil.Fix`)."""
    return text.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&")


def normal(value: Any) -> Any:
    """`value` with the keys of all its maps sorted."""
    if isinstance(value, dict):
        return {key: normal(value[key]) for key in sorted(value, key=_bytes)}
    return [normal(item) for item in value] if isinstance(value, (list, tuple)) else value


def dumps_raw(value: Any) -> str:
    """The same for a `json.RawMessage`: keys stay in the order in which they were read. Raises ValueError."""
    if isinstance(value, float):
        return value.text if isinstance(value, _Verbatim) else number(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_string(str(key))}:{dumps_raw(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(dumps_raw(item) for item in value) + "]"
    if isinstance(value, str):
        return _string(value)
    return json.dumps(value)


def number(value: float) -> str:
    """A float64 as Go's JSON has it: `f` form, `e` form below 1e-6 and from 1e21 on. Raises ValueError for NaN."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value} has no JSON form")
    if value == 0:
        return "-0" if str(value).startswith("-") else "0"
    if 1e-6 <= abs(value) < 1e21:
        return _positional(value)
    mantissa, _, exponent = f"{Decimal(repr(value)):e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    digits = exponent[1:].lstrip("0") or "0"
    # Go cleans e-09 to e-9, and leaves e+21.
    return f"{mantissa}e{exponent[0]}{digits if exponent[0] == '-' else digits.zfill(2)}"


def shown(value: Any) -> str:
    """`value` as Go's `%v` prints it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _general(value)
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(shown, value)) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{shown(value[key])}" for key in sorted(value, key=_bytes)) + "]"
    return "<nil>" if value is None else str(value)


def _general(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return "NaN" if value != value else f"{'+' if value > 0 else '-'}Inf"
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return _positional(value) if value else ("-0" if str(value).startswith("-") else "0")
    mantissa, _, exponent = f"{Decimal(repr(value)).normalize():e}".partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"


def _positional(value: float) -> str:
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def quote(text: str) -> str:
    """`text` as Go's strconv.Quote writes it."""
    body = json.dumps(text, ensure_ascii=False)[1:-1]
    for short, long in (("\\u0007", "\\a"), ("\\u000b", "\\v")):
        body = body.replace(short, long)
    return '"' + body + '"'
