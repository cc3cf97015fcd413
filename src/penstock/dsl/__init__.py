"""What a pipeline's author writes: pipelines, steps, parameters, conditions, loops, exit handlers.

Everything here is a plain object. The only state outside objects is one context variable, which holds the pipeline
that is being traced.
"""

from penstock.dsl import data_passing_methods, types
from penstock.dsl.artifact_ports import Input, Output
from penstock.dsl.artifacts import (
    HTML,
    Artifact,
    ClassificationMetrics,
    Dataset,
    Markdown,
    Metrics,
    Model,
    SlicedClassificationMetrics,
)
from penstock.dsl.base import BaseOp
from penstock.dsl.branches import Elif, Else, If, OneOf
from penstock.dsl.collected import Collected
from penstock.dsl.conf import PipelineConf, get_pipeline_conf
from penstock.dsl.container import Container, Sidecar, UserContainer
from penstock.dsl.graphs import graph_component
from penstock.dsl.groups import Condition, ExitHandler, ParallelFor, SubGraph
from penstock.dsl.ops import ContainerOp, InputArgumentPath
from penstock.dsl.pipelines import Pipeline, PipelineSpec, pipeline
from penstock.dsl.references import PipelineParam, all_of, any_of, not_
from penstock.dsl.resources import ResourceOp, kubernetes_resource_delete_op
from penstock.dsl.schedules import Schedule
from penstock.dsl.volume_ops import VOLUME_MODE_ROM, VOLUME_MODE_RWM, VOLUME_MODE_RWO, VolumeOp, VolumeSnapshotOp
from penstock.dsl.volumes import PipelineVolume

__all__ = [
    "EXECUTION_ID_PLACEHOLDER",
    "HTML",
    "RUN_ID_PLACEHOLDER",
    "VOLUME_MODE_ROM",
    "VOLUME_MODE_RWM",
    "VOLUME_MODE_RWO",
    "Artifact",
    "BaseOp",
    "ClassificationMetrics",
    "Collected",
    "Condition",
    "Container",
    "ContainerOp",
    "Dataset",
    "Elif",
    "Else",
    "ExitHandler",
    "If",
    "Input",
    "InputArgumentPath",
    "Markdown",
    "Metrics",
    "Model",
    "OneOf",
    "Output",
    "ParallelFor",
    "Pipeline",
    "PipelineConf",
    "PipelineParam",
    "PipelineSpec",
    "PipelineVolume",
    "ResourceOp",
    "Schedule",
    "Sidecar",
    "SlicedClassificationMetrics",
    "SubGraph",
    "UserContainer",
    "VolumeOp",
    "VolumeSnapshotOp",
    "all_of",
    "any_of",
    "data_passing_methods",
    "get_pipeline_conf",
    "graph_component",
    "kubernetes_resource_delete_op",
    "not_",
    "pipeline",
    "types",
]

RUN_ID_PLACEHOLDER = "{{workflow.uid}}"
"""In any text: the run's id."""

EXECUTION_ID_PLACEHOLDER = "{{workflow.uid}}-{{pod.name}}"
"""In any text: an id of this attempt of this step."""
