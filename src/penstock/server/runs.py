"""Routes of runs, their nodes and what those show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp

from penstock.errors import AlreadyExists, Conflict, NotFound
from penstock.ports import RunOptions
from penstock.server import convert, wire
from penstock.server.lists import RunListQuery, page
from penstock.server.routing import Context, Route
from penstock.server.wire import Wire
from penstock.services import Graph, Shutdown, View, WebAppView
from penstock.workflow.status import Node

__all__ = ["FRAME", "ROUTES"]

NAMES = {"run_id": "id", "display_name": "name"}
FRAME = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; frame-ancestors 'self'"
)
"""Policy of HTML that a step made: it may draw itself, and neither load nor send anything."""
_STANDARD = b"<!doctype html>"
"""Before HTML without a doctype: parts of a document are drawn as in Kubeflow Pipelines' frames."""
_MEASURE = (
    b"<script>{const root=document.documentElement,tell=()=>parent.postMessage({height:root.offsetHeight},'*');"
    b"addEventListener('load',tell);new ResizeObserver(tell).observe(root)}</script>"
)
"""After the HTML: tells the page how tall it is, for nobody can look into the frame. When it has loaded too, as a frame
that is out of sight observes nothing."""


class GraphQuery(Wire, kw_only=True):
    """`expand` are ids of loops that are to be shown open."""

    expand: Sequence[str] = ()


def create(at: Context, body: wire.RunRequest) -> wire.Run:
    """Start a run of a pipeline version, or of a document"""
    reference = body.pipeline_version_reference or wire.VersionReference()
    run = at.services.runs.create(
        bytes(body.pipeline_spec) or None,
        name=body.display_name,
        description=body.description,
        parameters=body.runtime_config.parameters if body.runtime_config else {},
        experiment_id=body.experiment_id,
        version_id=reference.pipeline_version_id,
        options=RunOptions(cache=not body.no_cache),
    )
    return convert.run(run)


def list_all(at: Context, query: RunListQuery) -> wire.RunList:
    """List runs"""
    found = at.services.runs.list(page(query, NAMES, experiment_id=query.experiment_id))
    return wire.RunList(
        runs=[convert.run(item) for item in found.items], total_size=found.total, next_page_token=found.next_token
    )


def read(at: Context, run_id: str) -> wire.Run:
    """Read a run"""
    return convert.run(at.services.runs.get(run_id))


def delete(at: Context, run_id: str) -> None:
    """Delete a run and all it made; what still runs of it is killed"""
    at.services.runs.delete(run_id)
    at.news.publish(run_id)


def stop(at: Context, run_id: str, body: wire.StopRequest) -> wire.Run:
    """Stop a run"""
    run = at.services.runs.stop(run_id, Shutdown(body.strategy))
    at.news.publish(run_id)
    return convert.run(run)


def terminate(at: Context, run_id: str) -> wire.Run:
    """Stop a run; exit handlers do not run"""
    return stop(at, run_id, wire.StopRequest(strategy="Terminate"))


def retry(at: Context, run_id: str, body: wire.RetryRequest) -> wire.Run:
    """Try an ended run again from its failed steps"""
    run = at.services.runs.retry(
        run_id,
        restart_successful=body.restart_successful,
        node_field_selector=body.node_field_selector,
        parameters=body.parameters,
    )
    at.news.publish(run_id)
    return convert.run(run)


def resubmit(at: Context, run_id: str, body: wire.ResubmitRequest) -> wire.Run:
    """Run the document of a run anew"""
    return convert.run(at.services.runs.resubmit(run_id, memoized=body.memoized, parameters=body.parameters))


def rerun(at: Context, run_id: str, body: wire.RerunRequest) -> wire.Run:
    """Make a run that goes on with a step of one that has ended, and reuses what went well before it"""
    return convert.run(at.services.runs.rerun(run_id, body.from_step, parameters=body.parameters))


def resume(at: Context, run_id: str, body: wire.ResumeRequest) -> wire.Run:
    """Let the steps of a run that wait for a person go on"""
    return convert.run(at.services.runs.resume(run_id, body.step, body.parameters))


