"""Draws what each threshold would have cost."""

import common
import predictions
from sklearn.metrics import roc_auc_score, roc_curve

KEPT = 200
"""How many points of the curve are kept."""


def main():
    """Compute, show, report."""
    targets, _, scores = predictions.read(__doc__)
    points = list(zip(*roc_curve(targets, scores), strict=True))
    kept = [points[i * (len(points) - 1) // (KEPT - 1)] for i in range(KEPT)] if len(points) > KEPT else points
    area = roc_auc_score(targets, scores)
    print(f"area under the curve: {area:.4f}")
    schema = [{"name": name, "type": "NUMBER"} for name in ("fpr", "tpr", "thresholds")]
    common.show({"type": "roc", "title": "ROC of tips", "storage": "inline", "format": "csv", "schema": schema,
                "source": common.csv_text([f"{value:.6f}" for value in point] for point in kept)})  # fmt: skip
    common.report("auc", area, "RAW")


if __name__ == "__main__":
    main()
