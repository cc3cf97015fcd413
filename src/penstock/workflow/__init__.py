"""The document: an Argo Workflow and what belongs to its language.

Types, `{{tags}}`, `when`, `depends`, loops and node ids; parse, check, dump. Nothing here reads a clock or a disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.workflow.configuration import (
        NOTHING,
        Configuration,
        check_references,
        configured_parameters,
        read_objects,
    )
    from penstock.workflow.document import InputSpec, Spec, Task, Template, Workflow
    from penstock.workflow.inputs import bind
    from penstock.workflow.library import Library, read_templates
    from penstock.workflow.loading import MAX_BYTES, load
    from penstock.workflow.metadata import labels_from
    from penstock.workflow.nodes import is_own_key, log_key, node_id, pod_name, run_name
    from penstock.workflow.running import named, node_document, status_document
    from penstock.workflow.scheduling import ANYWHERE, Machine, check_scheduling
    from penstock.workflow.selector import node_selector
    from penstock.workflow.yaml import dump_yaml, load_yaml

__all__ = [
    "ANYWHERE",
    "MAX_BYTES",
    "NOTHING",
    "Configuration",
    "InputSpec",
    "Library",
    "Machine",
    "Spec",
    "Task",
    "Template",
    "Workflow",
    "bind",
    "check_references",
    "check_scheduling",
    "configured_parameters",
    "dump_yaml",
    "is_own_key",
    "labels_from",
    "load",
    "load_yaml",
    "log_key",
    "named",
    "node_document",
    "node_id",
    "node_selector",
    "pod_name",
    "read_objects",
    "read_templates",
    "run_name",
    "status_document",
]

_HOMES = {
    "Configuration": "configuration",
    "InputSpec": "document",
    "Library": "library",
    "ANYWHERE": "scheduling",
    "Machine": "scheduling",
    "MAX_BYTES": "loading",
    "NOTHING": "configuration",
    "Spec": "document",
    "Task": "document",
    "Template": "document",
    "Workflow": "document",
    "bind": "inputs",
    "check_references": "configuration",
    "check_scheduling": "scheduling",
    "configured_parameters": "configuration",
    "dump_yaml": "yaml",
    "is_own_key": "nodes",
    "labels_from": "metadata",
    "load": "loading",
    "load_yaml": "yaml",
    "log_key": "nodes",
    "named": "running",
    "node_document": "running",
    "node_id": "nodes",
    "node_selector": "selector",
    "pod_name": "nodes",
    "read_objects": "configuration",
    "read_templates": "library",
    "run_name": "nodes",
    "status_document": "running",
}
"""In which module each name stands. They are imported when they are asked for: who writes YAML needs no engine."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(f"penstock.workflow.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'penstock.workflow' has no attribute '{name}'")
