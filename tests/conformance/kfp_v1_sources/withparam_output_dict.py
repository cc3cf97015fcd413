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
def withparam_output_dict():
    made = shell_list("my-out-cop0", "[{'a': 1, 'b': 2}, {'a': 10, 'b': 20}]")
    with dsl.ParallelFor(made.output) as item:
        shell("my-in-cop1", f"echo do output op1 item.a: {item.a}")
    shell("my-out-cop2", f"echo do output op2, outp: {made.output}")
