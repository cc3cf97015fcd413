"""`when`: the conditions of steps and tasks, in govaluate's grammar as Argo uses it.

Every bare word is a text, so `{{tasks.a.outputs.result}} == heads` compares texts. Numbers are floats, and a quoted
`"5"` is not the number 5; a quoted text that reads as a date is a number of seconds. The result must be a boolean.

Operators of one level are taken from left to right, `?`, `:` and `??` too; both sides are evaluated before either is
checked, as there. What stands behind a complete expression, as in `(true) false`, is not looked at.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from penstock.workflow import gojson

__all__ = ["MAX_NESTING", "WhenError", "refuse_changed", "should_execute"]

MAX_NESTING = 100
"""Parentheses within parentheses; Go has no such limit."""


_TAG = re.compile(r"\{\{.*?\}\}")


class WhenError(Exception):
    """The condition cannot be judged. `str(error)` is Argo's message."""


def should_execute(when: str) -> bool:
    """What `when` (tags replaced) says; an empty one says yes. Raises WhenError."""
    if not when:
        return True
    result = _evaluated(when, _parsed(when))
    if not isinstance(result, bool):
        raise WhenError(f"Expected boolean evaluation for '{when}'. Got {gojson.shown(result)}")
    return result


def refuse_changed(written: str, when: str) -> None:
    """Raise WhenError where a value that was put into a condition has become a part of it.

    Such a value ends the quotes that it stands between, or joins something to what the author wrote; Argo takes it for
    the author's own words. A condition that is one tag as a whole may be anything, and so may what an expression makes.
    """
    if written == when or "{{=" in written or _TAG.fullmatch(written.strip()):
        return
    before, after = _shape(_TAG.sub("x", written)), _shape(when)
    if None not in (before, after) and before != after:
        raise WhenError(f"Invalid 'when' expression '{when}': a value in it would be read as a part of the condition")


def _shape(when: str) -> tuple[int, int] | None:
    """How many quoted texts and how many joints a condition has; None for one that cannot be read."""
    try:
        kinds = [token.kind for token in _tokens(when)]
    except _Syntax:
        return None
    return kinds.count("STRING") + kinds.count("TIME"), kinds.count("LOGICALOP")


def _parsed(when: str) -> _Tree:
    try:
        tokens = _checked(_tokens(when))
    except _Syntax as error:
        hint = ' (hint: try wrapping the affected expression in quotes ("))' if "Invalid token" in str(error) else ""
        raise WhenError(f"Invalid 'when' expression '{when}': {error}{hint}") from None
    try:
        # Words become texts, and texts may stand in fewer places.
        texts = [token._replace(kind="STRING") if token.kind == "VARIABLE" else token for token in tokens]
        return _Parser(_checked(texts)).whole()
    except _Syntax as error:
        raise WhenError(f"Failed to parse 'when' expression '{when}': {error}") from None


def _evaluated(when: str, tree: _Tree) -> Any:
    try:
        return _value(tree)
    except _Syntax as error:
        raise WhenError(f"Failed to evaluate 'when' expresion '{when}': {error}") from None


class _Syntax(Exception):
    pass


class _Token(NamedTuple):
    kind: str
    value: Any


_SYMBOLS: tuple[tuple[str, frozenset[str]], ...] = (
    ("MODIFIER", frozenset(["+", "-", "*", "/", "%", "**", "&", "|", "^", "<<", ">>"])),
    ("LOGICALOP", frozenset(("&&", "||"))),
    ("COMPARATOR", frozenset(("==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in"))),
    ("TERNARY", frozenset(("?", ":", "??"))),
)
_VALUES = frozenset(["NUMERIC", "BOOLEAN", "VARIABLE", "PATTERN", "ACCESSOR", "STRING", "TIME", "CLAUSE"])
_OPERATORS = frozenset(["MODIFIER", "COMPARATOR", "LOGICALOP", "CLAUSE_CLOSE", "SEPARATOR"])
_NEXT: dict[str, frozenset[str]] = {
    "UNKNOWN": _VALUES | {"PREFIX"},
    "CLAUSE": _VALUES | {"PREFIX", "CLAUSE_CLOSE"},
    "CLAUSE_CLOSE": (_VALUES | _OPERATORS | {"TERNARY"}) - {"ACCESSOR"},
    "NUMERIC": _OPERATORS | {"TERNARY"},
    "BOOLEAN": _OPERATORS | {"TERNARY"},
    "STRING": _OPERATORS | {"TERNARY"},
    "VARIABLE": _OPERATORS | {"TERNARY"},
    "TIME": _OPERATORS,
    "ACCESSOR": _OPERATORS | {"TERNARY", "CLAUSE"},
    "MODIFIER": (_VALUES | {"PREFIX", "CLAUSE_CLOSE"}) - {"TIME", "PATTERN"},
    "COMPARATOR": _VALUES | {"PREFIX", "CLAUSE_CLOSE"},
    "LOGICALOP": (_VALUES | {"PREFIX", "CLAUSE_CLOSE"}) - {"PATTERN"},
    "PREFIX": frozenset(["NUMERIC", "BOOLEAN", "VARIABLE", "ACCESSOR", "CLAUSE", "CLAUSE_CLOSE"]),
    "TERNARY": (_VALUES | {"PREFIX", "SEPARATOR"}) - {"PATTERN"},
    "SEPARATOR": (_VALUES | {"PREFIX"}) - {"PATTERN"},
}
"""What may stand behind what: govaluate's table."""

