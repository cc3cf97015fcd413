"""Runs pipelines in this process, without a server: for notebooks, scripts and tests. The home keeps the history."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.client.documents import document_of_file, document_of_function
from penstock.client.notebook import steps_page
from penstock.errors import NotFound
from penstock.settings import load
from penstock.workflow.status import Node, Phase, nodes_called

if TYPE_CHECKING:
    from penstock.bootstrap import Home
    from penstock.dsl.pipelines import Pipeline

__all__ = ["LocalClient", "LocalRunResult", "run_pipeline_func_locally"]


@dataclass(frozen=True, slots=True)
class LocalRunResult:
    """A run that has ended. `state` is SUCCEEDED, FAILED or CANCELED; `nodes` are its steps and their groups."""

    run_id: str
    state: str
    message: str
    nodes: Sequence[Node]
    store: Path

    @property
    def success(self) -> bool:
        """True when it ended well."""
        return self.state == "SUCCEEDED"

    def _repr_html_(self) -> str:
        """In a notebook: the run's steps."""
        return steps_page(self.run_id, self.state, self.nodes)

    @property
    def outputs(self) -> Mapping[str, Mapping[str, str]]:
        """Output parameters of each step that has some, by the step's display name."""
        return {
            node.display_name: {parameter.name: parameter.value or "" for parameter in node.outputs.parameters}
            for node in self.nodes
            if node.type == "Pod" and node.outputs and node.outputs.parameters
        }

    def get_output_file(self, op_name: str, output: str = "") -> Path:
        """Where an output artifact of a step lies (its only one, where none is named). Do not write there.

        Raises NotFound, naming those that there are.
        """
        ended = [node for node in self.nodes if node.phase is Phase.SUCCEEDED]
        fitting = {
            name: key
            for node in nodes_called(ended, op_name)
            for name, key in _keys(node)
            if not output or name in (output, f"{op_name}-{output}")
        }
        if len(fitting) != 1:
            known = {f"{node.display_name}.{name}" for node in ended for name, _ in _keys(node)}
            names = ", ".join(sorted(known)) or "none"
            wanted = f"{op_name}.{output}" if output else op_name
            raise NotFound(f"run {self.run_id!r}: {wanted!r} is no single output artifact; there are: {names}")
        return self.store / next(iter(fitting.values()))


def _keys(node: Node) -> Iterator[tuple[str, str]]:
    """The artifacts of a step that are in the store: name and key."""
    for artifact in node.outputs.artifacts if node.outputs else ():
        if artifact.key:
            yield artifact.name, artifact.key


class LocalClient:
    """Runs pipelines on the engine of this process and waits for them."""

    def __init__(self, home: str | os.PathLike[str] | None = None) -> None:
        """`home` is the folder of all state; without it the one of the settings. Raises InvalidSetting."""
        self._settings = load({"home": home})

    def create_run_from_pipeline_func(
        self,
        pipeline_func: Pipeline | Callable[..., Any],
        arguments: Mapping[str, Any] | None = None,
        run_name: str = "",
        enable_caching: bool = True,
    ) -> LocalRunResult:
        """Compile a pipeline, run it and wait for its end; Ctrl-C terminates it.

        Raises InvalidPipeline, InvalidParameter, RunNotStarted, HomeError; then no run exists.
        """
        return self._run(document_of_function(pipeline_func), arguments, run_name, enable_caching)

    def create_run_from_pipeline_package(
        self,
        pipeline_file: str | os.PathLike[str],
        arguments: Mapping[str, Any] | None = None,
        run_name: str = "",
        enable_caching: bool = True,
    ) -> LocalRunResult:
        """Run the pipeline of a file: a document, or Python source. As `create_run_from_pipeline_func`."""
        return self._run(document_of_file(pipeline_file), arguments, run_name, enable_caching)

    def _run(
        self, document: Any, arguments: Mapping[str, Any] | None, run_name: str, enable_caching: bool
    ) -> LocalRunResult:
        from penstock.bootstrap import RunOptions

        options = RunOptions(cache=enable_caching)
        with self._opened() as home:
            runs = home.services.runs
            run = runs.create(json.dumps(document), name=run_name, parameters=arguments or {}, options=options)
            _drive(home, run.id)
            ended, (nodes, _) = runs.get(run.id), runs.nodes(run.id)
        store = self._settings.home / "objects"
        return LocalRunResult(run_id=run.id, state=ended.state.value, message=ended.message, nodes=nodes, store=store)

    @contextmanager
    def _opened(self) -> Iterator[Home]:
        from penstock.bootstrap import open_home

        home = open_home(self._settings)
        try:
            yield home
        finally:
            home.close()


def run_pipeline_func_locally(
    pipeline_func: Pipeline | Callable[..., Any],
    arguments: Mapping[str, Any] | None = None,
    home: str | os.PathLike[str] | None = None,
) -> LocalRunResult:
    """Run a pipeline in this process; short for `LocalClient(home).create_run_from_pipeline_func`."""
    return LocalClient(home).create_run_from_pipeline_func(pipeline_func, arguments)


def _drive(home: Home, run_id: str) -> None:
    """Return when the run has ended. In a thread of its own: a notebook has an event loop already."""
    from penstock.bootstrap import Shutdown

    async def to_end() -> None:
        async with home.engaged():
            async for _ in home.follow(run_id):
                pass

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(asyncio.run, to_end())
        try:
            done.result()
        except KeyboardInterrupt:
            # Leaving the block waits for the end.
            home.services.runs.stop(run_id, Shutdown.TERMINATE)
            raise
