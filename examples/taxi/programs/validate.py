"""Infers a schema from one file of rides and holds another one to it."""

import argparse
import json
import statistics
from pathlib import Path

import common

MISSING = 0.05
"""How much larger a share of empty cells may be before it is told."""


def main():
    """Read, infer, compare, show."""
    args = arguments()
    names = common.read_json(args.column_names)
    seen = common.read_columns(args.csv_data_for_inference, names)
    new = common.read_columns(args.csv_data_to_validate, names)
    schema = [{"type": kind(name, seen[name], args), "name": name} for name in names]
    Path(args.output_schema).write_text(json.dumps(schema, indent=1), encoding="utf-8")
    anomalies = [text for column in schema for text in anomalies_of(column, seen, new)]
    print("\n".join(f"\x1b[33manomaly\x1b[0m {text}" for text in anomalies) or "\x1b[32mno anomalies\x1b[0m")
    common.show(statistics_view(schema, seen), anomalies_view(anomalies))


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("csv-data-for-inference", "csv-data-to-validate", "column-names", "output-schema"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--key-columns", default="")
    parser.add_argument("--category-columns", default="")
    return parser.parse_args()


def kind(name, values, args):
    """KEY, NUMBER or CATEGORY."""
    if name in args.key_columns.split(","):
        return "KEY"
    if name in args.category_columns.split(","):
        return "CATEGORY"
    return "NUMBER" if all(number(v) is not None for v in values if v) else "CATEGORY"


def number(text):
    """A cell's number, None where it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def anomalies_of(column, seen, new):
    """What the new file has in a column that the first one does not lead one to expect."""
    name, before, after = column["name"], seen[column["name"]], new[column["name"]]
    if after.count("") / len(after) > before.count("") / len(before) + MISSING:
        yield f"{name}: {after.count('')} of {len(after)} cells are empty"
    if column["type"] == "CATEGORY":
        unknown = sorted(set(after) - set(before))
        if unknown:
            yield f"{name}: values never seen before: {', '.join(unknown[:5])}"
    if column["type"] == "NUMBER":
        known = [float(v) for v in before if v] or [0.0]
        low, high = min(known), max(known)
        outside = [v for v in after if v and not low <= (number(v) or 0.0) <= high]
        if outside:
            yield f"{name}: {len(outside)} outside of {low} to {high}, for example {outside[0]}"


def statistics_view(schema, seen):
    """A table: one row a column."""
    rows = [statistics_row(c["name"], c["type"], seen[c["name"]]) for c in schema]
    header = ["column", "type", "different", "empty", "smallest", "median", "largest"]
    source = common.csv_text(rows)
    return {"type": "table", "title": "Columns", "storage": "inline", "format": "csv", "header": header,
            "source": source}  # fmt: skip


def statistics_row(name, kind, values):
    """Figures of one column."""
    given = [v for v in values if v]
    row = [name, kind, len(set(given)), len(values) - len(given)]
    if kind != "NUMBER":
        return [*row, "", "", ""]
    numbers = [float(v) for v in given] or [0.0]
    return [*row, *map(shown, (min(numbers), statistics.median(numbers), max(numbers)))]


def shown(value):
    """A whole number whole, any other to four significant digits."""
    return f"{value:.0f}" if value.is_integer() else f"{value:.4g}"


def anomalies_view(anomalies):
    """A text: what was found."""
    lines = [f"- {text}" for text in anomalies] or ["Nothing unexpected."]
    return {"type": "markdown", "title": "Anomalies", "storage": "inline", "source": "\n".join(lines)}


if __name__ == "__main__":
    main()
