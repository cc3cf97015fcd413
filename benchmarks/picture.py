"""The picture of `docs/explanation/performance.md`: what a step costs, on a scale of powers of ten."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median
from xml.sax.saxutils import escape

from benchmarks.report import Result

__all__ = ["picture"]

WIDTH, LEFT, RIGHT = 760, 150, 70
BAR, GAP, HEAD = 20, 6, 34
LOWEST = 1.0
"""Milliseconds at which bars begin."""
COLOURS = {"Penstock": "#0d9488", "kfp": "#d97706", "snakemake": "#7c6ee6"}
# Greys and colours that stand out on white and on black: a picture does not learn which of the two the page has chosen.
TEXT, FAINT = "#747f8c", "#747f8c55"


@dataclass(frozen=True, slots=True)
class _Bar:
    name: str
    value: float


def picture(results: Collection[Result]) -> str:
    """SVG: for each result with peers, milliseconds a step of Penstock and of them."""
    groups = [(_title(result), _bars(result)) for result in results if result.steps]
    longest = max((bar.value for _, bars in groups for bar in bars), default=10.0)
    decades = math.ceil(math.log10(max(longest, 10.0) / LOWEST))
    parts, top = list[str](), 10
    for title, bars in groups:
        parts.append(_text(0, top + 18, title, weight=600))
        top += HEAD
        for bar in bars:
            parts += _drawn(bar, top, decades)
            top += BAR + GAP
        top += GAP
    lines = [_line(number, decades, top) for number in range(decades + 1)]
    body = "\n".join([*lines, *parts])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 30}" font-family="system-ui, sans-serif" '
        f'font-size="13" role="img" aria-label="{escape(_told(groups), {chr(34): "&quot;"})}">\n{body}\n</svg>\n'
    )


def _title(result: Result) -> str:
    title = result.work.removesuffix(", a step")
    return title[:1].upper() + title[1:]


def _bars(result: Result) -> list[_Bar]:
    scale = {"s": 1000.0, "ms": 1.0}[result.unit] / result.steps
    own = _Bar("Penstock", median(result.values) * scale)
    return [own, *(_Bar(peer.name, median(peer.values) * scale) for peer in result.peers)]


def _place(value: float, decades: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log10(max(value, LOWEST) / LOWEST) / decades


def _drawn(bar: _Bar, top: float, decades: int) -> list[str]:
    end = _place(bar.value, decades)
    colour = next((colour for name, colour in COLOURS.items() if bar.name.startswith(name)), TEXT)
    shape = f'<rect x="{LEFT}" y="{top}" width="{max(end - LEFT, 1):.1f}" height="{BAR}" rx="3" fill="{colour}"/>'
    middle = top + BAR * 0.7
    value = f"{bar.value:.1f} ms" if bar.value < 10 else f"{bar.value:.0f} ms"
    return [_text(LEFT - 8, middle, bar.name, anchor="end"), shape, _text(end + 6, middle, value)]


def _line(number: int, decades: int, bottom: float) -> str:
    value = LOWEST * 10**number
    x = _place(value, decades)
    mark = f'<line x1="{x:.1f}" y1="36" x2="{x:.1f}" y2="{bottom}" stroke="{FAINT}"/>'
    return mark + _text(x, bottom + 18, f"{value:g} ms a step" if not number else f"{value:g}", anchor="middle")


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: int = 400) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{TEXT}" font-weight="{weight}">{escape(text)}</text>'


def _told(groups: Sequence[tuple[str, Sequence[_Bar]]]) -> str:
    """The same in words, for who does not see it."""
    told = [f"{title}: " + ", ".join(f"{bar.name} {bar.value:.1f}" for bar in bars) for title, bars in groups]
    return "Milliseconds a step. " + "; ".join(told)
