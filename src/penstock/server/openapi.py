"""The table of routes as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, get_origin

import msgspec

import penstock
from penstock.errors import Forbidden, PenstockError, Unauthenticated, Unavailable
from penstock.server import wire
from penstock.server.routing import UPLOAD, Route

__all__ = ["document"]

_REF = "#/components/schemas/{name}"
Json = dict[str, Any]


def document(routes: Sequence[Route]) -> Json:
    """The document of these routes."""
    shapes = _Shapes(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, shapes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Penstock", "version": penstock.__version__},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": shapes.components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Shapes:
    """JSON schemas of all types that routes name; structs as components."""

    def __init__(self, routes: Sequence[Route]) -> None:
        types: list[Any] = [wire.Status]
        for route in routes:
            types += [t for t in (route.part("body"), route.answer) if t is not None]
            types += [field.type for name in ("query", "headers") for field in _fields(route, name)]
        self._types = list(dict.fromkeys(types))
        schemas, self.components = msgspec.json.schema_components(self._types, ref_template=_REF)
        self._schemas = dict(zip(self._types, schemas, strict=True))

    def of(self, kind: Any) -> Json:
        """The schema of a type that a route names."""
        return dict(self._schemas[kind])


def _fields(route: Route, name: str) -> Sequence[msgspec.structs.FieldInfo]:
    kind = route.part(name)
    return msgspec.structs.fields(kind) if kind else ()


def _operation(route: Route, shapes: _Shapes) -> Json:
    operation: Json = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "parameters": [*_path_parameters(route), *_parameters(route, shapes)],
        "responses": _responses(route, shapes),
    }
    if route.uploads:
        form = {"type": "object", "required": [UPLOAD], "properties": {UPLOAD: {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    elif kind := route.part("body"):
        needed = any(field.required for field in msgspec.structs.fields(kind))
        content = {"application/json": {"schema": shapes.of(kind)}}
        operation["requestBody"] = {"required": needed, "content": content}
    return operation


def _operation_id(route: Route) -> str:
    """The function's name with that of its module, which is unique."""
    name = f"{route.call.__module__.rpartition('.')[2]}_{route.call.__name__}"
    return name if "/apis/" in route.path else f"{name}_of_server"


def _path_parameters(route: Route) -> Sequence[Json]:
    names = re.findall(r"{(\w+)}", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _parameters(route: Route, shapes: _Shapes) -> Sequence[Json]:
    return [
        {"name": field.encode_name, "in": where, "required": field.required, "schema": _schema(field, shapes)}
        for name, where in (("query", "query"), ("headers", "header"))
        for field in _fields(route, name)
    ]


def _schema(field: msgspec.structs.FieldInfo, shapes: _Shapes) -> Json:
    schema = shapes.of(field.type)
    return schema if get_origin(field.type) is Sequence or field.required else {**schema, "default": field.default}


def _responses(route: Route, shapes: _Shapes) -> Mapping[str, Json]:
    good = _good(route, shapes)
    found = {"200": {"description": "OK", "content": good}}
    for status in route.more:
        content = good if status < 400 else _failure(shapes)
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    for error in dict.fromkeys((*route.failures, *_always(route))):
        status = error.http_status
        found.setdefault(str(status), {"description": HTTPStatus(status).phrase, "content": _failure(shapes)})
    return dict(sorted(found.items()))


def _good(route: Route, shapes: _Shapes) -> Json:
    if route.media:
        return {kind: {"schema": {} if kind == "application/json" else {"type": "string"}} for kind in route.media}
    return {
        "application/json": {
            "schema": {"type": "object"} if route.answer in (None, type(None)) else shapes.of(route.answer)
        }
    }


def _failure(shapes: _Shapes) -> Json:
    return {"application/json": {"schema": shapes.of(wire.Status)}}


def _always(route: Route) -> Sequence[type[PenstockError]]:
    """What every route may answer."""
    known = (Forbidden, Unavailable)
    return (*known, Unauthenticated) if "/apis/" in route.path else known
