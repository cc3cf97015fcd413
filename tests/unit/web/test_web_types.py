"""The page's types (`web/src/api.ts`) agree with the server's OpenAPI document, and those of views with `outputs`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock import outputs
from penstock.server.application import ROUTES
from penstock.server.openapi import document

SOURCE = (Path(__file__).parents[3] / "web" / "src" / "api.ts").read_text(encoding="utf-8")
INTERFACE = re.compile(r"^export interface (\w+)(?: extends \w+)? \{(.*?)\}$", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"(\w+)(\?)?: ([^;]+?)\s*(?:;|$)")
ALIASES = dict(re.findall(r"^export type (\w+) = ([^;]+);$", SOURCE, re.MULTILINE))
INTERFACES = {name: FIELD.findall(body) for name, body in INTERFACE.findall(SOURCE)}

_VIEWS = [getattr(outputs, name) for name in outputs.__all__ if name.endswith("View") and name != "View"]
SCHEMAS: Mapping[str, Any] = {
    **msgspec.json.schema_components(_VIEWS, ref_template="#/components/schemas/{name}")[1],
    **document(ROUTES)["components"]["schemas"],
}


def kinds(schema: Mapping[str, Any]) -> set[str]:
    """The JSON kinds that a schema allows."""
    if "$ref" in schema:
        return kinds(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return set().union(*map(kinds, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return {"string"}
    kind = schema.get("type")
    return {"number" if kind == "integer" else kind} if kind else set()


def typed(text: str) -> set[str]:
    """The JSON kinds of a TypeScript type; an empty set for one that may be anything."""
    text = text.strip()
    if text.endswith("]"):
        return {"array"}
    if text.startswith("Record<") or text in INTERFACES:
        return {"object"}
    if "|" in text:
        return set().union(*map(typed, text.split("|")))
    if text in ALIASES:
        return typed(ALIASES[text])
    if text == "unknown":
        return set()
    return {"string"} if text.startswith('"') else {text}


def test_there_is_much_to_compare() -> None:
    assert len(INTERFACES) > 20
    assert sum(map(len, INTERFACES.values())) > 100


@pytest.mark.parametrize("name", [name for name in INTERFACES if name != "ViewBase"])
def test_the_page_knows_a_shape_as_the_server_sends_it(name: str) -> None:
    properties = SCHEMAS[name]["properties"]
    for field, optional, text in INTERFACES[name]:
        assert field in properties, f"{name}.{field}: the server sends {sorted(properties)}"
        wanted, sent = typed(text), kinds(properties[field])
        # What is null by default is left out.
        allowed = sent - {"null"} if optional and "null" not in wanted else sent
        assert not wanted or not allowed or wanted == allowed, f"{name}.{field}: {text} here, {properties[field]} there"


def test_every_kind_of_view_is_known() -> None:
    known = set(re.findall(r'kind: "([\w-]+)"', SOURCE))
    assert known == {view.__struct_config__.tag for view in _VIEWS}


def test_phases_and_states_are_known() -> None:
    from penstock.ports import RunState
    from penstock.workflow.status import Phase

    assert set(re.findall(r'"(\w+)"', ALIASES["Phase"])) == set(Phase)
    assert set(re.findall(r'"(\w+)"', ALIASES["RunState"])) == set(RunState)
