import kfp.dsl as dsl


@dsl.pipeline(name="Exit Handler", description="What was downloaded is printed, then the last step runs.")
def exit_handler(url=dsl.PipelineParam(name="url", value="gs://ml-pipeline-playground/shakespeare1.txt")):
    last = dsl.ContainerOp(name="finally", image="library/bash:4.4.23", command=["echo", "exit!"])
    with dsl.ExitHandler(last):
        download = dsl.ContainerOp(
            name="download",
            image="google/cloud-sdk:216.0.0",
            command=["sh", "-c"],
            arguments=["gsutil cat %s | tee /tmp/results.txt" % url],
            file_outputs={"downloaded": "/tmp/results.txt"},
        )
        line = "echo %s" % download.output
        dsl.ContainerOp(name="echo", image="library/bash:4.4.23", command=["sh", "-c"], arguments=[line])
