"""Pipelines → documents.

`compile` gives a Workflow as JSON-able values, `compile_schedule` a ScheduledWorkflow; `Compiler` writes to a file.
"""

from typing import TYPE_CHECKING, Any

from penstock.compiler.dialects import PENSTOCK, Dialect
from penstock.compiler.document import compile_pipeline
from penstock.compiler.document import compile_pipeline as compile
from penstock.compiler.loading import load_pipelines, loaded_package
from penstock.compiler.packages import Compiler

if TYPE_CHECKING:
    from penstock.compiler.schedules import compile_schedule

__all__ = [
    "PENSTOCK",
    "Compiler",
    "Dialect",
    "compile",
    "compile_pipeline",
    "compile_schedule",
    "load_pipelines",
    "loaded_package",
]


def __getattr__(name: str) -> Any:
    """`compile_schedule`, loaded when asked for: what it needs is half of the time that a small file takes."""
    if name == "compile_schedule":
        from penstock.compiler.schedules import compile_schedule

        return compile_schedule
    raise AttributeError(f"module 'penstock.compiler' has no attribute '{name}'")
