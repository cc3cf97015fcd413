from kfp import dsl

IMAGE = "library/bash:4.4.23"
FLIP = (
    "python -c \"import random; result = 'heads' if random.randint(0,1) == 0 else 'tails'; print(result)\" "
    "| tee /tmp/output"
)


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


def flip_coin():
    """Heads or tails."""
    return shell("flip", FLIP, "python:alpine3.6", file_outputs={"output": "/tmp/output"})


def print_text(text):
    """Print it."""
    return dsl.ContainerOp(name="print", image="alpine:3.6", command=["echo", text])


@dsl.pipeline(name="pipeline flip coin", description="shows how to use graph_component.")
def recursive_do_while():
    @dsl.graph_component
    def flip_component(flip_result):
        again = flip_coin().after(print_text(flip_result))
        with dsl.Condition(again.output == "heads"):
            flip_component(again.output)

    first, second = flip_coin(), flip_coin()
    loop = flip_component(first.output)
    loop.after(second)
    print_text(f"cool, it is over. {first.output}").after(loop)
