"""Exit handlers, sub-graphs and graphs that call themselves."""

from kfp import dsl


def step(name, *arguments):
    return dsl.ContainerOp(name, "alpine", arguments=list(arguments), file_outputs={"out": "/out"})


@dsl.pipeline(name="Exit handler")
def exit_handler(x: str = "x"):
    with dsl.ExitHandler(step("cleanup", x, "{{workflow.status}}")):
        step("work", step("first").output)


@dsl.pipeline(name="Exit handler with all in it")
def exit_handler_around_all(x: str = "x"):
    with dsl.ExitHandler(exit_op=step("cleanup")):
        first = step("first")
        with dsl.Condition(first.output == x):
            step("a")
        with dsl.ParallelFor([1, 2]) as item:
            step("b", item, first.output)


@dsl.pipeline(name="Exit step by keyword")
def exit_by_keyword():
    end = dsl.ContainerOp("end", "alpine", is_exit_handler=True)
    with dsl.ExitHandler(end):
        step("work")


@dsl.pipeline(name="Sub-graph")
def sub_graph(x: str = "x"):
    outer = step("outer")
    with dsl.SubGraph(parallelism=2):
        step("a", outer.output)
        step("b", x)


@dsl.pipeline(name="Loop in a sub-graph")
def loop_in_a_sub_graph():
    with dsl.SubGraph(parallelism=1):
        with dsl.ParallelFor([1, 2, 3]) as item:
            step("a", item)


@dsl.pipeline(name="Loop over an output in a sub-graph")
def loop_over_output_in_a_sub_graph():
    maker = step("maker")
    with dsl.SubGraph(parallelism=2):
        with dsl.ParallelFor(maker.output) as item:
            step("a", item)


@dsl.graph_component
def again(value):
    coin = step("coin", value)
    with dsl.Condition(coin.output == "tails"):
        again(coin.output)


@dsl.pipeline(name="Recursion")
def recursion():
    first = step("first")
    again(first.output)


@dsl.pipeline(name="Recursion from a parameter")
def recursion_from_a_parameter(x: str = "x"):
    loop = again(x)
    step("last").after(loop)


@dsl.graph_component
def two_values(one, two):
    coin = step("coin", one, two)
    with dsl.Condition(coin.output == "tails"):
        other = step("other", two)
        two_values(coin.output, other.output)


@dsl.pipeline(name="Recursion with two values")
def recursion_with_two(x: str = "x"):
    two_values(x, step("first").output)


@dsl.graph_component
def once(value):
    step("inner", value)


@dsl.pipeline(name="A graph without recursion")
def graph_alone(x: str = "x"):
    once(x)
    once(step("maker").output)


@dsl.pipeline(name="A graph in a condition")
def graph_in_a_condition(x: str = "x"):
    maker = step("maker")
    with dsl.Condition(maker.output == x):
        once(maker.output)


@dsl.pipeline(name="Order of groups")
def order_of_groups(x: str = "x"):
    first = step("first")
    with dsl.Condition(x == "a") as a:
        step("in a")
    with dsl.Condition(x == "b") as b:
        step("in b").after(first)
    b.after(a)
    step("last").after(a, b)
