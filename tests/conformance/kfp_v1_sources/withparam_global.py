from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


def shell_list(name, values):
    """A step that writes a list as JSON."""
    line = f"python -c \"import json; import sys; json.dump({values}, open('/tmp/out.json', 'w'))\""
    return shell(name, line, "python:alpine3.6", file_outputs={"out": "/tmp/out.json"})


@dsl.pipeline(name="my-pipeline")
def withparam_global(loopidy_doop: list = [3, 5, 7, 9]):
    made = shell_list("my-out-cop0", "[i for i in range(20, 31)]")
    with dsl.ParallelFor(loopidy_doop) as item:
        shell("my-in-cop1", f"echo no output global op1, item: {item}").after(made)
    shell("my-out-cop2", f"echo no output global op2, outp: {made.output}")
