"""`http` and `data` templates: what the host is asked for, what their nodes become."""

from __future__ import annotations

import pytest
from engine_documents import START, document, ended, node

from penstock.engine import new_run, step
from penstock.engine.protocol import Begin, Launch, Pod
from penstock.errors import InvalidDocument
from penstock.testing.simulation import Outcome
from penstock.workflow import Configuration
from penstock.workflow.pods import DataRequest, HttpRequest

SECRETS = Configuration(secrets={"api": {"token": b"hush"}})


def pod_of(template: str) -> Pod:
    text = f"  - {{name: main, {template}}}"
    run = new_run(document(text), name="w", uid="u", parameters={}, created_at=START, config=SECRETS)
    _, commands = step(run, Begin(now=START))
    (launch,) = (command for command in commands if isinstance(command, Launch))
    return launch.pod


def test_a_request() -> None:
    pod = pod_of(
        "http: {url: 'https://x/{{workflow.name}}', method: post, bodyFrom: {bytes: aGk=}, timeoutSeconds: 5, "
        "insecureSkipVerify: true, successCondition: 'true', headers: [{name: A, value: b}, "
        "{name: T, valueFrom: {secretKeyRef: {name: api, key: token}}}]}"
    )
    assert pod.starts_nothing
    assert pod.http == HttpRequest(
        url="https://x/w",
        method="POST",
        headers=(("A", "b"), ("T", "hush")),
        body=b"hi",
        timeout=5.0,
        verify=False,
        success_condition="true",
    )


def test_a_listing() -> None:
    pod = pod_of(
        "data: {source: {artifactPaths: {name: f, s3: {key: 'in/{{workflow.name}}'}}}, "
        "transformation: [{expression: data}]}"
    )
    assert pod.data == DataRequest(key="in/w", transformation=("data",))


@pytest.mark.parametrize(
    ("outcome", "phase", "message"),
    [
        (Outcome(result="body"), "Succeeded", ""),
        (Outcome(exit_code=None, error="no answer"), "Error", "no answer"),
    ],
)
def test_what_the_node_of_a_request_becomes(outcome: Outcome, phase: str, message: str) -> None:
    run = ended(
        "  - {name: main, steps: [[{name: ask, template: ask}]]}\n  - {name: ask, http: {url: 'http://x'}}",
        {"ask": outcome},
    )
    made = node(run, "[0].ask")
    assert (str(made.type), str(made.phase), made.message) == ("HTTP", phase, message)
    assert made.outputs is None or made.outputs.exit_code is None


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("http: {method: GET}", "templates.main.http.url is required"),
        ("data: {source: {}}", r"templates.main.data.source.artifactPaths.s3.key is required"),
        ("http: {url: a}, container: {image: b}", "multiple template types specified"),
    ],
)
def test_what_is_malformed_is_refused(template: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        document(f"  - {{name: main, {template}}}")


def test_a_secret_that_nobody_gave_is_said_of_the_step() -> None:
    pod = pod_of("http: {url: a, headers: [{name: T, valueFrom: {secretKeyRef: {name: none, key: k}}}]}")
    assert pod.unmet == "there is no Secret 'none'"
