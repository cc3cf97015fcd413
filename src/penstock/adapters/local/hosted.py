"""Steps that start nothing: what `resource`, `http` and `data` templates ask for, done by this process itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.adapters.local.claims import Claims
from penstock.adapters.local.resources import performed
from penstock.adapters.local.web import Answer, requested
from penstock.engine.protocol import Exited, Pod
from penstock.errors import Final
from penstock.ports import Clock, Objects
from penstock.workflow import gojson
from penstock.workflow.document import KEYED
from penstock.workflow.expressions import ExpressionError, Flat, evaluate
from penstock.workflow.pods import DataRequest, HttpRequest

__all__ = ["done_here"]

MAX_FILES = 100_000
"""Most files that a `data` template lists."""


def done_here(pod: Pod, run_id: str, claims: Claims, objects: Objects, clock: Clock, allowed: Sequence[str]) -> Exited:
    """How a step that starts nothing ended. Blocks. Raises NoSpace, Unavailable."""
    if pod.resource is not None:
        return performed(pod, f"{run_id}/{pod.node_id}", claims, clock)
    start = clock.now()
    try:
        told = _answered(pod.http, allowed) if pod.http is not None else _listed(pod.data, objects)
    except (Final, ExpressionError) as error:
        told = {"error": str(error)}
    now = clock.now()
    return Exited(now=now, node_id=pod.node_id, started_at=start, finished_at=now, **told)


# --- http -------------------------------------------------------------------------------------------------------


def _answered(request: HttpRequest, allowed: Sequence[str]) -> dict[str, Any]:
    """What a request came to, in Argo's words. (Argo: `executeHTTPTemplate` in `workflow/executor/agent.go`.)"""
    answer = requested(request, allowed)
    told: dict[str, Any] = {"result": answer.body}
    if request.success_condition:
        if not _holds(request, answer):
            told["failed"] = f"successCondition '{request.success_condition}' evaluated false"
    elif not 200 <= answer.status < 300:
        told["failed"] = f"received non-2xx response code: {answer.status}"
    return told


def _holds(request: HttpRequest, answer: Answer) -> bool:
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name, []).append(value)
    seen = {
        "request.method": request.method,
        "request.url": request.url,
        "request.body": request.body.decode(errors="replace"),
        "request.headers": headers,
        "response.statusCode": answer.status,
        "response.body": answer.body,
        "response.headers": answer.headers,
    }
    value = evaluate(request.success_condition, Flat(seen))
    if not isinstance(value, bool):
        raise ExpressionError(f"unable to cast expression result '{gojson.shown(value)}' to bool")
    return value


# --- data -------------------------------------------------------------------------------------------------------


def _listed(request: DataRequest | None, objects: Objects) -> dict[str, Any]:
    """The files below a key, transformed. (Argo: `workflow/data/data.go`.)"""
    assert request is not None
    found: list[str] = []
    _gather(objects, f"{KEYED}/{request.key}".rstrip("/"), found)
    data: Any = sorted(key.removeprefix(f"{KEYED}/") for key in found)
    for expression in request.transformation:
        data = evaluate(expression, Flat({"data": data}))
    return {"exit_code": 0, "result": gojson.dumps(data)}


def _gather(objects: Objects, key: str, found: list[str]) -> None:
    info = objects.stat(key)
    if info is not None:
        found += [f"{key}/{member.key}" for member in objects.members(key)] if info.directory else [key]
    else:
        for name in objects.below(key):
            _gather(objects, f"{key}/{name}", found)
    if len(found) > MAX_FILES:
        raise Final(f"over {MAX_FILES:,} files lie below the key; name a longer one")
