"""`jsonpath(text, path)`: keys, indices, slices, wildcards, descent and filters over a JSON value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from operator import ge, gt, le, lt
from typing import Any

from penstock.workflow.expressions.syntax import ExpressionError

__all__ = ["query"]

_STEP = re.compile(
    r"""(?P<deep>\.\.)?(?:
      \.?\[\s*(?:(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
        |(?P<all>\*)|(?P<slice>-?\d*\s*:\s*-?\d*(?:\s*:\s*-?\d*)?)|(?P<index>-?\d+)|\?\((?P<filter>[^]]*)\))\s*\]
    | \.?(?P<any>\*)
    | \.?(?P<key>[^.\[\]*\s]+)
    )""",
    re.VERBOSE,
)
_TERM = re.compile(
    r"""\s*(?P<path>@[\w.\[\]'"-]*)\s*(?:(?P<operator>==|!=|<=|>=|<|>)\s*
    (?P<value>'[^']*'|"[^"]*"|-?\d+(?:\.\d+)?|true|false|null))?\s*\Z""",
    re.VERBOSE,
)
MAX_STEPS = 50


def query(value: Any, path: Any) -> Any:
    """What `path` picks: one value, or a list where it can pick several. Raises ExpressionError."""
    if not isinstance(path, str) or not path.startswith("$"):
        raise ExpressionError(f"jsonpath: invalid path {path!r}; it begins with $")
    found, several, position = [value], False, 1
    for _ in range(MAX_STEPS):
        if position == len(path):
            return found if several else found[0]
        match = _STEP.match(path, position)
        if match is None:
            break
        position = match.end()
        if match["deep"]:
            found, several = [inner for item in found for inner in _descendants(item)], True
        several |= not (match["key"] or match["quoted"] or match["index"])
        found = [inner for item in found for inner in _picked(item, match, strict=not several)]
    raise ExpressionError(f"jsonpath: invalid path {path!r} at {path[position:]!r}")


def _descendants(value: Any) -> Iterator[Any]:
    yield value
    for inner in _children(value):
        yield from _descendants(inner)


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _picked(value: Any, match: re.Match[str], *, strict: bool) -> list[Any]:
    if match["all"] or match["any"]:
        return _children(value)
    if match["slice"]:
        parts = [int(part) if part.strip() else None for part in match["slice"].split(":")]
        return value[slice(*parts)] if isinstance(value, list) and 0 not in parts[2:] else []
    if match["filter"] is not None:
        return [item for item in _children(value) if _condition(match["filter"])(item)]
    return _one(value, match, strict=strict)


def _one(value: Any, match: re.Match[str], *, strict: bool) -> list[Any]:
    if match["index"]:
        place = int(match["index"])
        if isinstance(value, list) and -len(value) <= place < len(value):
            return [value[place]]
        key: object = place
    else:
        key = match["key"] or match["quoted"][1:-1]
        if isinstance(value, dict) and key in value:
            return [value[key]]
    if strict:
        raise ExpressionError(f"jsonpath: key '{key}' not found")
    return []


def _condition(text: str) -> Callable[[Any], bool]:
    """A filter: comparisons joined by `||` and `&&`."""
    either = [[_term(term) for term in part.split("&&")] for part in text.split("||")]
    return lambda item: any(all(term(item) for term in terms) for terms in either)


def _term(text: str) -> Callable[[Any], bool]:
    match = _TERM.match(text)
    if match is None:
        raise ExpressionError(f"jsonpath: invalid filter {text!r}")
    path, operator, wanted = "$" + match["path"][1:], match["operator"], _constant(match["value"])

    def holds(item: Any) -> bool:
        try:
            found = query(item, path)
        except ExpressionError:
            return False
        return _compared(operator, found, wanted) if operator else found not in (None, False)

    return holds


def _constant(text: str | None) -> Any:
    if text is None or text in ("true", "false", "null"):
        return {"true": True, "false": False}.get(text or "")
    return text[1:-1] if text[0] in "'\"" else float(text)


def _compared(operator: str, found: Any, wanted: Any) -> bool:
    if operator in ("==", "!="):
        same = found == wanted and isinstance(found, bool) is isinstance(wanted, bool)
        return same is (operator == "==")
    if type(found) is not type(wanted) or not isinstance(wanted, (str, float)):
        return False
    return _ORDER[operator](found, wanted)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
