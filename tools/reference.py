"""Write the pages of `docs/reference/` that the code itself states: settings, errors, the API.

Run as `python -m tools.reference`; a test holds the pages to what this would write.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_origin

import click
import msgspec

from penstock import errors, settings
from penstock.cli.main import cli
from penstock.server.application import ROUTES
from penstock.server.routing import UPLOAD, Route

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"

SETTINGS = """\
# Settings

Settings are read once, when a command starts. Each is looked for in this order, and the first that is found counts:

1. a flag of the command;
2. an environment variable; an empty one is as one that is not there;
3. `penstock.toml`: the one in the working folder, else the one in the home;
4. the default.

A value that is impossible ends the command with exit code 2 and one line that names the setting, where it was found,
what was got and what was expected. A name that `penstock.toml` should not have is refused too.

| setting | flag | variable | default | meaning |
|---|---|---|---|---|
{rows}

An example of `penstock.toml`:

```toml
port = 8090
max_steps = 4

[images]
"python:*" = "host"
"registry.example/train:1" = "images/train"
"registry.example/report:1" = {{ root = "host", entrypoint = ["python3", "./report.py"] }}
```

Folders in `[images]`, and words and values that begin with `./`, are relative to the file that names them.
"""

ERRORS = """\
# Errors

Every error that Penstock raises on purpose is a `penstock.errors.PenstockError`. Its class says two things: whether
the same request may succeed later (`Retryable`) or not (`Final`), and how the edges show it, as the exit code of a
command and as the HTTP status of an answer. Its text is one message for a person: what it is about, what was got, what
was expected, what to do.

| error | the same again | exit code | HTTP | meaning |
|---|---|---|---|---|
{rows}
"""

API = """\
# The API

REST over HTTP at `/apis/v2beta1`, with the names that Kubeflow Pipelines gives its own API of that version where it has
the same thing. The page uses nothing else. `GET /apis/v2beta1/openapi.json` is this page for
machines: an OpenAPI 3.1 document, with every shape.

## Who may ask

Every address below `/apis/` needs `Authorization: Bearer` with the home's token (the file `token` in it, or the setting
`token`), or the cookie of a browser that has opened the login link of `penstock up`. A link works once; the cookie
lasts four weeks, and dies with the token. `/healthz` and the page's own files are open.

Every request has to name the server by an address that it has (`Host`; see the setting `allowed_hosts`), and a request
of a web page has to come from the server's own page (`Origin`). Any other is refused with 403.

## Requests and answers

Bodies are JSON; unknown keys are ignored, and numbers may stand in quotes. A request has at most 65 MiB, a document
64 MiB. A document is a Workflow: as JSON below `pipeline_spec`, or as a file (YAML or JSON) in the field `{upload}` of
a multipart form. Times are RFC 3339 texts; those of nodes are seconds since the epoch.

What fails is answered with the status of the error's class (see [Errors](errors.md)) and
`{{"code": …, "message": …, "details": []}}`: `code` is gRPC's, `message` is for a person. Any request can be answered
401 and 403 as above, and 503 where the database does not answer.

## Lists

`page_size` is 20 where it is 0 or absent, and 200 at most. `next_page_token` of one answer is `page_token` of the next
request; it is empty on the last page. `sort_by` is a field, `field asc` or `field desc`, for runs `metric:<name>` too;
without it the newest come first. `filter` is JSON:

```json
{{"predicates": [{{"operation": "IS_SUBSTRING", "key": "display_name", "string_value": "nightly"}}]}}
```

Predicates are joined by AND. Operations: `EQUALS`, `NOT_EQUALS`, `GREATER_THAN`, `GREATER_THAN_EQUALS`, `LESS_THAN`,
`LESS_THAN_EQUALS`, `IN`, `IS_SUBSTRING`. Values: `string_value`, `int_value`, `long_value`, `timestamp_value`, and for
`IN` `string_values`, `int_values`, `long_values` (`{{"values": […]}}`).

## Streams

`…/events` are server-sent events: `run` (a run), `node` (a node), `note` (something to know: `message`, `nodeId`), and
`end` when the run has ended, which closes the stream. The id of an event is its number in the run. A client goes on
after event *n* with `?after=n` or the header `Last-Event-ID: n`; browsers do so by themselves. `last_event` of the list
of nodes is the number to follow that list from.