_ENDS = frozenset(["CLAUSE_CLOSE", "NUMERIC", "BOOLEAN", "STRING", "VARIABLE", "TIME", "ACCESSOR"])
_PREFIXES = frozenset(["-", "!", "~"])
_DATES = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S%z",
    "%Y-%m-%dT%H%z",
    "%Y-%m-%dT%H:%M%z",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%I:%M%p",
)


# --- tokens -----------------------------------------------------------------------------------------------------


def _tokens(text: str) -> list[_Token]:
    found = [_Token("UNKNOWN", None)]
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        token, position = _token(text, position, found[-1])
        found.append(token)
    return found[1:]


def _token(text: str, start: int, last: _Token) -> tuple[_Token, int]:
    first = text[start]
    if first.isdecimal() or first == ".":
        return _numeric(text, start)
    if first == ",":
        return _Token("SEPARATOR", ","), start + 1
    if first == "[":
        end = text.find("]", start)
        if end < 0:
            raise _Syntax("Unclosed parameter bracket")
        return _Token("VARIABLE", text[start + 1 : end]), end + 1
    if first.isalpha():
        return _word(text, start)
    if first in "'\"":
        return _quoted(text, start)
    if first in "()":
        return _Token("CLAUSE" if first == "(" else "CLAUSE_CLOSE", first), start + 1
    return _symbol(text, start, last)


_HEX = re.compile(r"0x([0-9a-fA-F]*)")
_DIGITS = re.compile(r"[\d.]+")


def _numeric(text: str, start: int) -> tuple[_Token, int]:
    match = _HEX.match(text, start)
    if match:
        digits = match[1]
        if not digits or int(digits, 16) >= 2**64:
            raise _Syntax(f"Unable to parse hex value '{digits}' to uint64\n")
        return _Token("NUMERIC", float(int(digits, 16))), match.end()
    match = _DIGITS.match(text, start)
    assert match is not None
    try:
        return _Token("NUMERIC", float(match.group())), match.end()
    except ValueError:
        raise _Syntax(f"Unable to parse numeric value '{match.group()}' to float64\n") from None


def _word(text: str, start: int) -> tuple[_Token, int]:
    end = start
    word: list[str] = []
    while end < len(text) and (text[end].isalnum() or text[end] in "_.\\"):
        # A backslash takes the next character as it is.
        end += text[end] == "\\"
        word += text[end : end + 1]
        end += 1
    name = "".join(word)
    if name in ("true", "false"):
        return _Token("BOOLEAN", name == "true"), end
    if name in ("in", "IN"):
        return _Token("COMPARATOR", "in"), end
    return (_accessor(name) if "." in name else _Token("VARIABLE", name)), end


def _accessor(name: str) -> _Token:
    if name.endswith("."):
        raise _Syntax(f"Hanging accessor on token '{name}'")
    for part in name.split(".")[1:]:
        if part[:1].upper() != part[:1]:
            raise _Syntax(f"Unable to access unexported field '{part}' in token '{name}'")
    return _Token("ACCESSOR", name.split("."))


def _quoted(text: str, start: int) -> tuple[_Token, int]:
    end = start + 1
    content: list[str] = []
    # Either quote ends the text, whichever began it.
    while end < len(text) and text[end] not in "'\"":
        end += text[end] == "\\"
        content += text[end : end + 1]
        end += 1
    if end >= len(text):
        raise _Syntax("Unclosed string literal")
    value = "".join(content)
    seconds = _seconds(value)
    return (_Token("STRING", value) if seconds is None else _Token("TIME", seconds)), end + 1


