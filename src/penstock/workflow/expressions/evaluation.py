"""From a tree to a value: numbers are int64 and float64, texts, lists and maps are Python's; nil is None.

Variables live in a scope of flat names (`tasks.a.outputs.result`); a chain of members is looked up there whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from penstock.workflow.expressions import functions, moment, sprig
from penstock.workflow.expressions.syntax import (
    PREDICATES,
    Array,
    Binary,
    Call,
    Chain,
    Conditional,
    ExpressionError,
    Let,
    Literal,
    Map,
    Member,
    Name,
    Node,
    Pointer,
    Sequence,
    Slice,
    Unary,
    parse,
    path_of,
)

__all__ = ["MAX_STEPS", "Flat", "Variables", "evaluate"]

FUNCTIONS = {**functions.FUNCTIONS, **moment.FUNCTIONS}
SPRIG = {**sprig.FUNCTIONS, **moment.SPRIG}

MAX_STEPS = 200_000
"""Most nodes of a tree that one evaluation visits; sixteen elements or characters of a value count as one."""


class Variables(Protocol):
    """Values by flat name; None for one that is absent. `within` gives what lies below a name, None for nothing."""

    def __contains__(self, name: object, /) -> bool: ...
    def __getitem__(self, name: str, /) -> Any: ...
    def within(self, name: str, /) -> Mapping[str, Any] | None: ...


class Flat:
    """Variables of a map."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def within(self, name: str) -> Mapping[str, Any] | None:
        """All that is called `name.…`, as nested maps."""
        found: dict[str, Any] = {}
        for key in [key for key in self.values if key.startswith(f"{name}.")]:
            place, *path = found, *key[len(name) + 1 :].split(".")
            for part in path[:-1]:
                inner = place.get(part)
                place[part] = place = inner if isinstance(inner, dict) else {}
            place.setdefault(path[-1], self.values[key])
        return found or None


def evaluate(text: str, variables: Variables) -> Any:
    """The value of an expression. Raises ExpressionError."""
    return _Evaluation(variables).value(parse(text))


class _Nil(Exception):
    """`?.` met nil."""


_MISSING = object()


