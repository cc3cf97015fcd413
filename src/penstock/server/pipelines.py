"""Routes of pipelines and their versions."""

from __future__ import annotations

import msgspec

from penstock.errors import AlreadyExists, InvalidInput, NotFound
from penstock.server import convert, wire
from penstock.server.lists import ListQuery, page
from penstock.server.routing import Context, Route
from penstock.server.wire import Wire

__all__ = ["ROUTES"]

NAMES = {"pipeline_id": "id"}
VERSION_NAMES = {"pipeline_version_id": "id"}


class UploadQuery(Wire, kw_only=True):
    """What stands beside an uploaded document. `name` may be left out where `display_name` is given."""

    name: str = ""
    display_name: str = ""
    description: str = ""


class VersionUploadQuery(UploadQuery, kw_only=True):
    """As of a new pipeline, and the id of the pipeline that gets the version."""

    pipelineid: str


def create(at: Context, body: wire.PipelineRequest) -> wire.Pipeline:
    """Make a pipeline and its first version"""
    given = body.pipeline
    made, _ = at.services.pipelines.create(
        _document(body.pipeline_version.pipeline_spec),
        name=given.name or given.display_name,
        display_name=given.display_name,
        description=given.description,
    )
    return convert.pipeline(made)


def upload(at: Context, query: UploadQuery, file: bytes) -> wire.Pipeline:
    """Make a pipeline of an uploaded document"""
    made, _ = at.services.pipelines.create(
        file, name=query.name or query.display_name, display_name=query.display_name, description=query.description
    )
    return convert.pipeline(made)


def list_all(at: Context, query: ListQuery) -> wire.PipelineList:
    """List pipelines"""
    found = at.services.pipelines.list(page(query, NAMES))
    return wire.PipelineList(
        pipelines=[convert.pipeline(item) for item in found.items],
        total_size=found.total,
        next_page_token=found.next_token,
    )


def read(at: Context, pipeline_id: str) -> wire.Pipeline:
    """Read a pipeline"""
    return convert.pipeline(at.services.pipelines.get(pipeline_id))


def read_named(at: Context, name: str) -> wire.Pipeline:
    """Read the pipeline of a name"""
    return convert.pipeline(at.services.pipelines.named(name))


def delete(at: Context, pipeline_id: str) -> None:
    """Delete a pipeline with its versions; runs keep their documents"""
    at.services.pipelines.delete(pipeline_id)


def create_version(at: Context, pipeline_id: str, body: wire.VersionRequest) -> wire.PipelineVersion:
    """Make a version of a pipeline"""
    made = at.services.pipelines.add_version(
        pipeline_id,
        _document(body.pipeline_spec),
        name=body.name or body.display_name,
        display_name=body.display_name,
        description=body.description,
    )
    return convert.version(made)


def upload_version(at: Context, query: VersionUploadQuery, file: bytes) -> wire.PipelineVersion:
    """Make a version of an uploaded document"""
    made = at.services.pipelines.add_version(
        query.pipelineid,
        file,
        name=query.name or query.display_name,
        display_name=query.display_name,
        description=query.description,
    )
    return convert.version(made)


def list_versions(at: Context, pipeline_id: str, query: ListQuery) -> wire.PipelineVersionList:
    """List the versions of a pipeline"""
    found = at.services.pipelines.versions(pipeline_id, page(query, VERSION_NAMES))
    return wire.PipelineVersionList(
        pipeline_versions=[convert.version(item) for item in found.items],
        total_size=found.total,
        next_page_token=found.next_token,
    )


def read_version(at: Context, pipeline_id: str, pipeline_version_id: str) -> wire.PipelineVersion:
    """Read a version, with its document"""
    found = at.services.pipelines.version(pipeline_version_id, pipeline_id)
    return convert.version(found, at.services.pipelines.version_document(pipeline_version_id))


def delete_version(at: Context, pipeline_id: str, pipeline_version_id: str) -> None:
    """Delete a version"""
    at.services.pipelines.version(pipeline_version_id, pipeline_id)
    at.services.pipelines.delete_version(pipeline_version_id)


def _document(raw: msgspec.Raw) -> bytes:
    if not raw:
        raise InvalidInput("pipeline_spec: got none, expected a Workflow")
    return bytes(raw)


ROUTES = (
    Route("GET", "/pipelines", list_all),
    Route("POST", "/pipelines/create", create, (AlreadyExists,)),
    Route("POST", "/pipelines/upload", upload, (AlreadyExists,)),
    Route("POST", "/pipelines/upload_version", upload_version, (NotFound, AlreadyExists)),
    Route("GET", "/pipelines/names/{name}", read_named, (NotFound,)),
    Route("GET", "/pipelines/{pipeline_id}", read, (NotFound,)),
    Route("DELETE", "/pipelines/{pipeline_id}", delete, (NotFound,)),
    Route("GET", "/pipelines/{pipeline_id}/versions", list_versions, (NotFound,)),
    Route("POST", "/pipelines/{pipeline_id}/versions", create_version, (NotFound, AlreadyExists)),
    Route("GET", "/pipelines/{pipeline_id}/versions/{pipeline_version_id}", read_version, (NotFound,)),
    Route("DELETE", "/pipelines/{pipeline_id}/versions/{pipeline_version_id}", delete_version, (NotFound,)),
)
