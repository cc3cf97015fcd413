"""Config maps, secrets and claims from files: what steps see of them, and that no value is shown anywhere."""

from __future__ import annotations

import json

import pytest

from commandline import Rig

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: conf-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: colour, valueFrom: {configMapKeyRef: {name: settings, key: colour}}}]}
  volumes:
  - {name: secrets, secret: {secretName: store}}
  - {name: data, persistentVolumeClaim: {claimName: disk}}
  - {name: scratch, emptyDir: {}}
  templates:
  - name: main
    steps: [[{name: one, template: write}], [{name: two, template: read}]]
  - name: write
    container:
      image: shell
      command: [sh, -c]
      args:
      - |
        test "$TOKEN" = "$(cat /etc/secrets/token)" && test ${#TOKEN} = 4 && test "$(cat /one/user)" = me &&
        echo {{workflow.parameters.colour}} > /mnt/disk/colour && echo x > /scratch/x
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: store, key: token}}}]
      volumeMounts:
      - {name: secrets, mountPath: /etc/secrets}
      - {name: secrets, mountPath: /one/user, subPath: user}
      - {name: data, mountPath: /mnt/disk, subPath: "{{workflow.name}}"}
      - {name: scratch, mountPath: /scratch}
  - name: read
    container:
      image: shell
      command: [sh, -c]
      args: ["cat /mnt/disk/{{workflow.name}}/colour > /p; ! echo x > /mnt/disk/x"]
      volumeMounts: [{name: data, mountPath: /mnt/disk, readOnly: true}]
    outputs: {parameters: [{name: colour, valueFrom: {path: /p}}]}
"""

OBJECTS = """\
{kind: ConfigMap, apiVersion: v1, metadata: {name: settings}, data: {colour: red}}
---
{kind: Secret, apiVersion: v1, metadata: {name: store}, data: {token: aHVzaA==}, stringData: {user: me}}
---
{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: disk}}
"""


@pytest.fixture
def documents(rig: Rig) -> Rig:
    rig.file("conf.yaml", WORKFLOW)
    (rig.folder / "objects").mkdir()
    rig.file("objects/all.yaml", OBJECTS)
    return rig


def test_steps_see_what_the_files_hold(documents: Rig) -> None:
    answer = documents.call("run", "conf.yaml", "--images", "images.toml", "--config", "objects", "--output", "json")
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    (two,) = (node for node in document["status"]["nodes"].values() if node["displayName"] == "two")
    assert two["outputs"]["parameters"] == [{"name": "colour", "value": "red"}]
    assert "hush" not in answer.stdout + answer.stderr
    shown = [path for path in documents.home.rglob("*") if path.is_file() and b"hush" in path.read_bytes()]
    assert not shown


def test_the_home_may_hold_them(documents: Rig) -> None:
    documents.home.mkdir(exist_ok=True)
    (documents.folder / "objects").rename(documents.home / "config")
    assert documents.call("run", "conf.yaml", "--images", "images.toml").returncode == 0


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ((), "templates.write.container.env[0].valueFrom.secretKeyRef: there is no Secret 'store'"),
        (("--config", "nowhere"), "No such file or directory; expected a folder of YAML files"),
    ],
)
def test_what_nobody_gave_is_refused_before_there_is_a_run(documents: Rig, config: tuple[str, ...], said: str) -> None:
    (documents.folder / "given").mkdir()
    documents.file("given/settings.yaml", OBJECTS.partition("---")[0])
    documents.file("given/disk.yaml", OBJECTS.rpartition("---")[2])
    text = WORKFLOW.replace("  - {name: secrets, secret: {secretName: store}}\n", "  - {name: secrets, emptyDir: {}}\n")
    documents.file("conf.yaml", text)
    answer = documents.call(
        "run", "conf.yaml", "--images", "images.toml", *(config or ("--config", "given")), "--output", "json"
    )
    assert (answer.returncode, answer.stdout) == (2, "")
    assert said in answer.stderr
    assert json.loads(documents.call("runs", "list", "--output", "json").stdout) == []
