import kfp.dsl as dsl
from kfp import gcp

DATA = "gs://ml-pipeline-playground/tfx/taxi-cab-classification/"
IMAGES = "gcr.io/ml-pipeline/ml-pipeline-"
RELEASE = ":0.1.3-rc.2"
RUN = "{{workflow.name}}"


def step(name, image, results, **flags):
    """A step that takes its arguments as flags."""
    arguments = []
    for flag, value in flags.items():
        arguments += ["--" + flag.replace("_", "-"), value]
    return dsl.ContainerOp(name=name, image=IMAGES + image + RELEASE, arguments=arguments, file_outputs=results)


@dsl.pipeline(
    name="TFX Taxi Cab Classification Pipeline Example",
    description="Whether the tip of a taxi ride will be more than a fifth of the fare.",
)
def taxi_cab_classification(
    output,
    project,
    column_names=dsl.PipelineParam(name="column-names", value=DATA + "column-names.json"),
    key_columns=dsl.PipelineParam(name="key-columns", value="trip_start_timestamp"),
    train=dsl.PipelineParam(name="train", value=DATA + "train.csv"),
    evaluation=dsl.PipelineParam(name="evaluation", value=DATA + "eval.csv"),
    validation_mode=dsl.PipelineParam(name="validation-mode", value="local"),
    preprocess_mode=dsl.PipelineParam(name="preprocess-mode", value="local"),
    preprocess_module: dsl.PipelineParam = dsl.PipelineParam(name="preprocess-module", value=DATA + "preprocessing.py"),
    target=dsl.PipelineParam(name="target", value="tips"),
    learning_rate=dsl.PipelineParam(name="learning-rate", value=0.1),
    hidden_layer_size=dsl.PipelineParam(name="hidden-layer-size", value="1500"),
    steps=dsl.PipelineParam(name="steps", value=3000),
    predict_mode=dsl.PipelineParam(name="predict-mode", value="local"),
    analyze_mode=dsl.PipelineParam(name="analyze-mode", value="local"),
    analyze_slice_column=dsl.PipelineParam(name="analyze-slice-column", value="trip_start_hour"),
):
    secret = gcp.use_gcp_secret("user-gcp-sa")
    validation = step(
        "validation",
        "dataflow-tfdv",
        {"output": "/output.txt", "schema": "/output_schema.json"},
        csv_data_for_inference=train,
        csv_data_to_validate=evaluation,
        column_names=column_names,
        key_columns=key_columns,
        project=project,
        mode=validation_mode,
        output="%s/%s/validation" % (output, RUN),
    ).apply(secret)
    schema = "%s/schema.json" % validation.outputs["output"]
    preprocess = step(
        "preprocess",
        "dataflow-tft",
        {"transformed": "/output.txt"},
        train=train,
        eval=evaluation,
        schema=schema,
        project=project,
        mode=preprocess_mode,
        preprocessing_module=preprocess_module,
        output="%s/%s/transformed" % (output, RUN),
    ).apply(secret)
    training = step(
        "training",
        "kubeflow-tf-trainer",
        {"train": "/output.txt"},
        transformed_data_dir=preprocess.output,
        schema=schema,
        learning_rate=learning_rate,
        hidden_layer_size=hidden_layer_size,
        steps=steps,
        target=target,
        preprocessing_module=preprocess_module,
        job_dir="%s/%s/train" % (output, RUN),
    ).apply(secret)
    step(
        "analysis",
        "dataflow-tfma",
        {"analysis": "/output.txt"},
        model=training.output,
        eval=evaluation,
        schema=schema,
        project=project,
        mode=analyze_mode,
        slice_columns=analyze_slice_column,
        output="%s/%s/analysis" % (output, RUN),
    ).apply(secret)
    step(
        "prediction",
        "dataflow-tf-predict",
        {"prediction": "/output.txt"},
        data=evaluation,
        schema=schema,
        target=target,
        model=training.output,
        mode=predict_mode,
        project=project,
        output="%s/%s/predict" % (output, RUN),
    ).apply(secret)
    step(
        "deploy",
        "kubeflow-deployer",
        None,
        model_path=training.output,
        server_name="taxi-cab-classification-model-%s" % RUN,
    )
