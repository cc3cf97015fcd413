"""Use cases, one transaction each: the only room that knows the rules of experiments, pipelines and runs.

Everything here is synchronous; a server calls it from a worker thread, one hop per request.
"""

from penstock.engine.protocol import Shutdown
from penstock.outputs import View, WebAppView
from penstock.services.catalog import Services
from penstock.services.experiments import Experiments
from penstock.services.graph import Graph
from penstock.services.pipelines import Pipelines
from penstock.services.report import Report
from penstock.services.runs import ArtifactSource, LogSource, Runs
from penstock.services.waste import GRACE, Waste, command_lines, waste

__all__ = [
    "GRACE",
    "ArtifactSource",
    "Experiments",
    "Graph",
    "LogSource",
    "Pipelines",
    "Report",
    "Runs",
    "Services",
    "Shutdown",
    "View",
    "Waste",
    "WebAppView",
    "command_lines",
    "waste",
]
