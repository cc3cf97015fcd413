"""`mlpipeline-ui-metadata.json`: `{"outputs": [{"type": …, …}, …]}` → views, in the order of the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from penstock.errors import PenstockError
from penstock.outputs import confusion_matrix, markdown, roc, table, tensorboard, web_app
from penstock.outputs.error import ErrorView
from penstock.outputs.source import BadOutput, Output, shown, text_of
from penstock.outputs.view import View

__all__ = ["FETCH_LIMIT", "FILE_LIMIT", "OUTPUTS_LIMIT", "decoded", "read_ui_metadata"]

FILE_LIMIT = 16 * 1024 * 1024
"""Most bytes of the file itself."""

OUTPUTS_LIMIT = 100
"""Most outputs of one step that are shown."""

FETCH_LIMIT = 64 * 1024 * 1024
"""Most bytes that the outputs of one step may refer to, together."""

TITLE_LIMIT = 200

READERS: Mapping[str, Callable[[Output], View]] = {
    "confusion_matrix": confusion_matrix.read,
    "markdown": markdown.read,
    "roc": roc.read,
    "table": table.read,
    "tensorboard": tensorboard.read,
    "web-app": web_app.read,
}


def read_ui_metadata(data: bytes, *, fetch: Callable[[str], bytes], step: str = "", node_id: str = "") -> list[View]:
    """The views of a step's `mlpipeline-ui-metadata.json`.

    `fetch` gives the bytes that a `source` refers to, and raises PenstockError, OSError or ValueError (an address
    that is none) where it cannot. An output that is wrong becomes an `error` view in its place; a file that is wrong
    becomes one `error` view. Nothing that `data` holds makes this raise.
    """
    try:
        outputs = _outputs(data)
    except BadOutput as error:
        text = data[:400].decode("utf-8", "replace")
        return [_placed(_card(error, text), step, node_id, 0, {})]
    budget = _Budget(fetch)
    views = [_placed(_view(o, budget), step, node_id, i, o) for i, o in enumerate(outputs[:OUTPUTS_LIMIT])]
    if len(outputs) > OUTPUTS_LIMIT:
        rest = BadOutput(f"{len(outputs):,} outputs; the first {OUTPUTS_LIMIT} are shown", expected="fewer outputs")
        views.append(_placed(_card(rest, ""), step, node_id, OUTPUTS_LIMIT, {}))
    return views


def decoded(data: bytes, what: str) -> Any:
    """JSON of strangers: bounded; NaN and infinities, as Python writes them, are let through. Raises BadOutput."""
    if len(data) > FILE_LIMIT:
        raise BadOutput(f"{what} is over {FILE_LIMIT:,} bytes", expected="a smaller file, with sources by reference")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise BadOutput(f"{what} is nested too deeply", expected="JSON") from None
    except ValueError as error:
        raise BadOutput(f"{what} is not JSON: {error}", expected="JSON in UTF-8") from None


def _outputs(data: bytes) -> list[Any]:
    document = decoded(data, "mlpipeline-ui-metadata.json")
    outputs = document.get("outputs") if isinstance(document, dict) else None
    if not isinstance(outputs, list):
        raise BadOutput(f"mlpipeline-ui-metadata.json: got {_kind(document)}", expected='{"outputs": [{"type": …}, …]}')
    return outputs


def _kind(document: Any) -> str:
    if isinstance(document, dict):
        return f"outputs: {_kind(document['outputs'])}" if "outputs" in document else "no outputs"
    return {list: "a list", str: "a text", bool: "a boolean", type(None): "null"}.get(type(document), "a number")


def _view(fields: Any, budget: _Budget) -> View:
    try:
        return _reader(fields)(Output(fields, budget.fetched))
    except BadOutput as error:
        return _card(error, shown(fields))
    except (PenstockError, OSError, ValueError) as error:
        return _card(BadOutput(str(error), expected="a source that can be read"), shown(fields))


def _reader(fields: Any) -> Callable[[Output], View]:
    expected = "type: one of " + ", ".join(READERS)
    if not isinstance(fields, dict):
        raise BadOutput(f"output: got {_kind(fields)}", expected="an object with " + expected)
    kind = fields.get("type")
    if not isinstance(kind, str) or kind not in READERS:
        raise BadOutput(f"type: got {shown(kind) if 'type' in fields else 'nothing'}", expected=expected)
    return READERS[kind]


def _card(error: BadOutput, output: str) -> ErrorView:
    return ErrorView(
        message=text_of(error),
        output=text_of(output),
        expected=text_of(error.expected),
    )


def _placed(view: View, step: str, node_id: str, index: int, fields: Any) -> View:
    """The view with its place and, where the output has one, its own title."""
    own = (fields.get("title") or fields.get("name")) if isinstance(fields, dict) else None
    title = text_of(own[:TITLE_LIMIT]) if isinstance(own, str) and own else view.title
    return msgspec.structs.replace(view, title=title, step=step, node_id=node_id, index=index)


@dataclass(slots=True)
class _Budget:
    """Counts what the outputs of one step fetch, so that no file makes us read the same large artifact for ever."""

    fetch: Callable[[str], bytes]
    left: int = FETCH_LIMIT

    def fetched(self, uri: str) -> bytes:
        if self.left <= 0:
            raise BadOutput(f"the outputs of this step refer to over {FETCH_LIMIT:,} bytes", expected="less content")
        data = self.fetch(uri)
        self.left -= len(data)
        return data