def archive(at: Context, run_id: str) -> wire.Run:
    """Put a run into the archive"""
    return convert.run(at.services.runs.archive(run_id))


def unarchive(at: Context, run_id: str) -> wire.Run:
    """Take a run out of the archive"""
    return convert.run(at.services.runs.unarchive(run_id))


def workflow(at: Context, run_id: str) -> dict[str, Any]:
    """Read the Workflow of a run, with its status as Argo writes it"""
    return at.services.runs.document(run_id)


def graph(at: Context, run_id: str, query: GraphQuery) -> Graph:
    """Read the graph of a run, laid out"""
    return at.services.runs.graph(run_id, query.expand)


def nodes(at: Context, run_id: str) -> wire.NodeList:
    """List the nodes of a run"""
    found, last = at.services.runs.nodes(run_id)
    return wire.NodeList(nodes=found, last_event=last)


def node(at: Context, run_id: str, node_id: str) -> Node:
    """Read a node"""
    return at.services.runs.node(run_id, node_id)


def views(at: Context, run_id: str) -> wire.ViewList:
    """List what the steps of a run show"""
    return wire.ViewList(views=[_light(view) for view in at.services.runs.views(run_id)])


def node_views(at: Context, run_id: str, node_id: str) -> wire.ViewList:
    """List what a node shows"""
    return wire.ViewList(views=[_light(view) for view in at.services.runs.views(run_id, node_id)])


def view_html(at: Context, run_id: str, node_id: str, index: str) -> ASGIApp:
    """Read the HTML of a web-app view, for a sandboxed frame"""
    for view in at.services.runs.views(run_id, node_id):
        if isinstance(view, WebAppView) and str(view.index) == index:
            headers = {"Content-Security-Policy": FRAME}
            return Response(_framed(view.html), media_type="text/html", headers=headers)
    raise NotFound(f"node {node_id!r} shows no HTML as its view {index!r}")


def _framed(text: str) -> bytes:
    start = b"" if text.lstrip()[:9].lower() == "<!doctype" else _STANDARD
    return start + text.encode("utf-8", "replace") + _MEASURE


def _light(view: View) -> View:
    """Lists go without HTML, which may be large and is shown in a frame only."""
    return msgspec.structs.replace(view, html="") if isinstance(view, WebAppView) else view


ROUTES = (
    Route("POST", "/runs", create, (NotFound, AlreadyExists, Conflict)),
    Route("GET", "/runs", list_all),
    Route("GET", "/runs/{run_id}", read, (NotFound,)),
    Route("DELETE", "/runs/{run_id}", delete, (NotFound,)),
    Route("POST", "/runs/{run_id}:stop", stop, (NotFound, Conflict)),
    Route("POST", "/runs/{run_id}:terminate", terminate, (NotFound, Conflict)),
    Route("POST", "/runs/{run_id}:retry", retry, (NotFound, Conflict)),
    Route("POST", "/runs/{run_id}:resubmit", resubmit, (NotFound, Conflict)),
    Route("POST", "/runs/{run_id}:rerun", rerun, (NotFound, Conflict)),
    Route("POST", "/runs/{run_id}:resume", resume, (NotFound, Conflict)),
    Route("POST", "/runs/{run_id}:archive", archive, (NotFound,)),
    Route("POST", "/runs/{run_id}:unarchive", unarchive, (NotFound,)),
    Route("GET", "/runs/{run_id}/workflow", workflow, (NotFound,)),
    Route("GET", "/runs/{run_id}/graph", graph, (NotFound,)),
    Route("GET", "/runs/{run_id}/nodes", nodes, (NotFound,)),
    Route("GET", "/runs/{run_id}/nodes/{node_id}", node, (NotFound,)),
    Route("GET", "/runs/{run_id}/views", views, (NotFound,)),
    Route("GET", "/runs/{run_id}/nodes/{node_id}/views", node_views, (NotFound,)),
    Route("GET", "/runs/{run_id}/nodes/{node_id}/views/{index}/html", view_html, (NotFound,), media=("text/html",)),
)
