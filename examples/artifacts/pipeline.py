"""Typed artifacts: files with facts about them, metrics, a ROC curve, a confusion matrix, pages.

penstock run examples/artifacts/pipeline.py -p threshold=0.6
"""

import penstock
from penstock import dsl
from penstock.dsl import HTML, ClassificationMetrics, Dataset, Input, Markdown, Metrics, Model, Output


@penstock.component
def prepare(rows: int, data: Output[Dataset]):
    """Write numbers and whether each is large."""
    import csv

    with open(data.path, "w", newline="") as file:
        csv.writer(file).writerows([number / rows, int(number * 2 >= rows)] for number in range(rows))
    data.metadata["rows"] = rows


@penstock.component
def train(data: Input[Dataset], threshold: float, model: Output[Model]) -> int:
    """Learn nothing but the threshold that was given."""
    with open(model.path, "w") as file:
        file.write(str(threshold))
    model.framework = "none"
    model.metadata["trained on"] = data.metadata["rows"]
    return data.metadata["rows"]


@penstock.component
def evaluate(
    data: Input[Dataset],
    model: Input[Model],
    metrics: Output[Metrics],
    quality: Output[ClassificationMetrics],
    page: Output[HTML],
    note: Output[Markdown],
) -> float:
    """Compare what the model says with what is so."""
    import csv

    with open(model.path) as file:
        threshold = float(file.read())
    with open(data.path, newline="") as file:
        rows = [(float(number), int(large)) for number, large in csv.reader(file)]
    matrix = [[0, 0], [0, 0]]
    for number, large in rows:
        matrix[large][int(number >= threshold)] += 1
    accuracy = (matrix[0][0] + matrix[1][1]) / len(rows)
    metrics.log_metric("accuracy", accuracy)
    metrics.log_metric("rows", model.metadata["trained on"])
    quality.log_confusion_matrix(["small", "large"], matrix)
    quality.log_roc_curve([0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [float("inf"), 0.5, 0.0])
    with open(page.path, "w") as file:
        file.write(f"<h1>{model.framework}</h1>")
    with open(note.path, "w") as file:
        file.write(f"*Accuracy:* {accuracy}")
    return accuracy


@penstock.component
def announce(metrics: Input[Metrics], model: Input[Model]):
    """Print what was said of artifacts; their files need not be read for it."""
    print(f"accuracy {metrics.metadata['accuracy']} of a model of {model.metadata['trained on']} rows")


@dsl.pipeline(name="artifacts")
def artifacts(threshold: float = 0.5, rows: int = 20):
    """Train on few or many rows, and evaluate the model that came out.

    Args:
        threshold: From which number on the model says "large".
        rows: How many numbers there are to learn from.
    """
    data = prepare(rows).outputs["data"]
    with dsl.If(rows < 10, name="few"):
        few = train(data, threshold)
    with dsl.Else(name="many"):
        many = train(data, threshold)
    model = dsl.OneOf(few.outputs["model"], many.outputs["model"])
    evaluated = evaluate(data, model)
    announce(evaluated.outputs["metrics"], model)
