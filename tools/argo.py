"""`make argo`: submit every example to a real Argo and write down what it made of them.

Needs a cluster with Argo 4.1.2, as a script named by `PENSTOCK_CLUSTER` starts it (default `../shared/cluster/up`): it
prints `export NAME=value` lines with `KUBECONFIG` and the cluster's settings. Where Argo's programs do not lie on this
machine, this ends with 2 and says so. The result goes into docs/reference/argo-results.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.compiler import compile, load_pipelines

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "reference" / "argo-results.md"
PATIENCE = 600.0
"""Seconds that one example may take on the cluster."""


@dataclass(frozen=True)
class Result:
    """What became of one example."""

    example: str
    phase: str
    message: str
    nodes: int
    seconds: float


class Cluster:
    """The cluster that `up` started: its settings, and its tools."""

    def __init__(self, scripts: Path) -> None:
        self.scripts = scripts
        told = subprocess.run([scripts / "up"], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.settings = dict(_exported(told))
        self.environ = {**os.environ, **self.settings}
        self.namespace = self.settings["PENSTOCK_CLUSTER_NAMESPACE"]

    @property
    def argo(self) -> str:
        """Version of Argo, "" where its programs are absent."""
        return self.settings.get("PENSTOCK_CLUSTER_ARGO", "")

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """What kubectl prints."""
        command = [self.settings.get("PENSTOCK_CLUSTER_KUBECTL") or "kubectl", *words]
        done = subprocess.run(command, env=self.environ, input=stdin, text=True, capture_output=True)
        if done.returncode:
            sys.exit(f"Error: kubectl {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def image(self, *words: str | Path) -> None:
        """Build or name an image."""
        subprocess.run([self.scripts / "image", *words], env=self.environ, check=True, stdout=subprocess.DEVNULL)


def _exported(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        words = shlex.split(line)
        if len(words) == 2 and words[0] == "export" and "=" in words[1]:
            name, _, value = words[1].partition("=")
            yield name, value


def images(cluster: Cluster) -> None:
    """The images of the examples: Python with scikit-learn, and the taxi programs above it."""
    python = cluster.settings["PENSTOCK_CLUSTER_IMAGE_PYTHON"]
    with tempfile.TemporaryDirectory() as folder:
        packages = Path(folder, "base", "opt", "packages")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", packages, "pip", "scikit-learn"]
        subprocess.run(pip, check=True)
        base = "docker.io/library/python:3.11"
        libraries(Path(folder, "base", "opt", "lib"))
        # As in the image of that name, which has no mark of Debian's that forbids pip.
        variables = ("PYTHONPATH=/opt/packages", "LD_LIBRARY_PATH=/opt/lib", "PIP_BREAK_SYSTEM_PACKAGES=1")
        environment = [word for variable in variables for word in ("--env", variable)]
        cluster.image("build", base, Path(folder, "base"), "--from", python, *environment, "--", "python3")
        programs = Path(folder, "taxi", "programs")
        programs.parent.mkdir()
        subprocess.run(["cp", "-r", ROOT / "examples" / "taxi" / "programs", programs], check=True)
        for name, program in TAXI.items():
            cluster.image("build", f"docker.io/{name}", Path(folder, "taxi"), "--from", base, "--", *command(program))


TAXI = {
    "taxi/validation:1": "validate",
    "taxi/preprocess:1": "preprocess",
    "taxi/training:1": "train",
    "taxi/prediction:1": "predict",
    "taxi/confusion-matrix:1": "confusion_matrix",
    "taxi/roc:1": "roc",
}


def libraries(folder: Path) -> None:
    """Parts of this machine's C library that wheels are linked with and a small image leaves out."""
    folder.mkdir(parents=True)
    for name in ("libpthread.so.0", "librt.so.1", "libdl.so.2", "libutil.so.1"):
        shutil.copy(Path("/lib/x86_64-linux-gnu", name), folder / name)


def with_commands(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the commands of the taxi images: Argo asks a registry for them where a template has none."""
    for template in document["spec"]["templates"]:
        container = template.get("container", {})
        if container.get("image") in TAXI and "command" not in container:
            container["command"] = command(TAXI[container["image"]])
    return document


def command(program: str) -> list[str]:
    """What the image of a taxi program executes."""
    return ["python3", f"/programs/{program}.py"]


def submit(cluster: Cluster, example: Path) -> Result:
    """Compile an example, hand it to Argo, wait for its end."""
    document = with_commands(compile(load_pipelines(example / "pipeline.py", None)))
    document["spec"]["serviceAccountName"] = cluster.settings["PENSTOCK_CLUSTER_SERVICE_ACCOUNT"]
    begin = time.monotonic()
    made = cluster.kubectl(
        "create", "--namespace", cluster.namespace, "--output", "json", "--filename", "-", stdin=json.dumps(document)
    )
    name = json.loads(made)["metadata"]["name"]
    status: dict[str, Any] = {}
    while not status.get("finishedAt") and time.monotonic() - begin < PATIENCE:
        time.sleep(1)
        got = cluster.kubectl("get", "workflow", name, "--namespace", cluster.namespace, "--output", "json")
        status = json.loads(got).get("status") or {}
    phase = status.get("phase") or "Unknown"
    result = Result(
        example.name, phase, status.get("message", ""), len(status.get("nodes", {})), time.monotonic() - begin
    )
    print(
        f"{result.example}: {result.phase} {result.message} ({result.nodes} nodes, {result.seconds:.0f} s)", flush=True
    )
    if phase != "Succeeded":
        for node in status.get("nodes", {}).values():
            print(f"  {node['displayName']}: {node['phase']} {node.get('message', '')}", flush=True)
    return result


def write(results: list[Result], version: str) -> None:
    """The page of the documentation."""
    rows = "\n".join(f"| {r.example} | {r.phase} | {r.nodes} | {r.seconds:.0f} s |" for r in results)
    RESULTS.write_text(
        f"# The examples on Argo\n\nWhat Argo {version} on a Kubernetes cluster made of every example, compiled by "
        "Penstock\nand submitted unchanged but for the service account and, in `taxi`, the commands that its images\n"
        "have. Written by `make argo`.\n\n"
        f"| example | phase | nodes | time |\n|---|---|---|---|\n{rows}\n"
    )


def main() -> int:
    """Submit the examples; 0 if all succeeded (`retry` and `exit_handler` included), 1 if one did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", nargs="*", help="names of examples; all where none is given")
    given = parser.parse_args().examples
    scripts = Path(os.environ.get("PENSTOCK_CLUSTER", ROOT.parent / "shared" / "cluster"))
    if not (scripts / "up").exists():
        print(f"Error: no cluster scripts at {scripts}; name their folder with PENSTOCK_CLUSTER", file=sys.stderr)
        return 2
    cluster = Cluster(scripts)
    if not cluster.argo:
        print("Error: the cluster has no Argo: its programs do not lie on this machine", file=sys.stderr)
        return 2
    images(cluster)
    found = sorted(p.parent for p in (ROOT / "examples").glob("*/pipeline.py"))
    results = [submit(cluster, example) for example in found if not given or example.name in given]
    if not given:
        write(results, cluster.argo)
    return 0 if all(r.phase == "Succeeded" for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
