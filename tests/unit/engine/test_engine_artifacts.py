"""Artifacts by a key of the store, and parts of artifacts."""

from __future__ import annotations

import pytest
from engine_documents import document, ended, node, told

from penstock.engine import Run
from penstock.engine.protocol import Pod
from penstock.errors import InvalidDocument, UnsupportedField
from penstock.testing.simulation import Outcome, simulate
from penstock.workflow.running import node_document

READ = "  - {name: read, inputs: {artifacts: [{name: i, path: /i}]}, container: {image: busybox}}"


def given(run: Run, name: str) -> str:
    """The key of the input artifact of a node."""
    inputs = node(run, name).inputs
    assert inputs is not None
    return inputs.artifacts[0].key


def test_an_output_goes_to_the_key_that_it_names() -> None:
    pods: list[Pod] = []
    output = "{name: o, path: /o, s3: {key: '{{workflow.name}}/{{inputs.parameters.x}}/'}}"
    templates = f"""\
  - name: main
    inputs: {{parameters: [{{name: x, default: here}}]}}
    outputs: {{artifacts: [{output}]}}
    container: {{image: busybox}}"""
    run = simulate(document(templates), lambda pod: pods.append(pod) or Outcome())
    assert [artifact.key for artifact in pods[0].output_artifacts] == ["keyed/w/here"]
    assert node_document(node(run, ""))["outputs"]["artifacts"][0]["s3"] == {"key": "w/here"}


@pytest.mark.parametrize("more", ["bucket: b, endpoint: e:9000", "endpoint: e:9000"])
def test_an_output_for_another_store_goes_to_this_one(more: str) -> None:
    pods: list[Pod] = []
    output = f"{{name: o, path: /o, s3: {{key: k, {more}}}}}"
    templates = f"  - {{name: main, outputs: {{artifacts: [{output}]}}, container: {{image: busybox}}}}"
    simulate(document(templates), lambda pod: pods.append(pod) or Outcome())
    assert pods[0].output_artifacts[0].key == "artifacts/w/w/o"


def test_an_input_from_another_store_is_refused() -> None:
    inputs = "{artifacts: [{name: i, path: /i, s3: {bucket: b, key: k, endpoint: e:9000}}]}"
    with pytest.raises(UnsupportedField) as caught:
        document(f"  - {{name: main, inputs: {inputs}, container: {{image: busybox}}}}")
    assert caught.value.path == "spec.templates[0].inputs.artifacts[0].s3.endpoint"


def test_a_bucket_without_an_endpoint_says_nothing() -> None:
    own = (
        "{name: own, inputs: {artifacts: [{name: i, path: /i, s3: {bucket: b, key: k}}]}, container: {image: busybox}}"
    )
    run = ended(f"  - {{name: main, dag: {{tasks: [{{name: a, template: own}}]}}}}\n  - {own}")
    assert given(run, "a") == "keyed/k"


def test_a_place_that_is_empty_is_none() -> None:
    nowhere = "{name: i, path: /i, optional: true, http: {url: ''}}"
    run = ended(f"  - {{name: main, inputs: {{artifacts: [{nowhere}]}}, container: {{image: busybox}}}}")
    assert run.phase == "Succeeded"


def test_an_input_comes_from_the_key_of_its_template_or_of_its_argument() -> None:
    own = "{name: own, inputs: {artifacts: [{name: i, path: /i, s3: {key: '{{workflow.name}}/k'}}]}, "
    argument = "arguments: {artifacts: [{name: i, s3: {key: 'x/{{item}}'}}]}"
    tasks = f"{{name: a, template: own}}, {{name: b, template: own, withItems: [1], {argument}}}"
    run = ended(f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}\n  - {own}container: {{image: busybox}}}}")
    assert (given(run, "a"), given(run, "b(0:1)")) == ("keyed/w/k", "keyed/x/1")


def test_an_input_has_the_mode_that_its_own_template_says() -> None:
    reads = "{name: i, path: /i, mode: 493, recurseMode: true}"
    argument = "arguments: {artifacts: [{name: i, from: '{{tasks.a.outputs.artifacts.a}}', mode: 256}]}"
    tasks = f"{{name: a, template: make}}, {{name: b, template: read, depends: a, {argument}}}"
    templates = f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}\n{READ.replace('{name: i, path: /i}', reads)}"
    inputs = node(ended(templates), "b").inputs
    assert inputs is not None
    assert (inputs.artifacts[0].mode, inputs.artifacts[0].recurse_mode) == (0o755, True)


