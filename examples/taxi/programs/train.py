"""Trains a network with one hidden layer; the model's folder holds all that is needed to use it."""

import argparse
import shutil
import time
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier

BATCH = 64
TOLD = 20
"""How often progress is told."""


def main():
    """Train, telling how it goes, and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transformed-data-dir", type=Path, required=True)
    parser.add_argument("--learning-rate", type=float, default=0.002)
    parser.add_argument("--hidden-layer-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--job-dir", type=Path, required=True)
    args = parser.parse_args()
    train, evaluation = (dict(np.load(args.transformed_data_dir / f"{n}.npz")) for n in ("train", "eval"))
    model = MLPClassifier([args.hidden_layer_size], learning_rate_init=args.learning_rate, random_state=0)
    fit(model, train, evaluation, args.steps)
    save(model, args.transformed_data_dir, args.job_dir)


def fit(model, train, evaluation, steps):
    """`steps` batches, drawn at random."""
    dice, begin = np.random.default_rng(0), time.monotonic()
    for step in range(1, steps + 1):
        rows = dice.integers(0, len(train["y"]), BATCH)
        model.partial_fit(train["x"][rows], train["y"][rows], classes=[0, 1])
        if step % max(1, steps // TOLD) == 0 or step == steps:
            accuracy = model.score(evaluation["x"], evaluation["y"])
            print(
                f"step \x1b[1m{step:5}\x1b[0m/{steps}  loss {model.loss_:.4f}  "
                f"\x1b[36maccuracy {accuracy:.4f}\x1b[0m  {time.monotonic() - begin:.1f} s",
                flush=True,
            )


def save(model, transformed, folder):
    """Weights, features and the preprocessing module."""
    folder.mkdir(parents=True)
    weights = {f"weight{i}": w for i, w in enumerate(model.coefs_)}
    offsets = {f"offset{i}": b for i, b in enumerate(model.intercepts_)}
    np.savez(folder / "weights.npz", **weights, **offsets)
    for name in ("features.json", "preprocessing.py"):
        shutil.copyfile(transformed / name, folder / name)


if __name__ == "__main__":
    main()
