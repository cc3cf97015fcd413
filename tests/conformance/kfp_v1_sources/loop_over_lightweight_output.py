from kfp import dsl
from kfp.components import load_component_from_text

PRODUCE_LIST = load_component_from_text(
    """
    name: Produce list
    outputs: [{name: data_list}]
    implementation:
      container:
        image: busybox
        command: [sh, -c, 'echo "[1, 2, 3]" > "$0"', {outputPath: data_list}]
    """
)
CONSUME = load_component_from_text(
    """
    name: Consume data
    inputs: [{name: data}]
    implementation: {container: {image: busybox, command: [echo, {inputValue: data}]}}
    """
)


@dsl.pipeline(name="Loop over lightweight output", description="Test pipeline to verify functions of par loop.")
def loop_over_lightweight_output():
    with dsl.ParallelFor(PRODUCE_LIST().output) as item:
        CONSUME(data=item)
