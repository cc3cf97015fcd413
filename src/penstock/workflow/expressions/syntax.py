"""From an expression's text to a tree. (expr-lang: `parser/parser.go`, `parser/lexer/state.go`.)"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

__all__ = [
    "PREDICATES",
    "Array",
    "Binary",
    "Call",
    "Chain",
    "Conditional",
    "ExpressionError",
    "Let",
    "Literal",
    "Map",
    "Member",
    "Name",
    "Node",
    "Pointer",
    "Sequence",
    "Slice",
    "Unary",
    "names",
    "parse",
    "path_of",
]

MAX_BYTES = 1_000_000
"""Longest expression."""

MAX_TOKENS = 10_000
MAX_DEPTH = 60
"""Deepest nesting; also the longest chain of operators or members."""


class ExpressionError(Exception):
    """An expression cannot be read or evaluated. `str(error)` says why."""


class TooMuch(ExpressionError):
    """An expression, or what it would make, is over a limit. It was not made."""


class Literal(NamedTuple):
    """A number, a text, true, false or nil."""

    value: Any


class Name(NamedTuple):
    """A variable."""

    name: str


class Pointer(NamedTuple):
    """`#` in a predicate, `#acc` and `#index`."""

    name: str


class Member(NamedTuple):
    """`node.key`, `node[key]`, `node?.key`."""

    node: Node
    key: Node
    optional: bool


class Chain(NamedTuple):
    """The extent of `?.`: nil within makes the whole nil."""

    node: Node


class Slice(NamedTuple):
    """`node[start:stop]`."""

    node: Node
    start: Node | None
    stop: Node | None


class Call(NamedTuple):
    """`function(arguments)`; `function` is a Name or a Member."""

    function: Node
    arguments: tuple[Node, ...]


class Unary(NamedTuple):
    """`!x`, `-x`, `+x`."""

    operator: str
    node: Node


class Binary(NamedTuple):
    """Two operands."""

    operator: str
    left: Node
    right: Node


class Conditional(NamedTuple):
    """`a ? b : c`, `if a { b } else { c }`."""

    condition: Node
    yes: Node
    no: Node


class Array(NamedTuple):
    """`[a, b]`."""

    nodes: tuple[Node, ...]


class Map(NamedTuple):
    """`{a: b}`."""

    pairs: tuple[tuple[Node, Node], ...]


class Let(NamedTuple):
    """`let name = value; body`."""

    name: str
    value: Node
    body: Node


class Sequence(NamedTuple):
    """`a; b`: the value of the last."""

    nodes: tuple[Node, ...]


Node = (
    Literal
    | Name
    | Pointer
    | Member
    | Chain
    | Slice
    | Call
    | Unary
    | Binary
    | Conditional
    | Array
    | Map
    | Let
    | Sequence
)

# --- tokens -----------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<number>0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+
        |[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)?(?:[eE][+-]?[0-9_]+)?|\.[0-9][0-9_]*(?:[eE][+-]?[0-9_]+)?)
    | (?P<raw>`[^`]*`)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<word>[^\W\d][\w$]*|\$[\w$]*)
    | (?P<pointer>\#[\w$]*)
    | (?P<symbol>\?\.|\?\?|\|\||&&|==|!=|<=|>=|\*\*|\.\.|::|[-+*/%^<>!?:,;.|=(){}\[\]])
    )""",
    re.VERBOSE | re.DOTALL,
)
PREDICATES = frozenset(
    [
        *("all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex"),
        *("count", "sum", "groupBy", "sortBy", "reduce"),
    ]
)
"""Functions whose second argument is evaluated for each element of the first."""

_WORDS = frozenset(["not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else"])


class _Token(NamedTuple):
    kind: str
    value: str


def _tokens(text: str) -> list[_Token]:
    found, position, end = list[_Token](), 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            raise ExpressionError(f"unrecognized character: {text[position:].strip()[:1]!r}")
        position = match.end()
        kind = match.lastgroup or ""
        if kind != "comment":
            value = match[kind]
            found.append(_Token("symbol" if kind == "word" and value in _WORDS else kind, value))
        if len(found) > MAX_TOKENS:
            raise ExpressionError("compilation failed: expression exceeds maximum allowed nodes")
    return [*found, _Token("end", "end of expression")]


def _number(text: str) -> int | float:
    plain = text.replace("_", "").lower()
    try:
        if plain.startswith(("0x", "0o", "0b")):
            return _int64(int(plain, 0))
        return float(plain) if set(plain) & set(".e") else _int64(int(plain))
    except ValueError:
        raise ExpressionError(f"bad number syntax: {text!r}") from None


def _int64(value: int) -> int:
    if value >= 2**63:
        raise ExpressionError("integer literal is too large")
    return value


