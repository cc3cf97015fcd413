"""Reads what predict.py wrote."""

import argparse
import csv
import json
from pathlib import Path


def read(description):
    """The predictions that the command line names: lists of targets, answers and scores."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--predictions", type=Path, required=True)
    folder = parser.parse_args().predictions
    names = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    with open(folder / "predictions.csv", newline="", encoding="utf-8") as file:
        rows = [dict(zip(names, row, strict=True)) for row in csv.reader(file)]
    return [int(r["target"]) for r in rows], [int(r["predicted"]) for r in rows], [float(r["score"]) for r in rows]
