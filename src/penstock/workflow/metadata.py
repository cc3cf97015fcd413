"""Labels that a run gets from expressions. (Argo: `updateWorkflowMetadata` in `operator.go`.)"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.errors import InvalidInput
from penstock.workflow import gojson
from penstock.workflow.document import Workflow
from penstock.workflow.expressions import ExpressionError, Flat, evaluate

__all__ = ["labels_from"]


def labels_from(workflow: Workflow, name: str, uid: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """The labels that `workflowMetadata.labelsFrom` makes for a run of that name. Raises InvalidInput."""
    known = {
        "workflow.name": name,
        "workflow.namespace": workflow.namespace,
        "workflow.uid": uid,
        "workflow.parameters": gojson.dumps([{"name": key, "value": value} for key, value in parameters.items()]),
        **{f"workflow.parameters.{key}": value for key, value in parameters.items()},
        **{f"workflow.labels.{key}": value for key, value in workflow.labels.items()},
        **{f"workflow.annotations.{key}": value for key, value in workflow.annotations.items()},
    }
    found = {}
    for label, source in workflow.spec.workflow_metadata.labels_from.items():
        path = f"spec.workflowMetadata.labelsFrom.{label}"
        try:
            value = evaluate(source.expression, Flat(known))
        except ExpressionError as error:
            raise InvalidInput(f"{path}: {error}") from None
        if not isinstance(value, str):
            raise InvalidInput(f"{path}: expected a text, got {gojson.shown(value)}")
        found[label] = value
    return found
