"""The use cases of a server, under the names that those of a home have: commands work on either."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from penstock.bootstrap import (
    Experiment,
    Listing,
    Metric,
    Page,
    Pipeline,
    PipelineVersion,
    Progress,
    Run,
    RunState,
    Shutdown,
    StorageState,
)
from penstock.errors import AlreadyExists, NotFound

if TYPE_CHECKING:
    from penstock.client import Client
    from penstock.client import values as told
    from penstock.workflow.status import Node

__all__ = ["Server"]


class Server:
    """What `Home.services` is for a home. Every call raises as the service does, and Unavailable."""

    def __init__(self, client: Client) -> None:
        self.experiments = _Experiments(client)
        self.pipelines = _Pipelines(client)
        self.runs = _Runs(client)


class _Experiments:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, page: Page) -> Listing:
        found = self._client.list_experiments(page_size=page.size)
        return _listing(found, [_experiment(each) for each in found.experiments])

    def find(self, text: str) -> Experiment:
        try:
            return _experiment(self._client.get_experiment(text))
        except NotFound:
            pass
        try:
            return _experiment(self._client.get_experiment(experiment_name=text))
        except NotFound:
            raise NotFound(f"no experiment has the id or name {text!r}") from None

    def create(self, name: str, description: str = "") -> Experiment:
        # The client's method takes one that is there.
        if self._client.list_experiments(page_size=1, filter=_equals("display_name", name)).experiments:
            raise AlreadyExists(f"an experiment named {name!r} exists; choose another name")
        return _experiment(self._client.create_experiment(name, description))

    def archive(self, id: str) -> Experiment:
        self._client.archive_experiment(id)
        return _experiment(self._client.get_experiment(id))

    def unarchive(self, id: str) -> Experiment:
        self._client.unarchive_experiment(id)
        return _experiment(self._client.get_experiment(id))

    def delete(self, id: str) -> None:
        self._client.delete_experiment(id)


class _Pipelines:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._pipeline_of: dict[str, str] = {}
        """The pipelines of versions that were listed, which the server wants to hear beside a version's id."""

    def create(
        self, document: str | bytes, *, source: str, name: str | None = None, description: str = ""
    ) -> tuple[Pipeline, PipelineVersion]:
        file = Path(source)
        made = self._client.upload_pipeline_document(_bytes(document), name or file.stem, description, _name(file))
        versions = self._client.list_pipeline_versions(made.pipeline_id, page_size=1).pipeline_versions
        return _pipeline(made), _version(versions[0])

    def add_version(
        self, id: str, document: str | bytes, *, source: str, name: str, description: str = ""
    ) -> PipelineVersion:
        made = self._client.upload_version_document(id, _bytes(document), name, description, _name(Path(source)))
        return _version(made)

    def find(self, text: str) -> Pipeline:
        try:
            return _pipeline(self._client.get_pipeline(text))
        except NotFound:
            found = self._client.get_pipeline_id(text)
        if found is None:
            raise NotFound(f"no pipeline has the id or name {text!r}")
        return _pipeline(self._client.get_pipeline(found))

    def list(self, page: Page) -> Listing:
        found = self._client.list_pipelines(page_size=page.size)
        return _listing(found, [_pipeline(each) for each in found.pipelines])

    def versions(self, pipeline_id: str, page: Page) -> Listing:
        found = self._client.list_pipeline_versions(pipeline_id, page_size=page.size)
        self._pipeline_of.update({each.id: pipeline_id for each in found.pipeline_versions})
        return _listing(found, [_version(each) for each in found.pipeline_versions])

    def delete(self, id: str) -> None:
        self._client.delete_pipeline(id)

    def delete_version(self, id: str) -> None:
        self._client.delete_pipeline_version(self._pipeline_of[id], id)


