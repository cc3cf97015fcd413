"""Measure, print, and write the table and the picture of `docs/explanation/performance.md`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import FIGURES
from benchmarks.picture import picture
from benchmarks.report import Result, machine, table, update

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
DOCUMENT = ROOT / "docs" / "explanation" / "performance.md"
PICTURE = ROOT / "docs" / "assets" / "performance.svg"


def main() -> int:
    """Measure the figures that were named, else all; 1 where one misses its reach."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}; all by default")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured, at least 5 (default: 7)")
    options = parser.parse_args()
    unknown = set(options.names) - set(FIGURES)
    if unknown or options.rounds < 5:
        parser.error(f"unknown: {', '.join(sorted(unknown))}" if unknown else "--rounds: at least 5")
    # Without bytecode every start takes three times as long; nobody installs Penstock like that.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    results, missed = _earlier(), False
    for name in options.names or FIGURES:
        # What this figure measured before goes, though its rows be named otherwise now.
        results = {work: result for work, result in results.items() if result.figure not in ("", name)}
        for result in FIGURES[name](options.rounds):
            results[result.work] = replace(result, figure=name)
            missed = missed or not result.reached
            print(result.line(), flush=True)
        _store(results)
    return int(missed)


def _earlier() -> dict[str, Result]:
    """Results of figures that are not measured this time."""
    if not RESULTS.is_file():
        return {}
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {entry["work"]: Result.of(entry) for entry in stored["results"]}


def _store(results: dict[str, Result]) -> None:
    notes = machine()
    order = list(FIGURES)
    results = dict(sorted(results.items(), key=lambda item: order.index(item[1].figure)))
    content = {"machine": notes, "results": [result.as_dict() for result in results.values()]}
    RESULTS.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(update(text, table(results.values(), notes)), encoding="utf-8")
    PICTURE.write_text(picture(results.values()), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
