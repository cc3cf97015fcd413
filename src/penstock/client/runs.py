"""Calls that make, follow and end runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.client.documents import document_of_file, document_of_function
from penstock.client.experiments import ExperimentCalls
from penstock.client.listing import listing
from penstock.client.notebook import page_of, show
from penstock.client.streams import events, patiently
from penstock.client.values import Run, RunEvent, RunList
from penstock.errors import InvalidInput

if TYPE_CHECKING:
    from penstock.dsl.conf import PipelineConf
    from penstock.dsl.pipelines import Pipeline

__all__ = ["RunCalls", "RunPipelineResult"]

PATH = "/runs"

POLL = 0.25
"""Seconds between two looks at a run that is waited for."""


@dataclass(frozen=True, slots=True)
class RunPipelineResult:
    """A run that was just made. `run_info` is how it stood then."""

    run_info: Run
    client: RunCalls

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.run_info.run_id

    def _ipython_display_(self) -> None:
        """In a notebook: the run's steps, until it has ended."""
        show(lambda: page_of(self.client, self.run_id), self.client.follow_run(self.run_id))

    def wait_for_run_completion(self, timeout: float | None = None) -> Run:
        """The run when it has ended. Raises TimeoutError after `timeout` seconds; None waits for ever."""
        return self.client.wait_for_run_completion(self.run_id, timeout)


