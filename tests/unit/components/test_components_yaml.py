"""`component.yaml`: its grammar, and where it comes from."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from authoring import container, document, parameters, step, task, template
from penstock import components
from penstock.components import load_component_from_text, loading
from penstock.errors import InvalidDocument, InvalidInput, InvalidPipeline, PenstockError, TooLarge, Unavailable

TRAIN = """
name: Train model
description: Trains it.
metadata:
  annotations: {author: me}
  labels: {team: a}
inputs:
- {name: Training data, type: CSV, description: Rows.}
- {name: rate, type: Float, default: 0.1}
- {name: label, optional: true}
- {name: verbose, type: Boolean, default: true}
outputs:
- {name: model, type: Model}
- {name: loss, type: Float}
implementation:
  container:
    image: trainer:1
    command: [train, --data, {inputPath: Training data}]
    args:
    - --rate=3
    - {concat: [--rate=, {inputValue: rate}]}
    - if:
        cond: {isPresent: label}
        then: [--label, {inputValue: label}]
        else: --unlabelled
    - if: {cond: {inputValue: verbose}, then: -v}
    - {if: {cond: false, then: [never]}}
    - 3
    - {outputPath: model}
    env:
      RATE: {inputValue: rate}
      MODE: fast
    fileOutputs:
      loss: /loss.txt
