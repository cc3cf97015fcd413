from kfp import dsl

IMAGE = "library/bash:4.4.23"
OLD_PYTHON = "python:3.5-jessie"
MOST_FREQUENT = (
    "python -c \"from collections import Counter; words = Counter('{}'.split()); print(max(words, key=words.get))\" "
    "| tee /tmp/message.txt"
)


def shell(name, line, image=IMAGE, **settings):
    """A step that runs one line of shell."""
    return dsl.ContainerOp(name=name, image=image, command=["sh", "-c"], arguments=[line], **settings)


@dsl.pipeline(name="Download and Save Most Frequent", description="Download and Get Most Frequent Word and Save to GCS")
def compose(url, outputpath):
    line = f"gsutil cat {url} | tee /tmp/results.txt"
    download = shell("download", line, "google/cloud-sdk", file_outputs={"downloaded": "/tmp/results.txt"})
    line = MOST_FREQUENT.format(download.output)
    counter = shell("get-frequent", line, OLD_PYTHON, file_outputs={"word": "/tmp/message.txt"})
    line = f"echo {counter.output} | tee /tmp/results.txt | gsutil cp /tmp/results.txt {outputpath}"
    shell("save", line, "google/cloud-sdk")
