"""Calls about experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.client.connection import Connection
from penstock.client.listing import listing, named
from penstock.client.values import Experiment, ExperimentList
from penstock.errors import AlreadyExists, InvalidInput, NotFound

__all__ = ["ExperimentCalls"]

PATH = "/experiments"


class ExperimentCalls:
    """The part of a client that deals with experiments."""

    _http: Connection

    def create_experiment(self, name: str, description: str = "") -> Experiment:
        """The experiment of that name, made where there is none yet."""
        try:
            body = {"display_name": name, "description": description}
            return self._http.call("POST", PATH, Experiment, body=body)
        except AlreadyExists:
            return self.get_experiment(experiment_name=name)

    def get_experiment(self, experiment_id: str = "", experiment_name: str = "") -> Experiment:
        """The experiment of that id, or of that name. Raises NotFound."""
        if experiment_id:
            return self._http.call("GET", f"{PATH}/{experiment_id}", Experiment)
        if not experiment_name:
            raise InvalidInput("get_experiment: got neither an id nor a name; give one of the two")
        found = self._http.call("GET", PATH, ExperimentList, query=named("display_name", experiment_name)).experiments
        if not found:
            raise NotFound(f"no experiment is named {experiment_name!r}")
        return found[0]

    def list_experiments(
        self,
        page_token: str = "",
        page_size: int = 20,
        sort_by: str = "",
        filter: str | Mapping[str, Any] | None = None,
    ) -> ExperimentList:
        """A page of experiments."""
        return self._http.call("GET", PATH, ExperimentList, query=listing(page_token, page_size, sort_by, filter))

    def archive_experiment(self, experiment_id: str) -> None:
        """Out of the lists. Raises NotFound."""
        self._http.call("POST", f"{PATH}/{experiment_id}:archive", dict)

    def unarchive_experiment(self, experiment_id: str) -> None:
        """Back into the lists. Raises NotFound."""
        self._http.call("POST", f"{PATH}/{experiment_id}:unarchive", dict)

    def delete_experiment(self, experiment_id: str) -> None:
        """Remove the experiment; its runs stay. Raises NotFound."""
        self._http.call("DELETE", f"{PATH}/{experiment_id}", dict)
