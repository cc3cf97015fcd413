"""Steps that run only when something holds."""

from kfp import dsl


def step(name, *arguments):
    return dsl.ContainerOp(name, "alpine", arguments=list(arguments))


def flip(name="flip"):
    return dsl.ContainerOp(name, "python", command=["flip"], file_outputs={"output": "/tmp/output"})


@dsl.pipeline(name="Heads")
def heads():
    coin = flip()
    with dsl.Condition(coin.output == "heads"):
        step("won", coin.output)


@dsl.pipeline(name="Both sides")
def both_sides():
    coin = flip()
    with dsl.Condition(coin.output == "heads", name="heads"):
        step("won")
    with dsl.Condition(coin.output != "heads", name="Tails, it is"):
        step("lost")


@dsl.pipeline(name="All operators")
def all_operators(limit: int = 3):
    coin = flip()
    for index, condition in enumerate(
        [coin.output == 1, coin.output != 1, coin.output < 2, coin.output <= 2, coin.output > 2.5, coin.output >= limit]
    ):
        with dsl.Condition(condition):
            step(f"step {index}")


@dsl.pipeline(name="Reference on the right")
def right_hand(limit: int = 3):
    coin = flip()
    with dsl.Condition("heads" == coin.output):
        step("a")
    with dsl.Condition(5 > coin.output):
        step("b")
    with dsl.Condition(limit == coin.output):
        step("c")


@dsl.pipeline(name="Two parameters")
def two_parameters(a: str = "x", b: str = "y"):
    with dsl.Condition(a == b):
        step("same", a)
    with dsl.Condition(a != "x"):
        step("other", b)


@dsl.pipeline(name="Two outputs")
def two_outputs():
    one, two = flip("one"), flip("two")
    with dsl.Condition(one.output > two.output):
        step("more", one.output)


@dsl.pipeline(name="Texts that are compared")
def compared_texts(a: str = "x"):
    for index, text in enumerate(["", "a b", "true", True, 1.5, None, "1e3", "ü", "{a}", "x: y"]):
        with dsl.Condition(a == text):
            step(f"step {index}")


@dsl.pipeline(name="Nested")
def nested(a: str = "x"):
    coin = flip()
    with dsl.Condition(coin.output == "heads"):
        again = flip("again")
        with dsl.Condition(again.output == "heads"):
            step("twice", a, coin.output)
            with dsl.Condition(a == "x"):
                step("deep", again.output, coin.output)
        with dsl.Condition(again.output == "tails"):
            step("once")


@dsl.pipeline(name="From far outside")
def from_far_outside(a: str = "x", b: str = "y"):
    data = flip("data")
    with dsl.Condition(a == "x"):
        with dsl.Condition(b == "y"):
            step("inner", data.output, a)


@dsl.pipeline(name="After a condition")
def after_a_condition():
    coin = flip()
    with dsl.Condition(coin.output == "heads") as heads:
        inner = step("won")
    step("after the group").after(heads)
    step("after the step").after(inner)


@dsl.pipeline(name="A condition after a step")
def condition_after():
    coin, other = flip(), step("other")
    with dsl.Condition(coin.output == "heads") as heads:
        step("won")
    heads.after(other)
    with dsl.Condition(coin.output == "tails"):
        step("lost").after(other)


@dsl.pipeline(name="Read from a branch")
def read_from_branch():
    coin = flip()
    with dsl.Condition(coin.output == "heads"):
        inner = flip("inner")
    step("reader", inner.output)


@dsl.pipeline(name="Between branches")
def between_branches():
    coin = flip()
    with dsl.Condition(coin.output == "heads"):
        one = flip("one")
    with dsl.Condition(coin.output == "tails"):
        step("reader", one.output)


@dsl.pipeline(name="Numbers of groups")
def group_numbers(a: str = "x"):
    with dsl.Condition(a == "1"):
        step("a")
        with dsl.ParallelFor([1, 2]) as item:
            step("b", item)
            with dsl.Condition(item == 1):
                step("c")
    with dsl.Condition(a == "2"):
        step("d")
