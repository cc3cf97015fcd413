"""What steps show. Bytes that a step wrote into its two conventional files become checked values; no I/O here.

A step's files come from strangers: sizes are bounded, and one output that is wrong becomes one error card which says
what was read and what was expected. One kind of view, one file. The formats: Kubeflow Pipelines' documents on output
viewers and metrics.
"""

from __future__ import annotations

from penstock.outputs.confusion_matrix import ConfusionMatrixView
from penstock.outputs.envelope import read_ui_metadata
from penstock.outputs.error import ErrorView
from penstock.outputs.markdown import MarkdownView
from penstock.outputs.metrics import Metric, MetricsReading, read_metrics
from penstock.outputs.roc import RocView
from penstock.outputs.table import TableView
from penstock.outputs.tensorboard import TensorboardView
from penstock.outputs.view import View
from penstock.outputs.web_app import WebAppView

__all__ = [
    "ConfusionMatrixView",
    "ErrorView",
    "MarkdownView",
    "Metric",
    "MetricsReading",
    "RocView",
    "TableView",
    "TensorboardView",
    "View",
    "WebAppView",
    "read_metrics",
    "read_ui_metadata",
]
