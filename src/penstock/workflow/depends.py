"""`depends` of a DAG task: parsed once, evaluated over the results of the tasks that it names.

`dependencies: [A, B]` is `A && B`; a bare name stands for `(A.Succeeded || A.Skipped || A.Daemoned)`, and for
`A.Errored`, `A.Failed` where A has `continueOn`. (Argo: `workflow/common/ancestry.go`.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

__all__ = ["MAX_NESTING", "RESULTS", "Condition", "DependsError", "condition", "parse"]

RESULTS = frozenset(["Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed"])
"""What may be asked of a task. The last two are for loops."""

MAX_NESTING = 100
"""Parentheses within parentheses."""

Known = Callable[[str, str], bool]
"""(task, result) → whether it holds."""

_TOKEN = re.compile(r"\s*(?:(&&|\|\||!|\(|\))|([a-zA-Z0-9][-a-zA-Z0-9]*)(?:\.([A-Z][a-zA-Z]+))?)")


class DependsError(Exception):
    """The text is no `depends` expression."""


class Condition(NamedTuple):
    """A parsed expression: (operator, operands) or ("", ()) for the empty one; `tasks` are the names in it."""

    test: Callable[[Known], bool]
    tasks: tuple[str, ...]
    asked: tuple[tuple[str, str], ...]


def condition(depends: str, dependencies: Iterable[str], continues: Mapping[str, tuple[bool, bool]]) -> Condition:
    """The condition of a task. `continues` gives (continueOn.error, continueOn.failed) of tasks that have it.

    Raises DependsError.
    """
    text = depends or " && ".join(dependencies)
    return parse(text, continues)


def parse(text: str, continues: Mapping[str, tuple[bool, bool]]) -> Condition:
    """The condition that `text` spells; an empty text always holds. Raises DependsError."""
    parser = _Parser(text, continues)
    test = parser.whole()
    return Condition(test, tuple(dict.fromkeys(name for name, _ in parser.asked)), tuple(parser.asked))


class _Parser:
    def __init__(self, text: str, continues: Mapping[str, tuple[bool, bool]]) -> None:
        self.text = text
        self.continues = continues
        self.tokens = self._tokens()
        self.at = 0
        self.asked: list[tuple[str, str]] = []

    def _tokens(self) -> list[tuple[str, str, str]]:
        found, position, depth, text = [], 0, 0, self.text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise DependsError(f"invalid 'depends' {self.text!r}: unexpected {text[position:].strip()[:20]!r}")
            operator, name, result = match.groups(default="")
            depth += (operator == "(") - (operator == ")")
            if depth > MAX_NESTING:
                raise DependsError(f"invalid 'depends': more than {MAX_NESTING} nested parentheses")
            found.append((operator, name, result))
            position = match.end()
        return found

    def whole(self) -> Callable[[Known], bool]:
        if not self.tokens:
            return lambda _: True
        test = self._or()
        if self.at < len(self.tokens):
            raise DependsError(f"invalid 'depends' {self.text!r}: unexpected {self._word()!r}")
        return test

    def _word(self) -> str:
        if self.at >= len(self.tokens):
            return "end of text"
        operator, name, _ = self.tokens[self.at]
        return operator or name

    def _take(self, operator: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at][0] == operator
        self.at += found
        return found

    def _or(self) -> Callable[[Known], bool]:
        terms = [self._and()]
        while self._take("||"):
            terms.append(self._and())
        return terms[0] if len(terms) == 1 else lambda known: any(term(known) for term in terms)

    def _and(self) -> Callable[[Known], bool]:
        terms = [self._not()]
        while self._take("&&"):
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else lambda known: all(term(known) for term in terms)

    def _not(self) -> Callable[[Known], bool]:
        negations = 0
        while self._take("!"):
            negations += 1
        term = self._term()
        return (lambda known: not term(known)) if negations % 2 else term

    def _term(self) -> Callable[[Known], bool]:
        if self._take("("):
            inner = self._or()
            if not self._take(")"):
                raise DependsError(f"invalid 'depends' {self.text!r}: missing ')'")
            return inner
        if self.at >= len(self.tokens) or self.tokens[self.at][0]:
            raise DependsError(f"invalid 'depends' {self.text!r}: unexpected {self._word()!r}")
        _, name, result = self.tokens[self.at]
        self.at += 1
        return self._one(name, result) if result else self._bare(name)

    def _one(self, name: str, result: str) -> Callable[[Known], bool]:
        if result not in RESULTS:
            raise DependsError(f"task result '{result}' for task '{name}' is invalid")
        self.asked.append((name, result))
        return lambda known: known(name, result)

    def _bare(self, name: str) -> Callable[[Known], bool]:
        error, failed = self.continues.get(name, (False, False))
        results = ["Succeeded", "Skipped", "Daemoned", *["Errored"] * error, *["Failed"] * failed]
        self.asked += [(name, result) for result in results]
        return lambda known: any(known(name, result) for result in results)
