"""Every code block of the tutorial, the how-to pages and the README is done, and shows what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import FENCE, Block, Session, blocks, commands, differs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("tutorial/*.md"), *DOCS.glob("how-to/*.md"), ROOT / "README.md"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    extra = {"PENSTOCK_DATABASE": request.getfixturevalue("postgresql_url")} if page.stem == "postgresql" else {}
    with Session(tmp_path, extra) as session:
        for block in blocks(page.read_text()):
            session.do(block)


def test_the_tutorial_leaves_no_block_for_reading_alone() -> None:
    for page in DOCS.glob("tutorial/*.md"):
        assert [block.line for block in blocks(page.read_text()) if block.skipped] == [], page


PAGE = """
Text.

```python title="a.py"
print("b")
```

```console
$ python a.py
b
$ python -c "import sys; sys.exit('12:00:00 late after 0.5 s')"
23:59:59 late after 1 min 12 s
$ echo $?
1
```

<!-- not run: it takes a night -->

```console
$ sleep 30000
```
"""


def test_blocks_are_found_with_their_lines_titles_and_languages() -> None:
    assert [(b.line, b.language, b.title, b.skipped) for b in blocks(PAGE)] == [
        (4, "python", "a.py", False),
        (8, "console", "", False),
        (19, "console", "", True),
    ]


def test_a_page_is_done_block_by_block(tmp_path: Path) -> None:
    with Session(tmp_path) as session:
        for block in blocks(PAGE):
            session.do(block)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$ python -c 'print(1)'\n2\n", "printed:\n1"),
        ("$ python -c 'raise SystemExit(3)'\n", "exit code 3"),
        ("$ python -c 'raise SystemExit(3)'\n$ echo $?\n4\n", "exit code 3"),
    ],
)
def test_what_differs_from_a_page_is_told(tmp_path: Path, text: str, said: str) -> None:
    with Session(tmp_path) as session, pytest.raises(AssertionError, match=said):
        session.do(Block(1, "console", "", False, text))


def test_a_block_that_nobody_would_run_is_a_mistake(tmp_path: Path) -> None:
    with Session(tmp_path) as session, pytest.raises(AssertionError, match="has no title"):
        session.do(Block(1, "python", "", False, "1 / 0\n"))


@pytest.mark.parametrize(
    ("shown", "got", "same"),
    [
        (["a … d"], ["a b c d"], True),
        (["a", "…", "d"], ["a", "d"], True),
        (["a", "…", "d"], ["a", "b", "c", "d"], True),
        (["a", "…", "d"], ["a", "b"], False),
        (["hello-786kf  Running"], ["hello-c2d5x Running"], True),
        (["hello-world"], ["hello-there"], False),
        (["a.b"], ["acb"], False),
        ([], ["a"], False),
    ],
)
def test_shown_and_printed_lines_are_compared(shown: list[str], got: list[str], same: bool) -> None:
    assert (differs(shown, got) == "") is same


def test_commands_are_lists_of_words() -> None:
    (command,) = commands("$ penstock run 'a b.py' &\nshown\n")
    assert (command.words, command.shown, command.background) == (["penstock", "run", "a b.py"], ["shown"], True)


def test_the_navigation_names_every_page_and_no_other() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    named = re.findall(r"- ([\w/.-]+\.md)$", navigation, re.M)
    assert sorted(named) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


@pytest.mark.parametrize(
    "page", [*DOCS.rglob("*.md"), *ROOT.glob("*.md")], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    prose = FENCE.sub("", page.read_text())
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
