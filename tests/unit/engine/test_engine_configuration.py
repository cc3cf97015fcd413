"""What of config maps and secrets reaches a pod: variables, files, parameters."""

from __future__ import annotations

import pytest
from engine_documents import START, document, ended, node

from penstock.engine import new_run, step
from penstock.engine.protocol import Begin, Launch, Pod
from penstock.testing.simulation import Outcome, simulate
from penstock.workflow import Configuration, Machine
from penstock.workflow.pods import File, HostAlias, Mount, Volume
from penstock.workflow.running import node_document

GIVEN = Configuration({"settings": {"colour": b"red", "size": b"5"}}, {"store": {"token": b"hush", "user": b"me"}})


def pod_of(container: str = "", template: str = "", config: Configuration = GIVEN) -> Pod:
    text = f"  - {{name: main, {template}container: {{image: busybox{container}}}}}"
    run = new_run(document(text), name="w", uid="u", parameters={}, created_at=START, config=config)
    _, commands = step(run, Begin(now=START))
    (launch,) = (command for command in commands if isinstance(command, Launch))
    return launch.pod


def test_variables_come_from_config_maps_and_secrets() -> None:
    pod = pod_of(
        ", envFrom: [{prefix: C_, configMapRef: {name: settings}}, {secretRef: {name: absent, optional: true}}]"
        ", env: [{name: T, valueFrom: {secretKeyRef: {name: store, key: token}}},"
        " {name: S, valueFrom: {configMapKeyRef: {name: settings, key: size}}},"
        " {name: N, valueFrom: {secretKeyRef: {name: store, key: none, optional: true}}}]"
    )
    assert pod.env == (("C_colour", "red"), ("C_size", "5"), ("T", "hush"), ("S", "5"))
    assert not pod.unmet


def test_commands_and_variables_take_variables_as_in_kubernetes() -> None:
    pod = pod_of(
        ", command: [sh, $(ONE)], args: [$(TWO), $(NONE), $$(ONE), $$, x$, $(ONE, $ONE, $(LATER), $(C_colour)]"
        ", envFrom: [{prefix: C_, configMapRef: {name: settings}}], env: [{name: ONE, value: one},"
        " {name: TWO, value: $(ONE) $(LATER) $(C_size) $$x}, {name: LATER, value: later}]"
    )
    assert dict(pod.env)["TWO"] == "one $(LATER) $(C_size) $$x"
    assert pod.command == ("sh", "one")
    assert pod.args[:4] == ("one $(LATER) $(C_size) $$x", "$(NONE)", "$(ONE)", "$$")
    assert pod.args[4:] == ("x$", "$(ONE", "$ONE", "later", "red")


def test_what_a_parameter_says_is_data_to_it() -> None:
    pods: list[Pod] = []
    container = "args: ['{{workflow.parameters.p}}', $(ONE)], env: [{name: ONE, value: '1'}, {name: TWO, value: '2'},"
    container += " {name: P, value: '{{workflow.parameters.p}}'}]"
    spec = "  arguments: {parameters: [{name: p, value: $(TWO) $$(TWO) $$}]}\n"
    template = f"  - {{name: main, container: {{image: busybox, {container}}}}}"
    simulate(document(template, spec), lambda pod: pods.append(pod) or Outcome())
    assert pods[0].args == ("$(TWO) $$(TWO) $$", "1")
    assert dict(pods[0].env)["P"] == "$(TWO) $$(TWO) $$"


def test_the_part_of_a_volume_takes_variables() -> None:
    mounts = ", volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(WHO)/x}], env: [{name: %s, value: me}]"
    volume = "volumes: [{name: v, emptyDir: {}}], "
    assert pod_of(mounts % "WHO", volume).mounts == (Mount("v", "/v", "me/x"),)
    assert "subPathExpr '$(WHO)/x' names a variable that there is not" in pod_of(mounts % "WHAT", volume).unmet


def test_volumes_hold_their_entries() -> None:
    pod = pod_of(
        ", volumeMounts: [{name: s, mountPath: /s}, {name: f, mountPath: /f, subPath: labels, readOnly: true}]",
        "metadata: {labels: {team: a, app: b}}, volumes: [{name: s, secret: {secretName: store}}, "
        "{name: p, projected: {sources: [{configMap: {name: settings, items: [{key: size, path: deep/size}]}}]}}, "
        "{name: f, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}, "
        "{name: e, emptyDir: {}}, {name: c, persistentVolumeClaim: {claimName: disk}}], ",
    )
    assert pod.mounts == (Mount("s", "/s"), Mount("f", "/f", "labels", True))
    assert pod.volumes == (
        Volume(name="s", files=(File("token", b"hush"), File("user", b"me"))),
        Volume(name="p", files=(File("deep/size", b"5"),)),
        Volume(name="f", files=(File("labels", b'app="b"\nteam="a"'),)),
        Volume(name="c", claim="disk"),
    )


