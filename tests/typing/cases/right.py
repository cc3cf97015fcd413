"""Right uses of the public surface: a strict type checker says nothing."""

from pathlib import Path
from typing import Annotated, NamedTuple

import penstock
from penstock import components, dsl
from penstock.compiler import Compiler, compile_pipeline, compile_schedule
from penstock.components import InputPath, OutputPath
from penstock.dsl import HTML, ClassificationMetrics, Dataset, Input, Markdown, Metrics, Model, Output


class Counts(NamedTuple):
    """Two results."""

    lines: int
    characters: int


@penstock.component
def write(lines: int, text_path: Annotated[str, OutputPath("Text")]) -> None:
    """Write a file."""
    Path(text_path).write_text("line\n" * lines)


@penstock.component(base_image="python:3.12", packages_to_install=["six"], name="Count them")
def count(text_path: Annotated[str, InputPath("Text")], note: str | None = None) -> Counts:
    """Count a file."""
    return Counts(1, 2)


@penstock.component
def train(data: Input[Dataset], model: Output[Model], metrics: Output[Metrics], rate: float = 0.1) -> float:
    """Typed artifacts are what their classes say."""
    model.framework = Path(data.path).read_text()
    metrics.log_metric("rate", rate)
    rows: object = data.metadata["rows"]
    return float(str(rows))


@penstock.component
def judge(
    model: Input[Model], quality: Output[ClassificationMetrics], page: Output[HTML], note: Output[Markdown]
) -> None:
    """Curves, matrices, pages."""
    quality.log_roc_curve([0.0, 1.0], [0.0, 1.0], [1.0, 0.0])
    quality.log_confusion_matrix(["a", "b"], [[1, 0], [0, 1]])
    for each in (page, note):
        Path(each.path).write_text(model.uri)


fetch = components.load_component_from_text("implementation: {container: {image: x}}")


def tuned(op: dsl.ContainerOp) -> dsl.ContainerOp:
    """What `apply` takes."""
    return op.set_retry(2, "Always", backoff_duration="10s").set_timeout(60).set_memory_limit("1Gi")


@dsl.pipeline(name="Typed", description="All well.")
def typed(
    lines: int = 3,
    names: list[str] = ["a"],  # noqa: B006 (a pipeline's function does not change it)
    where: Annotated[str, "GcsUri[text/json]"] = "gs://x",
) -> None:
    """Each construct."""
    clean: dsl.ContainerOp = dsl.ContainerOp("clean", "alpine", command=["rm"], arguments=["-r", where])
    with dsl.ExitHandler(clean):
        written = write(lines)
        counted: dsl.ContainerOp = count(written.output).after(written)
        with dsl.ParallelFor(names, parallelism=2) as name:
            each = dsl.ContainerOp("each", "alpine", file_outputs={"out": "/out"}, arguments=[name, name.field])
            made: dsl.PipelineParam = each.output
        dsl.ContainerOp("all", "alpine", arguments=[dsl.Collected(made)]).apply(tuned)
        with dsl.Condition(lines > 3, name="many"), dsl.Condition(counted.outputs["lines"] == 2):
            step = fetch().add_env_variable({"name": "A", "value": "1"}).set_caching_options(False)
            step.container.set_cpu_limit("500m").set_gpu_limit(1)
            step.add_pod_label("a", 1).after(counted, written)


nightly = dsl.Schedule(cron="0 9 * * 1-5", zone="Europe/Berlin", overlap="skip", catchup=False)


@dsl.pipeline(name="Branches", schedule=nightly)
def branches(rate: float, name: str = "x") -> None:
    """Branches and joined conditions."""
    with dsl.If(dsl.all_of(rate > 0.5, dsl.not_(name == "x")), name="fast"):
        fast: dsl.ContainerOp = train(fetch().output, rate)
    with dsl.Elif(dsl.any_of(rate > 0.1, name != "y")):
        middle = train(fetch().output, rate)
    with dsl.Else():
        slow = train(fetch().output, rate)
    chosen: dsl.PipelineParam = dsl.OneOf(fast.outputs["model"], middle.outputs["model"], slow.outputs["model"])
    judge(chosen)


scheduled: dict[str, object] = compile_schedule(branches, dsl.Schedule(every="12h"))
found: components.Component = components.ComponentStore(["."]).load_component("train", tag="v1")


def through_a_client(client: penstock.Client) -> None:
    """Runs, and what they made."""
    result = client.create_run_from_pipeline_func(branches, {"rate": 1}, pipeline_conf=dsl.PipelineConf())
    ended: bool = result.wait_for_run_completion(timeout=60).succeeded
    metrics: dict[str, float | None] = dict(client.get_run_metrics(result.run_id))
    text: str = client.read_log(result.run_id, "train") if ended and metrics else ""
    Path("log").write_text(text)


@dsl.pipeline
def bare(x: str) -> None:
    """No parentheses."""
    typed(3, ["b"])


document: dict[str, object] = compile_pipeline(typed, name="Other")
Compiler().compile(bare, "out.yaml")
Compiler().compile(bare.func, Path("out.json"))
spec: dsl.PipelineSpec = typed.spec
titles: list[str] = [port.name for port in count.spec.inputs]
