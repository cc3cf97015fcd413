"""Pipelines that a browser is walked through: one that goes on until it is stopped, one with much that is wrong."""

import penstock
from penstock import dsl


@penstock.component
def tick(label: str, pace: float):
    """Say something, and go on with it."""
    import itertools
    import time

    for number in itertools.count(1):
        print(f"\033[32m{label}\033[0m {number}", flush=True)
        time.sleep(pace)


@penstock.component
def clean_up():
    """Runs when the others were stopped too."""
    print("cleaned up")


@dsl.pipeline(name="ticking", description="Goes on until it is stopped.")
def ticking(label: str = "tick", pace: float = 0.05, count: int = 3, loud: bool = False, items: list = [1, 2]):  # noqa: B006
    """Tick.

    Args:
        label: What each line says.
        pace: Seconds between two lines.
        count: A number, for the form.
        loud: A choice, for the form.
        items: A list, for the form.
    """
    with dsl.ExitHandler(clean_up()):
        tick(label, pace)


@penstock.component
def show():
    """Shows good things and bad ones, from a stranger."""
    import json

    links = "[a link](https://example.org) [bad](javascript:alert(1))"
    markdown = f"# Findings\n\n<img src=x onerror='document.title=`owned`'>\n\n{links}"
    page = """<!doctype html><title>Mine</title><p id="told">Nothing tried yet</p><div style="height:700px">Tall</div>
    <script>
    const tried = [];
    try { parent.document.title = "owned"; tried.push("reached the page"); } catch { tried.push("page closed"); }
    try { tried.push("cookie " + document.cookie); } catch { tried.push("cookies closed"); }
    fetch("/apis/v2beta1/runs").then(() => "API reached", () => "API closed").then((last) => {
      document.getElementById("told").textContent = [...tried, last].join(", ");
    });
    </script>"""
    cells = ["cat,cat,30", "cat,dog,2", "dog,cat,4", "dog,dog,22"]
    outputs = [
        {"type": "roc", "storage": "inline", "source": "0,0,1"},
        {"type": "markdown", "title": "Notes of a stranger", "storage": "inline", "source": markdown},
        {"type": "web-app", "title": "Page of a stranger", "storage": "inline", "source": page},
        {
            "type": "confusion_matrix",
            "storage": "inline",
            "format": "csv",
            "labels": ["cat", "dog"],
            "schema": [{"name": n, "type": "CATEGORY"} for n in ("animal", "guess", "count")],
            "source": "\n".join(cells),
        },
    ]
    with open("/mlpipeline-ui-metadata.json", "w") as file:
        json.dump({"outputs": outputs}, file)


@penstock.component
def fail_once_more():
    """Fails at each attempt."""
    for number in range(400):
        print(f"line {number}")
    print('{"level": "error", "message": "the third column is short"}')
    raise ValueError("column 3 has 4 rows, expected 5")


@penstock.component
def never():
    """Is never reached."""


@dsl.pipeline(name="broken", description="Shows, then fails twice.")
def broken(depth: int = 3):
    """Shows something, fails, and leaves the rest undone."""
    failing = fail_once_more().after(show()).set_retry(1)
    never().after(failing)
