"""Which of three models tells malignant tumours from benign ones best?

scikit-learn's breast-cancer data (569 tumours, 30 measurements each): prepare it, train and judge three models side by
side, pick the best, publish it if it is good enough, and write a report that compares them.

    penstock run examples/tumours/pipeline.py -p epochs=200
"""

from typing import NamedTuple

import penstock
from penstock import dsl
from penstock.components import InputPath, OutputPath

PACKAGES = ["scikit-learn"]


@penstock.component(packages_to_install=PACKAGES)
def prepare(test_share: float, train_path: OutputPath("CSV"), test_path: OutputPath("CSV")):
    """Split the data into a part to learn from and a part to be judged by."""
    import csv
    import io
    import json

    import numpy
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split

    data = load_breast_cancer()
    malignant = (data.target == 0).astype(int)
    rows = numpy.column_stack([data.data, malignant])
    parts = train_test_split(rows, test_size=test_share, random_state=0, stratify=malignant)
    header = [name.replace(" ", "_") for name in data.feature_names] + ["malignant"]
    for path, part in zip((train_path, test_path), parts, strict=True):
        numpy.savetxt(path, part, delimiter=",", header=",".join(header), comments="", fmt="%.6g")
        print(f"{len(part)} tumours, {part[:, -1].mean():.0%} of them malignant")

    table = io.StringIO()
    for i, name in enumerate(header[:-1]):
        benign, bad = rows[rows[:, -1] == 0, i].mean(), rows[rows[:, -1] == 1, i].mean()
        csv.writer(table).writerow([name, f"{benign:.4g}", f"{bad:.4g}", f"{bad / benign:.2f}"])
    view = {
        "type": "table",
        "title": "Means of the measurements",
        "storage": "inline",
        "format": "csv",
        "header": ["measurement", "benign", "malignant", "ratio"],
        "source": table.getvalue(),
    }
    with open("/mlpipeline-ui-metadata.json", "w") as file:
        json.dump({"outputs": [view]}, file)


