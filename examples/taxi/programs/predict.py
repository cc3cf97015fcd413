"""Lets a trained model judge rides that it has not seen."""

import argparse
import csv
import json
from pathlib import Path

import common
import numpy as np
from preprocess import module_of

COLUMNS = ["row", "target", "predicted", "score"]


def main():
    """Read rides and model, write the predictions."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "column-names", "target"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    columns = common.read_columns(args.data, common.read_json(args.column_names))
    module = module_of((args.model / "preprocessing.py").read_text(encoding="utf-8"))
    state = json.loads((args.model / "features.json").read_text(encoding="utf-8"))
    scores = forward(np.load(args.model / "weights.npz"), module.transform(columns, state))
    write(args.output, module.label(columns, args.target), scores)


def forward(weights, x):
    """The network's score of each row, from 0 to 1."""
    hidden = np.maximum(x @ weights["weight0"] + weights["offset0"], 0)
    return 1 / (1 + np.exp(-(hidden @ weights["weight1"] + weights["offset1"])[:, 0]))


def write(folder, targets, scores):
    """The predictions and the names of their columns."""
    folder.mkdir(parents=True)
    with open(folder / "predictions.csv", "w", newline="", encoding="utf-8") as file:
        rows = enumerate(zip(targets, scores, strict=True))
        csv.writer(file).writerows([i, int(t), int(s > 0.5), f"{s:.6f}"] for i, (t, s) in rows)
    (folder / "schema.json").write_text(json.dumps(COLUMNS), encoding="utf-8")
    print(f"{len(scores):,} rides judged, {np.mean(scores > 0.5):.1%} expected to tip well")


if __name__ == "__main__":
    main()