class RunCalls(ExperimentCalls):
    """The part of a client that deals with runs; a run has an experiment."""

    # --- making ---------------------------------------------------------------------------------------------------

    def create_run_from_pipeline_func(
        self,
        pipeline_func: Pipeline | Callable[..., Any],
        arguments: Mapping[str, Any] | None = None,
        run_name: str = "",
        experiment_name: str = "",
        enable_caching: bool = True,
        pipeline_conf: PipelineConf | None = None,
    ) -> RunPipelineResult:
        """Compile a pipeline and run it. The experiment is made where none of that name exists. Without
        `enable_caching` every step runs, though an equal one ran before. `pipeline_conf` stands in for what the
        pipeline says of itself as a whole.

        Raises InvalidPipeline, InvalidParameter, RunNotStarted; then no run exists.
        """
        document = document_of_function(pipeline_func, pipeline_conf)
        return self._made(document, arguments, run_name, experiment_name, enable_caching)

    def create_run_from_pipeline_package(
        self,
        pipeline_file: str | os.PathLike[str],
        arguments: Mapping[str, Any] | None = None,
        run_name: str = "",
        experiment_name: str = "",
        enable_caching: bool = True,
    ) -> RunPipelineResult:
        """Run the pipeline of a file: a document, or Python source. Raises as `create_run_from_pipeline_func`."""
        return self._made(document_of_file(pipeline_file), arguments, run_name, experiment_name, enable_caching)

    def run_pipeline(
        self,
        experiment_id: str,
        job_name: str,
        pipeline_package_path: str | os.PathLike[str] | None = None,
        params: Mapping[str, Any] | None = None,
        pipeline_id: str = "",
        version_id: str = "",
        enable_caching: bool = True,
    ) -> Run:
        """Run a file, a pipeline version, or the newest version of a pipeline, in an experiment ("": the default one).

        Raises InvalidInput, NotFound, InvalidParameter, RunNotStarted; then no run exists.
        """
        if pipeline_package_path is not None:
            source: dict[str, Any] = {"pipeline_spec": document_of_file(pipeline_package_path)}
        elif pipeline_id or version_id:
            source = {"pipeline_version_reference": {"pipeline_id": pipeline_id, "pipeline_version_id": version_id}}
        else:
            raise InvalidInput("run_pipeline: got no file, pipeline or version; give one of them")
        return self._run(source, job_name, experiment_id, params, enable_caching)

    def _made(
        self,
        document: Any,
        arguments: Mapping[str, Any] | None,
        run_name: str,
        experiment_name: str,
        enable_caching: bool,
    ) -> RunPipelineResult:
        experiment_id = self.create_experiment(experiment_name).experiment_id if experiment_name else ""
        source = {"pipeline_spec": document}
        return RunPipelineResult(self._run(source, run_name, experiment_id, arguments, enable_caching), self)

    def _run(
        self,
        source: Mapping[str, Any],
        name: str,
        experiment_id: str,
        parameters: Mapping[str, Any] | None,
        enable_caching: bool,
    ) -> Run:
        body = {
            "display_name": name,
            "experiment_id": experiment_id,
            "runtime_config": {"parameters": parameters or {}},
            "no_cache": not enable_caching,
        }
        return self._http.call("POST", PATH, Run, body={**body, **source})

    # --- reading --------------------------------------------------------------------------------------------------

    def get_run(self, run_id: str) -> Run:
        """The run as it stands. Raises NotFound."""
        return self._http.call("GET", f"{PATH}/{run_id}", Run)

    def list_runs(
        self,
        page_token: str = "",
        page_size: int = 20,
        sort_by: str = "",
        experiment_id: str = "",
        filter: str | Mapping[str, Any] | None = None,
    ) -> RunList:
        """A page of runs, those of one experiment where one is named."""
        query = listing(page_token, page_size, sort_by, filter) | {"experiment_id": experiment_id}
        return self._http.call("GET", PATH, RunList, query=query)

    def wait_for_run_completion(self, run_id: str, timeout: float | None = None) -> Run:
        """The run when it has ended, well or not. Raises TimeoutError after `timeout` seconds; None waits for ever.

        A server that is started anew meanwhile is waited for.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            run: Run = patiently(lambda: self.get_run(run_id))
            if run.ended:
                return run
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"run {run.display_name!r} is {run.state} after {timeout:g} s; it goes on")
            time.sleep(POLL)

    def follow_run(self, run_id: str, after: int = 0) -> Iterator[RunEvent]:
        """The run's events as they happen, old ones first, until it has ended. Raises NotFound.

        `after` is the `seq` of the last event that is known already.
        """
        return events(self._http, run_id, after)

    # --- ending ---------------------------------------------------------------------------------------------------

    def stop_run(self, run_id: str) -> None:
        """Argo's Stop: running steps end, exit handlers run. Raises NotFound, Conflict for a run that has ended."""
        self._http.call("POST", f"{PATH}/{run_id}:stop", dict, body={"strategy": "Stop"})

    def terminate_run(self, run_id: str) -> None:
        """Argo's Terminate: running steps end, exit handlers do not run. Raises as `stop_run`."""
        self._http.call("POST", f"{PATH}/{run_id}:stop", dict, body={"strategy": "Terminate"})

    # --- once more ------------------------------------------------------------------------------------------------

    def retry_run(
        self,
        run_id: str,
        restart_successful: bool = False,
        node_field_selector: str = "",
        parameters: Mapping[str, Any] | None = None,
    ) -> Run:
        """Try an ended run again from its failed steps; with `restart_successful` also the nodes that the selector
        (`displayName=train`) fits. Raises NotFound, InvalidInput, Conflict for a run that cannot be tried again."""
        body = {
            "restart_successful": restart_successful,
            "node_field_selector": node_field_selector,
            "parameters": parameters or {},
        }
        return self._http.call("POST", f"{PATH}/{run_id}:retry", Run, body=body)

    def resubmit_run(self, run_id: str, memoized: bool = False, parameters: Mapping[str, Any] | None = None) -> Run:
        """A new run like this one; `memoized`, what went well in one that failed is skipped. Raises as `retry_run`."""
        body = {"memoized": memoized, "parameters": parameters or {}}
        return self._http.call("POST", f"{PATH}/{run_id}:resubmit", Run, body=body)

    def rerun(self, run_id: str, from_step: str, parameters: Mapping[str, Any] | None = None) -> Run:
        """A new run that goes on with a step of an ended one and reuses what went well before it.

        Raises NotFound for a run or a step that is not there, Conflict for a run that has not ended.
        """
        body = {"from_step": from_step, "parameters": parameters or {}}
        return self._http.call("POST", f"{PATH}/{run_id}:rerun", Run, body=body)

    def resume_run(self, run_id: str, step: str = "", parameters: Mapping[str, Any] | None = None) -> None:
        """Let what waits for a person go on: all of it, or the step of that name; `parameters` are what it supplies.

        Raises NotFound, Conflict where nothing waits, InvalidInput for values that are unknown or missing.
        """
        body = {"step": step, "parameters": dict(parameters or {})}
        self._http.call("POST", f"{PATH}/{run_id}:resume", dict, body=body)

    def archive_run(self, run_id: str) -> None:
        """Out of the lists. Raises NotFound."""
        self._http.call("POST", f"{PATH}/{run_id}:archive", dict)

    def unarchive_run(self, run_id: str) -> None:
        """Back into the lists. Raises NotFound."""
        self._http.call("POST", f"{PATH}/{run_id}:unarchive", dict)

    def delete_run(self, run_id: str) -> None:
        """Remove the run and all it made; what still runs of it is killed. Raises NotFound."""
        self._http.call("DELETE", f"{PATH}/{run_id}", dict)
