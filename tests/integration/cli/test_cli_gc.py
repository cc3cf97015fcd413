"""`penstock gc`: what goes, what stays, and what is said."""

from __future__ import annotations

import json
import os
import time

from commandline import Rig
from penstock.adapters.objects import LocalObjects
from penstock.adapters.objects.notes import Notes

DOCUMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: kept}
spec:
  entrypoint: main
  templates:
  - name: main
    metadata: {labels: {pipelines.kubeflow.org/enable_caching: "true"}}
    outputs: {artifacts: [{name: data, path: /tmp/data}]}
    container: {image: shell, command: [sh, -c, echo made > /tmp/data]}
"""


def test_what_nobody_refers_to_goes(rig: Rig) -> None:
    rig.file("kept.yaml", DOCUMENT)
    assert rig.call("run", "kept.yaml", "--images", "images.toml").returncode == 0
    objects = LocalObjects(rig.home / "objects", background=False)
    for key in ("artifacts/lost/step/data", "logs/lost/step.log", "artifacts/young/step/data", "mine/data"):
        objects.write(key, b"12345")
    old = time.time() - 7200
    for folder in ("artifacts/lost", "logs/lost", "artifacts/kept", "logs/kept", "mine"):
        os.utime(rig.home / "objects" / folder, (old, old))
    environment = rig.home / "envs" / "lost"
    environment.mkdir(parents=True)
    (environment / "module").write_bytes(b"1234567")
    (environment / ".complete").touch()
    os.utime(environment / ".complete", (old, old))
    assert "mine/data" in objects.undigested()
    told = rig.call("gc", "--dry-run")
    assert told.returncode == 0
    assert "17 bytes would be freed" in told.stdout
    assert objects.stat("artifacts/lost/step/data") is not None
    note = Notes(rig.home / "objects" / ".store" / "notes").get("mine/data")
    assert note is not None
    assert note.digest, "gc waits for digests"
    gone = json.loads(rig.call("gc", "--output", "json").stdout)
    sizes = {"artifacts/lost": 5, "logs/lost": 5, "envs/lost": 7}
    assert gone == [{"name": name, "size": size} for name, size in sizes.items()]
    assert not environment.exists()
    assert objects.stat("artifacts/lost/step/data") is None
    left = [key for key in ("artifacts/young/step/data", "mine/data", "artifacts/kept/kept/data") if objects.stat(key)]
    assert len(left) == 3
    assert rig.call("runs", "delete", "kept").returncode == 0
    assert "cache: 1 entries" in rig.call("gc").stdout
    assert rig.call("gc").stdout == "0 bytes freed\n"
    objects.close()
