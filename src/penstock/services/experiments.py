"""Experiments: groups of runs."""

from __future__ import annotations

import uuid

import msgspec

from penstock.errors import AlreadyExists, NotFound
from penstock.ports import Clock, Experiment, Listing, Page, Reader, Records, StorageState, Writer
from penstock.services.names import checked_description, checked_name

__all__ = ["DEFAULT", "Experiments", "default_experiment"]

DEFAULT = "Default"
"""Name of the experiment that takes the runs for which none was named."""


def default_experiment(store: Writer, now: float) -> Experiment:
    """The default experiment, made where it is not there yet."""
    found = store.experiment_named(DEFAULT)
    if found is None:
        found = Experiment(id=str(uuid.uuid4()), name=DEFAULT, created_at=now)
        store.add_experiment(found)
    return found


class Experiments:
    """Use cases of experiments."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def create(self, name: str, description: str = "") -> Experiment:
        """A new experiment. Raises InvalidInput, AlreadyExists."""
        experiment = Experiment(
            id=str(uuid.uuid4()),
            name=checked_name("display_name", name),
            description=checked_description(description),
            created_at=self._clock.now(),
        )

        def change(store: Writer) -> None:
            if store.experiment_named(experiment.name):
                raise AlreadyExists(f"an experiment named {experiment.name!r} exists; choose another name")
            store.add_experiment(experiment)

        self._records.write(change).result()
        return experiment

    def default(self) -> Experiment:
        """The default experiment."""
        return self._records.write(lambda store: default_experiment(store, self._clock.now())).result()

    def get(self, id: str) -> Experiment:
        """Raises NotFound."""
        return self._records.read(lambda store: existing(store, id))

    def named(self, name: str) -> Experiment:
        """Raises NotFound."""
        found = self._records.read(lambda store: store.experiment_named(name))
        if found is None:
            raise NotFound(f"no experiment is named {name!r}")
        return found

    def find(self, text: str) -> Experiment:
        """The experiment of that id or that name. Raises NotFound."""
        found = self._records.read(lambda store: store.experiment(text) or store.experiment_named(text))
        if found is None:
            raise NotFound(f"no experiment has the id or name {text!r}")
        return found

    def list(self, page: Page) -> Listing:
        """A page of experiments."""
        return self._records.read(lambda store: store.experiments(page))

    def archive(self, id: str) -> Experiment:
        """Out of the lists. Raises NotFound."""
        return self._move(id, StorageState.ARCHIVED)

    def unarchive(self, id: str) -> Experiment:
        """Back into the lists. Raises NotFound."""
        return self._move(id, StorageState.AVAILABLE)

    def delete(self, id: str) -> None:
        """Remove the experiment; its runs stay, as in Kubeflow Pipelines. Raises NotFound."""

        def change(store: Writer) -> None:
            existing(store, id)
            store.delete_experiment(id)

        self._records.write(change).result()

    def _move(self, id: str, state: StorageState) -> Experiment:
        def change(store: Writer) -> Experiment:
            moved = msgspec.structs.replace(existing(store, id), storage_state=state)
            store.put_experiment(moved)
            return moved

        return self._records.write(change).result()


def existing(store: Reader, id: str) -> Experiment:
    """The experiment of that id. Raises NotFound."""
    found = store.experiment(id)
    if found is None:
        raise NotFound(f"no experiment has the id {id!r}")
    return found