def _seconds(text: str) -> float | None:
    if not any(character.isdigit() for character in text[:30]) or len(text) > 40:
        return None
    for form in _DATES:
        try:
            moment = datetime.strptime(text, form)
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def _symbol(text: str, start: int, last: _Token) -> tuple[_Token, int]:
    end = start
    while end < len(text) and not (text[end].isalnum() or text[end].isspace() or text[end] in "()[]'\""):
        end += 1
    symbol = text[start:end]
    # `-` may be a sign or an operator; which, the token before it decides.
    prefixes = _PREFIXES if "PREFIX" in _NEXT[last.kind] else frozenset[str]()
    for kind, symbols in (("PREFIX", prefixes), *_SYMBOLS):
        if symbol in symbols:
            return _Token(kind, symbol), end
    raise _Syntax(f"Invalid token: '{symbol}'")


def _checked(tokens: list[_Token]) -> list[_Token]:
    """`tokens`, once each may stand behind the one before it."""
    depth, last = 0, _Token("UNKNOWN", None)
    for token in tokens:
        depth += (token.kind == "CLAUSE") - (token.kind == "CLAUSE_CLOSE")
        if depth > MAX_NESTING:
            raise _Syntax(f"more than {MAX_NESTING} nested parentheses")
    if depth:
        raise _Syntax("Unbalanced parenthesis")
    for token in tokens:
        if token.kind not in _NEXT[last.kind]:
            raise _misplaced(last, token)
        last = token
    if last.kind not in _ENDS:
        raise _Syntax("Unexpected end of expression")
    return tokens


def _misplaced(last: _Token, token: _Token) -> _Syntax:
    if last.kind == "VARIABLE" and token.kind == "CLAUSE":
        return _Syntax(f"Undefined function {last.value}")
    before, behind = (f"{one.kind} [{_code(one)}]" for one in (last, token))
    return _Syntax(f"Cannot transition token types from {before} to {behind}")


def _code(token: _Token) -> str:
    """A token's value as Go prints it: parentheses are numbers of characters, dates have all their parts."""
    if token.kind in ("CLAUSE", "CLAUSE_CLOSE"):
        return str(ord(token.value))
    if token.kind == "TIME":
        return f"{datetime.fromtimestamp(token.value, UTC):%Y-%m-%d %H:%M:%S} +0000 UTC"
    return gojson.shown(token.value)


# --- values -----------------------------------------------------------------------------------------------------

_LEVELS = {
    symbol: level
    for level, symbols in enumerate(
        (",", "? : ??", "||", "&&", "== != > >= < <= =~ !~ in", "& | ^", "<< >>", "+ -", "* / %", "**")
    )
    for symbol in symbols.split()
}


class _Binary(NamedTuple):
    symbol: str
    left: Any
    right: Any


class _Prefix(NamedTuple):
    symbol: str
    right: Any


class _Literal(NamedTuple):
    value: Any


class _Absent(NamedTuple):
    """A field of something; there is nothing that has fields."""

    name: str


_Tree = _Binary | _Prefix | _Literal | _Absent


