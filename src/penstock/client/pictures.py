"""What steps show, as a notebook draws it: curves, matrices, tables, texts, pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["Views"]

View = Mapping[str, Any]

_SIZE = 240
_ROWS = 100
"""Most rows of a table that are drawn."""


class Views(tuple[View, ...]):
    """What the steps of a run show, each by its `kind`; a notebook draws them."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return "".join(
            f"<div><b>{_text(each, 'step')}: {_text(each, 'title')}</b>{_drawn(each)}</div>" for each in self
        )


def _drawn(view: View) -> str:
    return _KINDS.get(view["kind"], _unknown)(view)


def _text(view: View, field: str) -> str:
    return escape(str(view.get(field, "")))


def _roc(view: View) -> str:
    points = " ".join(f"{point[0] * _SIZE:.1f},{(1 - point[1]) * _SIZE:.1f}" for point in view["points"])
    frame = f'<rect width="{_SIZE}" height="{_SIZE}" fill="none" stroke="#9e9e9e"/>'
    guess = f'<line x1="0" y1="{_SIZE}" x2="{_SIZE}" y2="0" stroke="#9e9e9e" stroke-dasharray="4"/>'
    curve = f'<polyline points="{points}" fill="none" stroke="#1565c0" stroke-width="2"/>'
    box = f'width="{_SIZE}" height="{_SIZE}" viewBox="-1 -1 {_SIZE + 2} {_SIZE + 2}"'
    return f"<br><svg {box}>{frame}{guess}{curve}</svg><br>area {view['area']:.3f}"


def _matrix(view: View) -> str:
    most = max((number for row in view["matrix"] for number in row), default=0) or 1
    rows = [
        _cells([escape(label)], "th") + "".join(_shaded(number, number / most) for number in row)
        for label, row in zip(view["labels"], view["matrix"], strict=True)
    ]
    head = _cells(
        [f"{_text(view, 'target_name')} \\ {_text(view, 'predicted_name')}", *map(escape, view["labels"])], "th"
    )
    return _table([head, *rows])


def _shaded(number: float, share: float) -> str:
    colour = f"rgba(21, 101, 192, {share:.2f}); color: {'white' if share > 0.5 else 'inherit'}"
    return f'<td style="background: {colour}">{number:g}</td>'


def _rows(view: View) -> str:
    rows: Sequence[Sequence[str]] = view["rows"][:_ROWS]
    more = len(view["rows"]) - len(rows)
    note = f"and {more:,} rows more" if more > 0 else ""
    return _table([_cells(map(escape, view["header"]), "th"), *(_cells(map(escape, row)) for row in rows)]) + note


def _cells(texts: Any, kind: str = "td") -> str:
    return "".join(f"<{kind}>{text}</{kind}>" for text in texts)


def _table(rows: Sequence[str]) -> str:
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _markdown(view: View) -> str:
    return f"<pre>{_text(view, 'text')}</pre>"


def _page(view: View) -> str:
    # Its scripts come from a step: they see nothing of the notebook.
    return f'<br><iframe sandbox="allow-scripts" width="100%" height="400" srcdoc="{_text(view, "html")}"></iframe>'


def _error(view: View) -> str:
    return f"<pre>{_text(view, 'message')}; expected {_text(view, 'expected')}</pre>"


def _unknown(view: View) -> str:
    return f"<pre>{escape(str(dict(view)))}</pre>"


_KINDS: Mapping[str, Callable[[View], str]] = {
    "roc": _roc,
    "confusion_matrix": _matrix,
    "table": _rows,
    "markdown": _markdown,
    "web-app": _page,
    "error": _error,
}
