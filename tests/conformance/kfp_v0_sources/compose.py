import kfp.dsl as dsl

COUNT = (
    "python -c \"from collections import Counter; words = Counter('%s'.split()); print(max(words, key=words.get))\" "
    "| tee /tmp/message.txt"
)


def frequent(text):
    return dsl.ContainerOp(
        name="get-frequent",
        image="python:3.5-jessie",
        command=["sh", "-c"],
        arguments=[COUNT % text],
        file_outputs={"word": "/tmp/message.txt"},
    )


@dsl.pipeline(name="Save Most Frequent", description="The most frequent word of a text, saved.")
def save_most_frequent(message: dsl.PipelineParam, outputpath: dsl.PipelineParam):
    save(frequent(message).output, outputpath)


def save(word, outputpath):
    line = "echo %s | tee /tmp/results.txt | gsutil cp /tmp/results.txt %s" % (word, outputpath)
    dsl.ContainerOp(name="save", image="google/cloud-sdk", command=["sh", "-c"], arguments=[line])


@dsl.pipeline(name="Download and Save Most Frequent", description="The most frequent word of a file, saved.")
def download_save_most_frequent(url: dsl.PipelineParam, outputpath: dsl.PipelineParam):
    download = dsl.ContainerOp(
        name="download",
        image="google/cloud-sdk",
        command=["sh", "-c"],
        arguments=["gsutil cat %s | tee /tmp/results.txt" % url],
        file_outputs={"downloaded": "/tmp/results.txt"},
    )
    save_most_frequent(download.output, outputpath)
