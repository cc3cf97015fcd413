import kfp.dsl as dsl

FLIP = (
    "python -c \"import random; result = 'heads' if random.randint(0,1) == 0 else 'tails'; print(result)\" "
    "| tee /tmp/output"
)


def flip_coin(name):
    return dsl.ContainerOp(
        name=name,
        image="python:alpine3.6",
        command=["sh", "-c"],
        arguments=[FLIP],
        file_outputs={"output": "/tmp/output"},
    )


def tell(name):
    dsl.ContainerOp(name=name, image="alpine:3.6", command=["echo", '"it was tail"'])


@dsl.pipeline(name="pipeline flip coin", description="shows how to use dsl.Condition.")
def flip():
    first = flip_coin("flip")
    with dsl.Condition(first.output == "heads"):
        second = flip_coin("flip-again")
        with dsl.Condition(second.output == "tails"):
            tell("print1")
    with dsl.Condition(first.output == "tails"):
        tell("print2")
