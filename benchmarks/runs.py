"""Figures of runs, on a real server, and of other engines at the same work."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from tools.official import python_of

from benchmarks import peers
from benchmarks.containers import engine_with_image
from benchmarks.pipelines import (
    chain,
    contained,
    fan_out,
    hand_over,
    printing,
    shell_chain,
    tasks_in_layers,
    then_held,
)
from benchmarks.report import Peer, Result
from benchmarks.server import Server

__all__ = [
    "artifact",
    "cached",
    "container",
    "first_line",
    "graph",
    "idle",
    "python_steps",
    "resume",
    "shell_steps",
    "unprivileged",
    "up",
    "wide",
]

STEPS, WIDTH = 50, 200
LAYERS, TASKS_IN_LAYER = 100, 100
FINISHED = 1_000
HISTORY = 10_000
SIZE = 1 << 30
SETTLE = 2.0
"""Seconds of rest before a server counts as idle."""
WATCHED = 20.0
"""Seconds for which an idle server's processor time is counted."""
NOBODY = "nobody"
KFP, SNAKEMAKE = "kfp.local 2.17.0", "snakemake 9.27.1"


def up(rounds: int) -> Sequence[Result]:
    """From `penstock up` in an empty home to the page, and to the end of the first run of three steps."""
    document = chain(3)
    served, finished, memory = [], [], []
    for _ in range(rounds):
        with Server() as server:
            assert b"<html" in server.get("/")
            served.append(time.perf_counter() - server.began)
            server.run(document)
            finished.append(time.perf_counter() - server.began)
            time.sleep(SETTLE)
            memory.append(server.memory())
    return [
        Result("`penstock up` → page served", "s", 1.0, served),
        Result("`penstock up` → first 3-step run finished", "s", 1.5, finished),
        Result("idle memory of all processes, after a run", "MB", 90, memory),
    ]


# --- chains and fans, beside others -------------------------------------------------------------------------------


def python_steps(rounds: int) -> Sequence[Result]:
    """A chain of Python function components, and the same by `kfp.local`, in turns."""
    with _one_by_one(chain(STEPS)) as run:
        pairs = [(run(), peers.kfp_local("chain", STEPS)) for _ in range(rounds)]
    ours, theirs = ([1000 * seconds / STEPS for seconds in each] for each in zip(*pairs, strict=True))
    times = [other / own for own, other in zip(ours, theirs, strict=True)]
    work = f"chain of {STEPS} Python function steps, isolated and durable"
    return [
        Result(f"{work}, a step", "ms", 6, ours, peers=[Peer(KFP, theirs)], steps=1),
        Result(f"{work}: times as fast as `kfp.local`", "×", 10, times, least=True),
    ]


def shell_steps(rounds: int) -> Sequence[Result]:
    """A chain of shell steps as root, and the same by snakemake, in turns."""
    with _one_by_one(shell_chain(STEPS)) as run:
        pairs = [(run(), peers.snakemake(STEPS)) for _ in range(rounds)]
    ours, theirs = ([1000 * seconds / STEPS for seconds in each] for each in zip(*pairs, strict=True))
    who = "as root" if os.geteuid() == 0 else "unprivileged"
    work = f"chain of {STEPS} shell steps, isolated and durable, {who}, a step"
    return [Result(work, "ms", 3 if os.geteuid() == 0 else 5, ours, peers=[Peer(SNAKEMAKE, theirs)], steps=1)]


def unprivileged(rounds: int) -> Sequence[Result]:
    """A chain of shell steps on a server without root's rights."""
    more: dict[str, Any] = {}
    if os.geteuid() == 0:  # whose own interpreter others may not be let in to
        more = {"user": NOBODY, "python": python_of("base", "/usr/bin/python3")}
    with _one_by_one(shell_chain(STEPS), **more) as run:
        values = [1000 * run() / STEPS for _ in range(rounds)]
    return [Result(f"chain of {STEPS} shell steps, isolated and durable, unprivileged, a step", "ms", 5, values)]


def wide(rounds: int) -> Sequence[Result]:
    """Many steps side by side and one that waits for them; the same by the others, in turns."""
    with _one_by_one(fan_out(WIDTH)) as run:
        taken = [(run(), peers.snakemake(1, WIDTH, join=True), peers.kfp_local("fan", WIDTH)) for _ in range(rounds)]
    ours, makes, kfps = map(list, zip(*taken, strict=True))
    others = [Peer(SNAKEMAKE, makes), Peer(KFP, kfps)]
    return [Result(f"fan-out of {WIDTH} and join, isolated", "s", 1.5, ours, peers=others, steps=WIDTH + 1)]


