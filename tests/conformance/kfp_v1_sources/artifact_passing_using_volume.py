from kfp import dsl
from kfp.components import load_component_from_text
from kfp.dsl.data_passing_methods import KubernetesVolume
from kubernetes.client.models import V1PersistentVolumeClaimVolumeSource, V1Volume

PRODUCE = load_component_from_text(
    """
    name: Producer
    outputs: [{name: Output 1}, {name: Output 2}]
    implementation:
      container:
        image: alpine
        command:
        - sh
        - -c
        - |
          mkdir -p "$(dirname "$0")"
          mkdir -p "$(dirname "$1")"
          echo "Data 1" > $0
          echo "Data 2" > $1
        args: [{outputPath: Output 1}, {outputPath: Output 2}]
    """
)
PROCESS = load_component_from_text(
    """
    name: Processor
    inputs: [{name: Input parameter}, {name: Input artifact}]
    outputs: [{name: Output 1}, {name: Output 2}]
    implementation:
      container:
        image: alpine
        command:
        - sh
        - -c
        - |
          mkdir -p "$(dirname "$2")"
          mkdir -p "$(dirname "$3")"
          echo "$0" > "$2"
          cp "$1" "$3"
        args:
        - {inputValue: Input parameter}
        - {inputPath: Input artifact}
        - {outputPath: Output 1}
        - {outputPath: Output 2}
    """
)
CONSUME_BOTH = load_component_from_text(
    """
    name: Consumer
    inputs: [{name: Input parameter}, {name: Input artifact}]
    implementation:
      container:
        image: alpine
        command:
        - sh
        - -c
        - |
          echo "Input parameter = $0"
          echo "Input artifact = " && cat "$1"
        args: [{inputValue: Input parameter}, {inputPath: Input artifact}]
    """
)
METADATA = load_component_from_text(
    """
    name: Metadata and metrics
    outputs: [{name: mlpipeline_ui_metadata, type: UI_metadata}, {name: mlpipeline_metrics, type: Metrics}]
    implementation:
      container:
        image: python:3.7
        command:
        - sh
        - -ec
        - |
          program_path=$(mktemp)
          printf "%s" "$0" > "$program_path"
          python3 -u "$program_path" "$@"
        - the program
        args: ["----output-paths", {outputPath: mlpipeline_ui_metadata}, {outputPath: mlpipeline_metrics}]
    """
)


@dsl.pipeline(name="artifact-passing-pipeline")
def artifact_passing_using_volume():
    produced = PRODUCE()
    processed = PROCESS(produced.outputs["output_1"], produced.outputs["output_2"])
    CONSUME_BOTH(processed.outputs["output_1"], processed.outputs["output_2"])
    METADATA()
    conf = dsl.get_pipeline_conf()
    claim = V1PersistentVolumeClaimVolumeSource(claim_name="data-volume")
    conf.data_passing_method = KubernetesVolume(
        volume=V1Volume(name="data", persistent_volume_claim=claim), path_prefix="artifact_data/"
    )
