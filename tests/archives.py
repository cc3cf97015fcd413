"""A document of which one step stores an archive that it made itself, which others read by its key."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping

from commandline import Rig

__all__ = ["read_by_its_key", "tarball"]

_DOCUMENT = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: packed}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: store, template: store}
    - - {name: look, template: look}
      - {name: keep, template: keep}
      - {name: wrong, template: wrong, continueOn: {error: true}}
  - name: store
    container: {image: IMAGE, command: [sh, -c, "printf \\"$0\\" > /tmp/t", "ARCHIVE"]}
    outputs: {artifacts: [{name: t, path: /tmp/t, archive: {none: {}}, s3: {key: given/t}}]}
  - name: look
    inputs: {artifacts: [{name: t, path: /tmp/t, s3: {key: given/t}}]}
    container: {image: IMAGE, command: [sh, -c, "cat /tmp/t/a /tmp/t/sub/b"]}
  - name: keep
    inputs: {artifacts: [{name: t, path: /tmp/t, archive: {none: {}}, s3: {key: given/t}}]}
    container: {image: IMAGE, command: [sh, -c, "test -f /tmp/t && echo packed"]}
  - name: wrong
    inputs: {artifacts: [{name: t, path: /tmp/t, archive: {zip: {}}, s3: {key: given/t}}]}
    container: {image: IMAGE, command: ["true"]}
"""


def read_by_its_key(rig: Rig, image: str, *options: str) -> None:
    """Run the document; its readers get what they ask for."""
    text = "".join(f"\\{byte:03o}" for byte in tarball({"a": b"first\n", "sub/b": b"second\n"}))
    rig.file("packed.yaml", _DOCUMENT.replace("IMAGE", image).replace('"ARCHIVE"', json.dumps(text)))
    answer = rig.call("run", "packed.yaml", *options, "--output", "json")
    assert answer.returncode == 0, answer.stderr
    nodes = {node["displayName"]: node for node in json.loads(answer.stdout)["status"]["nodes"].values()}
    assert nodes["wrong"]["phase"] == "Error"
    assert nodes["wrong"]["message"].startswith("input artifact 't': no zip archive that can be read")
    said = {name: rig.call("logs", "packed", name).stdout for name in ("look", "keep")}
    assert said == {"look": "first\nsecond\n", "keep": "packed\n"}


def tarball(files: Mapping[str, bytes], *more: tarfile.TarInfo) -> bytes:
    """A gzip-compressed tar archive of files, and of `more` that has no content."""
    with io.BytesIO() as data:
        with tarfile.open(fileobj=data, mode="w:gz") as archive:
            for name, content in files.items():
                about = tarfile.TarInfo(name)
                about.size = len(content)
                archive.addfile(about, io.BytesIO(content))
            for about in more:
                archive.addfile(about)
        return data.getvalue()