@penstock.component(packages_to_install=PACKAGES)
def train(kind: str, epochs: int, train_path: InputPath("CSV"), model_path: OutputPath("Model")):
    """Train one model, epoch by epoch, and say how it goes."""
    import time

    import joblib
    import numpy
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import SGDClassifier
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = numpy.loadtxt(train_path, delimiter=",", skiprows=1)
    scaler = StandardScaler().fit(rows[:, :-1])
    x, y = scaler.transform(rows[:, :-1]), rows[:, -1].astype(int)

    if kind == "linear":
        model = SGDClassifier(loss="log_loss", alpha=0.001, random_state=0)
    elif kind == "network":
        model = MLPClassifier([256, 128], batch_size=32, learning_rate_init=0.00005, random_state=0)
    elif kind == "boosting":
        model = GradientBoostingClassifier(n_estimators=1, learning_rate=0.1, warm_start=True, random_state=0)
    else:
        raise ValueError(f"kind: expected linear, network or boosting, got {kind!r}")

    begin, told = time.monotonic(), max(1, epochs // 40)
    for epoch in range(1, epochs + 1):
        if kind == "boosting":
            model.n_estimators = epoch
            model.fit(x, y)
        else:
            model.partial_fit(x, y, classes=[0, 1])
        if epoch % told == 0 or epoch == epochs:
            loss = log_loss(y, model.predict_proba(x))
            bar = "█" * int(24 * epoch / epochs)
            print(
                f"\033[2mepoch\033[0m {epoch:4}/{epochs} \033[36m{bar:<24}\033[0m "
                f"loss \033[1m{loss:.4f}\033[0m  {time.monotonic() - begin:.1f} s",
                flush=True,
            )
    print(f"\033[32mtrained\033[0m {kind} on {len(y)} tumours")
    joblib.dump(make_pipeline(scaler, model), model_path)


@penstock.component(packages_to_install=PACKAGES)
def evaluate(kind: str, model_path: InputPath("Model"), test_path: InputPath("CSV")) -> NamedTuple(
    "Judged", [("result", dict)]
):
    """Judge a model by tumours that it has not seen."""
    import json

    import joblib
    import numpy
    from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

    rows = numpy.loadtxt(test_path, delimiter=",", skiprows=1)
    x, y = rows[:, :-1], rows[:, -1].astype(int)
    model = joblib.load(model_path)
    scores, answers = model.predict_proba(x)[:, 1], model.predict(x)
    counts = confusion_matrix(y, answers)
    fpr, tpr, thresholds = roc_curve(y, scores)
    accuracy, area = float((y == answers).mean()), float(roc_auc_score(y, scores))
    print(f"{kind}: {accuracy:.1%} right, area under the curve {area:.4f}")

    labels = ["benign", "malignant"]
    cells = [f"{labels[t]},{labels[p]},{counts[t, p]}" for t in (0, 1) for p in (0, 1)]
    points = [f"{a:.6f},{b:.6f},{c:.6f}" for a, b, c in zip(fpr, tpr, thresholds, strict=True)]
    views = [
        {
            "type": "roc",
            "title": f"ROC of {kind}",
            "storage": "inline",
            "format": "csv",
            "schema": [{"name": name, "type": "NUMBER"} for name in ("fpr", "tpr", "thresholds")],
            "source": "\n".join(points),
        },
        {
            "type": "confusion_matrix",
            "title": f"Confusion matrix of {kind}",
            "storage": "inline",
            "format": "csv",
            "labels": labels,
            "schema": [
                {"name": "target", "type": "CATEGORY"},
                {"name": "predicted", "type": "CATEGORY"},
                {"name": "count", "type": "NUMBER"},
            ],
            "source": "\n".join(cells),
        },
    ]
    metrics = [
        {"name": "accuracy", "numberValue": accuracy, "format": "PERCENTAGE"},
        {"name": "auc", "numberValue": area, "format": "RAW"},
    ]
    with open("/mlpipeline-ui-metadata.json", "w") as file:
        json.dump({"outputs": views}, file)
    with open("/mlpipeline-metrics.json", "w") as file:
        json.dump({"metrics": metrics}, file)
    return (
        {
            "kind": kind,
            "accuracy": accuracy,
            "auc": area,
            "benign": int(counts[0].sum()),
            "malignant": int(counts[1].sum()),
            "missed": int(counts[1, 0]),
            "false_alarms": int(counts[0, 1]),
            "curve": [[round(float(a), 4), round(float(b), 4)] for a, b in zip(fpr, tpr, strict=True)],
        },
    )


@penstock.component
def pick_best(results: list) -> NamedTuple("Best", [("kind", str), ("accuracy", float)]):
    """Of the models that were judged, the one that is right most often; of equals, the one with the larger area."""
    import json

    best = max(results, key=lambda r: (r["accuracy"], r["auc"]))
    print(f"best: {best['kind']}, {best['accuracy']:.1%} right")
    text = (
        f"**{best['kind']}** is right for {best['accuracy']:.1%} of the tumours. "
        f"It misses {best['missed']} of {best['malignant']} malignant ones."
    )
    view = {"type": "markdown", "title": "The best", "storage": "inline", "source": text}
    with open("/mlpipeline-ui-metadata.json", "w") as file:
        json.dump({"outputs": [view]}, file)
    with open("/mlpipeline-metrics.json", "w") as file:
        metric = {"name": "best-accuracy", "numberValue": best["accuracy"], "format": "PERCENTAGE"}
        json.dump({"metrics": [metric]}, file)
    return (best["kind"], best["accuracy"])


@penstock.component
def publish(kind: str, accuracy: float, run: str, card_path: OutputPath("Markdown")):
    """Write the card that says which model may be used, and from which run it is."""
    card = f"# Tumour model\n\n- kind: {kind}\n- accuracy: {accuracy:.4f}\n- trained by run: {run}\n"
    with open(card_path, "w") as file:
        file.write(card)
    print(card)


@penstock.component
def report(results: list, best: str, page_path: OutputPath("HTML")):
    """Make a page that compares the models."""
    import html
    import json
    import string

    def bar(value, text):
        """A bar that begins at 0.9: below that the models do not differ."""
        return f"<td><span class=bar style='width:{960 * max(0, value - 0.9):.0f}px'></span>{text}</td>"

    def path(curve):
        """The curve's corner that matters: at most a quarter of false alarms, at least three quarters found."""
        points = [f"{400 * fpr / 0.25:.1f},{170 * (1 - tpr) / 0.25:.1f}" for fpr, tpr in curve]
        return "M" + " L".join(points)

    ranked = sorted(results, key=lambda r: (-r["accuracy"], -r["auc"]))
    rows, lines, legend = [], [], []
    for number, result in enumerate(ranked, 1):
        name = html.escape(result["kind"])
        rows.append(
            f"<tr class={'best' if result['kind'] == best else 'other'}><th><i class=c{number}></i>{name}</th>"
            + bar(result["accuracy"], f"{result['accuracy']:.1%}")
            + bar(result["auc"], f"{result['auc']:.4f}")
            + f"<td>{result['missed']} of {result['malignant']}</td>"
            + f"<td>{result['false_alarms']} of {result['benign']}</td></tr>"
        )
        lines.append(f"<path class=c{number} d='{path(result['curve'])}'/>")
        legend.append(f"<span><i class=c{number}></i>{name}</span>")
    page = string.Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Three models compared</title>
<style>
  :root { color-scheme: light dark; background: light-dark(#fff, #101615); color: light-dark(#15201e, #e2e9e7) }
  body { font: 14px/1.5 system-ui, sans-serif; margin: 20px; max-width: 760px }
  h1 { font-size: 20px; margin: 0 0 4px }
  h2 { font-size: 15px; margin: 24px 0 8px }
  p { margin: 0 0 16px }
  p, thead th, .legend, text { color: light-dark(#56635f, #9aa8a5); fill: currentColor }
  table { border-collapse: collapse; width: 100% }
  tbody th { white-space: nowrap }
  th, td { padding: 7px 16px 7px 0; text-align: left; font-weight: 400; border-bottom: 1px solid #8884 }
  td { font-variant-numeric: tabular-nums; white-space: nowrap }
  .best th, .best td { font-weight: 600 }
  .bar { display: inline-block; height: 9px; margin-right: 8px; border-radius: 2px }
  .bar { background: light-dark(#8fbfbd, #2f6f6b); vertical-align: baseline }
  @media (width >= 620px) { td:has(.bar) { min-width: 150px } }
  @media (width < 620px) { td .bar { display: none } }
  i { display: inline-block; width: 10px; height: 10px; margin-right: 8px; border-radius: 2px }
  i { background: currentColor }
  .c1 { color: light-dark(#0b6b6b, #58c4ba); stroke: currentColor }
  .c2 { color: light-dark(#c4560a, #f0975a); stroke: currentColor; stroke-dasharray: 6 3 }
  .c3 { color: light-dark(#5a55b8, #a8a4f5); stroke: currentColor; stroke-dasharray: 2 3 }
  svg { width: 100%; max-width: 520px; display: block }
  path { fill: none; stroke-width: 2 }
  rect { fill: none; stroke: #8886 }
  .legend span { margin-right: 20px }
</style>
<h1>Three models compared</h1>
<p>Best: <b>$best</b>. Judged by tumours that no model had seen.</p>
<table>
<thead><tr><th>model<th>right<th>area under ROC<th>tumours missed<th>false alarms</tr></thead>
<tbody>$rows</tbody>
</table>
<h2>The corner of the ROC curves that matters</h2>
<svg viewBox="-44 -8 456 220" role="img" aria-label="ROC curves of the three models">
  <svg x="0" y="0" width="400" height="170" viewBox="0 0 400 170">$lines</svg>
  <rect width="400" height="170"/>
  <text x="-8" y="10" text-anchor="end" font-size="12">100 %</text>
  <text x="-8" y="170" text-anchor="end" font-size="12">75 %</text>
  <text x="0" y="188" font-size="12">0 %</text>
  <text x="400" y="188" text-anchor="end" font-size="12">25 %</text>
  <text x="200" y="204" text-anchor="middle" font-size="12">false alarms; upwards: tumours found</text>
</svg>
<p class="legend">$legend</p>
</html>
""").substitute(best=html.escape(best), rows="".join(rows), lines="".join(lines), legend="".join(legend))
    with open(page_path, "w") as file:
        file.write(page)
    with open("/mlpipeline-ui-metadata.json", "w") as file:
        json.dump({"outputs": [{"type": "web-app", "title": "Report", "storage": "inline", "source": page}]}, file)


@penstock.component
def say_how_it_ended(workflow: str, status: str):
    """Runs whatever became of the others: the place to tell somebody, or to clean up."""
    print(f"{workflow}: {status}")


@dsl.pipeline(name="tumours", description="Trains three models on scikit-learn's breast-cancer data, keeps the best.")
def tumours(epochs: int = 150, test_share: float = 0.3, good_enough: float = 0.9):
    """Prepare, train and judge three models, publish the best if it is good enough, compare them.

    Args:
        epochs: Passes over the data.
        test_share: Part of the tumours that models are judged by, from 0 to 1.
        good_enough: Accuracy from which on a model is published, from 0 to 1.
    """
    with dsl.ExitHandler(say_how_it_ended("{{workflow.name}}", "{{workflow.status}}")):
        data = prepare(test_share)
        with dsl.ParallelFor(["linear", "network", "boosting"]) as kind:
            model = train(kind, epochs, data.outputs["train"])
            # Three trainings share the machine; with a thread for each core in each they would get in each other's way.
            model.container.set_env_variable("OMP_NUM_THREADS", "1")
            judged = evaluate(kind, model.outputs["model"], data.outputs["test"])
        results = dsl.Collected(judged.outputs["result"])
        best = pick_best(results)
        with dsl.Condition(best.outputs["accuracy"] >= good_enough, name="good-enough"):
            published = publish(best.outputs["kind"], best.outputs["accuracy"], "{{workflow.name}}")
        report(results, best.outputs["kind"]).after(published)
