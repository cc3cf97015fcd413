"""Documents that ask for too much, or for what is there already; the rest of the home is unharmed."""

from __future__ import annotations

import json

from commandline import Rig

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: {name}}}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{{name: make, template: make}}], [{{name: use, template: use,
      arguments: {{parameters: [{{name: x, value: "{{{{steps.make.outputs.parameters.x}}}}"}}]}}}}]]
  - name: make
    container: {{image: shell, command: [sh, -c], args: ["head -c {size} /dev/zero | tr '\\\\0' x > /x"]}}
    outputs: {{parameters: [{{name: x, valueFrom: {{path: /x}}}}]}}
  - name: use
    inputs: {{parameters: [{{name: x}}]}}
    container: {{image: shell, {use}}}
"""
ARGUMENT = 'command: [sh, -c], args: ["echo ${#0}", "{{inputs.parameters.x}}"]'
VARIABLE = 'command: [sh, -c], args: ["echo ${#X}"], env: [{name: X, value: "{{inputs.parameters.x}}"}]'
IMAGES = ("--images", "images.toml", "--output", "json")


def run(rig: Rig, name: str, size: int, use: str) -> tuple[int, dict[str, str]]:
    """The exit code, and messages of the steps, of a run that hands on a value of `size` bytes."""
    rig.file("large.yaml", WORKFLOW.format(name=name, size=size, use=use))
    answer = rig.call("run", "large.yaml", *IMAGES)
    nodes = json.loads(answer.stdout)["status"]["nodes"].values()
    return answer.returncode, {node["displayName"]: node.get("message", "") for node in nodes}


def test_row_6_an_argument_or_a_variable_that_no_kernel_takes_is_refused_with_its_size(rig: Rig) -> None:
    code, told = run(rig, "argument", 200_000, ARGUMENT)
    assert code == 1
    assert told["use"] == "step 'use': an argument is 200,000 bytes; limit 131,071. Pass it as an artifact."
    code, told = run(rig, "variable", 200_000, VARIABLE)
    assert code == 1
    assert told["use"] == "step 'use': variable 'X' is 200,002 bytes; limit 131,071. Pass it as an artifact."
    assert run(rig, "fits", 131_071, ARGUMENT)[0] == 0


def test_a_name_that_the_home_has_is_refused_and_the_run_that_has_it_stays(rig: Rig) -> None:
    assert run(rig, "taken", 1, ARGUMENT)[0] == 0
    answer = rig.call("run", "large.yaml", *IMAGES)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "metadata.name: a run named 'taken' exists; use generateName, or delete that run" in answer.stderr
    assert [each["name"] for each in json.loads(rig.call("runs", "list", "--output", "json").stdout)] == ["taken"]
