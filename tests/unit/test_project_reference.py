"""`docs/reference/`: pages that the code states are what the code states, and the glossary knows the code's words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tools.reference import pages

from penstock import errors, ports, settings
from penstock.outputs import ErrorView, View

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", pages())
def test_a_page_is_what_the_code_states(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "write it: python -m tools.reference"


def test_every_setting_and_every_error_is_there() -> None:
    for name in settings.NAMES:
        assert f"\n| `{name}` |" in pages()["settings.md"]
    for name in errors.__all__:
        assert f"`{name}` |" in pages()["errors.md"]


def terms() -> list[str]:
    return re.findall(r"^\| \*\*(.+?)\*\* \|", (FOLDER / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_glossary_is_sorted_and_names_each_term_once() -> None:
    assert terms() == sorted(set(terms()), key=str.lower)


@pytest.mark.parametrize("kind", [ports.Experiment, ports.Pipeline, ports.PipelineVersion, ports.Run, ports.Metric])
def test_the_glossary_has_what_is_stored(kind: type) -> None:
    assert re.sub(r"(?<!^)([A-Z])", r" \1", kind.__name__).lower() in terms()


def test_the_glossary_has_every_kind_of_view() -> None:
    text = (FOLDER / "glossary.md").read_text(encoding="utf-8")
    for kind in View.__subclasses__():
        if kind is not ErrorView:
            assert f"`{kind.__struct_config__.tag}`" in text
