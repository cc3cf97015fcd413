"""Pipelines and their versions: documents that were uploaded once and run often."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping

import msgspec

from penstock import workflow
from penstock.errors import AlreadyExists, NotFound
from penstock.ports import Clock, Listing, Page, Pipeline, PipelineVersion, Reader, Records, Writer
from penstock.services.names import checked_description, checked_name

__all__ = ["Pipelines"]


class Pipelines:
    """Use cases of pipelines."""

    def __init__(
        self, records: Records, clock: Clock, library: Callable[[], workflow.Library] = workflow.Library
    ) -> None:
        """`library` reads the WorkflowTemplates that documents may refer to."""
        self._library = library
        self._records = records
        self._clock = clock

    def create(
        self,
        document: str | bytes,
        *,
        source: str = "",
        name: str | None = None,
        display_name: str = "",
        description: str = "",
    ) -> tuple[Pipeline, PipelineVersion]:
        """A pipeline with its first version. `name` None stands for the name in the document.

        `source` names the document in messages, as a file's path does.

        Raises InvalidDocument, InvalidInput, AlreadyExists.
        """
        loaded = workflow.load(document, source=source, library=self._library())
        told = _told(loaded.title if name is None else name, display_name, description)
        version = self._version(str(uuid.uuid4()), loaded, told)
        pipeline = Pipeline(id=version.pipeline_id, **told, created_at=version.created_at, latest_version_id=version.id)

        def change(store: Writer) -> tuple[Pipeline, PipelineVersion]:
            if store.pipeline_named(pipeline.name):
                raise AlreadyExists(f"a pipeline named {pipeline.name!r} exists; upload a new version of it")
            store.add_pipeline(pipeline)
            store.add_version(version, json.dumps(loaded.raw))
            return pipeline, version

        return self._records.write(change).result()

    def add_version(
        self,
        pipeline_id: str,
        document: str | bytes,
        *,
        source: str = "",
        name: str,
        display_name: str = "",
        description: str = "",
    ) -> PipelineVersion:
        """A further version. Raises NotFound, InvalidDocument, InvalidInput, AlreadyExists."""
        loaded = workflow.load(document, source=source, library=self._library())
        version = self._version(pipeline_id, loaded, _told(name, display_name, description))

        def change(store: Writer) -> PipelineVersion:
            pipeline = existing(store, pipeline_id)
            store.add_version(version, json.dumps(loaded.raw))
            store.put_pipeline(msgspec.structs.replace(pipeline, latest_version_id=version.id))
            return version

        return self._records.write(change).result()

    def get(self, id: str) -> Pipeline:
        """Raises NotFound."""
        return self._records.read(lambda store: existing(store, id))

    def named(self, name: str) -> Pipeline:
        """Raises NotFound."""
        found = self._records.read(lambda store: store.pipeline_named(name))
        if found is None:
            raise NotFound(f"no pipeline is named {name!r}")
        return found

    def find(self, text: str) -> Pipeline:
        """The pipeline of that id or that name. Raises NotFound."""
        found = self._records.read(lambda store: store.pipeline(text) or store.pipeline_named(text))
        if found is None:
            raise NotFound(f"no pipeline has the id or name {text!r}")
        return found

    def list(self, page: Page) -> Listing:
        """A page of pipelines."""
        return self._records.read(lambda store: store.pipelines(page))

    def delete(self, id: str) -> None:
        """Remove the pipeline and its versions; runs keep their documents. Raises NotFound."""

        def change(store: Writer) -> None:
            existing(store, id)
            store.delete_pipeline(id)

        self._records.write(change).result()

    def versions(self, pipeline_id: str, page: Page) -> Listing:
        """A page of a pipeline's versions. Raises NotFound."""

        def query(store: Reader) -> Listing:
            existing(store, pipeline_id)
            return store.versions(pipeline_id, page)

        return self._records.read(query)

    def version(self, id: str, pipeline_id: str = "") -> PipelineVersion:
        """The version of that id, of that pipeline where one is named. Raises NotFound."""
        found = self._records.read(lambda store: existing_version(store, id))
        if pipeline_id not in ("", found.pipeline_id):
            raise NotFound(f"pipeline {pipeline_id!r} has no version of the id {id!r}")
        return found

    def version_document(self, id: str) -> dict[str, object]:
        """The document of a version. Raises NotFound."""
        text = self._records.read(lambda store: store.version_document(id))
        if text is None:
            raise NotFound(f"no pipeline version has the id {id!r}")
        document: dict[str, object] = json.loads(text)
        return document

    def delete_version(self, id: str) -> None:
        """Remove one version. Raises NotFound."""

        def change(store: Writer) -> None:
            version = existing_version(store, id)
            store.delete_version(id)
            pipeline = store.pipeline(version.pipeline_id)
            if pipeline and pipeline.latest_version_id == id:
                rest = store.versions(pipeline.id, Page(size=1)).items
                latest = rest[0].id if rest else ""
                store.put_pipeline(msgspec.structs.replace(pipeline, latest_version_id=latest))

        self._records.write(change).result()

    def _version(self, pipeline_id: str, loaded: workflow.Workflow, told: Mapping[str, str]) -> PipelineVersion:
        return PipelineVersion(
            id=str(uuid.uuid4()),
            pipeline_id=pipeline_id,
            **told,
            created_at=self._clock.now(),
            inputs=msgspec.json.encode(loaded.inputs).decode(),
        )


def _told(name: str, display_name: str, description: str) -> Mapping[str, str]:
    """What a person says of a pipeline or a version, checked. It is shown by its name where nothing else is said."""
    name = checked_name("name", name)
    return {
        "name": name,
        "display_name": checked_name("display_name", display_name or name),
        "description": checked_description(description),
    }


def existing(store: Reader, id: str) -> Pipeline:
    """The pipeline of that id. Raises NotFound."""
    found = store.pipeline(id)
    if found is None:
        raise NotFound(f"no pipeline has the id {id!r}")
    return found


def existing_version(store: Reader, id: str) -> PipelineVersion:
    """The pipeline version of that id. Raises NotFound."""
    found = store.version(id)
    if found is None:
        raise NotFound(f"no pipeline version has the id {id!r}")
    return found
