"""Conditions and exit handlers of files for kfp 0.1."""

import kfp.dsl as dsl


def flip(name="flip"):
    return dsl.ContainerOp(
        name, "python:alpine3.6", command=["sh", "-c"], arguments=["flip"], file_outputs={"output": "/tmp/output"}
    )


def tell(name, *words):
    return dsl.ContainerOp(name, "alpine:3.6", command=["echo"], arguments=list(words))


@dsl.pipeline(name="Every comparison", description="")
def comparisons(limit=dsl.PipelineParam(name="limit", value=5)):
    drawn = flip()
    for number, told in enumerate(
        [
            drawn.output == "heads",
            drawn.output != "heads",
            drawn.output > 3,
            drawn.output >= 3,
            drawn.output < limit,
            drawn.output <= 7.5,
            limit == "5",
        ]
    ):
        with dsl.Condition(told):
            tell("tell-%d" % number, drawn.output)


@dsl.pipeline(name="Nested", description="")
def nested(face=dsl.PipelineParam(name="face", value="heads")):
    first = flip("first")
    with dsl.Condition(first.output == face):
        second = flip("second")
        with dsl.Condition(second.output == first.output):
            tell("both", first.output, second.output, face)
            with dsl.Condition(face == "tails"):
                tell("tails")
    tell("after", first.output)


@dsl.pipeline(name="Two conditions", description="")
def two_conditions():
    first = flip()
    with dsl.Condition(first.output == "heads"):
        tell("heads")
        tell("more heads", first.output)
    with dsl.Condition(first.output == "tails"):
        tell("tails")


@dsl.pipeline(name="Conditions that meet", description="")
def conditions_that_meet():
    one, two = flip("one"), flip("two")
    with dsl.Condition(one.output == two.output):
        tell("equal")
        inner = flip("inner")
        with dsl.Condition(inner.output != two.output):
            tell("different", one.output)


@dsl.pipeline(name="An exit handler", description="")
def an_exit_handler(message=dsl.PipelineParam(name="message", value="bye")):
    said = tell("exiting", "exit %s" % message)
    with dsl.ExitHandler(said):
        first = flip()
        tell("then", first.output)


@dsl.pipeline(name="A condition in an exit handler", description="")
def exit_and_condition():
    with dsl.ExitHandler(tell("exiting")):
        first = flip()
        with dsl.Condition(first.output == "heads"):
            tell("heads", first.output)


@dsl.pipeline(name="Waiting in a condition", description="")
def waiting():
    first = flip()
    with dsl.Condition(first.output == "heads"):
        one = tell("one")
        tell("two").after(one)
    tell("three").after(first)
