"""Components made of functions."""

from collections import namedtuple
from typing import Dict, List, NamedTuple, Optional

from kfp import components, dsl
from kfp.components import (
    InputBinaryFile,
    InputPath,
    InputTextFile,
    OutputBinaryFile,
    OutputPath,
    OutputTextFile,
    create_component_from_func,
)


@create_component_from_func
def add(a: float, b: float) -> float:
    """Adds two numbers."""
    return a + b


@dsl.pipeline(name="Add")
def adding(x: float = 1.5):
    one = add(x, 2)
    two = add(a=one.output, b=3.5)
    add(one.outputs["Output"], two.outputs["output"])


def divide(dividend: int, divisor: int = 2) -> NamedTuple("Parts", [("quotient", int), ("remainder", int)]):
    """Divides two whole numbers.

    Args:
        dividend: What is divided.
        divisor: By what.
    Returns:
        quotient: How often it goes.
        remainder: What is left.
    """
    return (dividend // divisor, dividend % divisor)


divide_op = components.func_to_container_op(divide, base_image="python:3.9")


@dsl.pipeline(name="Divide")
def dividing(n: int = 17):
    parts = divide_op(n)
    divide_op(parts.outputs["quotient"], parts.outputs["remainder"])
    divide_op(dividend="12", divisor=5)


def all_kinds(
    text: str,
    number: int,
    real: float,
    truth: bool,
    items: list,
    table: dict,
    any_items: List[str],
    any_table: Dict[str, int],
    nothing,
):
    print(text, number, real, truth, items, table, any_items, any_table, nothing)


all_kinds_op = create_component_from_func(all_kinds)


@dsl.pipeline(name="All kinds")
def kinds(text: str = "a", number: int = 1, real: float = 1.5, truth: bool = False, items: list = [], table: dict = {}):
    all_kinds_op("a", 1, 2.5, True, [1, "b"], {"c": {"d": 1}}, ["x"], {"y": 2}, "z")
    all_kinds_op(text, number, real, truth, items, table, ["x"], {"y": text}, text)


def defaults(
    text: str = "a",
    number: int = 1,
    real: float = 1.5,
    truth: bool = True,
    items: list = [1],
    table: dict = {"a": 1},
    nothing=None,
    empty: str = "",
):
    print(text)


defaults_op = create_component_from_func(defaults)


@dsl.pipeline(name="Defaults of a component")
def component_defaults(x: str = "x"):
    defaults_op()
    defaults_op(text=x, truth=False, nothing=1)
    defaults_op("b", 2, items=["c"], table={"d": None}, empty="")


def optional(must: str, may: Optional[str] = None, number: Optional[int] = None, files_path: InputPath() = None):
    print(must)


optional_op = create_component_from_func(optional)


@dsl.pipeline(name="Optional arguments")
def optional_arguments(x: str = "x"):
    optional_op("a")
    optional_op(x, may=x, number=3)
    optional_op(must="a", may=None, files="text")


def write(text: str, out_path: OutputPath("CSV"), other_file: OutputTextFile(str), binary_file: OutputBinaryFile()):
    print(text)


def read(table_path: InputPath("CSV"), text_file: InputTextFile(str), binary_file: InputBinaryFile()):
    print(table_path)


write_op, read_op = create_component_from_func(write), create_component_from_func(read)


@dsl.pipeline(name="Files")
def files(x: str = "x"):
    made = write_op(x)
    read_op(made.outputs["out"], made.outputs["other"], made.outputs["binary"])
    read_op("constant", x, f"<{x}>")


@dsl.pipeline(name="A file and a value")
def file_and_value():
    made = write_op("a")
    read_op(made.outputs["out"], made.outputs["other"], made.outputs["out"])
    dsl.ContainerOp("value", "alpine", arguments=[made.outputs["out"], made.outputs["other"]])


def both_path(data_path: InputPath(), text: str, model_file_path: OutputPath()):
    print(data_path, text, model_file_path)


both_path_op = create_component_from_func(both_path)


@dsl.pipeline(name="Names without endings")
def names_without_endings():
    made = both_path_op("a", "b")
    both_path_op(data=made.output, text="c")


def produce(model_path: OutputPath("Model"), metrics_path: OutputPath("Metrics")) -> NamedTuple(
    "Outputs", [("accuracy", float), ("loss", float)]
):
    return (0.5, 1.5)


produce_op = create_component_from_func(
    produce, base_image="python:3.8", packages_to_install=["numpy==1.20", "pandas>=1"]
)


@dsl.pipeline(name="Packages")
def packages():
    made = produce_op()
    with dsl.Condition(made.outputs["accuracy"] > 0.4):
        dsl.ContainerOp("a", "alpine", arguments=[made.outputs["loss"]])


def show(mlpipeline_ui_metadata_path: OutputPath(), mlpipeline_metrics_path: OutputPath("Metrics")):
    print("shown")


show_op = create_component_from_func(show)


@dsl.pipeline(name="Shown")
def shown():
    show_op()


def named(a: str) -> namedtuple("Outputs", ["one", "Two"]):
    return ("1", "2")


named_op = create_component_from_func(named, annotations={"author": "me", "volatile_component": "true"})


@dsl.pipeline(name="Annotations")
def annotated(x: str = "x"):
    made = named_op(x)
    named_op(made.outputs["two"]).set_display_name("The second")


@dsl.pipeline(name="A step of a component, set up")
def set_up(memory: str = "1Gi"):
    add(1, 2).set_memory_limit("1G").set_cpu_request("1").set_retry(3).add_pod_label("a", "b").set_caching_options(
        False
    )
    add(3, 4).container.set_memory_limit(memory)


@dsl.pipeline(name="Functions in loops")
def functions_in_loops(x: float = 1):
    with dsl.ParallelFor([1, 2]) as item:
        one = add(item, x)
        with dsl.Condition(one.output > 2):
            add(one.output, item)


@dsl.pipeline(name="Items for a file")
def items_for_a_file():
    made = write_op("a")
    with dsl.ParallelFor(["a", "b"]) as item:
        read_op(made.outputs["out"], item, made.outputs["binary"])


@dsl.pipeline(name="A file into a condition")
def file_into_a_condition(x: str = "x"):
    made = write_op("a")
    with dsl.Condition(x == "x"):
        with dsl.Condition(made.outputs["other"] == "y"):
            read_op(made.outputs["out"], made.outputs["other"], x)


@dsl.pipeline(name="Arguments in a text")
def arguments_in_a_text(x: str = "x", n: int = 1):
    made = write_op(f"<{x}>")
    all_kinds_op(f"{made.outputs['other']}-{n}", 1, 1.0, True, [x], {"a": x}, ["a"], {"b": 1}, 3)


def list_maker() -> list:
    return [1, 2]


def use_item(item: int, whole: list) -> str:
    return str(item)


list_op, use_op = create_component_from_func(list_maker), create_component_from_func(use_item)


@dsl.pipeline(name="Loop over a component's output")
def loop_over_component():
    made = list_op()
    with dsl.ParallelFor(made.output) as item:
        use_op(item, made.output)


def no_types(a, b="x"):
    return a + b


no_types_op = create_component_from_func(no_types)


@dsl.pipeline(name="No types")
def without_types(x="y"):
    no_types_op(1)
    no_types_op(x, b=2.5)
    no_types_op("a", x)


def takes_csv(table: "CSV", other: {"Table": {"columns": 2}}, anything: "Artifact"):
    print(table)


def makes_csv() -> NamedTuple(
    "Outputs", [("table", "CSV"), ("other", {"Table": {"columns": 2}}), ("untyped", "Artifact")]
):
    return ("a", "b", "c")


takes_csv_op, makes_csv_op = create_component_from_func(takes_csv), create_component_from_func(makes_csv)


@dsl.pipeline(name="Types of one's own")
def own_types():
    made = makes_csv_op()
    takes_csv_op(made.outputs["table"], made.outputs["other"], made.outputs["table"])
    takes_csv_op(made.outputs["untyped"], made.outputs["untyped"], made.outputs["untyped"])


@dsl.pipeline(name="Types ignored")
def ignored_types():
    made = makes_csv_op()
    takes_csv_op(made.outputs["other"].ignore_type(), made.outputs["table"].ignore_type(), made.outputs["other"])


@dsl.pipeline(name="Exit of a function")
def exit_of_a_function(x: str = "x"):
    with dsl.ExitHandler(no_types_op("done", x)):
        add(1, 2)


@dsl.pipeline(name="Staleness of a function")
def staleness():
    add(1, 2).execution_options.caching_strategy.max_cache_staleness = "P7D"


@dsl.pipeline(name="Python names")
def python_names():
    def with_many_parts(my_value: str, myOther: str) -> NamedTuple(
        "O", [("my_out", str), ("Another Out", str)] if False else [("my_out", str)]
    ):
        return (my_value,)

    made = create_component_from_func(with_many_parts)("a", "b")
    dsl.ContainerOp("a", "alpine", arguments=[made.outputs["my_out"], made.output])
