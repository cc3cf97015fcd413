"""Pipelines that are measured: chains of Python function components, and documents of shell steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.dsl import Pipeline

__all__ = [
    "chain",
    "compiled",
    "contained",
    "fan_out",
    "hand_over",
    "printing",
    "shell_chain",
    "tasks_in_layers",
    "then_held",
]


def count(number: int) -> int:
    """Add one."""
    return number + 1


def chain(steps: int) -> str:
    """The document (JSON) of a chain of that many steps."""
    from penstock.compiler import compile_pipeline

    return json.dumps(compile_pipeline(_chain(steps)))


def compiled(steps: int, target: str) -> tuple[float, float]:
    """Compile a chain to a file: seconds, and the most memory of this process until then in MB."""
    import resource
    import time

    from penstock.compiler import Compiler

    pipeline = _chain(steps)
    began = time.perf_counter()
    Compiler().compile(pipeline, Path(target))
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _chain(steps: int) -> Pipeline:
    from penstock import dsl
    from penstock.components import create_component_from_func

    count_op = create_component_from_func(count)

    def pipeline(start: int = 0) -> None:
        value = start
        for _ in range(steps):
            value = count_op(value).output

    return dsl.pipeline(name=f"chain-{steps}")(pipeline)


def shell_chain(steps: int) -> str:
    """The document (JSON) of a chain of that many shell steps."""
    return tasks_in_layers(steps, 1)


def fan_out(width: int) -> str:
    """The document (JSON) of that many shell steps side by side, and one that waits for all of them."""
    names = [f"step-{number}" for number in range(width)]
    return _dag([*map(_task, names), _task("join", *names)])


def tasks_in_layers(depth: int, width: int) -> str:
    """The document (JSON) of layers of shell steps, each of which waits for two of the layer before."""
    tasks = []
    for layer in range(depth):
        for place in range(width):
            before = {f"step-{layer - 1}-{other % width}" for other in (place, place + 1)} if layer else ()
            tasks.append(_task(f"step-{layer}-{place}", *sorted(before)))
    return _dag(tasks)


def then_held(steps: int, hold: str) -> str:
    """The document (JSON) of that many shell steps side by side; behind them one that ends when there is something
    in the file `hold`, which must be there already, and one more behind that."""
    names = [f"step-{number}" for number in range(steps)]
    script = f"until [ -s {hold} ]; do sleep 0.01; done"
    tasks = [*map(_task, names), _task("held", *names, template="held"), _task("last", "held")]
    return _dag(tasks, _container("held", "sh", "-c", script))


def printing() -> str:
    """The document (JSON) of a step that waits for a while and then prints the time, in seconds since the epoch."""
    script = "import random, time; time.sleep(1 + random.random()); print(time.time(), flush=True); time.sleep(1)"
    return _dag([_task("print", template="print")], _container("print", "python3", "-c", script))


def hand_over(size: int) -> str:
    """The document (JSON) of a step that writes and syncs that many bytes, and one that reads them.

    Each tells the time, in seconds since the epoch: the one after its last act, the other before its first. It syncs
    the whole machine, since a step's own `fsync` does nothing: the root that is thrown away need not outlive a crash.
    Both are shells, whose own start and end take the least.
    """
    tell = "date +%s.%N > /tmp/at"
    made = f"head -c {size} /dev/urandom > /tmp/data && sync && {tell}"
    used = f"{tell} && test $(stat -c %s /tmp/data) = {size}"
    at = {"parameters": [{"name": "at", "valueFrom": {"path": "/tmp/at"}}]}
    data = {"name": "data", "path": "/tmp/data"}
    make = _container("make", "sh", "-c", made, outputs={**at, "artifacts": [data]})
    use = _container("use", "sh", "-c", used, inputs={"artifacts": [data]}, outputs=at)
    given = {"artifacts": [{"name": "data", "from": "{{tasks.make.outputs.artifacts.data}}"}]}
    return _dag([_task("make", template="make"), _task("use", "make", template="use", arguments=given)], make, use)


def contained(image: str, *command: str) -> str:
    """The document (JSON) of one step in an image."""
    return _dag([_task("only", template="only")], _container("only", *command, image=image))


def _task(name: str, *before: str, template: str = "step", **more: object) -> dict[str, object]:
    return {"name": name, "template": template, **({"dependencies": list(before)} if before else {}), **more}


def _container(name: str, *command: str, image: str = "python:3.11", **more: object) -> dict[str, object]:
    return {"name": name, "container": {"image": image, "command": list(command)}, **more}


def _dag(tasks: Sequence[Mapping[str, object]], *templates: Mapping[str, object]) -> str:
    step = _container("step", "sh", "-c", "true")
    return json.dumps(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": "bench-"},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": tasks}}, step, *templates]},
        }
    )
