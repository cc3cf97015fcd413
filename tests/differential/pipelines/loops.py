"""Steps that run once for each item."""

from kfp import dsl


def step(name, *arguments):
    return dsl.ContainerOp(name, "alpine", arguments=list(arguments), file_outputs={"out": "/out"})


@dsl.pipeline(name="Items")
def items():
    with dsl.ParallelFor([1, 2, 3]) as item:
        step("a", item)


@dsl.pipeline(name="Items of all kinds")
def kinds_of_items():
    for index, values in enumerate([["a", "b"], [1.5, 2], [True, False], ["{{x}}", 'a"b', "ü", ""], [[1, 2], [3]]]):
        with dsl.ParallelFor(values) as item:
            step(f"step {index}", item)


@dsl.pipeline(name="A tuple")
def a_tuple():
    with dsl.ParallelFor(("a", "b")) as item:
        step("a", f"--x={item}")


@dsl.pipeline(name="Tables")
def tables():
    with dsl.ParallelFor([{"a": 1, "b": 10}, {"a": 2, "b": 20}]) as item:
        step("both", item.a, item.b)
        step("one", item.a)
        step("whole", item)


@dsl.pipeline(name="Strange keys")
def strange_keys():
    with dsl.ParallelFor([{"A_a": 1, "B": 10}, {"A_a": 2, "B": 20}]) as item:
        step("both", item.A_a, item.B)


@dsl.pipeline(name="Over a parameter")
def over_a_parameter(numbers: list = [1, 2], x: str = "x"):
    with dsl.ParallelFor(numbers) as item:
        step("a", item, x)


@dsl.pipeline(name="Fields of a parameter")
def fields_of_a_parameter(numbers: list = [{"a": 1}]):
    with dsl.ParallelFor(numbers) as item:
        step("a", item.a)
        step("b", item.a, item.bc)


@dsl.pipeline(name="Over an output")
def over_an_output():
    maker = step("maker")
    with dsl.ParallelFor(maker.output) as item:
        step("a", item)


@dsl.pipeline(name="Fields of an output")
def fields_of_an_output():
    maker = step("maker")
    with dsl.ParallelFor(maker.output) as item:
        step("a", item.first, f"{item.second}!")


@dsl.pipeline(name="Over an output twice")
def over_an_output_twice():
    maker = step("maker")
    with dsl.ParallelFor(maker.output) as item:
        step("a", item)
    with dsl.ParallelFor(maker.output) as item:
        step("b", item)


@dsl.pipeline(name="Nested")
def nested(x: str = "x"):
    with dsl.ParallelFor([1, 2]) as outer:
        step("outer", outer)
        with dsl.ParallelFor(["a", "b"]) as inner:
            step("inner", outer, inner, x)


@dsl.pipeline(name="Nested tables")
def nested_tables():
    with dsl.ParallelFor([{"a": 1, "b": 2}]) as outer:
        with dsl.ParallelFor([{"c": 1}, {"c": 2}]) as inner:
            step("inner", outer.a, inner.c)
            with dsl.ParallelFor([7]) as innermost:
                step("innermost", outer.b, inner.c, innermost)


@dsl.pipeline(name="Over outputs, nested")
def nested_outputs():
    maker, other = step("maker"), step("other")
    with dsl.ParallelFor(maker.output) as outer:
        with dsl.ParallelFor([1, 2]) as inner:
            step("a", outer, inner, other.output)


@dsl.pipeline(name="Items with parameters")
def items_with_parameters(x: str = "x"):
    maker = step("maker")
    with dsl.ParallelFor([x, "b", maker.output]) as item:
        step("a", item)


@dsl.pipeline(name="Tables with parameters")
def tables_with_parameters(x: str = "x"):
    maker = step("maker")
    with dsl.ParallelFor([{"a": x, "b": maker.output}, {"a": "1", "b": "2"}]) as item:
        step("a", item.a, item.b)


@dsl.pipeline(name="A few at once")
def a_few_at_once(numbers: list = [1, 2]):
    with dsl.ParallelFor([1, 2, 3], parallelism=2) as item:
        step("a", item)
    with dsl.ParallelFor(numbers, parallelism=1) as item:
        step("b", item)


@dsl.pipeline(name="Steps in a row")
def steps_in_a_row():
    with dsl.ParallelFor([1, 2]) as item:
        one = step("one", item)
        two = step("two", one.output)
        step("three", two.output).after(one)


@dsl.pipeline(name="After a loop")
def after_a_loop():
    first = step("first")
    with dsl.ParallelFor([1, 2]) as item:
        step("a", item).after(first)
    step("last").after(first)


@dsl.pipeline(name="A condition in a loop")
def condition_in_a_loop(limit: int = 1):
    with dsl.ParallelFor([1, 2]) as item:
        with dsl.Condition(item > limit):
            step("more", item)
        with dsl.Condition(item == 1):
            step("one")


@dsl.pipeline(name="A condition on a field")
def condition_on_a_field():
    with dsl.ParallelFor([{"a": 1, "b": 2}]) as item:
        with dsl.Condition(item.a == 1):
            step("a", item.b)


@dsl.pipeline(name="A loop in a condition")
def loop_in_a_condition(x: str = "x"):
    maker = step("maker")
    with dsl.Condition(x == "x"):
        with dsl.ParallelFor([1, 2]) as item:
            step("a", item, maker.output)


@dsl.pipeline(name="Over a parameter in a condition")
def over_a_parameter_in_a_condition(x: str = "x", numbers: list = [1]):
    with dsl.Condition(x == "x"):
        with dsl.ParallelFor(numbers) as item:
            step("a", item)


@dsl.pipeline(name="One item")
def one_item():
    with dsl.ParallelFor([{"only": "x"}]) as item:
        step("a", item.only)


@dsl.pipeline(name="Not read")
def not_read():
    with dsl.ParallelFor([1, 2]):
        step("a")


@dsl.pipeline(name="A file of an item")
def file_of_an_item():
    with dsl.ParallelFor(["a", "b"]) as item:
        dsl.ContainerOp("reads", "alpine", artifact_argument_paths=[dsl.InputArgumentPath(item, input="x", path="/x")])
