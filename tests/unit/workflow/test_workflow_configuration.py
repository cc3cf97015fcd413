"""Config maps, secrets and claims from YAML; what of them a document needs that nobody gave."""

from __future__ import annotations

import pytest

from penstock.errors import InvalidDocument, InvalidInput, TooLarge
from penstock.workflow import Configuration, bind, check_references, configured_parameters, load, read_objects

FILE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: red, lines: "a\\nb\\n"}
binaryData: {raw: /wAB}
---
apiVersion: v1
kind: List
items:
- {kind: Secret, apiVersion: v1, metadata: {name: store}, data: {token: aHVzaA==}, stringData: {user: me}}
- {kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: data}, spec: {}}
---
{apiVersion: v1, kind: Service, metadata: {name: other}}
"""


def test_objects_are_read() -> None:
    found = read_objects(FILE, "file")
    assert found.entries("ConfigMap", "settings") == {"colour": b"red", "lines": b"a\nb\n", "raw": b"\xff\x00\x01"}
    assert found.text("Secret", "store", "token") == "hush"
    assert found.text("Secret", "store", "user") == "me"
    assert found.text("Secret", "store", "other") is None
    assert found.claims == {"data"}


def test_objects_of_the_second_go_before_those_of_the_first() -> None:
    both = Configuration({"a": {"x": b"1", "y": b"1"}, "b": {}}) | Configuration({"a": {"x": b"2"}}, claims=["c"])
    assert both.config_maps == {"a": {"x": b"2"}, "b": {}}
    assert both.claims == {"c"}


def test_no_value_is_shown() -> None:
    assert "hush" not in repr(read_objects(FILE, "file"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "file: expected Kubernetes objects, each with a kind"),
        ("kind: ConfigMap", "file: a ConfigMap without metadata.name"),
        (
            "{kind: ConfigMap, metadata: {name: a}, data: {size: 1}}",
            "file: ConfigMap 'a', key 'size': expected a text; quote it",
        ),
        ("{kind: ConfigMap, metadata: {name: a}, data: hush}", "file: ConfigMap 'a', data: expected a map of texts"),
        ("{kind: Secret, metadata: {name: a}, data: {k: hush!}}", "file: Secret 'a', key 'k': expected base64"),
        (
            "{kind: Secret, metadata: {name: a}}\n---\n{kind: Secret, metadata: {name: a}}",
            "file: Secret 'a' stands there twice",
        ),
    ],
)
def test_what_is_malformed(text: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_objects(text, "file")
    assert str(caught.value) == message


def test_an_object_may_not_be_larger_than_on_a_cluster() -> None:
    with pytest.raises(TooLarge, match="ConfigMap 'a': 1,048,577 bytes; limit 1,048,576"):
        read_objects("{kind: ConfigMap, metadata: {name: a}, data: {k: " + "x" * (1024 * 1024) + "}}", "file")


# --- references -------------------------------------------------------------------------------------------------

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: main\n"


def document(container: str = "", template: str = "", spec: str = "") -> str:
    return f"{HEAD}{spec}  templates:\n  - {{name: main, {template}container: {{image: busybox{container}}}}}\n"


GIVEN = Configuration({"settings": {"colour": b"red"}}, {"store": {"token": b"hush"}}, ["data"])
WAY_OUT = "Give it in a file of the folder that --config names, or of the folder `config` of the home."


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            document(", env: [{name: A, valueFrom: {secretKeyRef: {name: s3cred, key: token}}}]"),
            "templates.main.container.env[0].valueFrom.secretKeyRef: there is no Secret 's3cred'",
        ),
        (
            document(", env: [{name: A, valueFrom: {secretKeyRef: {name: store, key: pass}}}]"),
            "templates.main.container.env[0].valueFrom.secretKeyRef: Secret 'store' has no key 'pass'",
        ),
        (
            document(", env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: size}}}]"),
            "templates.main.container.env[0].valueFrom.configMapKeyRef: ConfigMap 'settings' has no key 'size'",
        ),
        (
            document(", envFrom: [{configMapRef: {name: other}}]"),
            "templates.main.container.envFrom[0].configMapRef: there is no ConfigMap 'other'",
        ),
        (
            document(template="volumes: [{name: v, secret: {secretName: store, items: [{key: k, path: p}]}}], "),
            "templates.main.volumes[0].secret: Secret 'store' has no key 'k'",
        ),
        (
            document(spec="  volumes: [{name: v, configMap: {name: other}}]\n"),
            "spec.volumes[0].configMap: there is no ConfigMap 'other'",
        ),
        (
            document(template="volumes: [{name: v, projected: {sources: [{secret: {name: other}}]}}], "),
            "templates.main.volumes[0].projected.sources[0].secret: there is no Secret 'other'",
        ),
        (
            document(template="volumes: [{name: v, persistentVolumeClaim: {claimName: disk}}], "),
            "templates.main.volumes[0].persistentVolumeClaim: there is no PersistentVolumeClaim 'disk'",
        ),
        (
            document(template="synchronization: {semaphores: [{configMapKeyRef: {name: limits, key: two}}]}, "),
            "templates.main.synchronization.semaphores[0].configMapKeyRef: there is no ConfigMap 'limits'",
        ),
        (
            document(spec="  arguments: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: a, key: b}}}]}\n"),
            "spec.arguments.parameters[0].valueFrom.configMapKeyRef: there is no ConfigMap 'a'",
        ),
    ],
)
def test_what_nobody_gave_is_refused_by_object_and_key(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_references(load(text), GIVEN)
    assert str(caught.value) == f"{fault}. {WAY_OUT}"
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        document(", env: [{name: A, valueFrom: {secretKeyRef: {name: store, key: token}}}]"),
        document(", env: [{name: A, valueFrom: {secretKeyRef: {name: no, key: k, optional: true}}}]"),
        document(", env: [{name: A, valueFrom: {secretKeyRef: {name: '{{workflow.name}}', key: k}}}]"),
        document(", envFrom: [{secretRef: {name: no, optional: true}}, {configMapRef: {name: settings}}]"),
        document(template="volumes: [{name: v, persistentVolumeClaim: {claimName: data}}], "),
        document(template="volumes: [{name: v, secret: {secretName: no, optional: true}}], "),
        document(template="memoize: {key: k, cache: {configMap: {name: cache}}}, "),
        document(
            spec="  arguments: {parameters: [{name: p, valueFrom: {default: d, configMapKeyRef: {name: a, key: b}}}]}\n"
        ),
    ],
)
def test_what_is_given_or_not_needed_passes(text: str) -> None:
    check_references(load(text), GIVEN)


def test_a_parameter_stands_in_a_config_map() -> None:
    source = "valueFrom: {configMapKeyRef: {name: settings, key: colour}}"
    loaded = load(document(spec=f"  arguments: {{parameters: [{{name: p, {source}}}]}}\n"))
    configured = configured_parameters(loaded, GIVEN)
    assert bind(loaded, {}, configured) == {"p": "red"}
    assert bind(loaded, {"p": "blue"}, configured) == {"p": "blue"}
