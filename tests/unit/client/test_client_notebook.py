"""What notebooks show of a run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from penstock.client import Client
from penstock.client.notebook import show, steps_page
from penstock.client.pictures import Views
from penstock.errors import Final, InvalidInput
from penstock.workflow.status import Node, Phase


class Notebook:
    """Stands for IPython: remembers what is shown."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.last = threading.Event()

    def display(self, page: str, display_id: bool) -> Notebook:
        assert display_id
        self.pages.append(page)
        return self

    def update(self, page: str) -> None:
        self.pages.append(page)
        if "end" in page:
            self.last.set()


@pytest.fixture(name="notebook")
def _notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    notebook = Notebook()
    module: Any = ModuleType("IPython.display")
    module.HTML, module.display = str, notebook.display
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return notebook


def test_a_page_follows_the_run_to_its_end(notebook: Notebook) -> None:
    said = "begin"

    def events() -> Iterator[int]:
        nonlocal said
        yield 1
        said = "end"

    show(lambda: said, events())
    assert notebook.last.wait(60)
    assert notebook.pages[0] == "begin"
    assert notebook.pages[-1] == "end"


def node(**fields: Any) -> Node:
    """A step."""
    known = {"id": "1", "name": "n", "type": "Pod", "phase": Phase.SUCCEEDED, "display_name": "train"}
    return Node(**{**known, **fields})


def test_steps_are_told_and_texts_are_no_html() -> None:
    steps = [
        node(display_name="<b>x</b>", started_at=10.0, finished_at=12.5),
        node(phase=Phase.FAILED, message="a & b"),
        node(type="DAG", display_name="group"),
    ]
    page = steps_page("<run>", "FAILED", steps, [("auc", "0.5")], "http://h/runs/1?a=b&c")
    assert '<a href="http://h/runs/1?a=b&amp;c" target="_blank">&lt;run&gt;</a></b>: FAILED' in page
    assert page.count("<tr>") == 2
    assert ">&lt;b&gt;x&lt;/b&gt;</td>" in page
    assert ">2.5 s</td>" in page
    assert ">a &amp; b</td>" in page
    assert "<li>auc = 0.5</li>" in page
    assert "group" not in page


@pytest.mark.parametrize(
    "call", ["create_recurring_run", "get_recurring_run", "list_recurring_runs", "delete_job", "disable_job"]
)
def test_what_the_server_cannot_do_yet_is_refused(call: str) -> None:
    client = Client("http://127.0.0.1:1", "token")
    with pytest.raises(Final, match=f"{call}: the server has no recurring runs yet; `penstock recurring document FILE"):
        getattr(client, call)("x", cron="* * * * *")


def test_there_are_no_namespaces() -> None:
    client = Client("http://127.0.0.1:1", "token")
    client.set_user_namespace("")
    assert client.get_user_namespace() == ""
    with pytest.raises(InvalidInput, match="namespace: got 'team'; a Penstock server has no namespaces"):
        client.set_user_namespace("team")


def test_what_steps_show_is_drawn_and_its_texts_are_no_html() -> None:
    views = Views(
        [
            {"kind": "roc", "step": "s", "title": "<t>", "points": [(0, 0, None), (1, 1, 0)], "area": 0.5},
            {"kind": "confusion_matrix", "labels": ["<a>", "b"], "matrix": [[0, 0], [0, 0]]},
            {"kind": "table", "header": ["<h>"], "rows": [["<c>"]] * 101},
            {"kind": "markdown", "text": "<m>"},
            {"kind": "web-app", "html": '"><script>'},
            {"kind": "error", "message": "<e>", "expected": "<x>"},
            {"kind": "tensorboard", "source": "<s>"},
        ]
    )
    page = views._repr_html_()
    assert "<b>s: &lt;t&gt;</b>" in page
    assert 'points="0.0,240.0 240.0,0.0"' in page
    assert "area 0.500" in page
    assert "<tr><th>&lt;a&gt;</th><td" in page
    assert page.count("<td>&lt;c&gt;</td>") == 100
    assert "and 1 rows more" in page
    assert "<pre>&lt;m&gt;</pre>" in page
    assert 'sandbox="allow-scripts"' in page
    assert 'srcdoc="&quot;&gt;&lt;script&gt;"' in page
    assert "<pre>&lt;e&gt;; expected &lt;x&gt;</pre>" in page
    assert "&lt;s&gt;" in page
    assert "<script>" not in page
