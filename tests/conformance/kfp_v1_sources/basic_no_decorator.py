from kfp import dsl

IMAGE = "library/bash:4.4.23"
OLD_PYTHON = "python:3.5-jessie"
MOST_FREQUENT = (
    "python -c \"from collections import Counter; words = Counter('{}'.split()); print(max(words, key=words.get))\" "
    "| tee /tmp/message.txt"
)


def _shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


message = dsl.PipelineParam(name="message")
outputpath = dsl.PipelineParam(name="outputpath", value="default_output")


def save_most_frequent():
    with dsl.ExitHandler(_shell("exiting", "echo exit!", OLD_PYTHON)):
        counter = _shell(
            "get-frequent", MOST_FREQUENT.format(message), OLD_PYTHON, file_outputs={"word": "/tmp/message.txt"}
        )
        counter.container.set_memory_request("200M")
        line = f"echo {counter.output} | tee /tmp/results.txt | gsutil cp /tmp/results.txt {outputpath}"
        saver = _shell("save", line, "google/cloud-sdk")
        saver.container.set_cpu_limit("0.5").set_gpu_limit("2").add_resource_limit("cloud-tpus.google.com/v2", "8")
        saver.add_node_selector_constraint("cloud.google.com/gke-accelerator", "nvidia-tesla-k80")
        saver.add_pod_annotation("tf-version.cloud-tpus.google.com", "1.12")