class _Parser:
    """Precedence climbing over checked tokens."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def whole(self) -> _Tree:
        return self._from(0)

    def _from(self, lowest: int) -> _Tree:
        """What stands here, with all operators of the level `lowest` and of those that bind closer."""
        left = self._value()
        while (level := self._level()) >= lowest:
            symbol = self._take().value
            left = _Binary(symbol, left, self._from(level + 1))
        return left

    def _level(self) -> int:
        if self.at >= len(self.tokens):
            return -1
        kind, value = self.tokens[self.at]
        return _LEVELS[value] if kind in ("MODIFIER", "LOGICALOP", "COMPARATOR", "TERNARY", "SEPARATOR") else -1

    def _take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _value(self) -> _Tree:
        if self.at >= len(self.tokens) or self.tokens[self.at].kind == "CLAUSE_CLOSE":
            return _Literal(None)
        kind, value = self._take()
        if kind == "PREFIX":
            return _Prefix(value, self._value())
        if kind == "CLAUSE":
            inner = self._from(0)
            # Whatever stands here ends the parentheses.
            self.at += 1
            return inner
        return _Absent(value[0]) if kind == "ACCESSOR" else _Literal(value)


def _value(tree: _Tree) -> Any:
    """The value of a parsed condition. Long chains lean to the left, and are walked without recursion."""
    chain: list[_Binary] = []
    while isinstance(tree, _Binary):
        chain.append(tree)
        tree = tree.left
    value = _operand(tree)
    for part in reversed(chain):
        value = _joined(part.symbol, value, part.right)
    return value


def _operand(tree: _Tree) -> Any:
    if isinstance(tree, _Absent):
        raise _Syntax(f"No parameter '{tree.name}' found.")
    if isinstance(tree, _Prefix):
        return _prefixed(tree.symbol, _value(tree.right))
    assert isinstance(tree, _Literal)
    return tree.value


def _prefixed(symbol: str, value: Any) -> Any:
    if not isinstance(value, bool if symbol == "!" else float):
        raise _Syntax(f"Value '{gojson.shown(value)}' cannot be used with the prefix '{symbol}'")
    if symbol == "!":
        return not value
    return -value if symbol == "-" else float(~_int64(value))


def _joined(symbol: str, left: Any, right: _Tree) -> Any:
    if (symbol in ("&&", "||") and left is (symbol == "||")) or (symbol in (":", "??") and left is not None):
        return left
    if symbol == "?" and left is False:
        return None
    value = _value(right)
    checked, words = _CHECKS.get(symbol, _UNCHECKED)
    wrong = checked(left, value)
    if wrong:
        raise _Syntax(f"Value '{gojson.shown(wrong[0])}' cannot be used with the {words}".replace("?", symbol, 1))
    return _OPERATIONS[symbol](left, value)


# --- checks: what is wrong, in a list, so that None can be wrong, too ---------------------------------------------


def _each(*kinds: type) -> Callable[[Any, Any], list[Any]]:
    return lambda left, right: [value for value in (left, right) if not isinstance(value, kinds)][:1]


def _ordered(left: Any, right: Any) -> list[Any]:
    return [] if type(left) is type(right) and isinstance(left, (str, float)) else [left]


def _added(left: Any, right: Any) -> list[Any]:
    return [] if isinstance(left, str) or isinstance(right, str) else _ordered(left, right)


_UNCHECKED: tuple[Callable[[Any, Any], list[Any]], str] = (lambda _left, _right: [], "")
_CHECKS: dict[str, tuple[Callable[[Any, Any], list[Any]], str]] = {
    **dict.fromkeys(("&&", "||"), (_each(bool), "logical operator '?', it is not a bool")),
    **dict.fromkeys(("<", "<=", ">", ">="), (_ordered, "comparator '?', it is not a number")),
    **dict.fromkeys(("=~", "!~"), (_each(str), "comparator '?', it is not a number")),
    **dict.fromkeys(
        ("-", "*", "/", "%", "**", "&", "|", "^", "<<", ">>"), (_each(float), "modifier '?', it is not a number")
    ),
    "+": (_added, "modifier '?', it is not a number"),
    "in": (lambda _, right: _each(list)(right, right), "comparator '?', it is not a number"),
    "?": (lambda left, _: _each(bool)(left, left), "ternary operator '?', it is not a bool"),
}


# --- operations ---------------------------------------------------------------------------------------------------


def _equal(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _matches(left: str, right: str) -> bool:
    # Patterns come with documents: RE2, as in Go, since Python's can be made to run for ever.
    import re2  # type: ignore[import-untyped]

    try:
        return re2.search(right, left) is not None
    except re2.error as error:
        raise _Syntax(f"error parsing regexp: {error}") from None


def _listed(left: Any, right: Any) -> list[Any]:
    return [*left, right] if isinstance(left, list) else [left, right]


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, float) and isinstance(right, float):
        return left + right
    return gojson.shown(left) + gojson.shown(right)


def _divided(left: float, right: float) -> float:
    if right == 0:
        return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    return left / right


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def _remainder(left: float, right: float) -> float:
    try:
        return math.fmod(left, right)
    except ValueError:
        return math.nan


def _int64(value: float) -> int:
    """What Go makes of a float on amd64: out of range gives the least integer."""
    return int(value) if -(2.0**63) <= value < 2.0**63 else -(2**63)


def _bits(work: Callable[[int, int], int]) -> Callable[[float, float], float]:
    return lambda left, right: float(work(_int64(left), _int64(right)))


def _shifted(left: float, right: float, *, up: bool) -> float:
    number, places = _int64(left) % 2**64, _int64(right) % 2**64
    if places >= 64:
        return 0.0
    return float((number << places) % 2**64 if up else number >> places)


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    ",": _listed,
    "?": lambda _, right: right,
    ":": lambda _, right: right,
    "??": lambda _, right: right,
    "||": lambda _, right: right,
    "&&": lambda _, right: right,
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=~": _matches,
    "!~": lambda left, right: not _matches(left, right),
    "in": lambda left, right: any(_equal(left, item) for item in right),
    "&": _bits(operator.and_),
    "|": _bits(operator.or_),
    "^": _bits(operator.xor),
    "<<": lambda left, right: _shifted(left, right, up=True),
    ">>": lambda left, right: _shifted(left, right, up=False),
    "+": _plus,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
    "**": _power,
}