"""


def test_a_step_of_a_component() -> None:
    train = load_component_from_text(TRAIN)

    def pipeline() -> None:
        op = train(step("make").output, label="it's")
        step("read", op.outputs["loss"], op.outputs["model"])

    assert template(pipeline, "train-model")["container"] == {
        "image": "trainer:1",
        "command": ["train", "--data", "/tmp/inputs/Training_data/data"],
        "args": ["--rate=3", "--rate=0.1", "--label", "it's", "-v", "3", "/tmp/outputs/model/data"],
        "env": [{"name": "RATE", "value": "0.1"}, {"name": "MODE", "value": "fast"}],
    }
    found = template(pipeline, "train-model")
    assert found["inputs"] == {"artifacts": [{"name": "make-out", "path": "/tmp/inputs/Training_data/data"}]}
    assert found["outputs"]["parameters"] == [
        {"name": "loss", "valueFrom": {"path": "/loss.txt"}},
        {"name": "model", "valueFrom": {"path": "/tmp/outputs/model/data"}},
    ]
    assert found["metadata"]["annotations"]["author"] == "me"
    assert found["metadata"]["labels"]["team"] == "a"


def test_a_branch_that_is_not_taken() -> None:
    train = load_component_from_text(TRAIN)
    args = container(lambda: train("a,b", rate=0.5, verbose=False), "train-model")["args"]
    assert args == ["--rate=3", "--rate=0.5", "--unlabelled", "3", "/tmp/outputs/model/data"]


def test_inputs_are_passed_by_either_name() -> None:
    train = load_component_from_text(TRAIN)
    assert train.__name__ == "train_model"
    by_python = container(lambda: train(training_data="a"), "train-model")
    assert by_python == container(lambda: train(**{"Training data": "a"}), "train-model")


def test_outputs_are_read_by_either_name() -> None:
    make = load_component_from_text(
        "{name: m, outputs: [{name: The Out}], implementation: {container: {image: x, args: [{outputPath: The Out}]}}}"
    )

    def pipeline() -> None:
        op = make()
        step("a", op.outputs["The Out"], op.outputs["the_out"], op.output)

    assert parameters(task(pipeline, "p", "a")) == {"m-The-Out": "{{tasks.m.outputs.parameters.The-Out}}"}


def test_placeholders_of_the_first_version() -> None:
    old = load_component_from_text(
        """
        name: old
        inputs: [{name: a}, {name: b}]
        outputs: [{name: c}]
        implementation:
          container: {image: x, args: [{value: a}, {file: b}, {output: c}]}
        """
    )
    assert container(lambda: old("1", "2"), "old")["args"] == ["1", "/tmp/inputs/b/data", "/tmp/outputs/c/data"]


def test_types_with_properties_are_compared() -> None:
    made = load_component_from_text(
        "{name: m, outputs: [{name: o, type: {GCSPath: {data_type: CSV}}}],"
        " implementation: {container: {image: x, args: [{outputPath: o}]}}}"
    )

    def reader(kind: str) -> Any:
        return load_component_from_text(
            f"{{name: r, inputs: [{{name: i, type: {kind}}}],"
            " implementation: {container: {image: x, args: [{inputValue: i}]}}}"
        )

    assert document(lambda: reader("{GCSPath: {data_type: CSV, more: 1}}")(made().output))
    with pytest.raises(InvalidPipeline, match=r"'i': expected type .*TSV.*, got 'm-o' of type .*CSV"):
        document(lambda: reader("{GCSPath: {data_type: TSV}}")(made().output))
    with pytest.raises(InvalidPipeline, match="'i': expected type Text"):
        document(lambda: reader("Text")(made().output))
    assert document(lambda: reader("Artifact")(made().output))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda train: train(), "Missing required parameter 'Training data' of 'train_model'. Given: none."),
        (lambda train: train("a", rte=1), "Unknown parameter 'rte' of 'train_model'. Known: 'Training data', "),
        (lambda train: train("a", rate="fast"), "'rate': expected number, got string \"fast\"."),
        (lambda train: train("a", verbose=1), "'verbose': expected boolean, got integer 1."),
    ],
)
def test_a_wrong_call(call: Any, message: str) -> None:
    with pytest.raises(InvalidPipeline) as caught:
        document(lambda: call(load_component_from_text(TRAIN)))
    assert f": {message}" in str(caught.value)


# --- faults of the file -----------------------------------------------------------------------------------------


def changed(old: str, new: str) -> str:
    assert old in TRAIN
    return TRAIN.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a map, got nothing"),
        ("[1]", "expected a map, got a list"),
        ("name: x", "implementation: missing"),
        (
            changed("description: Trains", "descripton: Trains"),
            "descripton: unknown key; expected one of",
        ),
        (changed("image: trainer:1", "image: [1]"), "implementation.container.image: expected a text, got a list"),
        (changed("    image: trainer:1\n", ""), "implementation.container.image: missing"),
        (changed("    image:", "    resources: {}\n    image:"), "implementation.container.resources: unknown key"),
        (changed("type: CSV,", "typo: CSV,"), "inputs[0].typo: unknown key; expected one of name, description, type"),
        (changed("name: rate,", "name: label,"), "inputs[2].name: 'label' is declared twice; rename one"),
        (changed("{name: loss, type: Float}", "{type: Float}"), "outputs[1].name: missing"),
        (changed("default: 0.1", "default: [1]"), "inputs[1].default: expected a text, number or boolean"),
        (changed("optional: true", "optional: 1"), "inputs[2].optional: expected true or false, got 1"),
        (changed("type: Float, d", "type: 3, d"), "inputs[1].type: expected the name of a type, or a map"),
        (changed("inputs:\n", "inputs: x\nfoo:\n"), "foo: unknown key"),
        (
            changed("{inputPath: Training data}", "{inputPath: data}"),
            "implementation.container.command[2].inputPath: the component has no input 'data'; its inputs: "
            "'Training data', 'rate', 'label', 'verbose'",
        ),
        (
            changed("{outputPath: model}", "{outputPath: mdl}"),
            "args[6].outputPath: the component has no output 'mdl'; its outputs: 'model', 'loss'",
        ),
        (
            changed("loss: /loss.txt", "los: /l"),
            "container.fileOutputs: the component has no output 'los'",
        ),
        (
            changed("{inputValue: rate}]}", "{inputVal: rate}]}"),
            "implementation.container.args[1].concat[1].inputVal: unknown placeholder; expected one of inputValue, "
            "inputPath, inputMetadata, outputPath, concat, if, isPresent",
        ),
        (changed("{isPresent: label}", "{isPresent: x}"), "args[2].if.cond.isPresent: the component has no input 'x'"),
        (changed("then: [--label", "than: [--label"), "implementation.container.args[2].if.than: unknown key"),
        (changed("- 3\n", "- {a: 1, b: 2}\n"), "implementation.container.args[5]: expected a text, or one placeholder"),
        (changed("- 3\n", "- [x]\n"), "implementation.container.args[5]: expected a text, or one placeholder"),
        (
            changed("{outputPath: model}", "{outputUri: model}"),
            "args[6].outputUri: outputUri is not supported",
        ),
        (changed("- 3\n", "- {executorInput: null}\n"), "args[5].executorInput: executorInput belongs to Kubeflow"),
        (changed("team: a", "team: {}"), "metadata.labels.team: expected a text, got a map"),
        (
            changed("MODE: fast", "MODE: [fast]"),
            "container.env.MODE: expected a text, or one placeholder",
        ),
        ("a: &x [1]\nb: *x", "2:4: alias *x not allowed; write the value out"),
        ("a: 1\na: 2", "2:1: duplicate key 'a'"),
        ("a:\n\tb: 1", "2:1: tab not allowed."),
        ("a: !!python/object:os.system {}", "tag tag:yaml.org,2002:python/object:os.system not allowed"),
        ("a: [", "2:1: "),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "component.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidDocument) as caught:
        components.load_component_from_file(path)
    assert str(caught.value).startswith(f"{path}:")
    assert message in str(caught.value)


def test_a_text_is_told_by_the_line_that_loads_it() -> None:
    with pytest.raises(InvalidDocument) as caught:
        load_component_from_text("name: x")
    assert str(caught.value).startswith(f"{__file__}:")
    assert str(caught.value).endswith(": implementation: missing")


# --- where it comes from ----------------------------------------------------------------------------------------


def zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def test_a_zip_archive(tmp_path: Path) -> None:
    path = tmp_path / "train.zip"
    path.write_bytes(zipped("component.yaml", TRAIN))
    assert components.load_component(filename=path).spec.name == "Train model"
    path.write_bytes(zipped("other.yaml", TRAIN))
    with pytest.raises(InvalidDocument, match=r"the archive holds no readable component\.yaml"):
        components.load_component_from_file(path)


def test_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MAX_BYTES", len(TRAIN) + 300)
    path = tmp_path / "component.yaml"
    path.write_text(TRAIN, encoding="utf-8")
    assert components.load_component_from_file(path)
    path.write_text(TRAIN + "#" * 301, encoding="utf-8")
    with pytest.raises(TooLarge, match="the component is larger than"):
        components.load_component_from_file(path)
    path.write_bytes(zipped("component.yaml", TRAIN + "#" * 1_000))
    with pytest.raises(TooLarge, match="the component is larger than"):
        components.load_component_from_file(path)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"filename": "/no/such/file"}, InvalidInput, "/no/such/file: component cannot be read: No such file"),
        ({"filename": "/"}, InvalidInput, "/: component cannot be read: Is a directory"),
        (
            {"url": "file:///etc/passwd"},
            InvalidInput,
            "expected an address that starts with https://, http:// or gs://",
        ),
        ({"url": "http://127.0.0.1:9/c.yaml"}, Unavailable, "http://127.0.0.1:9/c.yaml: component cannot be fetched"),
        ({}, InvalidInput, "takes one of filename, url, text, component_spec; got 0 of them"),
        ({"text": TRAIN, "filename": "x"}, InvalidInput, "got 2 of them"),
    ],
)
def test_what_cannot_be_loaded(arguments: Any, error: type[PenstockError], message: str) -> None:
    with pytest.raises(error, match=message):
        components.load_component(**arguments)


def test_a_specification_and_a_text() -> None:
    made = components.load_component(text=TRAIN)
    assert components.load_component(component_spec=made.spec).spec is made.spec


class Files(BaseHTTPRequestHandler):
    """Serves the component to whoever knows the password."""

    def do_GET(self) -> None:
        if self.path == "/moved.yaml":
            self.send_response(302)
            self.send_header("Location", "/c.yaml")
            self.end_headers()
            return
        known = self.path == "/c.yaml" or self.headers["Authorization"] == "Basic bWU6c2VjcmV0"
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(TRAIN.encode() if known else b"")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Files)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address(server: str) -> None:
    assert components.load_component(url=f"{server}/c.yaml").spec.name == "Train model"
    assert components.load_component_from_url(f"{server}/moved.yaml").spec.name == "Train model"


def test_an_address_with_a_password(server: str) -> None:
    url = f"{server}/secret.yaml"
    assert components.load_component_from_url(url, auth=("me", "secret")).spec.name == "Train model"
    with pytest.raises(Unavailable, match=r"component cannot be fetched: .*403"):
        components.load_component_from_url(url)