def graph(rounds: int) -> Sequence[Result]:
    """Layers of tasks, each waiting for two of the layer before, while a client asks for the run's status."""
    count = LAYERS * TASKS_IN_LAYER
    took, memory, answers = [], [], []
    for _ in range(rounds):
        with Server() as server, _asking(server) as asked:
            took.append(_seconds(server.run(tasks_in_layers(LAYERS, TASKS_IN_LAYER))))
            memory.append(server.peak())
        answers.append(1000 * max(asked))
    other = Peer(SNAKEMAKE, [peers.snakemake(LAYERS, TASKS_IN_LAYER)])
    return [
        Result(f"{count:,}-task DAG, isolated and durable", "s", 60, took, peers=[other], steps=count),
        Result(f"{count:,}-task DAG: most memory of the engine", "MB", 300, memory),
        Result(f"{count:,}-task DAG: longest answer to a question for its status", "ms", 500, answers),
    ]


def cached(rounds: int) -> Sequence[Result]:
    """A chain of Python function components, all of which were run before."""
    with _one_by_one(chain(STEPS), cache=True) as run:
        values = [1000 * run() / STEPS for _ in range(rounds)]
    return [Result(f"chain of {STEPS}, all cached, a step", "ms", 9, values)]


@contextmanager
def _one_by_one(document: str, *, cache: bool = False, **server: Any) -> Iterator[Callable[[], float]]:
    """What runs a document and tells the seconds that it took, on one server, after a run that does not count."""
    with Server(**server) as server:
        server.run(document, cache=cache)
        yield lambda: _seconds(server.run(document, cache=cache))


@contextmanager
def _asking(server: Server) -> Iterator[list[float]]:
    """While inside, a client asks for the list of runs ten times a second; the seconds that each answer took."""
    took, ended = [0.0], threading.Event()

    def ask() -> None:
        while not ended.wait(0.1):
            began = time.perf_counter()
            with server.stream("/apis/v2beta1/runs") as answer:
                json.loads(answer.read())
            took.append(time.perf_counter() - began)

    client = threading.Thread(target=ask)
    client.start()
    try:
        yield took
    finally:
        ended.set()
        client.join()


# --- one thing each -------------------------------------------------------------------------------------------------


def artifact(rounds: int) -> Sequence[Result]:
    """From the end of writing 1 GiB, synced, to the start of the step that reads it; and what it takes of the disk."""
    waits, copies = [], []
    for _ in range(rounds):
        with Server() as server:
            path = server.begin(hand_over(SIZE))
            server.end(path)
            at = {node["displayName"]: _told(node) for node in server.read(f"{path}/nodes")["nodes"]}
            waits.append(1000 * (at["use"] - at["make"]))
            copies.append(_on_disk(server.home) / SIZE)
    return [
        Result("1 GiB artifact: written and synced → its consumer has started", "ms", 20, waits),
        Result("1 GiB artifact: copies on the disk, of its size", "×", 1.05, copies),
    ]


def _told(node: dict[str, object]) -> float:
    outputs = node.get("outputs") or {}
    assert isinstance(outputs, dict)
    return next((float(p["value"]) for p in outputs.get("parameters", []) if p["name"] == "at"), 0.0)


