"""Running a pipeline by kfp's names, on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.client import Client
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock.client import RunPipelineResult
    from penstock.dsl import Pipeline

__all__ = ["run_pipeline_func_on_cluster"]


def run_pipeline_func_on_cluster(
    pipeline_func: Pipeline | Callable[..., Any],
    arguments: Mapping[str, Any],
    run_name: str | None = None,
    experiment_name: str | None = None,
    kfp_client: Client | None = None,
    pipeline_conf: Any = None,
) -> RunPipelineResult:
    """Compile a pipeline and run it on a server: that of `kfp_client`, else the one of the settings.

    Raises InvalidPipeline, InvalidParameter, RunNotStarted; then no run exists.
    """
    if pipeline_conf is not None:
        raise InvalidPipeline(located("pipeline_conf: call dsl.get_pipeline_conf() in the pipeline instead"))
    client = kfp_client or Client()
    return client.create_run_from_pipeline_func(pipeline_func, arguments, run_name or "", experiment_name or "")
