"""WorkflowTemplates: what their nodes are called, how they are stored with a run, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engine_documents import START, by_name, script

from penstock.engine import Run, restore
from penstock.errors import InvalidDocument
from penstock.testing.simulation import Outcome, simulate
from penstock.workflow import load, named, node_document, read_templates

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n"
LIBRARY = """\
kind: WorkflowTemplate
apiVersion: argoproj.io/v1alpha1
metadata: {name: shop}
spec:
  entrypoint: both
  arguments: {parameters: [{name: a, value: base}, {name: b, value: base}]}
  templateDefaults: {metadata: {labels: {not: used}}}
  templates:
  - name: both
    inputs: {parameters: [{name: x, default: none}]}
    dag:
      tasks:
      - {name: one, template: pod, arguments: {parameters: [{name: x, value: "{{inputs.parameters.x}}"}]}}
      - {name: two, depends: one, templateRef: {name: other, template: pod, clusterScope: true}}
    outputs: {parameters: [{name: p, valueFrom: {parameter: "{{tasks.one.outputs.parameters.p}}"}}]}
  - name: pod
    inputs: {parameters: [{name: x}]}
    container: {image: busybox, args: ["{{inputs.parameters.x}}"]}
    outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}
  - {name: unused, container: {image: strange}}
---
kind: ClusterWorkflowTemplate
apiVersion: argoproj.io/v1alpha1
metadata: {name: other}
spec: {templates: [{name: pod, container: {image: alpine}}]}
"""
CALL = """\
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: s, templateRef: {name: shop, template: both}, arguments: {parameters: [{name: x, value: given}]}}
"""


def run_of(spec: str, **more: Any) -> Run:
    loaded = load(HEAD + spec, library=read_templates(LIBRARY, "library"))
    return simulate(loaded, script({"pod": Outcome(parameters={"p": "made"}), **more}))


def test_nodes_of_other_objects_are_called_as_argo_calls_them() -> None:
    run = run_of(CALL)
    assert run.phase == "Succeeded"
    told = {
        name: [node_document(node).get(field) for field in ("templateName", "templateRef", "templateScope")]
        for name, node in by_name(run).items()
    }
    assert told == {
        "": ["main", None, "local/w"],
        "[0]": [None, None, "local/w"],
        "[0].s": [None, {"name": "shop", "template": "both"}, "local/w"],
        "[0].s.one": ["pod", None, "namespaced/shop"],
        "[0].s.two": [
            None,
            {"name": "other", "template": "pod", "clusterScope": True},
            "namespaced/shop",
        ],
    }


def test_their_arguments_and_outputs_pass() -> None:
    nodes = by_name(run_of(CALL))
    assert nodes["[0].s.one"].inputs is not None
    assert nodes["[0].s.one"].inputs.parameters[0].value == "given"
    assert nodes["[0].s"].outputs is not None
    assert nodes["[0].s"].outputs.parameters[0].value == "made"


def test_a_run_is_rebuilt_from_what_is_stored_with_it() -> None:
    run = run_of(CALL)
    stored = named(run.workflow.raw, name="w", uid=run.uid, parameters={}, created_at=START, stored=run.workflow.stored)
    assert sorted(stored["status"]["storedTemplates"]) == [
        "cluster/other/pod",
        "namespaced/shop/both",
        "namespaced/shop/pod",
    ]
    loaded = load(json.dumps(stored))
    again = restore(
        loaded,
        name="w",
        uid=run.uid,
        parameters={},
        created_at=START,
        nodes=run.nodes.values(),
        phase=run.phase,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )
    assert again == run


def test_a_whole_workflow_of_a_template() -> None:
    run = run_of("  workflowTemplateRef: {name: shop}\n  arguments: {parameters: [{name: b, value: own}]}\n")
    assert run.phase == "Succeeded"
    assert run.parameters == {"a": "base", "b": "own"}
    nodes = by_name(run)
    assert node_document(nodes["one"])["templateName"] == "pod"
    assert node_document(nodes["one"])["templateScope"] == "local/w"
    stored = run.workflow.stored["storedWorkflowTemplateSpec"]
    assert stored["entrypoint"] == "both"
    assert "workflowTemplateRef" not in stored


def test_hooks_and_inline_templates_refer_to_them_too() -> None:
    run = run_of(
        "  entrypoint: main\n"
        "  hooks: {exit: {templateRef: {name: other, template: pod, clusterScope: true}}}\n"
        "  templates:\n"
        "  - name: main\n"
        "    dag:\n"
        "      tasks:\n"
        "      - name: t\n"
        "        hooks:\n"
        "          exit:\n"
        "            templateRef: {name: shop, template: pod}\n"
        "            arguments: {parameters: [{name: x, value: h}]}\n"
        "        inline: {steps: [[{name: s, templateRef: {name: shop, template: both}}]]}\n"
    )
    assert run.phase == "Succeeded"
    refs = {name: node.template_ref.template for name, node in by_name(run).items() if node.template_ref}
    assert refs == {"onExit": "pod", "t.onExit": "pod", "t[0].s": "both", "t[0].s.two": "pod"}


def test_a_reference_may_hold_tags() -> None:
    run = run_of(
        "  entrypoint: main\n  templates:\n  - name: main\n    steps:\n"
        "    - - {name: s, templateRef: {name: '{{item}}', template: both}, withItems: [shop]}\n"
    )
    assert run.phase == "Succeeded"


@pytest.mark.parametrize("group", ["dag: {tasks: [%s]}", "steps: [[%s]]"])
@pytest.mark.parametrize(
    "name", ["template: '{{inputs.parameters.t}}'", "templateRef: {name: '{{item}}', template: a}"]
)
def test_one_that_is_missed_at_run_time_is_an_error_of_its_node(group: str, name: str) -> None:
    loop = ", withItems: [nothing]" if "item" in name else ""
    run = run_of(
        "  entrypoint: main\n  templates:\n  - name: main\n    inputs: {parameters: [{name: t, value: absent}]}\n    "
        + group % f"{{name: s, {name}{loop}}}"
    )
    assert run.phase in ("Error", "Failed")
    (missed,) = (node for name, node in by_name(run).items() if name.startswith(("s", "[0].s")) and not node.children)
    assert missed.phase == "Error"
    assert "not found" in missed.message


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            CALL.replace("name: shop", "name: none"),
            "invalid spec: templates.main.steps[0].s template reference none.both not found; ",
        ),
        (
            CALL.replace("template: both", "template: none"),
            "invalid spec: templates.main.steps[0].s template reference shop.none not found; ",
        ),
        (
            "  workflowTemplateRef: {name: none}\n",
            "invalid spec: spec.workflowTemplateRef WorkflowTemplate 'none' not found; ",
        ),
        (
            "  workflowTemplateRef: {name: shop}\n  templates: [{name: a, container: {image: b}}]\n",
            "invalid spec: spec.templates is invalid field in spec if workflow referred WorkflowTemplate reference",
        ),
    ],
)
def test_what_is_not_there_is_refused_by_its_name(spec: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        run_of(spec)
    assert str(caught.value).startswith(message)
    if message.endswith("; "):
        assert "--templates" in str(caught.value)
