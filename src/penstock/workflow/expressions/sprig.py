"""Functions of sprig, under `sprig.` in an expression.

What reads a clock or chance is in `moment`; not here is what reads the network or the environment, and what makes keys
and certificates.
"""

from __future__ import annotations

import base64
import hashlib
import math
import posixpath
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from penstock.workflow import gojson
from penstock.workflow.expressions.functions import unique
from penstock.workflow.expressions.syntax import ExpressionError, TooMuch

__all__ = ["FUNCTIONS"]

_MAX = 1_000_000


def _int(value: Any) -> int:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return 0
    return int(value or 0)


def _float(value: Any) -> float:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return 0.0
    return float(value or 0)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else gojson.shown(value)


def _texts(value: Any) -> list[str]:
    return [_text(item) for item in value if item is not None] if isinstance(value, list) else [_text(value)]


def _empty(value: Any) -> bool:
    return value in (None, "", 0, False) or value == [] or value == {}


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ExpressionError(f"expected a list, got {gojson.shown(value)}")
    return value


def _repeat(count: Any, text: Any) -> str:
    if len(_text(text)) * max(_int(count), 0) > _MAX:
        raise TooMuch(f"memory budget exceeded: limit {_MAX:,}")
    return _text(text) * _int(count)


def _until(stop: int, start: int = 0, step: int | None = None) -> list[int]:
    numbers = range(start, stop, step if step is not None else (1 if stop >= start else -1))
    if len(numbers) > _MAX:
        raise TooMuch(f"memory budget exceeded: limit {_MAX:,}")
    return list(numbers)


def _until_step(start: Any, stop: Any, step: Any) -> list[int]:
    return _until(_int(stop), _int(start), _int(step)) if _int(step) else []


def _seq(*numbers: Any) -> str:
    first, step, last = {1: (1, None), 2: (numbers[0], None), 3: numbers[:2]}[len(numbers)] + numbers[-1:]
    step = step if step is not None else (1 if last >= first else -1)
    return " ".join(map(str, _until(last + (1 if step > 0 else -1), first, step)))


def _substr(start: Any, stop: Any, text: str) -> str:
    first, last = _int(start), _int(stop)
    if first < 0:
        return text[:last] if last >= 0 else text
    return text[first:] if last < 0 or last > len(text) else text[first:last]


def _trunc(size: Any, text: str) -> str:
    count = _int(size)
    return text[:count] if count >= 0 else text[count:] if len(text) + count > 0 else text


def _indent(spaces: Any, text: str) -> str:
    pad = " " * min(_int(spaces), 1000)
    return pad + text.replace("\n", "\n" + pad)


def _title(text: str) -> str:
    return re.sub(r"(^|[^\w'])(\w)", lambda match: match[1] + match[2].upper(), text)


def _snake(text: str) -> str:
    return "_".join(_words(text)).lower()


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text)


def _pattern(work: Callable[..., Any]) -> Callable[..., Any]:
    """Regular expressions are RE2's."""

    def apply(pattern: str, text: str, *rest: Any) -> Any:
        import re2  # type: ignore[import-untyped]

        try:
            return work(re2.compile(pattern), text, *rest)
        except re2.error as error:
            raise ExpressionError(f"error parsing regexp: {error}") from None

    return apply


def _expanded(template: str) -> Callable[[Any], str]:
    """Go's `${1}` in a replacement."""

    def value(match: Any) -> str:
        return re.sub(r"\$\$|\$\{(\w+)\}|\$(\w+)", lambda part: _group(match, part), template)

    return value


def _group(match: Any, part: re.Match[str]) -> str:
    name = part[1] or part[2]
    if name is None:
        return "$"
    try:
        return match.group(int(name) if name.isdigit() else name) or ""
    except (IndexError, KeyError):
        return ""


def _limited(found: list[Any], count: Any) -> list[Any]:
    return found if _int(count) < 0 else found[: _int(count)]


def _split(separator: str, text: str) -> dict[str, str]:
    return {f"_{index}": part for index, part in enumerate(text.split(separator))}


def _dict(*pairs: Any) -> dict[str, Any]:
    return {_text(pairs[i]): pairs[i + 1] if i + 1 < len(pairs) else "" for i in range(0, len(pairs), 2)}


