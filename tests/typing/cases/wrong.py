"""Wrong uses: each line that ends in `# wrong: CODES` must be complained of so, and no other."""

import penstock
from penstock import components, dsl
from penstock.compiler import Compiler, compile_pipeline, compile_schedule
from penstock.dsl import Metrics, Model, Output


def step() -> dsl.ContainerOp:
    """Any step."""
    return dsl.ContainerOp("a", "alpine")


@dsl.pipeline(name=3)  # wrong: call-overload, untyped-decorator
def numbered() -> None:
    """A name that is no text."""


@penstock.component(packages=["six"])  # wrong: call-overload, untyped-decorator
def installing() -> None:
    """An option that there is not."""


step().set_retry("often")  # wrong: arg-type
step().set_timeout("soon")  # wrong: arg-type
step().set_display_name(3)  # wrong: arg-type
step().set_memory_limits("1Gi")  # wrong: attr-defined
step().after("b")  # wrong: arg-type
step().outputs[0]  # wrong: index
step().output.op_name.upper()  # wrong: union-attr
dsl.ContainerOp("a")  # wrong: call-arg
dsl.ContainerOp("a", "alpine", file_outputs=["/out"])  # wrong: arg-type
dsl.ParallelFor([1], parallelism="2")  # wrong: arg-type
dsl.Condition("x")  # wrong: arg-type
dsl.ExitHandler("clean")  # wrong: arg-type
dsl.Collected("x")  # wrong: arg-type
dsl.PipelineParam(3)  # wrong: arg-type
components.load_component_from_text(b"")  # wrong: arg-type
compile_pipeline("pipeline.py")  # wrong: arg-type
Compiler().compile(numbered, 3)  # wrong: arg-type
compile_schedule(numbered, "daily")  # wrong: arg-type
dsl.Schedule(cron=9)  # wrong: arg-type
dsl.Schedule(every=60, overlap="allow")  # wrong: arg-type
dsl.If("x")  # wrong: arg-type
dsl.OneOf("x")  # wrong: arg-type
dsl.all_of("x")  # wrong: arg-type
components.ComponentStore(".").load_component(3)  # wrong: arg-type


@penstock.component
def train(model: Output[Model], metrics: Output[Metrics], bad: Output[int]) -> None:  # wrong: type-var
    """Artifacts are what their classes say."""
    model.framework = 3  # wrong: assignment
    model.log_metric("a", 1)  # wrong: attr-defined
    metrics.log_metric("a", "b")  # wrong: arg-type
