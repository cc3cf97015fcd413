"""What notebooks show of a run: a page of its steps, which follows it to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from html import escape
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.workflow.status import Node

__all__ = ["page_of", "show", "steps_page"]

_PAUSE = 0.3
"""Seconds between two changes of what is shown."""

_COLOURS = {"Succeeded": "#2e7d32", "Failed": "#c62828", "Error": "#c62828", "Running": "#1565c0"}


def page_of(client: Any, run_id: str) -> str:
    """The run as it stands, as HTML: its state, its steps, its metrics, and where the server's page shows it."""
    run = client.get_run(run_id)
    metrics = [(metric.name, "NaN" if metric.value is None else f"{metric.value:g}") for metric in run.metrics]
    address = f"{client.host}/runs/{run_id}"
    return steps_page(run.display_name, run.state, client.get_run_nodes(run_id), metrics, address)


def steps_page(
    name: str, state: str, nodes: Iterable[Node], metrics: Iterable[tuple[str, str]] = (), address: str = ""
) -> str:
    """The steps of a run as HTML. The texts may be anything."""
    title = f'<a href="{escape(address)}" target="_blank">{escape(name)}</a>' if address else escape(name)
    rows = "".join(_row(node) for node in nodes if node.type in ("Pod", "Skipped"))
    told = "".join(f"<li>{escape(metric)} = {escape(value)}</li>" for metric, value in metrics)
    listed = f"<ul>{told}</ul>" if told else ""
    return f"<div><b>{title}</b>: {escape(state)}<table>{rows}</table>{listed}</div>"


def _row(node: Node) -> str:
    phase = node.phase.value
    colour = _COLOURS.get(phase, "#757575")
    began, ended = node.started_at, node.finished_at
    took = f"{ended - began:.1f} s" if began and ended else ""
    cells = (node.display_name, phase, took, node.message)
    return "<tr>" + "".join(f'<td style="color:{colour}">{escape(cell)}</td>' for cell in cells) + "</tr>"


def show(page: Callable[[], str], events: Iterator[Any]) -> None:
    """Show `page()` in a notebook, again whenever something has happened, until `events` end."""
    # Every notebook has it; nothing else of Penstock needs it.
    ipython = import_module("IPython.display")
    shown = ipython.display(ipython.HTML(page()), display_id=True)

    def follow() -> None:
        last = 0.0
        for _ in events:
            if time.monotonic() - last >= _PAUSE:
                shown.update(ipython.HTML(page()))
                last = time.monotonic()
        shown.update(ipython.HTML(page()))

    Thread(target=follow, name="penstock-notebook", daemon=True).start()
