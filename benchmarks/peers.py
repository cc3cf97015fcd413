"""Other engines at the same work, each in a locked environment of its own."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from statistics import median

from tools.official import python_of

__all__ = ["hera", "kfp_local", "snakemake"]

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 3600.0

SNAKEFILE = """\
WIDTH, DEPTH, JOIN = {width}, {depth}, {join}
LAST = [f"{{DEPTH - 1}}.{{place}}" for place in range(WIDTH)]


def before(wildcards):
    layer, place = int(wildcards.layer), int(wildcards.place)
    return sorted({{f"{{layer - 1}}.{{other % WIDTH}}" for other in (place, place + 1)}}) if layer else []


rule all:
    input: "joined" if JOIN else LAST

rule step:
    input: before
    output: "{{layer,[0-9]+}}.{{place,[0-9]+}}"
    shell: "touch {{output}}"

rule join:
    input: LAST
    output: "joined"
    shell: "touch {{output}}"
"""
"""The layers of `pipelines.tasks_in_layers`; its way to say that a step has run is a file that the step makes."""


def hera(steps: int) -> float:
    """Seconds in which hera makes the document of a chain of script steps, its import left out."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        command = [
            str(python_of("hera")),
            str(ROOT / "benchmarks" / "hera_chain.py"),
            str(steps),
            f"{folder}/made.yaml",
        ]
        return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT).stdout)


def kfp_local(kind: str, steps: int) -> float:
    """Seconds that `kfp.local` takes for a pipeline, its own import and compilation left out."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        script = ROOT / "benchmarks" / "kfp_local.py"
        command = [str(python_of("kfp-2")), str(script), kind, str(steps), folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, timeout=LIMIT)
    found = re.search(r"^seconds: (\S+)$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return float(found[1])


def snakemake(depth: int, width: int = 1, *, join: bool = False) -> float:
    """Seconds that snakemake takes for layers of steps, its start and the reading of the file left out.

    With all processors and its quick scheduler; the other one solves an equation before each choice.
    """
    return _snakemake(depth, width, join=join) - _of_one_step()


@cache
def _of_one_step() -> float:
    return median(_snakemake(1, 1, join=False) for _ in range(5))


def _snakemake(depth: int, width: int, *, join: bool) -> float:
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        text = SNAKEFILE.format(width=width, depth=depth, join=join)
        (Path(folder) / "Snakefile").write_text(text, encoding="utf-8")
        program = python_of("snakemake").with_name("snakemake")
        cores = str(os.cpu_count())
        command = [str(program), "--cores", cores, "--scheduler", "greedy", "--quiet", "all", "--directory", folder]
        environment = {**os.environ, "HOME": folder, "XDG_CACHE_HOME": folder}
        began = time.perf_counter()
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env=environment, timeout=LIMIT, check=False
        )
        seconds = time.perf_counter() - began
        last = Path(folder) / ("joined" if join else f"{depth - 1}.{width - 1}")
        if done.returncode or not last.exists():
            raise RuntimeError(f"snakemake ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds
