"""Counts how often each answer was right."""

from collections import Counter

import common
import predictions

LABELS = ["no", "yes"]


def main():
    """Count, show, report."""
    targets, answers, _ = predictions.read(__doc__)
    counts = Counter(zip(targets, answers, strict=True))
    rows = [[LABELS[t], LABELS[p], counts[t, p]] for t in (0, 1) for p in (0, 1)]
    print(common.csv_text(rows))
    schema = [{"name": "tipped well", "type": "CATEGORY"}, {"name": "predicted", "type": "CATEGORY"},
              {"name": "count", "type": "NUMBER"}]  # fmt: skip
    common.show({"type": "confusion_matrix", "title": "Tips as they were and as predicted", "storage": "inline",
                "format": "csv", "labels": LABELS, "schema": schema, "source": common.csv_text(rows)})  # fmt: skip
    common.report("accuracy", (counts[0, 0] + counts[1, 1]) / len(targets), "PERCENTAGE")


if __name__ == "__main__":
    main()