`…/log` is the log as it is stored, one line an entry: `<time> <stdout|stderr> <F|P> <text>`; `P` marks a line that goes
on in the next entry of its stream. It takes a `Range` of bytes. With `?follow=1` it goes on until the step has ended,
from the byte `offset` on. `?download=1` names it as a file, of artifacts too.

## Artifacts

`…/artifacts/{{artifact_name}}` takes a `Range` of bytes. Texts and images are shown by a browser; HTML, SVG and all
else is for downloading only. A directory is answered as a list of its files (as a page to a browser), one of them with
`?path=`, all of them as a tar archive with `?download=1`.

HTML that a step shows (`…/views/{{index}}/html`) is sent with a policy of its own: scripts run in an origin of their
own and can neither load nor send anything. What it needs has to be in it.

## Routes

| route | what it does | takes | answers | may fail with |
|---|---|---|---|---|
{rows}
"""


def pages() -> Mapping[str, str]:
    """Text of each page by its file's name."""
    return {
        "api.md": API.format(upload=UPLOAD, rows="\n".join(_route_row(route) for route in ROUTES)),
        "errors.md": ERRORS.format(rows="\n".join(_error_rows(errors.PenstockError, 0))),
        "settings.md": SETTINGS.format(rows="\n".join(_setting_rows())),
    }


def _setting_rows() -> Iterator[str]:
    meanings, flags = _meanings(settings.Settings), _flags()
    for field in dataclasses.fields(settings.Settings):
        if field.name not in settings.NAMES:
            continue
        variable = settings.variable(field.name)
        cells = (
            f"`{field.name}`",
            f"`--{field.name.replace('_', '-')}`" if field.name in flags else "–",
            f"`{variable}`" if variable else "–",
            _default(field),
            meanings[field.name],
        )
        yield f"| {' | '.join(cells)} |"


def _default(field: dataclasses.Field[object]) -> str:
    if "shown" in field.metadata:
        return str(field.metadata["shown"])
    return f"`{field.default}`" if field.default not in ("", ()) else "–"


def _meanings(kind: type) -> Mapping[str, str]:
    """The text that stands behind each field of a class."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(words))):
                found[name] = " ".join(words.split())
    return found


def _flags(group: click.Group = cli) -> set[str]:
    """Settings that a command has a flag for."""
    context, found = click.Context(group), set()
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found |= _flags(command)
        found |= {p.name for p in command.params if isinstance(p, click.Option)} if command else set()
    return found & set(settings.NAMES)


def _error_rows(kind: type[errors.PenstockError], depth: int) -> Iterator[str]:
    retryable, final = issubclass(kind, errors.Retryable), issubclass(kind, errors.Final)
    again = "may succeed" if retryable else "fails" if final else "–"
    meaning = " ".join((inspect.getdoc(kind) or "").split())
    indent = "&emsp;" * depth
    yield f"| {indent}`{kind.__name__}` | {again} | {kind.exit_code} | {kind.http_status} | {meaning} |"
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _error_rows(child, depth + 1)


def _route_row(route: Route) -> str:
    takes = [f"`{name}`" for part in ("query", "headers") for name in _names(route.part(part))]
    if route.uploads:
        takes.append("a file")
    elif route.part("body"):
        takes.append(_shape(route.part("body")))
    answers = ", ".join(f"`{kind}`" for kind in route.media) or _shape(route.answer)
    fails = sorted({error.http_status for error in route.failures} | {status for status in route.more if status >= 400})
    cells = (f"`{route.method} {route.path}`", route.summary, ", ".join(takes), answers, ", ".join(map(str, fails)))
    return f"| {' | '.join(cell or '–' for cell in cells)} |"


def _names(kind: type[msgspec.Struct] | None) -> Sequence[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)] if kind else ()


def _shape(kind: type | None) -> str:
    if kind is None or kind is type(None):
        return "`{}`"
    return f"`{kind.__name__}`" if issubclass(get_origin(kind) or kind, msgspec.Struct) else "a JSON object"


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