def _merged(target: Mapping[str, Any], *others: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(target)
    for other in others:
        result = {**other, **result}
    return result


def _fail(message: Any) -> Any:
    raise ExpressionError(_text(message))


def _round(value: Any, places: Any = 0, half: Any = 0.5) -> float:
    scaled = _float(value) * 10 ** _int(places)
    whole = math.floor(scaled)
    return float((whole + (scaled - whole >= _float(half))) / 10 ** _int(places))


def _from_json(text: str) -> Any:
    import json

    try:
        return json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return None


def _digest(name: str) -> Callable[[Any], str]:
    return lambda value: hashlib.new(name, _text(value).encode(), usedforsecurity=False).hexdigest()


def _ternary(yes: Any, no: Any, condition: Any) -> Any:
    return yes if condition else no


def _quoted(mark: str) -> Callable[..., str]:
    quote = gojson.quote if mark == '"' else (lambda text: f"'{text}'")
    return lambda *values: " ".join(quote(_text(value)) for value in values if value is not None)


def _slice(items: Any, *bounds: Any) -> Any:
    start, stop = ([_int(bound) for bound in bounds] + [0, None])[:2] if len(bounds) < 2 else map(_int, bounds[:2])
    return items[start:stop]


def _product(first: Any, *rest: Any) -> int:
    return math.prod(_int(value) for value in (first, *rest))


def _kind(value: Any) -> str:
    names = {bool: "bool", int: "int", float: "float64", str: "string", list: "slice", dict: "map"}
    return names.get(type(value), "invalid")


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abbrev": lambda width, text: text if not 4 <= _int(width) < len(text) else text[: _int(width) - 3] + "...",
    "add": lambda *values: sum(map(_int, values)),
    "add1": lambda value: _int(value) + 1,
    "add1f": lambda value: _float(value) + 1,
    "addf": lambda *values: sum(map(_float, values)),
    "adler32sum": lambda value: str(zlib.adler32(_text(value).encode())),
    "all": lambda *values: not any(_empty(value) for value in values),
    "any": lambda *values: any(not _empty(value) for value in values),
    "append": lambda items, value: [*_list(items), value],
    "atoi": _int,
    "b32dec": lambda text: base64.b32decode(text).decode(),
    "b32enc": lambda text: base64.b32encode(_text(text).encode()).decode(),
    "b64dec": lambda text: base64.b64decode(text).decode(),
    "b64enc": lambda text: base64.b64encode(_text(text).encode()).decode(),
    "base": lambda path: posixpath.basename(path.rstrip("/")) or ("/" if path else "."),
    "biggest": lambda *values: max(map(_int, values)),
    "camelcase": lambda text: "".join(part[:1].upper() + part[1:] for part in re.split(r"[_\-\s]+", text)),
    "cat": lambda *values: " ".join(_text(value) for value in values if value is not None),
    "ceil": lambda value: float(math.ceil(_float(value))),
    "clean": lambda path: posixpath.normpath(path or "."),
    "coalesce": lambda *values: next((value for value in values if not _empty(value)), None),
    "compact": lambda items: [item for item in _list(items) if not _empty(item)],
    "concat": lambda *lists: [item for each in lists for item in _list(each)],
    "contains": lambda part, text: part in text,
    "default": lambda value, *given: value if not given or _empty(given[0]) else given[0],
    "dict": _dict,
    "dir": lambda path: posixpath.dirname(path) or ".",
    "div": lambda left, right: int(_int(left) / _int(right)),
    "divf": lambda first, *rest: math.prod([_float(first), *(1 / _float(value) for value in rest)]),
    "empty": _empty,
    "ext": lambda path: posixpath.splitext(path)[1],
    "fail": _fail,
    "first": lambda items: items[0] if _list(items) else None,
    "float64": _float,
    "floor": lambda value: float(math.floor(_float(value))),
    "fromJson": _from_json,
    "get": lambda value, key: value.get(key, ""),
    "has": lambda value, items: value in (items or []),
    "hasKey": lambda value, key: key in value,
    "hasPrefix": lambda prefix, text: text.startswith(prefix),
    "hasSuffix": lambda suffix, text: text.endswith(suffix),
    "hello": lambda: "Hello!",
    "indent": _indent,
    "initial": lambda items: _list(items)[:-1],
    "int": _int,
    "int64": _int,
    "isAbs": lambda path: path.startswith("/"),
    "join": lambda glue, items: glue.join(_texts(items)),
    "kebabcase": lambda text: _snake(text).replace("_", "-"),
    "keys": lambda *maps: [key for each in maps for key in each],
    "kindIs": lambda name, value: _kind(value) == name,
    "kindOf": _kind,
    "last": lambda items: items[-1] if _list(items) else None,
    "list": lambda *values: list(values),
    "lower": lambda text: _text(text).lower(),
    "max": lambda *values: max(map(_int, values)),
    "maxf": lambda *values: max(map(_float, values)),
    "merge": _merged,
    "min": lambda *values: min(map(_int, values)),
    "minf": lambda *values: min(map(_float, values)),
    "mod": lambda left, right: int(math.fmod(_int(left), _int(right))),
    "mul": _product,
    "mulf": lambda *values: math.prod(map(_float, values)),
    "nindent": lambda spaces, text: "\n" + _indent(spaces, text),
    "nospace": lambda text: "".join(text.split()),
    "omit": lambda value, *names: {key: item for key, item in value.items() if key not in names},
    "pick": lambda value, *names: {key: value[key] for key in names if key in value},
    "pluck": lambda name, *maps: [each[name] for each in maps if name in each],
    "plural": lambda one, many, count: one if _int(count) == 1 else many,
    "prepend": lambda items, value: [value, *_list(items)],
    "push": lambda items, value: [*_list(items), value],
    "quote": _quoted('"'),
    "regexFind": _pattern(lambda pattern, text: match.group() if (match := pattern.search(text)) else ""),
    "regexFindAll": _pattern(
        lambda pattern, text, count: _limited([match.group() for match in pattern.finditer(text)], count)
    ),
    "regexMatch": _pattern(lambda pattern, text: pattern.search(text) is not None),
    "regexQuoteMeta": lambda text: re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text),
    "regexReplaceAll": _pattern(lambda pattern, text, new: pattern.sub(_expanded(new), text)),
    "regexReplaceAllLiteral": _pattern(lambda pattern, text, new: pattern.sub(lambda _: new, text)),
    "regexSplit": _pattern(
        lambda pattern, text, count: pattern.split(text, max(_int(count) - 1, 0)) if _int(count) else []
    ),
    "repeat": _repeat,
    "replace": lambda old, new, text: text.replace(old, new),
    "rest": lambda items: _list(items)[1:],
    "reverse": lambda items: _list(items)[::-1],
    "round": _round,
    "seq": _seq,
    "sha1sum": _digest("sha1"),
    "sha256sum": _digest("sha256"),
    "sha512sum": _digest("sha512"),
    "slice": _slice,
    "snakecase": _snake,
    "sortAlpha": lambda items: sorted(_texts(items)),
    "split": _split,
    "splitList": lambda separator, text: text.split(separator) if separator else list(text),
    "splitn": lambda separator, count, text: {
        f"_{index}": part for index, part in enumerate(text.split(separator, max(_int(count) - 1, 0)))
    },
    "squote": _quoted("'"),
    "sub": lambda left, right: _int(left) - _int(right),
    "subf": lambda first, *rest: _float(first) - sum(map(_float, rest)),
    "substr": _substr,
    "swapcase": lambda text: text.swapcase(),
    "ternary": _ternary,
    "title": _title,
    "toDecimal": lambda value: int(_text(value), 8),
    "toJson": gojson.dumps,
    "toRawJson": lambda value: gojson.unescaped(gojson.dumps(value)),
    "toString": _text,
    "toStrings": _texts,
    "trim": lambda text: text.strip(),
    "trimAll": lambda cutset, text: text.strip(cutset),
    "trimPrefix": lambda prefix, text: text.removeprefix(prefix),
    "trimSuffix": lambda suffix, text: text.removesuffix(suffix),
    "trimall": lambda cutset, text: text.strip(cutset),
    "trunc": _trunc,
    "tuple": lambda *values: list(values),
    "uniq": lambda items: unique(_list(items)),
    "until": lambda count: _until(_int(count)),
    "untilStep": _until_step,
    "untitle": lambda text: re.sub(r"(^|[^\w'])(\w)", lambda match: match[1] + match[2].lower(), text),
    "upper": lambda text: _text(text).upper(),
    "values": lambda value: list(value.values()),
    "without": lambda items, *others: [item for item in _list(items) if item not in others],
}
