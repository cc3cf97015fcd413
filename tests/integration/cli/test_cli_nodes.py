"""What a document says of nodes, pods and the run itself, met by one machine."""

from __future__ import annotations

import json

from commandline import Rig

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: nodes}
spec:
  entrypoint: main
  nodeSelector: {disk: ssd}
  arguments: {parameters: [{name: team, value: red}]}
  workflowMetadata:
    labels: {fixed: one}
    labelsFrom: {team: {expression: workflow.parameters.team}}
  templates:
  - name: main
    podSpecPatch: |
      {"containers": [{"name": "main", "env": [{"name": "PATCHED", "value": "{{workflow.labels.team}}"}]}]}
    container: {image: shell, command: [sh, -c], args: ['echo "$PATCHED {{workflow.labels.fixed}}"']}
"""


def test_node_selectors_are_refused_or_let_pass_and_the_rest_is_met(rig: Rig) -> None:
    rig.file("nodes.yaml", WORKFLOW)
    command = ("run", "nodes.yaml", "--images", "images.toml", "--output", "json")
    refused = rig.call(*command)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "spec.nodeSelector: this machine does not meet it: disk=ssd" in refused.stderr
    passed = rig.call(*command, "--ignore", "nodeSelector")
    assert passed.returncode == 0, passed.stderr
    assert json.loads(passed.stdout)["metadata"]["labels"] == {"fixed": "one", "team": "red"}
    assert rig.call("logs", "nodes").stdout == "[nodes] red one\n"
