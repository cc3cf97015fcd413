"""`load`: from text to a checked document, or to an error that says where."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import InvalidDocument, PenstockError, TooLarge
from penstock.workflow import MAX_BYTES, load

DOCUMENT = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: hello-}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: busybox, args: [1, 1.50, yes, "no"], command: [echo]}
"""


def test_texts_stay_texts_and_other_scalars_become_theirs() -> None:
    workflow = load(DOCUMENT)
    main = workflow.spec.templates[0].main
    assert main is not None
    assert main.args == ("1", "1.5", "true", "no")
    assert workflow.images() == (("main", "busybox", ("echo",), ()),)
    assert workflow.title == "hello"


def test_json_is_read_as_json() -> None:
    assert load(json.dumps(load(DOCUMENT).raw)).spec == load(DOCUMENT).spec
    assert load(b"\xef\xbb\xbf" + DOCUMENT.encode()).spec == load(DOCUMENT).spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.yaml: expected a Workflow (a map with apiVersion, kind and spec), got nothing"),
        ("[]", "a.yaml: expected a Workflow (a map with apiVersion, kind and spec), got a list"),
        ("hello", "a.yaml: expected a Workflow (a map with apiVersion, kind and spec), got a text"),
        ("a: 1", "a.yaml: expected kind Workflow (argoproj.io/v1alpha1), got no kind"),
        ("kind: Deployment", "a.yaml: expected kind Workflow (argoproj.io/v1alpha1), got kind Deployment"),
        ("kind: [Workflow]", "a.yaml: expected kind Workflow (argoproj.io/v1alpha1), got kind ['Workflow']"),
        ("kind: Workflow", "apiVersion: a.yaml: expected apiVersion argoproj.io/v1alpha1, got None"),
        ("kind: Workflow\napiVersion: v1", "apiVersion: a.yaml: expected apiVersion argoproj.io/v1alpha1, got 'v1'"),
        (
            DOCUMENT + "---\nkind: Service\n",
            "a.yaml: 2 YAML documents (kind Workflow, kind Service); expected one Workflow",
        ),
        (
            "pipelineInfo: {name: x}\nsdkVersion: kfp-2.17.0",
            "a.yaml: this is a PipelineSpec of Kubeflow Pipelines 2, made by kfp-2.17.0, which cannot be run yet",
        ),
        ('{"kind": 1,}', "a.yaml:1:"),
        ('{"a": 1, "a": 2}', "a.yaml: duplicate key 'a'"),
        ('{"a": NaN}', "a.yaml: NaN has no JSON value; quote it"),
        ('{"a":' * 2000 + "{}" + "}" * 2000, "a.yaml: nested deeper than 100 levels"),
        ('{"a":' * 101 + "{}" + "}" * 101, "a.yaml: nested deeper than 100 levels"),
        ("a:\n\t- b", "a.yaml:2:1: tab not allowed."),
    ],
)
def test_what_is_no_workflow(text: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        load(text, source="a.yaml")
    assert str(caught.value).startswith(message)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(InvalidDocument, match=r"a.yaml: not UTF-8 text \(byte 2\)"):
        load(b"{ \xff", source="a.yaml")


def test_a_document_of_65_mb_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLarge) as caught:
        load(b"[" * (65 * 1024 * 1024), source="big.yaml")
    assert str(caught.value) == f"big.yaml: 68,157,440 bytes; limit {MAX_BYTES:,}."


def test_template_defaults_lie_below_each_template() -> None:
    workflow = load(
        DOCUMENT.replace(
            "  entrypoint: main\n",
            "  entrypoint: main\n"
            "  retryStrategy: {limit: 2}\n"
            "  templateDefaults:\n"
            "    timeout: 5m\n"
            "    container: {image: other, workingDir: /w, env: [{name: A, value: 1}]}\n"
            "    script: {image: python}\n",
        )
    )
    (template,) = workflow.spec.templates
    assert template.main is not None
    assert (template.main.image, template.main.working_dir, template.main.env[0].value) == ("busybox", "/w", "1")
    assert template.script is None
    assert template.timeout == "5m"
    assert template.retry_strategy is not None
    assert template.retry_strategy.limit == "2"


LINES = DOCUMENT.splitlines(keepends=True)


@given(st.data())
def test_a_damaged_document_loads_or_is_refused(data: st.DataObject) -> None:
    lines = list(LINES)
    position = data.draw(st.integers(0, len(lines) - 1))
    damage = data.draw(st.sampled_from(["", "  x: 1\n", "- \n", "{\n", "\t\n", "spec: 5\n", "    dag: {tasks: []}\n"]))
    lines[position : position + data.draw(st.integers(0, 2))] = [damage]
    with suppress(PenstockError):
        assert load("".join(lines)).spec.entrypoint


AT_ONCE = """
import sys, threading
from penstock.workflow.loading import load
sys.setswitchinterval(1e-6)
start = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (start.wait(), load(sys.argv[1]))) for _ in range(8)]
for act in (threading.Thread.start, threading.Thread.join):
    for thread in threads:
        act(thread)
"""


def test_threads_may_be_the_first_to_load_at_once() -> None:
    assert subprocess.run([sys.executable, "-c", AT_ONCE, DOCUMENT], check=False).returncode == 0