def test_the_archive_form_is_that_of_what_names_the_place() -> None:
    output = "{name: a, path: /a, archive: {none: {}}}"
    stores = f"  - {{name: store, outputs: {{artifacts: [{output}]}}, container: {{image: busybox}}}}\n"
    reads = "{name: i, path: /i, s3: {key: k}, archive: {tar: {}}}"
    handed = "{artifacts: [{name: i, from: '{{tasks.a.outputs.artifacts.a}}'}]}"
    keyed = "{artifacts: [{name: i, s3: {key: k}, archive: {zip: {}}}]}"
    tasks = f"""\
  - name: main
    dag:
      tasks:
      - {{name: a, template: store}}
      - {{name: own, template: read}}
      - {{name: handed, template: read, depends: a, arguments: {handed}}}
      - {{name: keyed, template: read, arguments: {keyed}}}
"""
    run = ended(tasks + stores + READ.replace("{name: i, path: /i}", reads))
    shown = {name: node_document(node(run, name))["inputs"]["artifacts"][0] for name in ("own", "handed", "keyed")}
    assert {name: each["archive"] for name, each in shown.items()} == {
        "own": {"tar": {}},
        "handed": {"none": {}},
        "keyed": {"zip": {}},
    }
    assert node_document(node(run, "a"))["outputs"]["artifacts"][0]["archive"] == {"none": {}}


OPTIONAL = """\
  - name: main
    inputs: {artifacts: [{name: given, optional: true}]}
    outputs: {artifacts: [{name: o, from: '{{inputs.artifacts.given}}', optional: true}]}
    steps:
    - - name: a
        template: read
        arguments: {artifacts: [{name: i, from: '{{inputs.artifacts.given}}'}]}
  - {name: read, inputs: {artifacts: [{name: i, path: /i%s}]}, container: {image: busybox}}
"""


def test_an_optional_input_that_nobody_gave_is_handed_on() -> None:
    pods: list[Pod] = []
    run = simulate(document(OPTIONAL % ", optional: true"), lambda pod: pods.append(pod) or Outcome())
    assert run.phase == "Succeeded"
    assert pods[0].input_artifacts == ()
    inputs = node(run, "[0].a").inputs
    assert inputs is not None
    assert [(each.name, each.given) for each in inputs.artifacts] == [("i", False)]
    outputs = node(run, "").outputs
    assert outputs is None or outputs.artifacts == ()


def test_where_it_is_needed_its_place_is_missing() -> None:
    run = ended(OPTIONAL % "")
    assert run.phase == "Failed"
    assert told(run)["[0].a"] == "inputs.artifacts.i missing location information"


def test_a_part_of_an_artifact() -> None:
    argument = "arguments: {artifacts: [{name: i, from: '{{tasks.a.outputs.artifacts.a}}', subPath: '/sub/{{item}}'}]}"
    tasks = f"{{name: a, template: make}}, {{name: b, template: read, depends: a, withItems: [x], {argument}}}"
    run = ended(f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}\n{READ}")
    outputs = node(run, "a").outputs
    assert outputs is not None
    assert given(run, "b(0:x)") == outputs.artifacts[0].key + "/sub/x"


def test_a_part_whose_name_was_never_made_is_an_error() -> None:
    part = "subPath: '{{tasks.p.outputs.parameters.p}}'"
    argument = f"arguments: {{artifacts: [{{name: i, from: '{{{{tasks.a.outputs.artifacts.a}}}}', {part}}}]}}"
    after = "depends: 'a && p.Skipped'"
    tasks = "{name: a, template: make}, {name: p, template: make, when: 'false'}, "
    tasks += f"{{name: b, template: read, {after}, {argument}}}"
    run = ended(f"  - {{name: main, dag: {{tasks: [{tasks}]}}}}\n{READ}")
    assert "output is an absent optional" in told(run)["b"]


def test_an_input_without_any_source_is_refused() -> None:
    with pytest.raises(InvalidDocument, match=r"inputs\.artifacts\.i was not supplied"):
        document(f"  - {{name: main, steps: [[{{name: a, template: read}}]]}}\n{READ}")
