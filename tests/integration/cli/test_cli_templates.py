"""WorkflowTemplates from files: of a run, of the home, and stored with what they made."""

from __future__ import annotations

import json

import pytest

from commandline import Rig

LIBRARY = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: shop}
spec:
  entrypoint: main
  arguments: {parameters: [{name: word, value: base}]}
  templates:
  - {name: main, steps: [[{name: say, template: say}]]}
  - name: say
    inputs: {parameters: [{name: word, value: "{{workflow.parameters.word}}"}]}
    container: {image: shell, command: [sh, -c], args: ["echo said {{inputs.parameters.word}}"]}
"""
HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: called}\nspec:\n"
WHOLE = HEAD + "  workflowTemplateRef: {name: shop}\n  arguments: {parameters: [{name: word, value: own}]}\n"
IMAGES = ("--images", "images.toml")


@pytest.fixture
def library(rig: Rig) -> Rig:
    (rig.folder / "library").mkdir()
    rig.file("library/shop.yaml", LIBRARY)
    rig.file("whole.yaml", WHOLE)
    return rig


def test_a_run_of_a_whole_template_is_repeated_without_its_file(library: Rig) -> None:
    assert library.call("run", "whole.yaml", *IMAGES, "--templates", "library").returncode == 0
    assert library.call("logs", "called", "say").stdout == "said own\n"
    document = json.loads(library.call("runs", "get", "called", "--output", "json").stdout)
    assert document["spec"]["workflowTemplateRef"] == {"name": "shop"}
    assert [t["name"] for t in document["status"]["storedWorkflowTemplateSpec"]["templates"]] == ["main", "say"]
    again = library.call("resubmit", "called", "-p", "word=again")
    assert again.returncode == 0, again.stderr


def test_the_home_may_hold_them(library: Rig) -> None:
    library.home.mkdir()
    (library.folder / "library").rename(library.home / "templates")
    assert library.call("run", "whole.yaml", *IMAGES, "-p", "word=given").returncode == 0
    assert library.call("logs", "called", "say").stdout == "said given\n"
    assert library.call("pipeline", "upload", "whole.yaml").returncode == 0


def test_a_template_that_is_not_there_is_refused_before_there_is_a_run(library: Rig) -> None:
    answer = library.call("run", "whole.yaml", *IMAGES, "--output", "json")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "WorkflowTemplate 'shop' not found" in answer.stderr
