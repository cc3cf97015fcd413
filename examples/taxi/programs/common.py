"""How the taxi steps find what they are given, and where they leave what is to be shown."""

import csv
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import sample

HERE = Path(__file__).resolve().parent
EXAMPLE = "example://taxi/"


def rides_folder():
    """The folder of the real rides, None where there is none. `images.toml` says where it may be."""
    folder = Path(os.environ.get("TAXI_RIDES", ""))
    return folder if folder.is_absolute() and folder.is_dir() else None


def read_text(uri):
    """The text at a path, a file:// address, or example://taxi/NAME (a file of this example)."""
    if uri.startswith(EXAMPLE):
        return _example(uri.removeprefix(EXAMPLE))
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file"):
        sys.exit(f"cannot read {uri}: give a path, a file:// address or {EXAMPLE}train.csv")
    return Path(parts.path).read_text(encoding="utf-8")


def _example(name):
    beside, folder = HERE / name, rides_folder()
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    if folder is not None and (folder / name).is_file():
        print(f"{name}: rides of {folder}")
        return (folder / name).read_text(encoding="utf-8")
    print(f"{name}: no rides on this machine; a sample of the same shape is made")
    return sample.make(name)


def read_columns(uri, names):
    """A CSV file without a header as {column: list of texts}."""
    rows = [row for row in csv.reader(read_text(uri).splitlines()) if row]
    wrong = next((i for i, row in enumerate(rows, 1) if len(row) != len(names)), None)
    if wrong:
        sys.exit(f"{uri}: row {wrong} has {len(rows[wrong - 1])} cells, there are {len(names)} column names")
    print(f"{uri}: {len(rows):,} rows")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def read_json(uri):
    """The JSON at an address."""
    return json.loads(read_text(uri))


def show(*outputs):
    """Leave views for the page."""
    Path("/mlpipeline-ui-metadata.json").write_text(json.dumps({"outputs": outputs}), encoding="utf-8")


def report(name, value, form):
    """Leave a metric for the list of runs. `form` is RAW or, for a value from 0 to 1, PERCENTAGE."""
    metrics = [{"name": name, "numberValue": float(value), "format": form}]
    Path("/mlpipeline-metrics.json").write_text(json.dumps({"metrics": metrics}), encoding="utf-8")


def csv_text(rows):
    """Rows as CSV text."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows)
