"""What is refused before a run: in Argo's words, with the place."""

from __future__ import annotations

import pytest

from penstock.errors import InvalidDocument, UnsupportedField
from penstock.workflow import Workflow, load

HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w, labels: {team: a}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: size, value: "1"}]}
  templates:
  - {name: echo, inputs: {parameters: [{name: text, default: hello}]}, container: {image: busybox}}
  - {name: say, inputs: {parameters: [{name: text}]}, container: {image: busybox}}
  - name: make
    container: {image: busybox}
    outputs:
      parameters: [{name: p, valueFrom: {path: /p}, globalName: g}]
      artifacts: [{name: a, path: /a}]
  - {name: read, inputs: {artifacts: [{name: a, path: /a}]}, container: {image: busybox}}
"""


def document(templates: str) -> Workflow:
    return load(HEAD + templates)


def dag(*tasks: str, more: str = "") -> Workflow:
    lines = "".join(f"\n      - {task}" for task in tasks)
    return document(f"  - name: main\n{more}    dag:\n      tasks:{lines}\n")


def steps(*groups: str) -> Workflow:
    lines = "".join(f"\n    - [{group}]" for group in groups)
    return document(f"  - name: main\n    steps:{lines}\n")


def refusal(build: object, *parts: str) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as caught:
        build(*parts)  # type: ignore[operator]
    return caught.value


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (["{name: A, template: nope}"], "templates.main.tasks.A template name 'nope' undefined"),
        (["{name: A}"], "templates.main.tasks.A template name is required"),
        (["{template: echo}"], "templates.main.tasks[0].name is required"),
        (["{name: a b, template: echo}"], "templates.main.tasks[0].name 'a b' is invalid"),
        (["{name: A, template: echo}"] * 2, "templates.main.tasks[1].name 'A' is not unique"),
        (["{name: A, template: say}"], "templates.main.tasks.A templates.say inputs.parameters.text was not supplied"),
        (["{name: A, template: read}"], "templates.main.tasks.A templates.read inputs.artifacts.a was not supplied"),
        (
            ["{name: A, template: say, arguments: {parameters: [{name: text}]}}"],
            "templates.main.tasks.A.arguments.parameters.text.value is required",
        ),
        (
            ["{name: A, template: echo, dependencies: [B]}"],
            "templates.main.tasks.A dependency 'B' not defined; there are 'A'",
        ),
        (
            ["{name: A, template: echo, dependencies: [B]}", "{name: B, template: echo, dependencies: [A]}"],
            "templates.main sorting failed: cycle A -> B -> A",
        ),
        (["{name: A, template: echo, depends: A}"], "templates.main sorting failed: cycle A -> A"),
        (
            ["{name: A, template: echo}", "{name: B, template: echo, depends: A.Done}"],
            "templates.main.tasks.B task result 'Done' for task 'A' is invalid",
        ),
        (
            ["{name: A, template: echo}", "{name: B, template: echo, depends: A.AnySucceeded}"],
            "templates.main.tasks.B dependency 'A' uses an items-based condition such as .AnySucceeded without a loop",
        ),
        (
            [
                "{name: A, template: echo}",
                "{name: B, template: echo, depends: A}",
                "{name: C, template: echo, dependencies: [A]}",
            ],
            "templates.main cannot use both 'depends' and 'dependencies' in the same DAG template",
        ),
        (
            ["{name: A, template: echo, continueOn: {failed: true}}", "{name: B, template: echo, depends: A}"],
            "templates.main cannot use 'continueOn' when using 'depends'",
        ),
        (
            [
                "{name: A, template: make}",
                "{name: B, template: echo, dependencies: [A], arguments: {parameters: "
                "[{name: text, value: '{{tasks.A.outputs.parameters.q}}'}]}}",
            ],
            "templates.main.tasks.B failed to resolve {{tasks.A.outputs.parameters.q}}: "
            "template 'make' has outputs 'p'",
        ),
        (
            [
                "{name: A, template: make}",
                "{name: B, template: echo, arguments: {parameters: "
                "[{name: text, value: '{{tasks.A.outputs.parameters.p}}'}]}}",
            ],
            "templates.main.tasks.B failed to resolve {{tasks.A.outputs.parameters.p}}: "
            "no task 'A' before this one; there are none",
        ),
        (
            ["{name: A, template: echo, arguments: {parameters: [{name: text, value: '{{item}}'}]}}"],
            "templates.main.tasks.A failed to resolve {{item}}: there is no loop here",
        ),
        (
            ["{name: A, template: echo, when: '{{workflow.parameters.sise}} == 1'}"],
            "templates.main.tasks.A failed to resolve {{workflow.parameters.sise}}: there are workflow.parameters.size",
        ),
        (
            ["{name: A, template: echo, when: '{{inputs.parameters.x}} == 1'}"],
            "templates.main.tasks.A failed to resolve {{inputs.parameters.x}}: template 'main' has inputs none",
        ),
        (
            ["{name: A, template: echo, withItems: [1], withParam: '[1]'}"],
            "templates.main.tasks.A only one of withItems, withParam, withSequence can be specified",
        ),
        (
            ["{name: A, template: echo, withParam: '{\"a\": 1}'}"],
            "templates.main.tasks.A.withParam items: expected list, got dict",
        ),
        (["{name: A, template: echo, withParam: abc}"], "templates.main.tasks.A.withParam items: expected list"),
        (["{name: A, template: echo, withSequence: {}}"], "templates.main.tasks.A must have count or end"),
        (
            ["{name: A, template: echo, withSequence: {count: 1, end: 2}}"],
            "templates.main.tasks.A only one of count or end can be defined in withSequence",
        ),
        (
            ["{name: A, template: echo, when: 'a b'}"],
            "templates.main.tasks.A.when Invalid 'when' expression 'a b'",
        ),
        ([], "templates.main must have at least one task"),
        (["{name: A, template: echo, onExit: nope}"], "templates.main.tasks.A template name 'nope' undefined"),
        (
            ["{name: A, template: echo, hooks: {exit: {template: say}}}"],
            "templates.main.tasks.A.hooks templates.say inputs.parameters.text was not supplied",
        ),
        (
            ["{name: A, inline: {container: {command: [a]}}}"],
            "templates.main.tasks.A.inline.container.image may not be empty",
        ),
    ],
)
def test_a_dag(tasks: list[str], message: str) -> None:
    assert str(refusal(dag, *tasks)).startswith(f"invalid spec: {message}")


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            ["{name: a, template: echo}", "{name: a, template: echo}"],
            "templates.main.steps[1].name 'a' is not unique",
        ),
        (
            [
                "{name: a, template: make}, {name: b, template: echo, arguments: {parameters: "
                "[{name: text, value: '{{steps.a.outputs.parameters.p}}'}]}}"
            ],
            "templates.main.steps[0].b failed to resolve {{steps.a.outputs.parameters.p}}: no step 'a' before this one",
        ),
        (
            [
                "{name: a, template: make}",
                "{name: b, template: read, arguments: {artifacts: [{name: a, "
                "from: '{{steps.a.outputs.artifacts.z}}'}]}}",
            ],
            "templates.main.steps[1].b failed to resolve {{steps.a.outputs.artifacts.z}}: "
            "template 'make' has outputs 'a'",
        ),
        (["{name: a, template: nope}"], "templates.main.steps[0].a template name 'nope' undefined"),
    ],
)
def test_steps(groups: list[str], message: str) -> None:
    assert str(refusal(steps, *groups)).startswith(f"invalid spec: {message}")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("  - {name: main}", "templates.main template type unspecified. choose one of: container, script, steps, dag"),
        (
            "  - {name: main, container: {image: a}, script: {image: a, source: b}}",
            "templates.main multiple template types specified. choose one of: container, script, steps, dag",
        ),
        ("  - {name: main, container: {command: [a]}}", "templates.main.container.image may not be empty"),
        ("  - {name: other, container: {image: a}}", "template name 'main' undefined"),
        ("  - {name: say, container: {image: a}}", "spec.templates[4].name 'say' is not unique"),
        ("  - {container: {image: a}}", "spec.templates[4].name is required"),
        (
            "  - {name: main, parallelism: 2, container: {image: a}}",
            "templates.main.parallelism is only valid for steps and dag templates",
        ),
        (
            "  - {name: main, activeDeadlineSeconds: 5, steps: [[{name: a, template: echo}]]}",
            "templates.main.activeDeadlineSeconds is only valid for leaf templates",
        ),
        (
            "  - {name: main, timeout: 5s, dag: {tasks: [{name: a, template: echo}]}}",
            "templates.main.timeout DAG template doesn't support timeout field",
        ),
        (
            "  - {name: main, activeDeadlineSeconds: -1, container: {image: a}}",
            "templates.main.activeDeadlineSeconds must be a positive integer > 0 or an argo variable",
        ),
        (
            "  - {name: main, timeout: 5, container: {image: a}}",
            "templates.main.timeout main has invalid duration format in timeout",
        ),
        (
            "  - {name: main, retryStrategy: {retryPolicy: Never}, container: {image: a}}",
            "templates.main Never is not a valid RetryPolicy",
        ),
        (
            "  - {name: main, container: {image: a, volumeMounts: [{name: v, mountPath: /v}]}}",
            "templates.main.container.volumeMounts[0] volume 'v' not found in workflow spec",
        ),
        (
            "  - {name: main, volumes: [{name: v, emptyDir: {}}], container: {image: a, "
            "volumeMounts: [{name: v, mountPath: /v}, {name: v, mountPath: /v}]}}",
            "templates.main.container.volumeMounts[1] mountPath '/v' already mounted in container.volumeMounts.v",
        ),
        (
            "  - {name: main, inputs: {artifacts: [{name: a, raw: {data: x}}]}, container: {image: a}}",
            "templates.main.inputs.artifacts.a.path is required",
        ),
        (
            "  - {name: main, outputs: {parameters: [{name: a}]}, container: {image: a}}",
            "templates.main.outputs.parameters.a.path must be specified for container templates",
        ),
        (
            "  - {name: main, outputs: {parameters: [{name: a}]}, steps: [[{name: a, template: echo}]]}",
            "templates.main.outputs.parameters.a.valueFrom.parameter or expression must be specified for this template",
        ),
        (
            "  - {name: main, steps: [[{name: a, template: echo}]], "
            "outputs: {parameters: [{name: a, valueFrom: {parameter: '{{steps.z.outputs.result}}'}}]}}",
            "templates.main.outputs failed to resolve {{steps.z.outputs.result}}: no step 'z' before this one",
        ),
        (
            "  - {name: main, inputs: {parameters: [{name: a, value: x}, {name: a, value: y}]}, container: {image: a}}",
            "templates.main.inputs.parameters[1].name 'a' is not unique",
        ),
        (
            "  - {name: main, container: {image: a, args: ['{{inputs.parameters.a}}']}}",
            "templates.main failed to resolve {{inputs.parameters.a}}",
        ),
        (
            "  - {name: main, dag: {target: Z, tasks: [{name: a, template: echo}]}}",
            "templates.main.targets: target 'Z' is not defined",
        ),
        (
            "  - {name: main, container: {image: a}, metrics: {prometheus: [{name: a-b, help: H}]}}",
            "templates.main metric name 'a-b' is invalid. Metric names must contain alphanumeric characters or '_'",
        ),
        (
            "  - {name: main, container: {image: a}, metrics: {prometheus: [{name: m, counter: {value: '1'}}]}}",
            "templates.main metric 'm' must contain a help string under 'help: ' field",
        ),
        (
            "  - {name: main, container: {image: a}, metrics: {prometheus: [{name: m, help: H, gauge: {}}]}}",
            "templates.main metric 'm' error: missing gauge.value",
        ),
    ],
)
def test_a_template(template: str, message: str) -> None:
    assert str(refusal(document, template)).startswith(f"invalid spec: {message}")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("fromExpression: 'tasks.A.outputs.artifacts.a'", "a.from artifact location, or key is required"),
        ("s3: {}", "a.from artifact location, or key is required"),
        (
            "from: '{{tasks.A.outputs.artifacts.a}}', fromExpression: 'tasks.A.outputs.artifacts.a'",
            "a shouldn't have both `from` and `fromExpression` in Artifact",
        ),
    ],
)
def test_an_artifact_that_a_task_is_given_comes_from_somewhere(given: str, message: str) -> None:
    task = f"{{name: B, template: read, depends: A, arguments: {{artifacts: [{{name: a, {given}}}]}}}}"
    error = refusal(dag, "{name: A, template: make}", task)
    assert str(error) == f"invalid spec: templates.main.tasks.B.arguments.artifacts.{message}"
    assert dag("{name: A, template: make}", task.replace("s3: {}", "raw: {data: x}")) if "s3" in given else True


def test_what_argo_accepts_is_accepted() -> None:
    workflow = dag(
        "{name: A, template: make}",
        "{name: L, template: echo, withItems: [1, 2], arguments: {parameters: [{name: text, value: 'x{{item}}'}]}}",
        "{name: B, template: say, depends: A && L.AnySucceeded, when: '{{tasks.A.status}} == Succeeded', arguments: "
        "{parameters: [{name: text, value: '{{tasks.A.outputs.parameters.p}} {{workflow.labels.team}} {{$.x}}'}]}}",
        "{name: C, template: read, depends: B, arguments: {artifacts: "
        "[{name: a, from: '{{tasks.A.outputs.artifacts.a}}'}]}}",
        "{name: R, template: main, depends: C, when: 'false'}",
        "{name: D, template: '{{workflow.parameters.size}}'}",
        "{name: G, template: echo, depends: A, arguments: "
        "{parameters: [{name: text, value: '{{workflow.outputs.parameters.g}}'}]}}",
    )
    assert len(list(workflow.spec.templates[-1].tasks())) == 7


def test_names_that_only_the_run_knows() -> None:
    workflow = document(
        """\
  - name: make-some
    inputs: {parameters: [{name: x}]}
    container: {image: a, volumeMounts: [{name: "{{inputs.parameters.x}}", mountPath: /v}]}
    outputs: {artifacts: [{name: "of-{{inputs.parameters.x}}", path: /a, globalName: "made-{{inputs.parameters.x}}"}]}
  - name: main
    steps:
    - [{name: m, template: make-some, arguments: {parameters: [{name: x, value: "y"}]}}]
    - [{name: r, template: read, arguments: {artifacts: [{name: a, from: "{{workflow.outputs.artifacts.made-y}}"}]}}]
"""
    )
    assert workflow.spec.templates[-1].name == "main"
    group = (
        "{name: r, template: read, arguments: {artifacts: [{name: a, from: '{{workflow.outputs.artifacts.other}}'}]}}"
    )
    assert "failed to resolve {{workflow.outputs.artifacts.other}}" in str(refusal(steps, group))


def test_a_document_without_an_entrypoint() -> None:
    with pytest.raises(InvalidDocument, match=r"invalid spec: spec\.entrypoint is required"):
        load("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec: {templates: []}\n")


def test_a_chain_of_ten_thousand_tasks_is_checked() -> None:
    tasks = ["{name: t0, template: echo}"]
    tasks += [f"{{name: t{i}, template: echo, dependencies: [t{i - 1}]}}" for i in range(1, 10_000)]
    assert dag(*tasks).spec.templates[-1].dag is not None


def test_an_unsupported_field_is_refused_with_its_path_and_a_way_out() -> None:
    error = refusal(document, "  - {name: main, container: {image: a, lifecycle: {preStop: {}, postStart: {a: b}}}}")
    assert isinstance(error, UnsupportedField)
    assert error.path == "spec.templates[4].container.lifecycle"
    assert "run the document on Kubernetes" in str(error)


def test_what_is_without_effect_is_noted() -> None:
    workflow = document("  - {name: main, serviceAccountName: x, tolerations: [{key: a}], container: {image: a}}")
    assert workflow.notes == (
        "spec.templates[4].serviceAccountName is without effect: steps run as the user of this process",
        "spec.templates[4].tolerations is without effect: there is one machine, nothing is scheduled among nodes",
    )