@pytest.mark.parametrize(
    ("container", "template", "unmet"),
    [
        (
            ", env: [{name: A, valueFrom: {secretKeyRef: {name: store, key: absent}}}]",
            "",
            "Secret 'store' has no key 'absent'",
        ),
        (", envFrom: [{configMapRef: {name: absent}}]", "", "there is no ConfigMap 'absent'"),
        ("", "volumes: [{name: v, secret: {secretName: absent}}], ", "there is no Secret 'absent'"),
        (
            "",
            "volumes: [{name: v, secret: {secretName: store, items: [{key: user, path: ../u}]}}], ",
            "volume: the path '../u' leads out of it",
        ),
    ],
)
def test_what_is_missing_at_the_launch_is_said_to_the_host(container: str, template: str, unmet: str) -> None:
    assert pod_of(container, template).unmet == unmet


def test_an_input_stands_in_a_config_map_unless_an_argument_is_given() -> None:
    source = "valueFrom: {default: none, configMapKeyRef: {name: '{{workflow.parameters.of}}', key: colour}}"
    run = ended(
        "  - {name: main, steps: [[{name: a, template: t}, "
        "{name: b, template: t, arguments: {parameters: [{name: p, value: blue}]}}]]}\n"
        f"  - {{name: t, inputs: {{parameters: [{{name: p, {source}}}]}}, container: {{image: busybox}}}}",
        spec="  arguments: {parameters: [{name: of, value: settings}]}\n",
        config=GIVEN,
    )
    values = [node(run, f"[0].{name}").inputs.parameters[0].value for name in "ab"]  # type: ignore[union-attr]
    assert values == ["red", "blue"]
    bare = ended(
        "  - {name: main, steps: [[{name: a, template: t}]]}\n"
        f"  - {{name: t, inputs: {{parameters: [{{name: p, {source}}}]}}, container: {{image: busybox}}}}",
        spec="  arguments: {parameters: [{name: of, value: nothing}]}\n",
    )
    assert node(bare, "[0].a").inputs.parameters[0].value == "none"  # type: ignore[union-attr]


HERE = Configuration(machine=Machine({"kubernetes.io/hostname": "here", "kubernetes.io/arch": "amd64"}))


def test_a_pod_knows_the_machine_that_it_runs_on() -> None:
    fields = "{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}"
    accounts = "{name: ACCOUNT, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}"
    assert pod_of(f", env: [{fields}, {accounts}]", config=HERE).env == (("NODE", "here"), ("ACCOUNT", "default"))
    text = "{parameters: [{name: text, value: '{{steps.a.hostNodeName}}'}]}"
    steps = f"- [{{name: a, template: make}}]\n    - [{{name: b, template: echo, arguments: {text}}}]"
    run = ended(f"  - name: main\n    steps:\n    {steps}", config=HERE)
    assert node_document(node(run, "[0].a"))["hostNodeName"] == "here"
    inputs = node(run, "[1].b").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == "here"


@pytest.mark.parametrize(
    "asks",
    [
        "nodeSelector: {kubernetes.io/arch: '{{inputs.parameters.arch}}'}",
        "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms:"
        " [{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: ['{{inputs.parameters.arch}}']}]}]}}}",
    ],
)
def test_what_tags_make_of_a_selector_is_held_to_the_machine(asks: str) -> None:
    template = f"{asks}, inputs: {{parameters: [{{name: arch, value: ARCH}}]}}, "
    assert pod_of(template=template.replace("ARCH", "amd64"), config=HERE).unmet == ""
    other = template.replace("ARCH", "arm64")
    assert "this machine does not meet it: " in pod_of(template=other, config=HERE).unmet
    field = asks.partition(":")[0]
    assert pod_of(template=other, config=HERE).unmet.startswith(field)
    assert pod_of(template=other, config=HERE.ignoring([field])).unmet == ""


def test_names_of_machines_are_those_of_the_template_else_of_the_workflow() -> None:
    def hosts(template: str) -> tuple[HostAlias, ...]:
        spec = "  hostAliases: [{ip: 192.0.2.1, hostnames: ['{{workflow.name}}.example']}]\n"
        text = f"  - {{name: main, {template}container: {{image: busybox}}}}"
        run = new_run(document(text, spec), name="w", uid="u", parameters={}, created_at=START)
        _, commands = step(run, Begin(now=START))
        (launch,) = (command for command in commands if isinstance(command, Launch))
        return launch.pod.hosts

    assert hosts("") == (HostAlias(ip="192.0.2.1", hostnames=("w.example",)),)
    assert hosts("hostAliases: [{ip: '::1', hostnames: [a, b]}], ") == (HostAlias(ip="::1", hostnames=("a", "b")),)


@pytest.mark.parametrize(
    ("alias", "fault"),
    [
        ("{ip: 300.0.0.1, hostnames: [a]}", "hostAliases: '300.0.0.1' is no address"),
        ('{ip: 192.0.2.1, hostnames: ["a\\nb"]}', "hostAliases: 'a\\nb' is no name of a machine"),
        ("{ip: 192.0.2.1, hostnames: [-a]}", "hostAliases: '-a' is no name of a machine"),
    ],
)
def test_what_is_no_name_of_a_machine_is_an_error_of_the_step(alias: str, fault: str) -> None:
    assert pod_of(template=f"hostAliases: [{alias}], ").unmet == fault
