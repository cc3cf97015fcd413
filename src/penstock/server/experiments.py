"""Routes of experiments."""

from __future__ import annotations

from penstock.errors import AlreadyExists, NotFound
from penstock.server import convert, wire
from penstock.server.lists import ListQuery, page
from penstock.server.routing import Context, Route

__all__ = ["ROUTES"]

NAMES = {"experiment_id": "id", "display_name": "name"}


def create(at: Context, body: wire.ExperimentRequest) -> wire.Experiment:
    """Make an experiment"""
    return convert.experiment(at.services.experiments.create(body.display_name, body.description))


def list_all(at: Context, query: ListQuery) -> wire.ExperimentList:
    """List experiments"""
    found = at.services.experiments.list(page(query, NAMES))
    return wire.ExperimentList(
        experiments=[convert.experiment(item) for item in found.items],
        total_size=found.total,
        next_page_token=found.next_token,
    )


def read(at: Context, experiment_id: str) -> wire.Experiment:
    """Read an experiment"""
    return convert.experiment(at.services.experiments.get(experiment_id))


def archive(at: Context, experiment_id: str) -> wire.Experiment:
    """Put an experiment into the archive"""
    return convert.experiment(at.services.experiments.archive(experiment_id))


def unarchive(at: Context, experiment_id: str) -> wire.Experiment:
    """Take an experiment out of the archive"""
    return convert.experiment(at.services.experiments.unarchive(experiment_id))


def delete(at: Context, experiment_id: str) -> None:
    """Delete an experiment; its runs stay"""
    at.services.experiments.delete(experiment_id)


ROUTES = (
    Route("POST", "/experiments", create, (AlreadyExists,)),
    Route("GET", "/experiments", list_all),
    Route("GET", "/experiments/{experiment_id}", read, (NotFound,)),
    Route("DELETE", "/experiments/{experiment_id}", delete, (NotFound,)),
    Route("POST", "/experiments/{experiment_id}:archive", archive, (NotFound,)),
    Route("POST", "/experiments/{experiment_id}:unarchive", unarchive, (NotFound,)),
)
