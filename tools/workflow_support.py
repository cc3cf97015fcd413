"""Write `docs/reference/workflow-support.md` from the table that also checks documents.

python -m tools.workflow_support
"""

from __future__ import annotations

from pathlib import Path

from penstock.workflow.fields import TABLE, Field, Support

__all__ = ["PAGE", "markdown"]

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "workflow-support.md"

_HEAD = """\
# Fields of a Workflow

What the embedded engine does with each field of an Argo `Workflow` (`argoproj.io/v1alpha1`, Argo 4.1.2).

- *Supported*: as Argo does it.
- *Without effect*: accepted, and said in an event of the run.
- *Refused*: the document is not run; the error names the field's path. An empty value of such a field passes.

A field that is not listed is unknown to Argo, and an error too.

This page is written by `python -m tools.workflow_support` from the table that also checks documents.
"""


def markdown() -> str:
    """The text of the page."""
    return _HEAD + "".join(_section(kind) for kind in TABLE)


def _section(kind: str) -> str:
    rows = "".join(_row(name, field) for name, field in sorted(TABLE[kind].items()))
    return f"\n## {kind}\n\n| field | type | support | remark |\n|---|---|---|---|\n{rows}"


def _row(name: str, field: Field) -> str:
    kind = field.kind if field.support is Support.SUPPORTED else ""
    cells = (f"`{name}`", kind, str(field.support), field.remark.replace("|", "\\|"))
    return f"| {' | '.join(cells)} |".replace("|  |", "| |") + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(markdown(), encoding="utf-8")