class _Runs:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, page: Page) -> Listing:
        found = self._client.list_runs(page_size=page.size)
        return _listing(found, [_run(each) for each in found.runs])

    def find(self, text: str) -> Run:
        try:
            return _run(self._client.get_run(text))
        except NotFound:
            pass
        for key in ("workflow_name", "display_name"):
            found = self._client.list_runs(page_size=1, filter=_equals(key, text)).runs
            if found:
                return _run(found[0])
        raise NotFound(f"no run has the id or name {text!r}; `penstock runs list` shows those that exist")

    def document(self, id: str) -> dict[str, Any]:
        return self._client.get_run_document(id)

    def nodes(self, id: str) -> tuple[Sequence[Node], int]:
        return self._client.get_run_nodes(id), 0

    def stop(self, id: str, strategy: Shutdown) -> Run:
        """Unlike a home's, it returns when the run has ended."""
        (self._client.terminate_run if strategy is Shutdown.TERMINATE else self._client.stop_run)(id)
        return _run(self._client.wait_for_run_completion(id))

    def resume(self, id: str, step: str = "", parameters: Mapping[str, object] = {}) -> None:
        self._client.resume_run(id, step, parameters)

    def archive(self, id: str) -> Run:
        self._client.archive_run(id)
        return _run(self._client.get_run(id))

    def unarchive(self, id: str) -> Run:
        self._client.unarchive_run(id)
        return _run(self._client.get_run(id))

    def delete(self, id: str) -> None:
        self._client.delete_run(id)


# --- the client's values as the services have them ----------------------------------------------------------------


def _bytes(document: str | bytes) -> bytes:
    return document.encode() if isinstance(document, str) else document


def _name(source: Path) -> str:
    """The file's name as the server knows its kind by: what was made of Python source is JSON."""
    return f"{source.stem}.json" if source.suffix == ".py" else source.name


def _equals(key: str, value: str) -> Mapping[str, Any]:
    return {"predicates": [{"operation": "EQUALS", "key": key, "string_value": value}]}


def _listing(page: told.Page, items: Sequence[Any]) -> Listing:
    return Listing(items=items, next_token=page.next_page_token, total=page.total_size)


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _experiment(value: told.Experiment) -> Experiment:
    return Experiment(
        id=value.id,
        name=value.name,
        description=value.description,
        created_at=_seconds(value.created_at) or 0.0,
        storage_state=StorageState(value.storage_state),
        last_run_created_at=_seconds(value.last_run_created_at),
    )


def _pipeline(value: told.Pipeline) -> Pipeline:
    return Pipeline(
        id=value.id,
        name=value.name or value.display_name,
        display_name=value.display_name,
        description=value.description,
        created_at=_seconds(value.created_at) or 0.0,
        latest_version_id=value.latest_version_id,
    )


def _version(value: told.PipelineVersion) -> PipelineVersion:
    return PipelineVersion(
        id=value.id,
        pipeline_id=value.pipeline_id,
        name=value.name or value.display_name,
        display_name=value.display_name,
        description=value.description,
        created_at=_seconds(value.created_at) or 0.0,
        inputs=json.dumps([msgspec.to_builtins(each) for each in value.inputs]),
    )


def _run(value: told.Run) -> Run:
    version = value.pipeline_version_reference
    config = value.runtime_config
    return Run(
        id=value.id,
        name=value.name,
        description=value.description,
        workflow_name=value.workflow_name,
        experiment_id=value.experiment_id,
        pipeline_id=version.pipeline_id if version else "",
        pipeline_version_id=version.pipeline_version_id if version else "",
        pipeline_name=value.pipeline_name,
        parameters={name: str(each) for name, each in config.parameters.items()} if config else {},
        state=RunState(value.state),
        phase=value.phase,
        message=value.message,
        created_at=_seconds(value.created_at) or 0.0,
        started_at=_seconds(value.started_at),
        finished_at=_seconds(value.finished_at),
        storage_state=StorageState(value.storage_state),
        progress=Progress(**msgspec.structs.asdict(value.progress)) if value.progress else Progress(),
        metrics=tuple(Metric(name=m.name, node_id=m.node_id, value=m.value, format=m.format) for m in value.metrics),
    )