def _on_disk(folder: Path) -> float:
    """Bytes that files of at least 1 MiB take, each counted once however many names it has."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(os.path.join(parent, name))
            except FileNotFoundError:
                continue  # what steps left is being removed
            if status.st_size >= 1 << 20:
                found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


def container(rounds: int) -> Sequence[Result]:
    """One step in a container, and `docker run --rm` of the same image and command, in turns."""
    with engine_with_image() as image, Server(environment={"PENSTOCK_LAUNCHER": "docker"}) as server:
        document = contained(image, "true")
        server.run(document)
        pairs = [(_of_step(server, document), _docker(image, "true")) for _ in range(3 * rounds)]
    ours, theirs = map(list, zip(*pairs, strict=True))
    ratio = [median(ours) / median(theirs)]
    return [
        Result("container step", "ms", 1.1 * median(theirs), ours, peers=[Peer("docker run --rm", theirs)]),
        Result("container step, of the time of `docker run --rm`", "×", 1.1, ratio, once=True),
    ]


def _of_step(server: Server, document: str) -> float:
    return 1000 * _seconds(server.run(document))


def _docker(image: str, *command: str) -> float:
    began = time.perf_counter()
    subprocess.run(["docker", "run", "--rm", "--init", image, *command], check=True, capture_output=True)
    return 1000 * (time.perf_counter() - began)


def first_line(rounds: int) -> Sequence[Result]:
    """From the moment at which a step prints its first line to that at which a client that follows its log has it."""
    values = []
    with Server() as server:
        for _ in range(rounds):
            path = server.begin(printing())
            node = _node(server, path, "print")
            with server.stream(f"{path}/nodes/{node}/log?follow=true") as answer:
                line = answer.readline()
                heard = time.time()
            values.append(1000 * (heard - float(line.split()[-1])))
            server.end(path)
    return [Result("first output line of a step → at a client that follows it", "ms", 50, values)]


def _node(server: Server, path: str, name: str) -> str:
    """The id of a step as soon as it is there."""
    while True:
        for node in server.read(f"{path}/nodes")["nodes"]:
            if node["displayName"] == name:
                return str(node["id"])
        time.sleep(0.01)


def resume(rounds: int) -> Sequence[Result]:
    """The server is killed when many steps have finished; from its next start to that of the next step."""
    values = []
    for _ in range(rounds):
        with Server() as server, tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            # Steps see /var/tmp, and have a /tmp of their own.
            hold = Path(folder) / "go"
            os.chmod(folder, 0o755)
            hold.touch()
            path = server.begin(then_held(FINISHED, str(hold)))
            _until(lambda server=server, path=path: "held" in _phases(server, path, "Running"))
            server.kill()
            hold.write_text("go")
            began = time.time()
            server.start()
            server.end(path)
            last = next(n for n in server.read(f"{path}/nodes")["nodes"] if n["displayName"] == "last")
            values.append(last["startedAt"] - began)
    return [Result(f"killed at {FINISHED:,} finished steps: start of the server → next step", "s", 1.0, values)]


def _phases(server: Server, path: str, phase: str) -> list[str]:
    return [node["displayName"] for node in server.read(f"{path}/nodes")["nodes"] if node.get("phase") == phase]


def _until(true: Callable[[], object]) -> None:
    while not true():
        time.sleep(0.2)


def idle(rounds: int) -> Sequence[Result]:
    """A server whose home holds the rows of many finished runs, while nobody asks it anything."""
    memory, busy = [], []
    with Server() as server:
        server.run(shell_chain(3))
        server.stop()
        _repeat_history(server.home)
        for _ in range(rounds):
            server.start()
            assert server.read("/apis/v2beta1/runs?page_size=10")["total_size"] == HISTORY
            time.sleep(SETTLE)
            before = server.busy()
            time.sleep(WATCHED)
            busy.append(100 * (server.busy() - before) / WATCHED)
            memory.append(server.memory())
            server.stop()
    return [
        Result(f"idle with {HISTORY:,} finished runs in the home", "MB", 90, memory),
        Result(f"idle with {HISTORY:,} finished runs: of one processor", "%", 0.2, busy),
    ]


def _repeat_history(home: Path) -> None:
    """Store the one run of a home again and again under other ids, all that belongs to it too."""
    import msgspec

    from penstock.adapters.sql import open_records
    from penstock.ports import Page, Writer

    records = open_records(home / "penstock.db")
    run = records.read(lambda store: store.runs(Page(size=1)).items[0])
    document = records.read(lambda store: store.run_document(run.id)) or ""
    nodes = records.read(lambda store: store.nodes(run.id))
    events = records.read(lambda store: store.events(run.id, 0))

    def again(number: int) -> Callable[[Writer], None]:
        id = f"{run.id[:-6]}{number:06}"

        def change(store: Writer) -> None:
            store.add_run(msgspec.structs.replace(run, id=id, workflow_name=f"{run.workflow_name}-{number}"), document)
            store.put_nodes([msgspec.structs.replace(row, run_id=id) for row in nodes])
            store.add_events([msgspec.structs.replace(event, run_id=id) for event in events])

        return change

    for future in [records.write(again(number)) for number in range(1, HISTORY)]:
        future.result()
    records.close()


def _seconds(run: dict[str, str]) -> float:
    return _time(run["finished_at"]) - _time(run["started_at"])


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