class _Evaluation:
    def __init__(self, variables: Variables) -> None:
        self.variables = variables
        self.steps = 0
        self.locals: dict[str, Any] = {}
        self.pointers: dict[str, Any] = {}

    def value(self, node: Node | None) -> Any:
        """The value of a part of the tree."""
        value = _VALUES[type(node)](self, node) if node is not None else None
        # What is large takes long to make and to look through, too.
        self.steps += 1 + (len(value) // 16 if isinstance(value, (str, list, dict)) else 0)
        if self.steps > MAX_STEPS:
            raise ExpressionError(f"more than {MAX_STEPS:,} steps")
        return value

    def boolean(self, node: Node) -> bool:
        """The value of a part that must be true or false."""
        value = self.value(node)
        if not isinstance(value, bool):
            raise ExpressionError(f"interface conversion: interface {{}} is {functions.kind(value)}, not bool")
        return value

    # --- names

    def _literal(self, node: Literal) -> Any:
        return node.value

    def _name(self, node: Name) -> Any:
        if node.name in self.locals:
            return self.locals[node.name]
        found = self._variable(node.name)
        if found is _MISSING:
            raise ExpressionError(f"unknown name {node.name}")
        return found

    def _variable(self, name: str) -> Any:
        """A variable; of `item` and `item.key` the map that the latter makes wins."""
        below = self.variables.within(name)
        if below is not None:
            return below
        if name not in self.variables:
            return _MISSING
        return self.variables[name]

    def _pointer(self, node: Pointer) -> Any:
        name = {"": "#", "acc": "acc", "index": "index"}.get(node.name, "")
        if name not in self.pointers:
            raise ExpressionError(f"unknown pointer #{node.name}")
        return self.pointers[name]

    def _member(self, node: Member) -> Any:
        path = path_of(node)
        if path and path[0] not in self.locals:
            found = self._variable(".".join(path))
            if found is not _MISSING:
                return found
        base = self.value(node.node)
        if base is None and node.optional:
            raise _Nil
        return functions.fetched(base, self.value(node.key))

    def _chain(self, node: Chain) -> Any:
        try:
            return self.value(node.node)
        except _Nil:
            return None

    def _slice(self, node: Slice) -> Any:
        return functions.sliced(self.value(node.node), self.value(node.start), self.value(node.stop))

    def _let(self, node: Let) -> Any:
        kept = dict(self.locals)
        self.locals[node.name] = self.value(node.value)
        try:
            return self.value(node.body)
        finally:
            self.locals = kept

    def _sequence(self, node: Sequence) -> Any:
        return [self.value(part) for part in node.nodes][-1]

    def _array(self, node: Array) -> Any:
        return [self.value(part) for part in node.nodes]

    def _map(self, node: Map) -> Any:
        return {functions.as_key(self.value(key)): self.value(value) for key, value in node.pairs}

    # --- operators

    def _conditional(self, node: Conditional) -> Any:
        return self.value(node.yes if self.boolean(node.condition) else node.no)

    def _unary(self, node: Unary) -> Any:
        if node.operator in ("!", "not"):
            return not self.boolean(node.node)
        value = functions.number(self.value(node.node))
        return -value if node.operator == "-" else value

    def _binary(self, node: Binary) -> Any:
        operator = node.operator
        if operator in ("&&", "and"):
            return self.boolean(node.left) and self.boolean(node.right)
        if operator in ("||", "or"):
            return self.boolean(node.left) or self.boolean(node.right)
        if operator == "??":
            return self._coalesced(node)
        left, right = self.value(node.left), self.value(node.right)
        return functions.OPERATORS[operator](left, right)

    def _coalesced(self, node: Binary) -> Any:
        try:
            value = self.value(node.left)
        except functions.NilFetch:
            value = None
        return value if value is not None else self.value(node.right)

    # --- calls

    def _call(self, node: Call) -> Any:
        path = path_of(node.function)
        if len(path) == 2 and path[0] == "sprig":
            return self._called(SPRIG, path[1], node.arguments)
        if not path and isinstance(node.function, Member) and isinstance(node.function.key, Literal):
            return self._method(node.function.node, str(node.function.key.value), node.arguments)
        if len(path) != 1:
            raise ExpressionError(f"unknown function {'.'.join(path)}")
        if path[0] in PREDICATES:
            return self._predicate(path[0], node.arguments)
        return self._called(FUNCTIONS, path[0], node.arguments)

    def _method(self, of: Node, name: str, arguments: tuple[Node, ...]) -> Any:
        value = self.value(of)
        method = moment.METHODS.get(name) if isinstance(value, moment.Time) else None
        if method is None:
            raise ExpressionError(f"unknown method {name}")
        return self._called({name: lambda *given: method(value, *given)}, name, arguments)

    def _called(self, table: Mapping[str, Callable[..., Any]], name: str, arguments: tuple[Node, ...]) -> Any:
        function = table.get(name)
        if function is None:
            raise ExpressionError(f"unknown function {name}")
        given = [self.value(argument) for argument in arguments]
        try:
            return functions.bounded(function(*given))
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, ArithmeticError) as error:
            raise ExpressionError(f"{name}: {error}") from None

    def _predicate(self, name: str, arguments: tuple[Node, ...]) -> Any:
        if not arguments:
            raise ExpressionError(f"not enough arguments to call {name}")
        items = self.value(arguments[0])
        if not isinstance(items, list):
            raise ExpressionError(f"builtin {name} takes only array (got {functions.kind(items)})")
        rest = [self.value(argument) for argument in arguments[2:]]
        body = arguments[1] if len(arguments) > 1 else Pointer("")
        if len(arguments) < 2 and name not in ("count", "sum"):
            raise ExpressionError(f"not enough arguments to call {name}")

        def apply(item: Any, **more: Any) -> Any:
            kept, self.pointers = self.pointers, {"#": item, **more}
            try:
                return self.value(body)
            finally:
                self.pointers = kept

        return functions.bounded(functions.PREDICATES[name](items, apply, *rest))


_VALUES: Mapping[Any, Callable[[_Evaluation, Any], Any]] = {
    Literal: _Evaluation._literal,
    Name: _Evaluation._name,
    Pointer: _Evaluation._pointer,
    Member: _Evaluation._member,
    Chain: _Evaluation._chain,
    Slice: _Evaluation._slice,
    Let: _Evaluation._let,
    Sequence: _Evaluation._sequence,
    Array: _Evaluation._array,
    Map: _Evaluation._map,
    Conditional: _Evaluation._conditional,
    Unary: _Evaluation._unary,
    Binary: _Evaluation._binary,
    Call: _Evaluation._call,
}
