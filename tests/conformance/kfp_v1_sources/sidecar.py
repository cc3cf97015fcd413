from kfp import dsl

IMAGE = "library/bash:4.4.23"


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="Sidecar", description="A pipeline with sidecars.")
def sidecar():
    echo = dsl.Sidecar("echo", "hashicorp/http-echo", args=['-text="hello world"'])
    line = "sleep 10; wget localhost:5678 -O /tmp/results.txt"
    download = shell("download", line, "busybox", sidecars=[echo], file_outputs={"downloaded": "/tmp/results.txt"})
    shell("echo", f"echo {download.output}", "library/bash")
