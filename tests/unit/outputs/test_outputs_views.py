"""`read_ui_metadata`: every type, inline and by reference, and one error card for each output that is wrong."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import NotFound
from penstock.outputs import (
    ConfusionMatrixView,
    ErrorView,
    MarkdownView,
    TensorboardView,
    View,
    WebAppView,
    read_ui_metadata,
)
from penstock.outputs.envelope import OUTPUTS_LIMIT
from penstock.outputs.markdown import TEXT_LIMIT
from penstock.outputs.roc import POINTS_LIMIT
from penstock.outputs.table import ROWS_LIMIT

ROC_SCHEMA = [
    {"name": "fpr", "type": "NUMBER"},
    {"name": "tpr", "type": "NUMBER"},
    {"name": "thresholds", "type": "NUMBER"},
]
MATRIX_SCHEMA = [
    {"name": "target", "type": "CATEGORY"},
    {"name": "predicted", "type": "CATEGORY"},
    {"name": "count", "type": "NUMBER"},
]


def no_fetch(uri: str) -> bytes:
    raise NotFound(f"source: got {uri!r}, which cannot be read here")


def read(*outputs: Any, fetch: Any = no_fetch) -> list[View]:
    return read_ui_metadata(json.dumps({"outputs": outputs}).encode(), fetch=fetch, step="evaluate", node_id="wf-1")


def one(output: Any, fetch: Any = no_fetch) -> Any:
    (view,) = read(output, fetch=fetch)
    return view


def inline(kind: str, source: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "storage": "inline", "source": source, **fields}


def wire(view: View) -> Any:
    return msgspec.json.decode(msgspec.json.encode(view))


def test_a_roc_curve_has_its_points_in_the_order_of_the_schema_and_its_area() -> None:
    view = one(inline("roc", "0,0,inf\n0.0,0.5,0.9\n0.5,1.0,0.4\n1,1,0\n", format="csv", schema=ROC_SCHEMA))
    assert wire(view) == {
        "kind": "roc",
        "title": "ROC curve",
        "node_id": "wf-1",
        "step": "evaluate",
        "index": 0,
        "points": [[0, 0, None], [0, 0.5, 0.9], [0.5, 1, 0.4], [1, 1, 0]],
        "area": 0.875,
        "truncated": False,
        "total": 4,
    }


def test_the_columns_of_a_roc_curve_may_stand_in_any_order() -> None:
    schema = [{"name": "threshold"}, {"name": "tpr"}, {"name": "fpr"}]
    view = one(inline("roc", "0.9,0.5,0.25\n0.1,1,1", schema=schema))
    assert view.points == [(0.25, 0.5, 0.9), (1.0, 1.0, 0.1)]


def test_a_header_line_that_the_format_does_without_is_left_out() -> None:
    assert one(inline("roc", "fpr,tpr,thresholds\n0,0,1\n1,1,0", schema=ROC_SCHEMA)).total == 2


def test_a_long_roc_curve_is_thinned_and_keeps_its_ends_and_its_area() -> None:
    count = 4 * POINTS_LIMIT
    text = "\n".join(f"{i / count},{i / count},{1 - i / count}" for i in range(count + 1))
    view = one(inline("roc", text, schema=ROC_SCHEMA))
    assert len(view.points) == POINTS_LIMIT
    assert (view.points[0][0], view.points[-1][0]) == (0, 1)
    assert view.truncated
    assert view.total == count + 1
    assert view.area == pytest.approx(0.5)


def test_a_roc_curve_without_end_is_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.outputs.roc.READ_LIMIT", 10)
    view = one(inline("roc", "0,0,1\n" * 11, schema=ROC_SCHEMA))
    assert (view.kind, view.message) == ("error", "content has over 10 rows")
    assert one(inline("roc", "0,0,1\n" * 10, schema=ROC_SCHEMA)).total == 10


def test_a_confusion_matrix_is_indexed_by_target_then_predicted() -> None:
    text = "cat,cat,5\ncat,dog,1\ndog,cat,2\ndog,dog,7\n"
    view = one(inline("confusion_matrix", text, format="csv", schema=MATRIX_SCHEMA, labels=["cat", "dog"]))
    assert isinstance(view, ConfusionMatrixView)
    assert wire(view)["matrix"] == [[5, 1], [2, 7]]
    assert (view.target_name, view.predicted_name) == ("target", "predicted")


def test_labels_that_are_numbers_are_texts() -> None:
    view = one(inline("confusion_matrix", "0,0,3\n0,1,0\n1,0,0\n1,1,2.5", schema=MATRIX_SCHEMA, labels=[0, 1]))
    assert view.labels == ["0", "1"]
    assert view.matrix == [[3, 0], [0, 2.5]]


def test_a_table_pads_short_rows_and_hides_no_cell_of_long_ones() -> None:
    view = one(inline("table", 'a,"b,\nb"\nc\n\nd,e,f\n', format="csv", header=["x", "y"]))
    assert view.header == ["x", "y", ""]
    assert view.rows == [["a", "b,\nb", ""], ["c", "", ""], ["d", "e", "f"]]
    assert (view.truncated, view.total) == (False, 3)


def test_a_long_table_is_cut_and_says_so() -> None:
    view = one(inline("table", "1,2\n" * (ROWS_LIMIT + 5), format="csv", header=["x", "y"]))
    assert len(view.rows) == ROWS_LIMIT
    assert (view.truncated, view.total) == (True, ROWS_LIMIT + 5)


def test_markdown_is_cut_at_its_limit() -> None:
    assert one(inline("markdown", "# Hello")) == MarkdownView(
        title="Markdown", text="# Hello", step="evaluate", node_id="wf-1"
    )
    view = one(inline("markdown", "x" * (TEXT_LIMIT + 1)))
    assert (len(view.text), view.truncated) == (TEXT_LIMIT, True)


def test_a_web_app_and_a_tensorboard() -> None:
    assert one(inline("web-app", "<h1>Hi</h1>")).html == "<h1>Hi</h1>"
    view = one({"type": "tensorboard", "source": "gs://bucket/logs"})
    assert isinstance(view, TensorboardView)
    assert view.source == "gs://bucket/logs"


def test_fields_that_nothing_reads_change_nothing() -> None:
    several = "Series1:gs://bucket/one,Series2:gs://bucket/two"
    further = {"image": "tensorflow:1", "pod_template_spec": {"spec": {}}, "storage": "gcs"}
    assert one({"type": "tensorboard", "source": several, **further}).source == several
    further = {"predicted_col": "p", "target_col": "t", "storage": "inline"}
    view = one({"type": "confusion_matrix", "source": "a,a,1", "schema": MATRIX_SCHEMA, "labels": ["a"], **further})
    assert view.matrix == [[1]]


def test_a_schema_may_be_plain_names() -> None:
    assert one(inline("roc", "0,0,1\n1,1,0", schema=["fpr", "tpr", "threshold"])).total == 2


def test_content_by_reference_is_fetched() -> None:
    asked = []

    def fetch(uri: str) -> bytes:
        asked.append(uri)
        return b"\xef\xbb\xbf<p>by reference</p>"

    view = one({"type": "web-app", "storage": "gcs", "source": "gs://bucket/page.html"}, fetch=fetch)
    assert isinstance(view, WebAppView)
    assert view.html == "<p>by reference</p>"
    assert asked == ["gs://bucket/page.html"]


def test_an_output_may_have_a_title_of_its_own() -> None:
    assert one(inline("markdown", "x", title="Notes")).title == "Notes"


def test_a_bad_output_is_one_card_and_hides_no_other() -> None:
    views = read(
        inline("markdown", "first"),
        inline("roc", "0,0,1\n0.1,zero,0.5", schema=ROC_SCHEMA),
        {"type": "web-app", "source": "gs://bucket/x"},
        {"type": "hologram"},
        "not an object",
        inline("table", "a,b", format="csv", header=["x", "y"]),
    )
    assert [v.kind for v in views] == ["markdown", "error", "error", "error", "error", "table"]
    assert [v.index for v in views] == [0, 1, 2, 3, 4, 5]
    bad = views[1]
    assert isinstance(bad, ErrorView)
    assert bad.message == 'row 2, tpr: got "zero"'
    assert bad.expected == "row 2, tpr: a number"
    assert '"type": "roc"' in bad.output


@pytest.mark.parametrize(
    ("output", "message", "expected"),
    [
        ({"type": "roc"}, "schema: got nothing", "schema"),
        ({"type": "web-app"}, "source: got nothing", "source"),
        ({"type": "web-app", "source": 3}, "source: got 3", "source"),
        ({"type": "web-app", "source": ""}, 'source: got ""', "source"),
        ({}, "type: got nothing", "confusion_matrix, markdown, roc"),
        ({"type": ["roc"]}, 'type: got ["roc"]', "type: one of"),
        (inline("table", "1", header=["x"]), "format: got nothing", "csv"),
        (inline("table", "1", header="x", format="csv"), 'header: got "x"', "a list of texts"),
        (inline("table", "1", header=["x"], format="parquet"), 'format: got "parquet"', "csv"),
        (inline("tensorboard", "logs"), "storage: got inline", "address of a folder"),
        (inline("roc", "", schema=ROC_SCHEMA), "content has 0 rows", "at least two points"),
        (inline("roc", "0,0,1\n0,7,1", schema=ROC_SCHEMA), 'row 2, tpr: got "7"', "a rate from 0 to 1"),
        (inline("roc", "0,0\n", schema=ROC_SCHEMA), 'row 1: got ["0", "0"]', "3 cells"),
        (inline("roc", "0,0,x\n", schema=ROC_SCHEMA), 'row 1, threshold: got "x"', "a number"),
        (inline("roc", "0,0,1", schema=[{"name": "x"}]), 'schema: got the columns ["x"]', "fpr, tpr"),
        (
            inline("confusion_matrix", "a,a,1", schema=MATRIX_SCHEMA, labels=["a", "b"]),
            "content has 1 rows for 2 labels",
            "4 rows",
        ),
        (
            inline("confusion_matrix", "a,c,1", schema=MATRIX_SCHEMA, labels=["a", "b"]),
            'row 1: label "c"',
            'one of labels: ["a", "b"]',
        ),
        (
            inline("confusion_matrix", "a,a,1\na,a,1", schema=MATRIX_SCHEMA, labels=["a"]),
            'row 2: ["a", "a", "1"] is there twice',
            "each pair of labels once",
        ),
        (
            inline("confusion_matrix", "a,a,nan", schema=MATRIX_SCHEMA, labels=["a"]),
            'row 1, count: got "nan"',
            "a number",
        ),
        (inline("confusion_matrix", "", schema=MATRIX_SCHEMA, labels=["a", "a"]), "labels: got", "differ"),
        (inline("confusion_matrix", "", schema=MATRIX_SCHEMA, labels=[]), "labels: got 0", "1 to 200"),
        (inline("confusion_matrix", "", schema=[{"name": "x"}], labels=["a"]), "schema: got", "predicted"),
        (inline("table", '"' + "x" * 200_000, header=["x"], format="csv"), "line 1: field larger", "CSV"),
    ],
)
def test_what_is_wrong_is_said_with_what_was_expected(output: Any, message: str, expected: str) -> None:
    view = one(output)
    assert isinstance(view, ErrorView)
    assert message in view.message
    assert expected in view.expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "got a list"),
        (b"null", "got null"),
        (b"3", "got a number"),
        (b"{}", "got no outputs"),
        (b'{"outputs": {}}', "got outputs: no outputs"),
        (b'{"outputs": ' + b"[" * 100_000, "nested too deeply"),
        (b"[" * 17_000_000, "is over 16,777,216 bytes"),
    ],
)
def test_a_file_that_is_wrong_is_one_card(data: bytes, message: str) -> None:
    (view,) = read_ui_metadata(data, fetch=no_fetch)
    assert isinstance(view, ErrorView)
    assert message in view.message


def test_of_very_many_outputs_the_first_are_shown() -> None:
    views = read(*[inline("markdown", "x")] * (OUTPUTS_LIMIT + 7))
    assert len(views) == OUTPUTS_LIMIT + 1
    assert views[-1].kind == "error"


def test_what_outputs_refer_to_is_bounded_together() -> None:
    views = read(*[{"type": "markdown", "source": "/big"}] * 50, fetch=lambda _: b"x" * (16 * 1024 * 1024))
    assert [v.kind for v in views].count("markdown") == 4


@pytest.mark.parametrize("error", [NotFound("gone"), OSError("disk"), ValueError("Invalid IPv6 URL")])
def test_a_source_that_cannot_be_read_is_a_card(error: Exception) -> None:
    def fetch(_: str) -> bytes:
        raise error

    view = one({"type": "markdown", "source": "http://["}, fetch=fetch)
    assert (view.kind, view.message) == ("error", str(error))


def test_deep_nesting_inside_an_output_is_a_card() -> None:
    for depth in (300, 900, 980, 5_000):
        data = b'{"outputs": [{"type": "roc", "schema": ' + b"[" * depth + b"]" * depth + b"}]}"
        (view,) = read_ui_metadata(data, fetch=no_fetch)
        assert view.kind == "error"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
plausible = st.fixed_dictionaries(
    {"type": st.sampled_from(["roc", "table", "confusion_matrix", "markdown", "web-app", "tensorboard", "x"])},
    optional={
        "storage": st.sampled_from(["inline", "gcs"]) | json_values,
        "source": st.text() | st.text(alphabet='01.,\n"ab') | json_values,
        "format": st.just("csv") | json_values,
        "schema": st.just(ROC_SCHEMA) | st.just(MATRIX_SCHEMA) | json_values,
        "labels": st.just(["a", "b"]) | json_values,
        "header": st.just(["a", "b"]) | json_values,
        "title": json_values,
    },
)


def holds(data: bytes, count: int | None = None) -> None:
    """Any bytes give views that can be sent."""
    views = read_ui_metadata(data, fetch=lambda uri: uri.encode("utf-8", "replace"), step="s", node_id="n")
    assert views or count == 0
    assert json.loads(msgspec.json.encode(views).decode()) is not None
    if count is not None:
        assert len(views) == count


@given(st.binary())
def test_any_bytes_are_views(data: bytes) -> None:
    if data:
        holds(data)


@given(json_values)
def test_any_json_is_views(value: Any) -> None:
    data = json.dumps({"outputs": [value]}).encode()
    holds(data, 1)


@given(st.lists(plausible, max_size=4))
def test_each_output_gives_one_view(outputs: list[Any]) -> None:
    holds(json.dumps({"outputs": outputs}).encode(), len(outputs))
