from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="my-pipeline")
def withitem_basic(my_pipe_param: int = 10):
    with dsl.ParallelFor([{"a": 1, "b": 2}, {"a": 10, "b": 20}]) as item:
        shell("my-in-coop1", f"echo op1 {item.a} {my_pipe_param}")
        shell("my-in-coop2", f"echo op2 {item.b}")
    shell("my-out-cop", f"echo {my_pipe_param}")
