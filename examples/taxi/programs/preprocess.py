"""Turns rides into numbers, for training and for judging."""

import argparse
import json
import types
from pathlib import Path

import common
import numpy as np


def module_of(source):
    """The preprocessing module, from its text."""
    module = types.ModuleType("preprocessing")
    exec(compile(source, "preprocessing.py", "exec"), module.__dict__)
    return module


def main():
    """Fit on the training rides, transform both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("train", "eval", "column-names", "schema", "preprocessing-module", "target", "output"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    source = common.read_text(args.preprocessing_module)
    module, names = module_of(source), common.read_json(args.column_names)
    train, evaluation = common.read_columns(args.train, names), common.read_columns(args.eval, names)
    state = module.fit(train, common.read_json(args.schema), args.target)

    output = Path(args.output)
    output.mkdir(parents=True)
    for name, columns in (("train", train), ("eval", evaluation)):
        x, y = module.transform(columns, state), module.label(columns, args.target)
        np.savez(output / f"{name}.npz", x=x, y=y)
        print(f"{name}: {x.shape[0]:,} rides, {x.shape[1]} features, {y.mean():.1%} tipped well")
    (output / "features.json").write_text(json.dumps(state), encoding="utf-8")
    (output / "preprocessing.py").write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main()
