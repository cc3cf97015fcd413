"""Inputs and outputs of pods: parameters, artifacts, results, globals; what a launcher is told."""

from __future__ import annotations

import pytest
from engine_documents import START, document, ended, node, phases, script, told

from penstock.engine import Run, new_run, step
from penstock.engine.protocol import Begin, Exited, Launch, Pod
from penstock.testing.simulation import Outcome, simulate
from penstock.workflow import load
from penstock.workflow.pods import Mount
from penstock.workflow.status import Artifact


def pod_of(templates: str, spec: str = "", **parameters: str) -> Pod:
    """The first pod that a document launches."""
    run = new_run(document(templates, spec), name="w", uid="u-1", parameters=parameters, created_at=START)
    _, commands = step(run, Begin(now=START))
    (launch,) = (command for command in commands if isinstance(command, Launch))
    return launch.pod


def test_all_that_a_launcher_needs() -> None:
    pod = pod_of(
        """\
  - name: main
    metadata: {labels: {team: a}, annotations: {note: text}}
    inputs:
      parameters: [{name: x, value: "{{workflow.parameters.x}}"}]
      artifacts:
      - {name: in, path: /in, raw: {data: "x = {{inputs.parameters.x}}"}}
      - {name: nothing, path: /nothing, optional: true}
    volumes: [{name: v, emptyDir: {}}]
    container:
      image: busybox
      command: [sh, -c]
      args: ["cat {{inputs.artifacts.in.path}} > {{outputs.parameters.p.path}}; echo {{pod.name}} {{node.name}}"]
      workingDir: /work
      env:
      - {name: A, value: "{{inputs.parameters.x}}"}
      - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      - {name: UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
      - {name: TEAM, valueFrom: {fieldRef: {fieldPath: "metadata.labels['team']"}}}
      - {name: NOTE, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['note']"}}}
      volumeMounts: [{name: v, mountPath: /v}]
    outputs:
      parameters: [{name: p, valueFrom: {path: /p, default: d}}]
      artifacts: [{name: a, path: /a, optional: true}]""",
        spec="  arguments: {parameters: [{name: x}]}\n",
        x="1 {{y}}",
    )
    assert pod.node_id == pod.name == "w"
    assert (pod.image, pod.command, pod.working_dir) == ("busybox", ("sh", "-c"), "/work")
    assert pod.args == ("cat /in > /p; echo w w",)
    assert pod.env == (("A", "1 {{y}}"), ("NAME", "w"), ("UID", "u-1"), ("TEAM", "a"), ("NOTE", "text"))
    assert [(a.name, a.path, a.raw) for a in pod.input_artifacts] == [("in", "/in", "x = 1 {{y}}")]
    assert [(p.name, p.path, p.default) for p in pod.output_parameters] == [("p", "/p", "d")]
    assert [(a.name, a.path, a.key, a.optional) for a in pod.output_artifacts] == [("a", "/a", "artifacts/w/w/a", True)]
    assert pod.mounts == (Mount("v", "/v"),)
    assert not pod.capture_result


def test_a_script() -> None:
    pod = pod_of("  - {name: main, script: {image: python, command: [python], source: 'print(\"{{workflow.name}}\")'}}")
    assert (pod.command, pod.script) == (("python",), 'print("w")')


