"""The notebook runs from top to bottom, and draws what came out."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest
from running import EXAMPLES

from commandline import PATIENCE, Rig

NOTEBOOK = EXAMPLES / "taxi.ipynb"


@pytest.fixture(name="served")
def _served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A server of a home that the notebook finds."""
    rig = Rig(tmp_path / "home", tmp_path)
    with rig.start("up", "--port", "0", "--images", EXAMPLES / "taxi" / "images.toml") as server:
        server.until("Log in, once: ")
        monkeypatch.setenv("PENSTOCK_HOME", str(rig.home))
        yield rig


@pytest.fixture(name="pages")
def _pages(monkeypatch: pytest.MonkeyPatch) -> Queue[str]:
    """Stands for IPython: what is displayed, and what takes its place."""
    pages: Queue[str] = Queue()
    shown = SimpleNamespace(update=pages.put)
    module: Any = SimpleNamespace(HTML=str, display=lambda page, display_id: (pages.put(page), shown)[1])
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return pages


def value_of(source: str, names: dict[str, Any]) -> Any:
    """Execute a cell as notebooks do: the value of its last line, where that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(NOTEBOOK), "exec"), names)
    return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names) if last is not None else None


@pytest.mark.slow
def test_the_notebook_of_taxis_runs_from_top_to_bottom(
    served: Rig, pages: Queue[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(EXAMPLES)
    # Nothing of the examples that other tests loaded into this process.
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if not Path(folder, "pipeline.py").exists()])
    monkeypatch.delitem(sys.modules, "pipeline", raising=False)
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    names: dict[str, Any] = {"__name__": "__main__"}
    values = []
    try:
        for cell in cells:
            if cell["cell_type"] == "code":
                values.append(value_of("".join(cell["source"]), names))
                if hasattr(values[-1], "_ipython_display_"):
                    values[-1]._ipython_display_()
        page = ""
        while "SUCCEEDED" not in page:
            page = pages.get(timeout=PATIENCE)
    finally:
        sys.modules.pop("pipeline", None)
        names["client"].close()
    _, _, state, metrics, views, columns, _ = values

    assert state == "SUCCEEDED"
    assert metrics["accuracy"] > 0.7
    assert metrics["auc"] > 0.7
    assert len(columns) > 0
    assert all(f">{step}</td>" in page for step in ("validation", "training", "roc"))
    drawn = views._repr_html_()
    assert drawn.count("<svg ") == 1
    assert "roc: ROC of tips" in drawn
    assert drawn.count("<table>") == 2
    assert capsys.readouterr().out.strip()
    # For whoever wants to look at the pictures.
    (served.folder / "pictures.html").write_text(page + drawn, encoding="utf-8")


def test_the_notebook_holds_no_results() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(not cell.get("outputs") for cell in cells)
