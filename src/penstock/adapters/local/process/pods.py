"""A step that is several containers, laid out: what each is told, and which folder is whose.

`<step>/own`, `<step>/init-0` …, `<step>/sidecar-0` … are folders like a step's (`folders`), each with a root and a log;
`<step>/volumes` holds what the containers share. The step's own files (`lock`, `pid`, `stop`, `exit.json`) are those of
the process that starts them (`pod`), so that a pod is to a launcher what any step is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from penstock.adapters.local.process.folders import StepFolder, make_folder
from penstock.adapters.local.process.layout import made_volume
from penstock.adapters.local.process.orphans import MARK
from penstock.ports import Step
from penstock.workflow.pods import Companion, own_name

__all__ = ["Part", "begun_logs", "lay_pod", "own_begun", "parts_of", "pod_spec"]

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A container of a step: what it is in the pod, its name in the document, its folder, and itself as a step.

    `of_set` says more where it is one of a set.
    """

    kind: str
    name: str
    folder: StepFolder
    step: Step
    of_set: Companion | None = None

    def told(self, spec: Spec) -> Spec:
        """What the pod's process is told of it."""
        more = self.of_set or Companion(name=self.name, image="")
        again = {"tries": more.tries, "pause": more.pause}
        return {"name": self.name, "after": more.after, "spec": {**spec, **again}}


def parts_of(folder: StepFolder, step: Step) -> Iterator[Part]:
    """The containers of a step, the step's own first."""
    alone = msgspec.structs.replace(step, init=(), containers=(), sidecars=())
    of_set = {each.name: each for each in step.containers}
    yield Part("own", step.own_name, StepFolder(folder.path / "own"), alone, of_set.pop(step.own_name, None))
    for number, each in enumerate(of_set.values()):
        yield Part("own", each.name, StepFolder(folder.path / f"own-{number}"), _as_step(each, step), each)
    for kind, companions in (("init", step.init), ("sidecars", step.sidecars)):
        for number, companion in enumerate(companions):
            inner = StepFolder(folder.path / f"{kind.rstrip('s')}-{number}")
            yield Part(kind, companion.name, inner, _as_step(companion, step))


def _as_step(companion: Companion, step: Step) -> Step:
    return Step(
        id=step.id,
        name=f"{step.name}/{companion.name}",
        image=companion.image,
        command=companion.command,
        args=companion.args,
        working_dir=companion.working_dir,
        env=companion.env,
        mounts=companion.mounts,
        tty=companion.tty,
        volumes=step.volumes,
        images=step.images,
    )


def pod_spec(folder: StepFolder, step: Step, specs: Mapping[str, Spec]) -> Spec:
    """What the pod's process is told, but for layers. `specs` are those of its parts, by their folders' names.

    A pod with sidecars has a network of its own.
    """
    own = specs["own"]
    mounts = [*step.mounts, *(mount for each in step.beside for mount in each.mounts)]
    names = dict.fromkeys(mount.volume for mount in mounts)
    volumes = {name: folder.file(f"volumes/{number}") for number, name in enumerate(names)}
    # Inside the pod's user namespace, whose root is this user, each container has one of its own.
    inner = {"user": own["user"] and (0, 0), "shared": volumes}
    mark = {MARK: str(folder.path)} if own["way"] == "rewrite" else {}
    return {
        "pod": {name: {**spec, **inner, "env": {**spec["env"], **mark}} for name, spec in specs.items()},
        "title": own["title"],
        "way": own["way"],
        "user": own["user"],
        "base": own["base"],
        "volumes": volumes,
        "install": None,
        "network": bool(step.sidecars),
        "of_set": bool(step.containers),
    }


def own_begun(folder: StepFolder) -> bool:
    """Whether a step's own container has begun, which init containers may hold up."""
    own = folder.path / "own"
    return not own.exists() or (own / "pid").exists()


def begun_logs(folder: StepFolder, names: Sequence[str]) -> Mapping[str, Path]:
    """The logs of those containers of a set that have begun, by their names."""
    own = own_name(names)
    others = [name for name in names if name != own]
    folders = {own: folder.path / "own"} | {name: folder.path / f"own-{i}" for i, name in enumerate(others)}
    return {name: path / "log" for name, path in folders.items() if (path / "pid").exists() and (path / "log").exists()}


def lay_pod(folder: StepFolder, step: Step, spec: Spec, lay: Callable[[StepFolder, Step, Spec], Spec]) -> Spec:
    """Fill the folders of all containers, each by `lay`; the whole description of the pod. Raises as `lay` does."""
    folder.prepare()
    for name, path in spec["volumes"].items():
        if not step.volume(name).folder:
            made_volume(path, step.volume(name))
    parts = list(parts_of(folder, step))
    laid: dict[str, list[Spec]] = {"own": [], "init": [], "sidecars": []}
    for part in parts:
        make_folder(part.folder.path)
        told = lay(part.folder, part.step, spec["pod"][part.folder.path.name])
        laid[part.kind].append(part.told(told))
    own = parts[0].folder
    os.close(os.open(folder.file("log"), os.O_CREAT | os.O_WRONLY, 0o600))
    for part in parts:  # what the containers of a set say is the step's, unless one of them is `main`
        if part.folder == own or (part.kind == "own" and step.own_name != "main"):
            os.link(folder.file("log"), part.folder.file("log"))
    about = own.about()
    about["layers"] = [f"{own.path.name}/{layer}" for layer in about["layers"]]
    folder.write("step.json", json.dumps(about).encode())
    return {**spec, "pod": True, "dir": str(folder.path), **laid}
