"""Components: a Python function or a `component.yaml` file becomes something that makes steps in pipelines."""

from penstock.components.builders import create_component_from_func, func_to_container_op
from penstock.components.component import Component, FunctionComponent, component
from penstock.components.graphs import GraphTask, create_graph_component_from_pipeline_func
from penstock.components.images import build_image_from_working_dir
from penstock.components.loading import (
    load_component,
    load_component_from_file,
    load_component_from_spec,
    load_component_from_text,
    load_component_from_url,
)
from penstock.components.ports import (
    InputBinaryFile,
    InputPath,
    InputTextFile,
    OutputBinaryFile,
    OutputPath,
    OutputTextFile,
)
from penstock.components.spec import ComponentSpec, ContainerSpec, GraphSpec, InputSpec, OutputSpec
from penstock.components.store import ComponentStore

__all__ = [
    "Component",
    "ComponentSpec",
    "ComponentStore",
    "ContainerSpec",
    "FunctionComponent",
    "GraphSpec",
    "GraphTask",
    "InputBinaryFile",
    "InputPath",
    "InputSpec",
    "InputTextFile",
    "OutputBinaryFile",
    "OutputPath",
    "OutputSpec",
    "OutputTextFile",
    "build_image_from_working_dir",
    "component",
    "create_component_from_func",
    "create_graph_component_from_pipeline_func",
    "func_to_container_op",
    "load_component",
    "load_component_from_file",
    "load_component_from_spec",
    "load_component_from_text",
    "load_component_from_url",
]
