"""`{{tags}}`: replacement over the JSON text of a document's part, by Argo's rules.

A tag begins at `{{` and ends at the first `}}` after it; its name is trimmed and looked up as one flat key, or, behind
`=`, it is an expression. A value is escaped and laid inside the JSON string around the tag, so it can break nothing. A
key that is not known, or an expression that cannot be evaluated yet, stays as it is, so that a later round, or the step
itself, can have it. Of nested tags the inner one is resolved first. (Argo: `util/template`.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, cast

from penstock.workflow import gojson
from penstock.workflow.expressions import (
    ExpressionError,
    Flat,
    TooMuch,
    Variables,
    evaluate,
    known_function,
    names,
    parse,
)

__all__ = [
    "ABSENT",
    "MAX_NESTING",
    "AbsentOptional",
    "Scope",
    "Unresolved",
    "escape",
    "known",
    "nesting",
    "replace",
    "strings",
    "tags",
]


class Scope(Protocol):
    """Values by tag name. None: an output that is absent, since its producer was skipped or omitted."""

    def __contains__(self, name: object, /) -> bool: ...
    def __getitem__(self, name: str, /) -> str | None: ...


ABSENT = None
"""Value of an output of a skipped or omitted producer that has no default."""

_KNOWN = re.compile(
    r"=|item(\.|\Z)|inputs\.(parameters(\.|\Z)|artifacts\.)|outputs\.(parameters|artifacts)\.|(tasks|steps)\."
    r"|(pod|node)\.name\Z|retries\Z|lastRetry\."
    r"|workflow\.(name|namespace|uid|mainEntrypoint|serviceAccountName|priority|status|failures|duration)\Z"
    r"|workflow\.(parameters|labels|annotations)(\.|\Z)|workflow\.(creationTimestamp|scheduledTime)(\.|\Z)"
    r"|workflow\.outputs\.(parameters|artifacts)\."
)


class Unresolved(Exception):
    """A tag that must be known by now is not. `str(error)` is Argo's message."""


class AbsentOptional(Exception):
    """A tag stands for an output that its producer never made. `str(error)` is Argo's message."""


def known(tag: str) -> bool:
    """True when `tag` (without braces) is spelt as one that Argo replaces."""
    return _KNOWN.match(tag.strip() if not tag.startswith("=") else tag) is not None


def tags(text: str) -> Iterator[tuple[int, str]]:
    """(position of `{{`, what stands between the braces) of every tag in `text`."""
    start = text.find("{{")
    while start >= 0:
        end = text.find("}}", start + 2)
        if end < 0:
            return
        yield start, text[start + 2 : end]
        start = text.find("{{", end + 2)


MAX_NESTING = 10
"""Deepest nesting of tags."""

_BRACES = re.compile(r"\{\{|\}\}")


def nesting(text: str) -> int:
    """How deep tags lie in one another in `text`: 1 where none lies in another, 0 without any."""
    deepest = depth = 0
    for brace in _BRACES.finditer(text):
        depth = depth + 1 if brace.group() == "{{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every text in a JSON-able value that holds `{{`, keys of maps included."""
    if isinstance(value, str):
        if "{{" in value:
            yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if "{{" in key:
                yield path, key
            yield from strings(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from strings(item, f"{path}[{index}]")


def escape(value: str) -> str:
    """`value` as it stands inside a JSON string."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def replace(text: str, scope: Scope, *, strict: tuple[str, ...] = ()) -> str:
    """`text` (JSON) with every known tag replaced.

    `strict` are beginnings of names that must be known, artifacts aside. Raises Unresolved and AbsentOptional.
    """
    if "{{" not in text:
        return text
    return _parts(text, lambda tag: (_expression if tag.startswith("=") else _simple)(tag, scope, strict))


def _parts(text: str, value: Callable[[str], str]) -> str:
    parts, last = [], 0
    for start, tag in tags(text):
        parts.append(text[last:start])
        parts.append(value(tag))
        last = start + len(tag) + 4
    parts.append(text[last:])
    return "".join(parts)


_LATE = frozenset(
    [
        "item",
        "retries",
        *(f"lastRetry.{name}" for name in ("exitCode", "status", "duration", "message")),
        *("workflow.status", "workflow.failures"),
    ]
)
"""Variables for which an expression waits, even where it could do without them (as on the left of `??`)."""


def _expression(tag: str, scope: Scope, strict: tuple[str, ...]) -> str:
    variables = Flat(scope) if isinstance(scope, Mapping) else cast(Variables, scope)
    missing: list[str] = []
    try:
        source = json.loads(f'"{tag[1:]}"')
        missing += [name for name in names(parse(source)) if not _has(variables, name)]
        needed = [name for name in missing if strict and name.startswith(strict)]
        if needed:
            raise Unresolved(f"failed to evaluate expression: {needed[0]} is missing")
        value = None if _LATE & set(missing) else evaluate(source, variables)
        if value is not None:
            return escape(value if isinstance(value, str) else gojson.dumps(value))
        problem = f'failed to evaluate expression "{source}"'
    except TooMuch as error:
        raise Unresolved(f"failed to evaluate expression: {error}") from None
    except (ExpressionError, ValueError) as error:
        problem = f"failed to evaluate expression: {error}"
    if strict and not missing:
        raise Unresolved(problem)
    return "{{" + tag + "}}"


def _has(variables: Variables, name: str) -> bool:
    return name in variables or known_function(name) or variables.within(name) is not None


def _simple(tag: str, scope: Scope, strict: tuple[str, ...]) -> str:
    name = tag.strip()
    if name in scope:
        found = scope[name]
        if found is None:
            raise AbsentOptional(
                f"unable to substitute {{{{{tag}}}}}: output is an absent optional "
                "(skipped/omitted node with no default)"
            )
        return escape(found)
    return _nested(tag, scope) or _unknown(tag, name, strict)


def _nested(tag: str, scope: Scope) -> str:
    index = tag.rfind("{{")
    inner = tag[index + 2 :]
    if index <= 0 or inner not in scope:
        return ""
    found = scope[inner]
    if found is None:
        raise AbsentOptional(f'unable to substitute nested tag {{{{{tag}}}}}: "{inner}" is an absent optional')
    # The braces that end the outer tag still stand in the text behind.
    return "{{" + tag[:index] + escape(found)


def _unknown(tag: str, name: str, strict: tuple[str, ...]) -> str:
    if strict and name.startswith(strict) and ".outputs.artifacts." not in name:
        raise Unresolved(f"failed to resolve {{{{{tag}}}}}")
    return "{{" + tag + "}}"
