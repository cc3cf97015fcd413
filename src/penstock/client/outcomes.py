"""Calls that read what the steps of a run made: outputs, artifacts, metrics, views and logs.

A step is named by its node's id or its display name, else by its template's name; of several that fit, all are meant
where the answer can hold them, and otherwise the newest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from penstock.client.connection import Connection
from penstock.client.logs import LogLine, LogReader
from penstock.client.pictures import Views
from penstock.client.values import NodeList, Run
from penstock.errors import InvalidInput, NotFound
from penstock.workflow.status import Node, nodes_called

__all__ = ["OutcomeCalls"]


class OutcomeCalls:
    """The part of a client that reads what runs made."""

    _http: Connection

    def get_run_nodes(self, run_id: str) -> Sequence[Node]:
        """All nodes of the run: steps, and the groups that hold them. Raises NotFound."""
        return self._http.call("GET", f"/runs/{run_id}/nodes", NodeList).nodes

    def get_run_document(self, run_id: str) -> dict[str, Any]:
        """The run's Workflow document, with `status` as Argo writes it. Raises NotFound."""
        return self._http.call("GET", f"/runs/{run_id}/workflow", dict[str, Any])

    def get_run_outputs(self, run_id: str) -> Mapping[str, Mapping[str, str]]:
        """Output parameters of each step that has some, by the step's display name. Raises NotFound."""
        return {
            node.display_name: {parameter.name: parameter.value or "" for parameter in node.outputs.parameters}
            for node in _steps(self.get_run_nodes(run_id))
            if node.outputs and node.outputs.parameters
        }

    def get_run_metrics(self, run_id: str) -> Mapping[str, float | None]:
        """The run's metrics by name; None is a number that a step gave as NaN or infinite. Raises NotFound."""
        return {metric.name: metric.value for metric in self._http.call("GET", f"/runs/{run_id}", Run).metrics}

    def get_run_views(self, run_id: str, step: str = "") -> Views:
        """What the steps of a run, or one of them, show: roc, confusion_matrix, table, markdown … by their `kind`.

        A notebook draws it.
        """
        path = f"/runs/{run_id}" + (f"/nodes/{self._step(run_id, step).id}" if step else "")
        return Views(self._http.call("GET", f"{path}/views", dict[str, Any]).get("views", []))

    # --- artifacts ------------------------------------------------------------------------------------------------

    def read_artifact(self, run_id: str, step: str, artifact: str) -> bytes:
        """The bytes of a step's artifact; of a folder, those of a tar archive of it. Raises NotFound."""
        return self._http.read(self._artifact(run_id, step, artifact), query={"download": 1})

    def download_artifact(self, run_id: str, step: str, artifact: str, path: str | os.PathLike[str]) -> Path:
        """Write a step's artifact to a file, whole or not at all; the file's path. Raises NotFound, InvalidInput."""
        target = Path(path)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with (
                self._http.stream(self._artifact(run_id, step, artifact), query={"download": 1}) as response,
                part.open("wb") as file,
            ):
                for piece in response.iter_bytes():
                    file.write(piece)
            return part.replace(target)
        except OSError as error:
            raise InvalidInput(f"{target}: {error.strerror or error}") from None
        finally:
            part.unlink(missing_ok=True)

    def _artifact(self, run_id: str, step: str, artifact: str) -> str:
        return f"/runs/{run_id}/nodes/{self._step(run_id, step).id}/artifacts/{quote(artifact, safe='')}"

    # --- logs -----------------------------------------------------------------------------------------------------

    def read_log(self, run_id: str, step: str) -> str:
        """What a step wrote so far, standard output and standard error in their order. Raises NotFound."""
        return "".join(f"{line.text}\n" for line in self.follow_log(run_id, step, follow=False))

    def follow_log(self, run_id: str, step: str, *, follow: bool = True) -> Iterator[LogLine]:
        """The lines of a step's log as they come, until the step has ended. Raises NotFound."""
        reader = LogReader()
        path, query = f"/runs/{run_id}/nodes/{self._step(run_id, step).id}/log", {"follow": 1} if follow else {}
        with self._http.stream(path, query=query, endless=follow) as response:
            for piece in response.iter_bytes():
                yield from reader.push(piece)
        yield from reader.end()

    def _step(self, run_id: str, step: str) -> Node:
        steps = _steps(self.get_run_nodes(run_id))
        fitting = nodes_called(steps, step)
        if not fitting:
            names = ", ".join(sorted({node.display_name for node in steps})) or "none yet"
            raise NotFound(f"run {run_id!r} has no step {step!r}; its steps: {names}")
        return fitting[-1]


def _steps(nodes: Sequence[Node]) -> Sequence[Node]:
    return [node for node in nodes if node.type == "Pod"]
