"""The figures that Penstock promises, each with how it is measured."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from tools.official import python_of

from benchmarks import peers, runs
from benchmarks.report import Peer, Result

__all__ = ["FIGURES"]

ROOT = Path(__file__).resolve().parent.parent
HERA = "hera 7.1.0"
TEN_STEPS = ROOT / "benchmarks" / "ten_steps.py"


def import_dsl(rounds: int) -> Sequence[Result]:
    """`import penstock.dsl` in a fresh interpreter, timed inside it."""
    script = "import time; t = time.perf_counter(); import penstock.dsl; print(time.perf_counter() - t)"
    values = [float(_python(script)) * 1000 for _ in range(rounds + 1)]
    return [Result("`import penstock.dsl`", "ms", 60, values[1:])]


def compiling(rounds: int) -> Sequence[Result]:
    """Chains of function components to files of YAML, each in a fresh interpreter, and a small file by the command; in
    turns with hera, which writes Argo's documents too."""
    with tempfile.TemporaryDirectory() as folder:
        target = f"{folder}/chain.yaml"
        cold = [(_compiled(1_000, target), peers.hera(1_000)) for _ in range(rounds)]
        warm = {steps: [_compiled(steps, target, warm=True) for _ in range(rounds)] for steps in (100, 1_000, 10_000)}
        each = [median([seconds for seconds, _ in values]) / steps for steps, values in warm.items()]
        command = [str(Path(sys.executable).with_name("penstock")), "compile", str(TEN_STEPS), "-o", target]
        whole = [_seconds(command) * 1000 for _ in range(rounds + 1)]
    return [
        Result(
            "compile a chain of 1,000 function components to YAML",
            "s",
            0.25,
            [seconds for (seconds, _), _ in cold],
            peers=[Peer(HERA, [other for _, other in cold])],
        ),
        Result("time per task, of 100, 1,000 and 10,000 tasks, most to least", "×", 1.3, [max(each) / min(each)], True),
        Result("peak memory, 10,000 tasks", "MB", 200, [memory for _, memory in warm[10_000]]),
        Result("`penstock compile` of a file of ten steps, whole process", "ms", 150, whole[1:]),
    ]


def beside_kfp(rounds: int) -> Sequence[Result]:
    """What kfp 1.8.22 compiles, and the same file with `--as-kfp 1.8`: in turns, each in a fresh interpreter."""
    ours, theirs = Path(sys.executable), python_of("kfp-1.8")
    with tempfile.TemporaryDirectory() as folder:
        chains = [(_chained(ours, folder, "chain", 1_000), _chained(theirs, folder, "chain", 1_000)) for _ in range(3)]
        fans = {steps: [_chained(ours, folder, "fan", steps) for _ in range(rounds)] for steps in (100, 1_000)}
    each = [median(values) / steps for steps, values in fans.items()]
    return [
        Result(
            "the same chain of 1,000 with `--as-kfp 1.8`, of the time that kfp 1.8.22 takes",
            "%",
            2.5,
            [100 * mine / other for mine, other in chains],
        ),
        Result(
            "time per task, fan-out of 1,000 in a loop in a condition to one of 100",
            "×",
            1.3,
            [each[1] / each[0]],
            True,
        ),
    ]


def _chained(python: Path, folder: str, kind: str, steps: int) -> float:
    """Seconds of one compile, by the official package or by Penstock."""
    command = [str(python), str(ROOT / "benchmarks" / "kfp_chain.py"), kind, str(steps), f"{folder}/made.yaml"]
    own = ["--penstock"] if str(python) == sys.executable else []
    return float(subprocess.run([*command, *own], check=True, capture_output=True, text=True).stdout)


def _compiled(steps: int, target: str, *, warm: bool = False) -> tuple[float, float]:
    """Seconds and megabytes. `warm`: after a chain of one step, which imports what there is to import."""
    before = f"compiled(1, {target!r}); " if warm else ""
    script = f"from benchmarks.pipelines import compiled; {before}print(*compiled({steps}, {target!r}))"
    seconds, memory = _python(script).split()
    return float(seconds), float(memory)


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def package(rounds: int) -> Sequence[Result]:  # noqa: ARG001 - taken once
    """The wheel's size, and what an installation of it brings."""
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        wheel = next(Path(folder).glob("*.whl"))
        size = wheel.stat().st_size / 1e6
        count = _installed(wheel, Path(folder) / "venv")
    return [
        Result("wheel", "MB", 5, [size], once=True),
        Result("installed packages of the base", "packages", 30, [count], once=True),
    ]


def shell(rounds: int) -> Sequence[Result]:  # noqa: ARG001 - taken once
    """All that a browser loads before the first page is shown, gzipped: HTML, and the files that it names."""
    web = ROOT / "src" / "penstock" / "web"
    html = (web / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="(?:\./|/)?([^":?#]+\.(?:js|css))"', html)
    files = [web / "index.html", *(web / name for name in dict.fromkeys(named))]
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) / 1024
    return [Result("page shell, gzipped", "KiB", 60, [size], once=True)]


def turns(rounds: int) -> Sequence[Result]:
    """What a turn costs near the end of runs of 100, 1,000 and 10,000 nodes, each run in a fresh interpreter."""
    sizes = (100, 1_000, 10_000)
    took = [[_turn(nodes) for nodes in sizes] for _ in range(rounds)]
    middle = [median(each) for each in zip(*took, strict=True)]
    return [
        Result("cost of a turn at 10,000 nodes, stored", "ms", 3, [each[-1] for each in took]),
        Result(
            "cost of a turn at 100, 1,000 and 10,000 nodes, most to least", "×", 1.5, [max(middle) / min(middle)], True
        ),
    ]


def _turn(nodes: int) -> float:
    return float(_python(f"from benchmarks.turns import turn; print(turn({nodes}))"))


FIGURES: Mapping[str, Callable[[int], Sequence[Result]]] = {
    "import": import_dsl,
    "compile": compiling,
    "kfp": beside_kfp,
    "up": runs.up,
    "steps": runs.python_steps,
    "shell-steps": runs.shell_steps,
    "unprivileged": runs.unprivileged,
    "wide": runs.wide,
    "dag": runs.graph,
    "turn": turns,
    "cached": runs.cached,
    "artifact": runs.artifact,
    "container": runs.container,
    "first-line": runs.first_line,
    "resume": runs.resume,
    "idle": runs.idle,
    "package": package,
    "shell": shell,
}


def _python(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout


def _installed(wheel: Path, folder: Path) -> int:
    """How many packages an environment has that got the wheel alone, without pip itself."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", str(wheel)], check=True)
    listed = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
    return len(listed.split("\n")) - 1