def test_quotes_and_newlines_of_a_value_break_nothing() -> None:
    value = 'say "hi"\n\t\\ \u2028 é'
    pod = pod_of(
        "  - {name: main, inputs: {parameters: [{name: x}]}, "
        "container: {image: busybox, args: ['{{inputs.parameters.x}}']}}",
        spec="  arguments: {parameters: [{name: x}]}\n",
        x=value,
    )
    assert pod.args == (value,)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("workflow.name", "w"),
        ("workflow.namespace", "default"),
        ("workflow.uid", "00000000-0000-4000-8000-000000000000"),
        ("workflow.mainEntrypoint", "main"),
        ("workflow.serviceAccountName", "default"),
        ("workflow.parameters.x", "a<b"),
        ("workflow.parameters", '[{"name":"x","value":"a\\u003cb"}]'),
        ("workflow.parameters.json", '[{"name":"x","value":"a\\u003cb"}]'),
        ("workflow.creationTimestamp", "2023-11-14T22:13:20Z"),
        ("workflow.creationTimestamp.RFC3339", "2023-11-14T22:13:20Z"),
        ("workflow.creationTimestamp.Y", "2023"),
        ("workflow.creationTimestamp.s", "1700000000"),
        ("workflow.labels.json", "{}"),
        ("node.name", "w"),
        ("pod.name", "w"),
        ("workflow.status", ""),
        ("workflow.duration", "0.000000"),
        ("workflow.scheduledTime", "{{workflow.scheduledTime}}"),
        ("steps.name", ""),
        ("retries", "{{retries}}"),
        ("something.else", "{{something.else}}"),
    ],
)
def test_globals(tag: str, value: str) -> None:
    run = ended(
        "  - {name: main, container: {image: busybox}, inputs: {parameters: [{name: t, value: '{{TAG}}'}]}}".replace(
            "TAG", tag
        ),
        spec="  arguments: {parameters: [{name: x, value: a<b}]}\n",
    )
    inputs = node(run, "").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == value


def test_a_run_tells_its_steps_how_far_it_is() -> None:
    text = "{{workflow.status}} {{workflow.duration}}"
    run = ended(CHAIN % ("make", text), {"A": Outcome(seconds=2)})
    inputs = node(run, "B").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == "Running 2.000000"


def test_the_time_for_which_a_run_was_scheduled() -> None:
    scheduled = "workflows.argoproj.io/scheduled-time: 2026-04-29T00:00:00Z"
    text = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: w, annotations: {{{scheduled}}}}}
spec:
  entrypoint: main
  templates: [{{name: main, container: {{image: i, args: ["{{{{workflow.scheduledTime}}}}"]}}}}]
"""
    pods: list[Pod] = []
    simulate(load(text), lambda pod: pods.append(pod) or Outcome())
    assert pods[0].args == ("2026-04-29T00:00:00Z",)


CHAIN = """\
  - name: main
    dag:
      tasks:
      - {name: A, template: %s}
      - {name: B, template: echo, dependencies: [A], arguments: {parameters: [{name: text, value: "%s"}]}}
  - {name: script, script: {image: python, command: [python], source: print(1)}}"""


def seen(template: str, value: str, outcome: Outcome) -> str | None:
    run = ended(CHAIN % (template, value), {"A": outcome})
    inputs = node(run, "B").inputs
    return inputs.parameters[0].value if inputs is not None else None


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("outputs.parameters.p", "x"),
        ("status", "Succeeded"),
        ("exitCode", "0"),
        ("startedAt", "2023-11-14T22:13:20Z"),
        ("finishedAt", "2023-11-14T22:13:21Z"),
    ],
)
def test_what_a_task_may_read_of_its_ancestors(tag: str, value: str) -> None:
    assert seen("make", f"{{{{tasks.A.{tag}}}}}", Outcome(parameters={"p": "x"})) == value


def test_standard_output_is_captured_where_something_refers_to_it() -> None:
    asked: dict[str, bool] = {}

    def outcome(pod: Pod) -> Outcome:
        asked[pod.display_name] = pod.capture_result
        return Outcome(result="42" if pod.capture_result else None)

    from penstock.testing.simulation import simulate

    run = simulate(document(CHAIN % ("script", "{{tasks.A.outputs.result}}")), outcome)
    assert asked == {"A": True, "B": False}
    assert node(run, "B").inputs.parameters[0].value == "42"  # type: ignore[union-attr]
    assert node(run, "A").outputs.result == "42"  # type: ignore[union-attr]


def finished(run: Run, **exit: object) -> Run:
    run, _ = step(run, Begin(now=START))
    run, _ = step(run, Exited(now=START + 1, node_id="w", **exit))  # type: ignore[arg-type]
    return run


MAKER = """\
  - name: main
    container: {image: busybox}
    outputs:
      parameters:
      - {name: p, valueFrom: {path: /p}, globalName: gp}
      - {name: fixed, value: "1"}
      artifacts: [{name: a, path: /a, globalName: ga}]"""


@pytest.mark.parametrize(
    ("exit", "phase", "message"),
    [
        ({"exit_code": 0, "parameters": {"p": "x"}}, "Succeeded", ""),
        ({"exit_code": 3}, "Failed", "main: Error (exit code 3)"),
        ({"exit_code": 137, "message": "main: OOMKilled (exit code 137)"}, "Failed", "main: OOMKilled (exit code 137)"),
        ({"exit_code": 0, "error": "no file /p; there is /q"}, "Error", "no file /p; there is /q"),
        ({"exit_code": 2, "error": "no file /p"}, "Failed", "main: Error (exit code 2)"),
        ({"error": "image not found"}, "Error", "image not found"),
        ({}, "Error", "the outcome of the step is unknown"),
    ],
)
def test_how_an_exit_is_judged(exit: dict[str, object], phase: str, message: str) -> None:
    run = finished(new_run(document(MAKER), name="w", uid="u", parameters={}, created_at=START), **exit)
    assert (run.phase, run.message) == (phase, message)


def test_outputs_of_a_pod_and_of_the_run() -> None:
    run = new_run(document(MAKER), name="w", uid="u", parameters={}, created_at=START)
    run = finished(run, exit_code=0, parameters={"p": "x"}, artifacts=(Artifact(name="a", path="/a", key="k", size=3),))
    outputs = node(run, "").outputs
    assert outputs is not None
    assert [(p.name, p.value, p.global_name) for p in outputs.parameters] == [("p", "x", "gp"), ("fixed", "1", "")]
    assert [(a.name, a.key, a.global_name) for a in outputs.artifacts] == [("a", "k", "ga")]
    assert outputs.exit_code == "0"
    assert run.outputs is not None
    assert [(p.name, p.value) for p in run.outputs.parameters] == [("gp", "x")]
    assert [(a.name, a.key) for a in run.outputs.artifacts] == [("ga", "k")]


def test_a_failed_pod_names_the_outputs_that_it_never_made() -> None:
    run = finished(new_run(document(MAKER), name="w", uid="u", parameters={}, created_at=START), exit_code=1)
    outputs = node(run, "").outputs
    assert outputs is not None
    assert [(p.name, p.value) for p in outputs.parameters] == [("p", None), ("fixed", "1")]


PASSED = """\
  - name: main
    dag:
      tasks:
      - {name: A, template: make}
      - name: B
        template: read
        dependencies: [A]
        arguments: {artifacts: [{name: a, from: "{{tasks.A.outputs.artifacts.a}}"%s}]}
  - {name: read, inputs: {artifacts: [{name: a, path: /in%s}]}, container: {image: busybox}}"""


def test_an_artifact_passes_by_reference() -> None:
    run = ended(PASSED % ("", ""))
    made, read = node(run, "A").outputs, node(run, "B").inputs
    assert made is not None
    assert read is not None
    assert [(a.name, a.path, a.key) for a in read.artifacts] == [("a", "/in", made.artifacts[0].key)]
    assert made.artifacts[0].key == f"artifacts/w/w-make-{node(run, 'A').id.rpartition('-')[2]}/a"


def test_an_artifact_that_was_not_made() -> None:
    nothing = {"A": Outcome(artifacts=(), parameters={"p": ""})}
    run = ended(PASSED % ("", ""), nothing)
    assert (phases(run)["B"], told(run)["B"]) == ("Error", 'Unable to resolve: "tasks.A.outputs.artifacts.a"')
    run = ended(PASSED % (", optional: true", ", optional: true"), nothing)
    assert phases(run)["B"] == "Succeeded"


def test_an_absent_output_of_the_whole() -> None:
    templates = """\
  - name: main
    outputs: {parameters: [{name: q, valueFrom: {parameter: "{{tasks.A.outputs.parameters.p}}"%s}}]}
    dag: {tasks: [{name: A, template: make, when: "false"}]}"""
    run = ended(templates % "")
    assert run.phase == "Error"
    assert 'output parameter "q"' in run.message
    run = ended(templates % ", default: none")
    assert node(run, "").outputs.parameters[0].value == "none"  # type: ignore[union-attr]


def test_defaults_of_outputs() -> None:
    run = ended("  - {name: main, steps: [[{name: a, template: default}]]}")
    assert node(run, "[0].a").outputs.parameters[0].value == "d"  # type: ignore[union-attr]
    assert script()(pod_of("  - {name: main, container: {image: busybox}}")).exit_code == 0
