"""`penstock retry`, `rerun`, `resubmit` on a real home: what runs again, what is said, exit codes."""

from __future__ import annotations

import json

import pytest

from commandline import Rig

DOCUMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: again-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: second, value: exit 3}]}
  templates:
  - name: main
    dag:
      tasks:
      - {name: first, template: step, arguments: {parameters: [{name: do, value: echo made > /tmp/out}]}}
      - name: second
        template: step
        dependencies: [first]
        arguments: {parameters: [{name: do, value: "echo {{tasks.first.outputs.parameters.out}} > /tmp/out; {{workflow.parameters.second}}"}]}
  - name: step
    inputs: {parameters: [{name: do}]}
    outputs: {parameters: [{name: out, valueFrom: {path: /tmp/out}}]}
    container: {image: shell, command: [sh, -c, "{{inputs.parameters.do}}"]}
"""  # noqa: E501 - one task's argument


@pytest.fixture
def sad(rig: Rig) -> Rig:
    """A home with a run called sad, whose second step failed."""
    rig.file("again.yaml", DOCUMENT)
    assert rig.call("run", "again.yaml", "--images", "images.toml", "--name", "sad").returncode == 1
    return rig


def test_a_run_is_tried_again(sad: Rig) -> None:
    same = sad.call("retry", "sad")
    assert (same.returncode, "first  " in same.stdout, "second: Failed" in same.stdout) == (1, False, True)
    other = sad.call("retry", "sad", "-p", "second=true", "--output", "json")
    document = json.loads(other.stdout)
    assert (other.returncode, document["status"]["phase"]) == (0, "Succeeded")
    done = sad.call("retry", "sad")
    assert (done.returncode, done.stdout) == (1, "")
    assert "has succeeded" in done.stderr
    chosen = sad.call("retry", "sad", "--restart-successful", "--node-field-selector", "displayName=second")
    assert (chosen.returncode, "Run sad succeeded" in chosen.stdout) == (0, True)


def test_a_run_goes_on_elsewhere_from_a_step(sad: Rig) -> None:
    answer = sad.call("rerun", "sad", "--from", "second", "-p", "second=true")
    assert answer.returncode == 0
    assert "first: cached from run sad step first" in answer.stdout
    wrong = sad.call("rerun", "sad", "--from", "third")
    assert (wrong.returncode, "no step 'third'" in wrong.stderr) == (2, True)


def test_a_run_is_made_anew(sad: Rig) -> None:
    answer = sad.call("resubmit", "sad", "--memoized", "-p", "second=true", "--output", "json")
    document = json.loads(answer.stdout)
    assert answer.returncode == 0
    first = next(node for node in document["status"]["nodes"].values() if node["displayName"] == "first")
    assert (first["type"], first["message"].startswith("original pod: again-")) == ("Skipped", True)
    assert sad.call("resubmit", "sad").returncode == 0