_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _text(quoted: str) -> str:
    return _ESCAPE.sub(_unescaped, quoted[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    for group, base in ((1, 16), (2, 16), (3, 16), (4, 8)):
        if match[group]:
            return chr(min(int(match[group], base), 0x10FFFF))
    if match[5] in _ESCAPES:
        return _ESCAPES[match[5]]
    if match[5] in "\\'\"`?":
        return match[5]
    raise ExpressionError(f"unable to unescape string: \\{match[5]}")


# --- trees ------------------------------------------------------------------------------------------------------

_UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}
_COMPARISONS = frozenset(["<", "<=", ">", ">="])
_SUFFIXES = frozenset(["in", "matches", "contains", "startsWith", "endsWith"])
_BINARY = {
    "|": 0,
    "or": 10,
    "||": 10,
    "and": 15,
    "&&": 15,
    **dict.fromkeys(("==", "!=", *_COMPARISONS, *_SUFFIXES), 20),
    "..": 25,
    "+": 30,
    "-": 30,
    "*": 60,
    "/": 60,
    "%": 60,
    "**": 100,
    "^": 100,
    "??": 500,
}


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError."""
    if len(text) > MAX_BYTES:
        raise TooMuch(f"an expression of {len(text):,} characters; limit {MAX_BYTES:,}")
    return _Parser(_tokens(text)).whole()


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def whole(self) -> Node:
        node = self._sequence()
        if self.tokens[self.at].kind != "end":
            raise self._unexpected()
        return node

    # --- tokens

    def _is(self, *values: str) -> bool:
        token = self.tokens[self.at]
        return token.kind == "symbol" and token.value in values

    def _take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _accept(self, value: str) -> bool:
        found = self._is(value)
        self.at += found
        return found

    def _expect(self, value: str) -> None:
        if not self._accept(value):
            raise self._unexpected()

    def _word(self) -> str:
        if self.tokens[self.at].kind != "word":
            raise self._unexpected()
        return self._take().value

    def _name(self) -> str:
        """A word after a dot; the words of operators are names there (expr-lang: `parsePostfixExpression`)."""
        if self.tokens[self.at].value not in _WORDS:
            return self._word()
        return self._take().value

    def _unexpected(self) -> ExpressionError:
        return ExpressionError(f"unexpected token {json.dumps(self.tokens[self.at].value, ensure_ascii=False)}")

    # --- parts

    def _sequence(self) -> Node:
        nodes = [self._expression()]
        while self._accept(";") and self.tokens[self.at].kind != "end":
            nodes.append(self._expression())
        return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))

    def _expression(self, lowest: int = 0) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH} levels")
        if lowest == 0 and self._accept("let"):
            node = self._let()
        elif lowest == 0 and self._accept("if"):
            node = self._if()
        else:
            node = self._operators(lowest)
        self.depth -= 1
        return node

    def _operators(self, lowest: int) -> Node:
        node, last, length = self._unary(), "", 0
        while True:
            negated = self._is("not") and self.tokens[self.at + 1].value in _SUFFIXES
            operator = self.tokens[self.at + negated].value
            if not (self._is("not") if negated else self._is(operator)) or _BINARY.get(operator, -1) < lowest:
                break
            length += 1
            if length > MAX_DEPTH:
                raise ExpressionError(f"more than {MAX_DEPTH} operators in a row; use parentheses")
            if last == "??" and operator != "??":
                raise ExpressionError(f"Operator ({operator}) and coalesce expressions (??) cannot be mixed.")
            self.at += 1 + negated
            node = self._joined(node, operator)
            node = Unary("!", node) if negated else node
            last = operator
        return self._conditional(node) if lowest == 0 else node

    def _joined(self, left: Node, operator: str) -> Node:
        if operator == "|":
            name = self._word()
            return self._postfix(Call(Name(name), (left, *self._arguments(name, given=1))))
        level = _BINARY[operator]
        right = self._expression(level if operator in ("**", "^") else level + 1)
        joined: Node = Binary(operator, left, right)
        # 1 < x < 3 means 1 < x && x < 3.
        while operator in _COMPARISONS and self._is(*_COMPARISONS):
            following = self._take().value
            third = self._expression(level + 1)
            joined, right = Binary("&&", joined, Binary(following, right, third)), third
        return joined

    def _conditional(self, node: Node) -> Node:
        while self._accept("?"):
            yes = node if self._is(":") else self._expression()
            self._expect(":")
            node = Conditional(node, yes, self._expression())
        return node

    def _let(self) -> Node:
        name = self._word()
        self._expect("=")
        value = self._expression()
        self._expect(";")
        return Let(name, value, self._sequence())

    def _if(self) -> Node:
        condition = self._expression()
        yes = self._block()
        self._expect("else")
        return Conditional(condition, yes, self._expression() if self._is("if") else self._block())

    def _block(self) -> Node:
        self._expect("{")
        node = self._sequence()
        self._expect("}")
        return node

    def _unary(self) -> Node:
        token = self.tokens[self.at]
        if token.kind == "symbol" and token.value in _UNARY:
            self.at += 1
            return Unary(token.value, self._expression(_UNARY[token.value]))
        if self._accept("("):
            node = self._sequence()
            self._expect(")")
            return self._postfix(node)
        if self._is("."):
            return self._postfix(Pointer(""))
        self._accept("::")
        return self._postfix(self._value())

    def _value(self) -> Node:
        kind, value = self._take()
        if kind == "number":
            return Literal(_number(value))
        if kind in ("text", "raw"):
            return Literal(value[1:-1] if kind == "raw" else _text(value))
        if kind == "pointer":
            return Pointer(value[1:])
        if kind == "word":
            return self._named(value)
        if (kind, value) == ("symbol", "["):
            return Array(tuple(self._until("]")))
        if (kind, value) == ("symbol", "{"):
            return self._map()
        self.at -= 1
        raise self._unexpected()

    def _named(self, name: str) -> Node:
        if name in ("true", "false", "nil"):
            return Literal({"true": True, "false": False, "nil": None}[name])
        return Call(Name(name), self._arguments(name)) if self._is("(") else Name(name)

    def _arguments(self, name: str = "", given: int = 0) -> tuple[Node, ...]:
        self._expect("(")
        return tuple(self._until(")", 1 - given if name in PREDICATES else -1))

    def _until(self, end: str, predicate: int = -1) -> Iterator[Node]:
        """Parts between commas; the one of number `predicate` may stand in braces."""
        number = 0
        while not self._accept(end):
            yield self._block() if number == predicate and self._is("{") else self._expression()
            number += 1
            if not self._is(end):
                self._expect(",")

    def _map(self) -> Node:
        pairs = []
        while not self._accept("}"):
            kind, value = self.tokens[self.at]
            if self._is("("):
                key = self._unary()
            elif kind in ("word", "number", "text", "raw"):
                self.at += 1
                key = Literal(_text(value) if kind == "text" else value.strip("`"))
            else:
                raise self._unexpected()
            self._expect(":")
            pairs.append((key, self._expression()))
            if not self._is("}"):
                self._expect(",")
        return Map(tuple(pairs))

    def _postfix(self, node: Node) -> Node:
        chained, length = False, 0
        while True:
            length += 1
            if length > MAX_DEPTH:
                raise ExpressionError(f"more than {MAX_DEPTH} members in a row")
            optional = self._is("?.")
            chained |= optional
            if optional and self.tokens[self.at + 1].value == "[":
                self.at += 1
            if self._accept("["):
                node = self._index(node, optional)
            elif self._accept(".") or self._accept("?."):
                node = Member(node, Literal(self._name()), optional)
                if self._is("("):
                    node = Call(node, self._arguments())
            else:
                break
        return Chain(node) if chained else node

    def _index(self, node: Node, optional: bool) -> Node:
        if self._accept(":"):
            stop = None if self._is("]") else self._expression()
            self._expect("]")
            return Slice(node, None, stop)
        start = self._expression()
        if self._accept(":"):
            stop = None if self._is("]") else self._expression()
            self._expect("]")
            return Slice(node, start, stop)
        self._expect("]")
        return Member(node, start, optional)


# --- what an expression refers to -------------------------------------------------------------------------------


def names(node: Node) -> Iterator[str]:
    """Variables and members by their paths, as `item` or `tasks.a.outputs.result`, those under `??` and `?.` aside."""
    yield from _names(node, guarded=False)


def _names(node: Any, guarded: bool) -> Iterator[str]:
    if isinstance(node, Name):
        yield node.name
    elif isinstance(node, Member):
        path = path_of(node)
        if path and not guarded:
            yield ".".join(path)
        yield from _names(node.node, guarded or node.optional)
        yield from _names(node.key, False)
    elif isinstance(node, Call):
        yield from _names(node.function, guarded)
        yield from _names(node.arguments, guarded)
    elif isinstance(node, Binary) and node.operator == "??":
        yield from _names(node.left, True)
        yield from _names(node.right, guarded)
    elif isinstance(node, tuple):
        for part in node:
            yield from _names(part, guarded)


def path_of(node: Node) -> tuple[str, ...]:
    """The path that a chain of members spells, () where it is something else."""
    parts: list[str] = []
    while isinstance(node, Member) and isinstance(node.key, Literal) and isinstance(node.key.value, str):
        parts.append(node.key.value)
        node = node.node
    return (node.name, *reversed(parts)) if isinstance(node, Name) else ()
