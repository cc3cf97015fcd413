"""Calls about pipelines and their versions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.client.connection import Connection
from penstock.client.documents import bytes_of_file
from penstock.client.listing import listing, named
from penstock.client.values import Pipeline, PipelineList, PipelineVersion, PipelineVersionList
from penstock.errors import InvalidInput, NotFound

__all__ = ["PipelineCalls"]

PATH = "/pipelines"


class PipelineCalls:
    """The part of a client that deals with pipelines."""

    _http: Connection

    def upload_pipeline(
        self, pipeline_package_path: str | os.PathLike[str], pipeline_name: str = "", description: str = ""
    ) -> Pipeline:
        """A new pipeline with its first version; its name is the file's where none is given.

        The file is a document, or the Python source of a pipeline. Raises InvalidInput, AlreadyExists.
        """
        file = Path(pipeline_package_path)
        return self.upload_pipeline_document(bytes_of_file(file), pipeline_name or file.stem, description, file.name)

    def upload_pipeline_document(
        self, document: bytes, pipeline_name: str, description: str = "", file_name: str = "pipeline.yaml"
    ) -> Pipeline:
        """The same of a file's content: a document, or an archive of one, as the ending of `file_name` says."""
        query = {"name": pipeline_name, "description": description}
        return self._http.upload(f"{PATH}/upload", Pipeline, query=query, name=file_name, content=document)

    def upload_pipeline_version(
        self,
        pipeline_package_path: str | os.PathLike[str],
        pipeline_version_name: str,
        pipeline_id: str = "",
        pipeline_name: str = "",
        description: str = "",
    ) -> PipelineVersion:
        """A further version of the pipeline of that id or that name. Raises InvalidInput, NotFound, AlreadyExists."""
        file = Path(pipeline_package_path)
        pipeline_id = pipeline_id or self._id_of(pipeline_name)
        content = bytes_of_file(file)
        return self.upload_version_document(pipeline_id, content, pipeline_version_name, description, file.name)

    def upload_version_document(
        self,
        pipeline_id: str,
        document: bytes,
        pipeline_version_name: str,
        description: str = "",
        file_name: str = "pipeline.yaml",
    ) -> PipelineVersion:
        """The same of a file's content, as `upload_pipeline_document` takes it."""
        query = {"name": pipeline_version_name, "pipelineid": pipeline_id, "description": description}
        path = f"{PATH}/upload_version"
        return self._http.upload(path, PipelineVersion, query=query, name=file_name, content=document)

    def get_pipeline(self, pipeline_id: str) -> Pipeline:
        """Raises NotFound."""
        return self._http.call("GET", f"{PATH}/{pipeline_id}", Pipeline)

    def get_pipeline_id(self, name: str) -> str | None:
        """Id of the pipeline of that name, None where there is none."""
        found = self._http.call("GET", PATH, PipelineList, query=named("name", name)).pipelines
        return found[0].id if found else None

    def list_pipelines(
        self,
        page_token: str = "",
        page_size: int = 20,
        sort_by: str = "",
        filter: str | Mapping[str, Any] | None = None,
    ) -> PipelineList:
        """A page of pipelines."""
        return self._http.call("GET", PATH, PipelineList, query=listing(page_token, page_size, sort_by, filter))

    def delete_pipeline(self, pipeline_id: str) -> None:
        """Remove the pipeline and its versions; runs keep their documents. Raises NotFound."""
        self._http.call("DELETE", f"{PATH}/{pipeline_id}", dict)

    def get_pipeline_version(self, pipeline_id: str, version_id: str) -> PipelineVersion:
        """One version, with its document. Raises NotFound."""
        return self._http.call("GET", f"{PATH}/{pipeline_id}/versions/{version_id}", PipelineVersion)

    def list_pipeline_versions(
        self,
        pipeline_id: str,
        page_token: str = "",
        page_size: int = 20,
        sort_by: str = "",
        filter: str | Mapping[str, Any] | None = None,
    ) -> PipelineVersionList:
        """A page of a pipeline's versions. Raises NotFound."""
        query = listing(page_token, page_size, sort_by, filter)
        return self._http.call("GET", f"{PATH}/{pipeline_id}/versions", PipelineVersionList, query=query)

    def delete_pipeline_version(self, pipeline_id: str, version_id: str) -> None:
        """Remove one version. Raises NotFound."""
        self._http.call("DELETE", f"{PATH}/{pipeline_id}/versions/{version_id}", dict)

    def _id_of(self, name: str) -> str:
        if not name:
            raise InvalidInput("upload_pipeline_version: got neither a pipeline's id nor its name; give one of the two")
        found = self.get_pipeline_id(name)
        if found is None:
            raise NotFound(f"no pipeline is named {name!r}")
        return found
