"""YAML as the cluster reads it.

A document's YAML is read on Kubernetes by Go's `sigs.k8s.io/yaml`, whose scalars follow YAML 1.1 in Go's own reading:
`yes`, `y` and `on` are true, `014` and `0o14` are 12, `1_000` and `1e3` are 1000, dates are text. What is read here
must be the same value there, and what is written here must be read as the same value by both.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from penstock.errors import InvalidDocument

__all__ = ["MAX_DEPTH", "dump_yaml", "load_documents", "load_yaml", "resolve", "yaml_lines"]

MAX_DEPTH = 100
"""Deepest nesting of lists and maps in a document."""

_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_NOT_A_NUMBER = frozenset(
    [".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"],
)
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_BETWEEN, _ANYWHERE = re.compile(r"(?<=[0-9])_(?=[0-9])"), re.compile("_")


def resolve(text: str) -> Any:
    """The value of a plain (unquoted) scalar, as `sigs.k8s.io/yaml` reads it: None, bool, int, float or str.

    Whole floats become ints, since Go writes them into JSON without a point. Raises ValueError for NaN and infinity.
    """
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    first = text[0]
    if first not in "+-.0123456789":
        return text
    if text in _NOT_A_NUMBER:
        raise ValueError(f"{text} has no JSON value; quote it")
    # Behind a point Go takes an underscore between digits only.
    return _number((_BETWEEN.sub if first == "." else _ANYWHERE.sub)("", text), text)


def _number(plain: str, text: str) -> Any:
    match = _INTEGER.match(plain)
    if match:
        value = _integer(match)
        if -(2**63) <= value < 2**64:
            return value
    if not _FLOAT.match(plain):
        return text
    number = float(plain)
    if number in (float("inf"), float("-inf")):
        return text
    whole = number.is_integer() and abs(number) < 1e21 and repr(number) != "-0.0"
    # Go pads the shortest digits that give the float: 2**64 is 18446744073709552000.
    return int(Decimal(repr(number))) if whole else number


def _integer(match: re.Match[str]) -> int:
    sign, hexadecimal, octal, binary, decimal = match.groups()
    for digits, base in ((hexadecimal, 16), (octal, 8), (binary, 2), (decimal, 10)):
        if digits is not None:
            return int(sign + digits, base)
    raise AssertionError(match)


# --- reading ----------------------------------------------------------------------------------------------------


def load_yaml(text: str | bytes, *, source: str = "", as_python: bool = False) -> Any:
    """The one document in `text` as JSON-able values. Empty text gives None.

    `as_python`: unquoted scalars are what Python's PyYAML takes them for, as `1e3`, which is a text there.
    Raises InvalidDocument (`source:line:column: …`) for a syntax error, a tab, an alias, a duplicate key, nesting
    deeper than MAX_DEPTH, an unknown tag, or more than one document.
    """
    documents = load_documents(text, source=source, as_python=as_python)
    if len(documents) > 1:
        raise InvalidDocument(f"{source or 'document'}: {len(documents)} YAML documents; expected one")
    return documents[0] if documents else None


def load_documents(text: str | bytes, *, source: str = "", as_python: bool = False) -> list[Any]:
    """All documents in `text` that are not empty. `as_python`, and what is raised, as `load_yaml`."""
    # Who only writes does without the parser's import.
    from penstock.workflow.yaml_parsing import parsed

    return parsed(text, source or "document", as_python)


# --- writing ----------------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_/.+@=;()\-]|:(?=[A-Za-z0-9_/.+@=;()\-])| (?=[A-Za-z0-9_/.+@=;()\-]))*\Z")
_LITERAL = re.compile(r"[!-~\u00a1-\u1fff\u4e00-\ud7a3][\t\n -~\u00a1-\u1fff\u4e00-\ud7a3]*\Z")
_ESCAPED = re.compile("[\x7f-\xa0\u2000-\u206f\ud800-\udfff\ufeff\ufffe\uffff]")


def dump_yaml(value: Any) -> str:
    """Block YAML of a JSON-able value, keys in their given order, the same text for the same value.

    Everything that a reader of YAML 1.1, of YAML 1.2 or Go's could take for something else than text is quoted; text
    of several lines is a literal block where that keeps it exactly. Raises TypeError for what JSON cannot say.
    """
    return "\n".join(yaml_lines(value)) + "\n"


def yaml_lines(value: Any) -> list[str]:
    """The lines of `dump_yaml`, without their ends; the lines of a block are one. Equal blocks share their memory."""
    writer = _Writer()
    writer.node(value, 0, "")
    return writer.lines


class _Writer:
    """The lines of one document."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        # The same programs and keys come again and again.
        self._text = lru_cache(4096)(_text)

    def node(self, value: Any, indent: int, lead: str) -> None:
        """Write a value whose lines are indented; `lead` stands before the first."""
        if isinstance(value, dict) and value:
            self._map(value, indent, lead)
        elif isinstance(value, (list, tuple)) and value:
            self._list(value, indent, lead)
        else:
            self._leaf(lead, value, indent)

    def _map(self, value: dict[str, Any], indent: int, lead: str) -> None:
        pad, write = " " * indent, self.lines.append
        for key, item in value.items():
            name = self._text(key, indent, True)[0] if isinstance(key, str) else _plain(key)
            if isinstance(item, dict) and item:
                write(f"{lead}{name}:")
                self._map(item, indent + 2, pad + "  ")
            elif isinstance(item, (list, tuple)) and item:
                write(f"{lead}{name}:")
                self._list(item, indent, pad)
            else:
                self._leaf(f"{lead}{name}: ", item, indent + 2)
            lead = pad

    def _list(self, value: list[Any] | tuple[Any, ...], indent: int, lead: str) -> None:
        for item in value:
            self.node(item, indent + 2, lead + "- ")
            lead = " " * indent

    def _leaf(self, lead: str, value: Any, indent: int) -> None:
        if not isinstance(value, str):
            self.lines.append(lead + _plain(value))
            return
        first, rest = self._text(value, indent, False)
        self.lines.append(lead + first)
        if rest is not None:
            self.lines.append(rest)


def _plain(value: Any) -> str:
    """A value that is no text, and no list or map with something in it."""
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, (dict, list, tuple)):
        return "{}" if isinstance(value, dict) else "[]"
    raise TypeError(f"{type(value).__name__} has no YAML form")


def _float(value: float) -> str:
    text = json.dumps(value, allow_nan=False)
    # YAML 1.1 readers want a point in a number with an exponent.
    return text if "e" not in text or "." in text else text.replace("e", ".0e")


def _text(value: str, indent: int, key: bool) -> tuple[str, str | None]:
    """A text's first line, and the rest of a literal block."""
    if _PLAIN.match(value) and _stays_text(value):
        return value, None
    if not key and "\n" in value and _LITERAL.match(value):
        return _block(value, indent)
    quoted = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", quoted), None


def _stays_text(value: str) -> bool:
    return value not in _TRUE and value not in _FALSE and value not in _NULL


def _block(value: str, indent: int) -> tuple[str, str]:
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    pad = " " * indent
    lines = [pad + line if line else "" for line in body.split("\n")]
    return {0: "|-", 1: "|"}.get(ends, "|+"), "\n".join([*lines, *[""] * (ends - 1 if ends > 1 else 0)])
