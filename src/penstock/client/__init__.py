"""The Python client: everything that a server does, over HTTP alone.

`penstock.client.local` runs pipelines in this process instead.
"""

from penstock.client.client import Client
from penstock.client.logs import LogLine
from penstock.client.runs import RunPipelineResult
from penstock.client.values import Experiment, Gone, Metric, Note, Pipeline, PipelineVersion, Run, RunEvent

__all__ = [
    "Client",
    "Experiment",
    "Gone",
    "LogLine",
    "Metric",
    "Note",
    "Pipeline",
    "PipelineVersion",
    "Run",
    "RunEvent",
    "RunPipelineResult",
]
