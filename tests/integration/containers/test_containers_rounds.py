"""Kill the server, steps' containers, or both at random moments: nothing acknowledged is lost, no success repeated.

The ledger is the engine's own: it tells each start and end of a container. `PENSTOCK_CONTAINER_ROUNDS` sets the number
of rounds, `PENSTOCK_KILL_SEED` replays a run of this test.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers import SHELL, docker
from penstock.bootstrap import Home, open_home
from penstock.settings import Settings

ROUNDS = int(os.environ.get("PENSTOCK_CONTAINER_ROUNDS", "50"))
SEED = int(os.environ.get("PENSTOCK_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
PATIENCE = 180.0
SERVER = Path(__file__).parent.parent / "crash" / "engine.py"

DOCUMENT = f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: crash-}}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {{name: a, template: step}}
      - name: b
        template: step
        dependencies: [a]
  - name: step
    retryStrategy: {{limit: "100", retryPolicy: Always}}
    outputs: {{parameters: [{{name: out, valueFrom: {{path: /tmp/out}}}}]}}
    container: {{image: {SHELL}, command: [sh, -c, "sleep 0.1; printf made > /tmp/out"]}}
"""
"""A container that is killed has failed, and is tried again; one that is removed is started again."""


class Server:
    """A server of the home that is killed again and again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self.process is None or self.process.poll() is not None:
            with self.home.with_name("server.log").open("ab") as log:
                self.process = subprocess.Popen([sys.executable, SERVER, self.home], stdout=log, stderr=log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def home(tmp_path: Path, container_engine: str) -> Iterator[Home]:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "penstock.toml").write_text('launcher = "docker"\n')
    home = open_home(Settings(home=folder, launcher="docker"))
    while home.launcher.refuse(SHELL, ["sh"], {}):  # on a busy machine the engine may take long to answer
        time.sleep(0.1)
    yield home
    home.close()


@pytest.fixture
def server(home: Home) -> Iterator[Server]:
    server = Server(home.settings.home)
    yield server
    server.kill()


@pytest.fixture
def events(home: Home, tmp_path: Path) -> Iterator[Path]:
    """What the engine tells of this home's containers, a line of JSON each."""
    path = tmp_path / "events"
    told = ["--filter", f"label=penstock.home={home.settings.home}", "--filter", "type=container"]
    with path.open("wb") as file:
        listening = subprocess.Popen(["docker", "events", *told, "--format", "{{json .}}"], stdout=file)
    yield path
    listening.kill()
    listening.wait()


def own(home: Home, *flags: str) -> list[str]:
    """Ids of this home's containers."""
    return docker("ps", *flags, "--quiet", "--filter", f"label=penstock.home={home.settings.home}").split()


def hurt(home: Home, how: str) -> list[str]:
    """Ids of the containers that were hurt, or had just ended."""
    ids = own(home)
    if ids:
        subprocess.run(["docker", *how.split(), *ids], capture_output=True, check=False)
    return ids


@pytest.mark.slow
def test_nothing_is_lost_and_no_success_repeated(home: Home, server: Server, events: Path) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    foreign = docker("run", "--detach", SHELL, "sleep", "1000000").strip()
    runs, removed = dict[str, str](), list[str]()
    for _ in range(ROUNDS):
        server.start()
        run = home.services.runs.create(DOCUMENT)
        runs[run.id] = run.workflow_name
        time.sleep(dice.uniform(0.0, 1.5))
        how = dice.choice(["", "kill", "kill --signal TERM", "rm --force"])
        if how:
            ids = hurt(home, how)
            removed += ids if how.startswith("rm") else []

        if not how or dice.random() < 0.3:
            server.kill()
    server.start()
    settle(home, runs)
    check(home, runs, events, removed)
    assert server.process is not None
    while home.holder() != str(server.process.pid):  # a process that has only begun dies of the signal
        assert server.process.poll() is None
        time.sleep(0.05)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    assert own(home, "--all") == []
    assert docker("inspect", "--format", "{{.State.Running}}", foreign).strip() == "true"
    docker("rm", "--force", foreign)


def settle(home: Home, runs: dict[str, str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while open_runs := [id for id in runs if not home.services.runs.get(id).state.terminal]:
        assert time.monotonic() < deadline, [home.services.runs.nodes(id) for id in open_runs]
        time.sleep(0.1)


def check(home: Home, runs: dict[str, str], events: Path, removed: list[str]) -> None:
    """Each success is that of one container, which ended with 0; after it the step was not started again.

    Before it one may have ended well only where it was removed by hand before anybody had looked.
    """
    told: dict[str, list[tuple[float, str, str]]] = defaultdict(list)
    for line in events.read_text().splitlines():
        event = json.loads(line)
        labels = event["Actor"]["Attributes"]
        if event["Action"] == "start" or (event["Action"] == "die" and not _unseen(event, removed)):
            told[labels["penstock.node"]].append((event["timeNano"] / 1e9, event["Action"], labels.get("exitCode", "")))
    for id, workflow in runs.items():
        run = home.services.runs.get(id)
        nodes = home.services.runs.nodes(id)[0]
        # A container that was removed three times over is in Error, and tried again as one that failed is.
        assert run.state == "SUCCEEDED", (workflow, run.message, [(node.name, node.message) for node in nodes])
        for node in nodes:
            if node.type == "Pod" and node.phase == "Succeeded":
                ends = [(at, code) for at, what, code in told[node.id] if what == "die"]
                starts = [at for at, what, _ in told[node.id] if what == "start"]
                assert [code for _, code in ends].count("0") == 1, (workflow, node, told[node.id])
                assert ends[-1][1] == "0", (workflow, node, told[node.id])
                assert starts[-1] <= ends[-1][0]


def _unseen(event: dict[str, Any], removed: list[str]) -> bool:
    """Whether it is the end of a container that was removed by hand."""
    return any(event["Actor"]["ID"].startswith(id) for id in removed)
