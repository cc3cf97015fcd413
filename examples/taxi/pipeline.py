"""Will this taxi ride be tipped well? The pipeline of 2018, written as pipelines were written then.

Functions that return `dsl.ContainerOp`, types in quotes, `dsl.PipelineParam` as defaults. The images are built from
`programs/` by `Dockerfile`; on a machine without them `images.toml` says which programs stand for them:

    penstock run examples/taxi/pipeline.py --images examples/taxi/images.toml
"""
# fmt: off

import penstock.dsl as dsl


def validation_op(
    inference_data: 'GcsUri',
    validation_data: 'GcsUri',
    column_names: 'GcsUri[text/json]',
    key_columns,
    category_columns,
    step_name='validation',
):
    """Infer a schema from one file and hold another one to it."""
    return dsl.ContainerOp(
        name=step_name,
        image='taxi/validation:1',
        arguments=[
            '--csv-data-for-inference', inference_data,
            '--csv-data-to-validate', validation_data,
            '--column-names', column_names,
            '--key-columns', key_columns,
            '--category-columns', category_columns,
            '--output-schema', '/output_schema.json',
        ],
        file_outputs={'schema': '/output_schema.json'},
    )


def preprocess_op(
    train_data: 'GcsUri',
    evaluation_data: 'GcsUri',
    column_names: 'GcsUri[text/json]',
    schema: 'GcsUri[text/json]',
    preprocess_module: 'GcsUri[text/code/python]',
    target,
    step_name='preprocess',
):
    """Turn rows into numbers, as the module says."""
    return dsl.ContainerOp(
        name=step_name,
        image='taxi/preprocess:1',
        arguments=[
            '--train', train_data,
            '--eval', evaluation_data,
            '--column-names', column_names,
            '--schema', dsl.InputArgumentPath(schema, input='schema'),
            '--preprocessing-module', preprocess_module,
            '--target', target,
            '--output', '/output',
        ],
        file_outputs={'transformed': '/output'},
    )


def train_op(
    transformed_data_dir: 'GcsUri[Directory]',
    learning_rate,
    hidden_layer_size,
    steps,
    step_name='training',
):
    """Train a network with one hidden layer."""
    return dsl.ContainerOp(
        name=step_name,
        image='taxi/training:1',
        arguments=[
            '--transformed-data-dir', dsl.InputArgumentPath(transformed_data_dir, input='transformed'),
            '--learning-rate', learning_rate,
            '--hidden-layer-size', hidden_layer_size,
            '--steps', steps,
            '--job-dir', '/output',
        ],
        file_outputs={'train': '/output'},
    )


def predict_op(
    evaluation_data: 'GcsUri',
    column_names: 'GcsUri[text/json]',
    model: 'GcsUri[Directory]',
    target,
    step_name='prediction',
):
    """Let the model judge rides that it has not seen."""
    return dsl.ContainerOp(
        name=step_name,
        image='taxi/prediction:1',
        arguments=[
            '--data', evaluation_data,
            '--column-names', column_names,
            '--model', dsl.InputArgumentPath(model, input='model'),
            '--target', target,
            '--output', '/output',
        ],
        file_outputs={'prediction': '/output'},
    )


def confusion_matrix_op(predictions: 'GcsUri[Directory]', step_name='confusion-matrix'):
    """Count how often each answer was right."""
    return dsl.ContainerOp(
        name=step_name,
        image='taxi/confusion-matrix:1',
        arguments=['--predictions', dsl.InputArgumentPath(predictions, input='predictions')],
    )


def roc_op(predictions: 'GcsUri[Directory]', step_name='roc'):
    """Draw what each threshold would have cost."""
    return dsl.ContainerOp(
        name=step_name,
        image='taxi/roc:1',
        arguments=['--predictions', dsl.InputArgumentPath(predictions, input='predictions')],
    )


@dsl.pipeline(
    name='Taxi tips classification',
    description='Predicts whether a taxi ride in Chicago is tipped with more than a fifth of its fare.',
)
def taxi_tips_classification(
    column_names: 'GcsUri[text/json]' = dsl.PipelineParam(name='column-names', value='example://taxi/column-names.json'),
    key_columns=dsl.PipelineParam(name='key-columns', value='trip_start_timestamp'),
    category_columns=dsl.PipelineParam(
        name='category-columns',
        value='pickup_community_area,dropoff_community_area,pickup_census_tract,dropoff_census_tract',
    ),
    train: 'GcsUri' = dsl.PipelineParam(name='train', value='example://taxi/train.csv'),
    evaluation: 'GcsUri' = dsl.PipelineParam(name='evaluation', value='example://taxi/eval.csv'),
    preprocess_module: 'GcsUri[text/code/python]' = dsl.PipelineParam(name='preprocess-module', value='example://taxi/preprocessing.py'),
    target=dsl.PipelineParam(name='target', value='tips'),
    learning_rate: float = dsl.PipelineParam(name='learning-rate', value=0.002),
    hidden_layer_size: int = dsl.PipelineParam(name='hidden-layer-size', value=64),
    steps: int = dsl.PipelineParam(name='steps', value=1000),
):
    """Validate, preprocess, train, predict, judge."""
    validation = validation_op(train, evaluation, column_names, key_columns, category_columns)
    preprocess = preprocess_op(train, evaluation, column_names, validation.output, preprocess_module, target)
    training = train_op(preprocess.output, learning_rate, hidden_layer_size, steps)
    prediction = predict_op(evaluation, column_names, training.output, target)
    confusion_matrix_op(prediction.output)
    roc_op(prediction.output)
