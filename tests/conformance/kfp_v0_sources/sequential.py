import kfp.dsl as dsl


@dsl.pipeline(name="Sequential", description="A pipeline with two sequential steps.")
def sequential(url=dsl.PipelineParam(name="url", value="gs://ml-pipeline-playground/shakespeare1.txt")):
    line = "gsutil cat %s | tee /tmp/results.txt" % url
    download = dsl.ContainerOp(
        name="download",
        image="google/cloud-sdk:216.0.0",
        command=["sh", "-c"],
        arguments=[line],
        file_outputs={"downloaded": "/tmp/results.txt"},
    )
    dsl.ContainerOp(
        name="echo", image="library/bash:4.4.23", command=["sh", "-c"], arguments=['echo "%s"' % download.output]
    )
