"""YAML → values, by the rules of `penstock.workflow.yaml`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from penstock.errors import InvalidDocument
from penstock.workflow.yaml import MAX_DEPTH, resolve

__all__ = ["parsed"]

_STANDARD = "tag:yaml.org,2002:"


def parsed(text: str | bytes, source: str, as_python: bool = False) -> list[Any]:
    """All documents in `text` that are not empty; `source` names it in messages. Raises as `load_yaml`."""
    builder = _Builder(source, _resolve_as_python if as_python else resolve)
    try:
        # CLoader has the C parser; its events alone are used, so no object is ever made by a tag.
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise InvalidDocument(_syntax(error, text, source)) from None
    except yaml.reader.ReaderError as error:
        raise InvalidDocument(f"{source}: {' '.join(str(error).split())}") from None
    except UnicodeDecodeError as error:
        raise InvalidDocument(f"{source}: not UTF-8 text (byte {error.start})") from None
    except yaml.YAMLError as error:
        raise InvalidDocument(f"{source}: {' '.join(str(error).split())}") from None
    return builder.documents


def _syntax(error: yaml.MarkedYAMLError, text: str | bytes, source: str) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return f"{source}: {error.problem or 'syntax error'}."
    where = f"{source}:{mark.line + 1}:{mark.column + 1}"
    if _starts_with_tab(text, mark.line, mark.column):
        return f"{where}: tab not allowed."
    return f"{where}: {' '.join(part for part in (error.context, error.problem) if part) or 'syntax error'}."


def _starts_with_tab(text: str | bytes, line: int, column: int) -> bool:
    """Whether a tab stands where the parser stopped, or before it as the line's indent: it names no character."""
    lines = (text if isinstance(text, str) else text.decode("utf-8", "replace")).splitlines()
    found = lines[line] if line < len(lines) else ""
    return found[column : column + 1] == "\t" or ("\t" in found[:column] and not found[:column].strip())


def _resolve_as_python(text: str) -> Any:
    """The value of a plain scalar as PyYAML reads it; a date stays a text. Raises ValueError."""
    loader = yaml.SafeLoader("")
    try:
        tag = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        value = loader.construct_object(yaml.ScalarNode(tag, text))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    finally:
        loader.dispose()
    return value if value is None or isinstance(value, bool | int | float | str) else text


class _Builder:
    """Builds values from parser events without recursion."""

    def __init__(self, source: str, resolve: Callable[[str], Any]) -> None:
        self.source = source
        self.resolve = resolve
        self.documents: list[Any] = []
        self.stack: list[Any] = []
        self.keys: list[str | None] = []

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._open(event, {} if kind is yaml.MappingStartEvent else [])
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close()
        elif kind is yaml.AliasEvent:
            raise self._error(event, f"alias *{event.anchor} not allowed; write the value out")

    def _error(self, event: Any, message: str) -> InvalidDocument:
        mark = event.start_mark
        return InvalidDocument(f"{self.source}:{mark.line + 1}:{mark.column + 1}: {message}")

    def _open(self, event: Any, value: Any) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise self._error(event, f"nested deeper than {MAX_DEPTH} levels")
        if event.tag and event.tag not in ("!", _STANDARD + "map", _STANDARD + "seq"):
            raise self._error(event, f"tag {event.tag} not allowed")
        if self._awaits_key():
            raise self._error(event, "a key must be a text, not a list or a map")
        self.stack.append(value)
        self.keys.append(None)

    def _close(self) -> None:
        value = self.stack.pop()
        self.keys.pop()
        self._add(value)

    def _awaits_key(self) -> bool:
        return bool(self.stack) and type(self.stack[-1]) is dict and self.keys[-1] is None

    def _scalar(self, event: Any) -> None:
        value = self._value(event)
        if not self._awaits_key():
            self._add(value)
            return
        key = value if isinstance(value, str) else json.dumps(value)
        if key == "<<" and event.implicit[0]:
            raise self._error(event, "merge key << not allowed; write the fields out")
        if key in self.stack[-1]:
            raise self._error(event, f"duplicate key {key!r}")
        self.keys[-1] = key

    def _add(self, value: Any) -> None:
        if not self.stack:
            if value is not None:
                self.documents.append(value)
        elif type(self.stack[-1]) is dict:
            key = self.keys[-1]
            assert key is not None
            self.stack[-1][key] = value
            self.keys[-1] = None
        else:
            self.stack[-1].append(value)

    def _value(self, event: Any) -> Any:
        text: str = event.value
        if event.tag is None or event.tag == "!":
            plain = event.implicit[0] and event.tag is None
            return self._resolved(event, text) if plain else text
        return self._tagged(event, event.tag.removeprefix(_STANDARD), text)

    def _resolved(self, event: Any, text: str) -> Any:
        try:
            return self.resolve(text)
        except ValueError as error:
            raise self._error(event, str(error)) from None

    def _tagged(self, event: Any, tag: str, text: str) -> Any:
        kinds: dict[str, Any] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}
        if tag in ("str", "timestamp"):
            return text
        value = self._resolved(event, text)
        if tag not in kinds or not isinstance(value, kinds[tag]):
            raise self._error(event, f"tag {event.tag} not allowed here")
        return value
