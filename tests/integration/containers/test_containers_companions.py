"""Init containers and sidecars, on a real engine."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commandline import Rig
from containers import SHELL, docker
from penstock.adapters.local.docker.containers import container_name
from penstock.adapters.local.docker.launcher import DockerLauncher
from penstock.ports import Step, StepId
from penstock.workflow.pods import Companion
from penstock.workflow.quantities import Needs

ID = StepId(run_id="run-1", node_id="node-1")

DOCUMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: pods-}
spec:
  entrypoint: main
  volumes: [{name: work, emptyDir: {}}]
  templates:
  - name: main
    initContainers: %s
    sidecars: %s
    container:
      image: IMAGE
      command: [sh, -c, "%s"]
      volumeMounts: [{name: work, mountPath: /work}]
    outputs: {parameters: [{name: out, valueFrom: {path: /work/out}}]}
"""


def beside(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": SHELL, "command": ["sh", "-c", script], **more}


@pytest.fixture
def home(tmp_path: Path, container_engine: str) -> Iterator[Path]:
    """A home of which nothing is left in the engine."""
    yield tmp_path / "home"
    assert docker("ps", "--all", "--quiet", "--filter", f"label=penstock.home={tmp_path / 'home'}") == ""
    assert docker("volume", "ls", "--quiet") == ""


def go_on(container: str) -> None:
    """Let a container go on that reads from /tmp/go."""
    docker("exec", container, "sh", "-c", "until [ -p /tmp/go ]; do true; done; echo > /tmp/go")


def finished(container: str) -> None:
    """Until a container has run and ended."""
    deadline = time.monotonic() + 60
    while docker("container", "inspect", "--format", "{{.State.Status}}", container) != "exited\n":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(rig: Rig, init: list[Any], sidecars: list[Any], main: str, spec: str = "") -> dict[str, Any]:
    """Run a step with containers beside it; its node."""
    text = (DOCUMENT % (json.dumps(init), json.dumps(sidecars), main)).replace("IMAGE", SHELL)
    rig.file("pod.yaml", text.replace("  entrypoint: main\n", f"  entrypoint: main\n  {spec}\n"))
    answer = rig.call("run", "pod.yaml", "--images", "images.toml", "--name", "pod", "--output", "json")
    assert answer.returncode in (0, 1), answer.stderr
    (node,) = json.loads(answer.stdout)["status"]["nodes"].values()
    return dict(node)


def test_init_containers_run_before_it_and_leave_it_files(rig: Rig, home: Path) -> None:
    first = beside("first", "echo first > /work/out", mirrorVolumeMounts=True)
    second = beside("second", "echo second >> /mine/out", volumeMounts=[{"name": "work", "mountPath": "/mine"}])
    node = ended(rig, [first, second], [], "echo main >> /work/out")
    assert (node["phase"], node["outputs"]["parameters"][0]["value"]) == ("Succeeded", "first\nsecond\nmain")


def test_an_init_container_that_fails_is_the_end(rig: Rig, home: Path) -> None:
    node = ended(rig, [beside("first", "exit 3"), beside("second", "true")], [], "echo never")
    assert (node["phase"], node["message"]) == ("Failed", "first: Error (exit code 3)")
    assert "exitCode" not in node.get("outputs", {})


def test_a_sidecar_is_in_the_network_of_its_step_and_ends_with_it(rig: Rig, home: Path) -> None:
    server = beside("server", "while true; do echo hello | nc -l -p 8000; done")
    node = ended(rig, [], [server], "until nc 127.0.0.1 8000 > /work/out && [ -s /work/out ]; do sleep 0.1; done")
    assert (node["phase"], node["outputs"]["parameters"][0]["value"]) == ("Succeeded", "hello")


@pytest.mark.parametrize("code", [0, 5])
def test_a_sidecar_that_fails_fails_the_step_where_that_did_not(home: Path, code: int) -> None:
    server = Companion(name="server", image=SHELL, command=("sh", "-c", "exit 4"))
    script = f"mkfifo /tmp/go; read -r _ < /tmp/go; exit {code}"
    step = Step(id=ID, name="a step", image=SHELL, command=("sh", "-c", script), sidecars=(server,))

    async def play() -> None:
        launcher = DockerLauncher(home)
        await launcher.launch(step)
        waiting = asyncio.ensure_future(launcher.wait(ID))
        await asyncio.to_thread(finished, container_name(home, ID) + "-sidecar-0")
        await asyncio.to_thread(go_on, container_name(home, ID))
        exit = await waiting
        assert (exit.code, exit.failed) == (code, "server: Error (exit code 4)")
        await launcher.remove(ID)
        await launcher.close()

    asyncio.run(play())


def test_the_next_launcher_goes_on_after_an_init_container(home: Path) -> None:
    waits = Companion(name="waits", image=SHELL, command=("sh", "-c", "mkfifo /tmp/go; read -r _ < /tmp/go"))
    step = Step(id=ID, name="a step", image=SHELL, command=("sh", "-c", "exit 7"), init=(waits,))

    async def play() -> None:
        former = DockerLauncher(home)
        await former.launch(step)
        await former.close()
        later = DockerLauncher(home)
        await later.launch(step)
        waiting = asyncio.ensure_future(later.wait(ID))
        await asyncio.to_thread(go_on, container_name(home, ID) + "-init-0")
        assert (await waiting).code == 7
        await later.remove(ID)
        await later.close()

    asyncio.run(play())


def test_a_stop_ends_a_step_that_is_not_there_yet(home: Path) -> None:
    waits = Companion(name="waits", image=SHELL, command=("sleep", "1000000"))
    step = Step(id=ID, name="a step", image=SHELL, command=("true",), init=(waits,))

    async def play() -> None:
        launcher = DockerLauncher(home)
        await launcher.launch(step)
        await launcher.stop(ID, 60)
        exit = await launcher.wait(ID)
        assert (exit.code, exit.failed) == (None, "waits: Error (exit code 143)")
        await launcher.remove(ID)
        await launcher.close()

    asyncio.run(play())


def test_all_containers_of_a_step_are_of_one_kind(rig: Rig, home: Path) -> None:
    """One image that nothing maps makes containers of all; mapped ones are processes beside each other."""
    init = [beside("first", "echo first > /work/out", mirrorVolumeMounts=True)]
    document = (DOCUMENT % (json.dumps(init), "[]", "echo main >> /work/out")).replace("IMAGE", SHELL)
    rig.file("pod.yaml", document)
    rig.file("mapped.toml", f'[images]\n"{SHELL}" = "host"\n')
    answer = rig.call("run", "pod.yaml", "--images", "images.toml", "--output", "json")
    assert answer.returncode == 0, answer.stderr
    mapped = rig.call("run", "pod.yaml", "--images", "mapped.toml", "--output", "json")
    assert mapped.returncode == 0, mapped.stderr
    assert "in containers" in answer.stderr
    assert "in containers" not in mapped.stderr
    for each in (answer, mapped):
        (node,) = json.loads(each.stdout)["status"]["nodes"].values()
        assert node["outputs"]["parameters"][0]["value"] == "first\nmain"


DAEMON = f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: daemon-}}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {{name: server, template: server}}
      - name: client
        template: client
        depends: server
        arguments: {{parameters: [{{name: ip, value: "{{{{tasks.server.ip}}}}"}}]}}
  - name: server
    daemon: true
    container: {{image: "{SHELL}", command: [sh, -c, "while true; do echo hello | nc -l -p 8000; done"]}}
  - name: client
    inputs: {{parameters: [{{name: ip}}]}}
    container:
      image: "{SHELL}"
      command: [sh, -c, "until nc {{{{inputs.parameters.ip}}}} 8000 > /tmp/out && [ -s /tmp/out ]; do sleep 0.1; done"]
    outputs: {{parameters: [{{name: out, valueFrom: {{path: /tmp/out}}}}]}}
"""


def test_a_daemon_is_reached_by_its_address_and_ends_with_its_dag(rig: Rig, home: Path) -> None:
    rig.file("daemon.yaml", DAEMON)
    answer = rig.call("run", "daemon.yaml", "--launcher", "docker", "--output", "json")
    assert answer.returncode == 0, answer.stderr
    nodes = {node["displayName"]: node for node in json.loads(answer.stdout)["status"]["nodes"].values()}
    assert nodes["client"]["outputs"]["parameters"][0]["value"] == "hello"
    assert nodes["server"]["phase"] == "Succeeded"
    assert nodes["server"]["podIP"] == nodes["client"]["inputs"]["parameters"][0]["value"]
    assert "penstock" not in docker("network", "ls", "--format", "{{.Name}}")


def test_steps_after_a_daemon_wait_until_it_listens(rig: Rig, home: Path) -> None:
    serve = "sleep 1; while true; do echo hello | nc -l -p 8000; done"
    document = (
        DAEMON.replace(
            'command: [sh, -c, "while true; do echo hello | nc -l -p 8000; done"]}',
            f'command: [sh, -c, "{serve}"], readinessProbe: {{tcpSocket: {{port: 8000}}, periodSeconds: 1}}}}',
        )
        .replace("until nc", "sleep 0.3; nc")
        .replace("; do sleep 0.1; done", "")
    )
    rig.file("ready.yaml", document)
    answer = rig.call("run", "ready.yaml", "--launcher", "docker", "--output", "json")
    assert answer.returncode == 0, answer.stderr


SET = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: set-}
spec:
  entrypoint: main
  templates:
  - name: main
    volumes: [{name: work, emptyDir: {}}]
    containerSet:
      volumeMounts: [{name: work, mountPath: /work}]
      retryStrategy: {retries: 2}
      containers:
      - name: a
        image: IMAGE
        command: [sh, -c, "echo a >> /work/out; [ -e /tmp/tried ] || { touch /tmp/tried; exit 1; }"]
      - {name: main, image: IMAGE, command: [sh, -c, "echo main >> /work/out; echo said"], dependencies: [a]}
    outputs: {parameters: [{name: out, valueFrom: {path: /work/out}}]}
"""


def test_containers_of_a_set_are_tried_again_and_share_volumes(rig: Rig, home: Path) -> None:
    rig.file("set.yaml", SET.replace("IMAGE", SHELL))
    answer = rig.call("run", "set.yaml", "--launcher", "docker", "--name", "set", "--output", "json")
    assert answer.returncode == 0, answer.stderr
    nodes = list(json.loads(answer.stdout)["status"]["nodes"].values())
    assert [node["phase"] for node in nodes] == ["Succeeded"] * 3
    (pod,) = (node for node in nodes if node["type"] == "Pod")
    assert pod["outputs"]["parameters"][0]["value"] == "a\na\nmain"
    assert [each["name"] for each in pod["outputs"]["artifacts"]] == ["a-logs"]
    assert rig.call("logs", "set").stdout.endswith("] said\n")


def test_the_log_of_a_set_without_main_is_that_of_all(rig: Rig, home: Path) -> None:
    document = SET.replace("IMAGE", SHELL).replace("name: main, image", "name: b, image")
    document = document[: document.index("    outputs:")].replace("[ -e /tmp/", "echo tries; [ -e /tmp/")
    rig.file("set.yaml", document)
    answer = rig.call("run", "set.yaml", "--launcher", "docker", "--name", "set", "--output", "json")
    assert answer.returncode == 0, answer.stderr
    lines = rig.call("logs", "set").stdout.splitlines()
    assert [line.partition("] ")[2] for line in lines] == ["tries", "tries", "said"]
    (pod,) = (node for node in json.loads(answer.stdout)["status"]["nodes"].values() if node["type"] == "Pod")
    logs = {each["name"]: rig.home / "objects" / each["s3"]["key"] for each in pod["outputs"]["artifacts"]}
    said = {name: [line.split(" ", 3)[3] for line in log.read_text().splitlines()] for name, log in logs.items()}
    assert said == {"a-logs": ["tries", "tries"], "b-logs": ["said"]}


def test_names_of_machines_are_added_for_all_containers_of_a_step(rig: Rig, home: Path) -> None:
    work = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    first = beside("first", "cat /etc/hosts > /work/out", **work)
    later = beside("later", "cat /etc/hosts > /work/part; echo > /work/done; sleep 1000", **work)
    main = "until [ -f /work/done ]; do sleep 0.1; done; cat /work/part /etc/hosts >> /work/out"
    aliases = [{"ip": "192.0.2.7", "hostnames": ["store.example", "cache.example"]}]
    node = ended(rig, [first], [later], main, f"hostAliases: {json.dumps(aliases)}")
    told = [line.split() for line in node["outputs"]["parameters"][0]["value"].split("\n")]
    for name in ("store", "cache"):
        assert sum("192.0.2.7" in words and f"{name}.example" in words for words in told) == 3


def test_limits_hold_in_containers(home: Path) -> None:
    limits = Needs(0.5, float(64 << 20))
    server = Companion(name="server", image=SHELL, command=("sleep", "1000000"), limits=Needs(0.25))
    step = Step(id=ID, name="a step", image=SHELL, command=("sleep", "1000000"), limits=limits, sidecars=(server,))

    async def play() -> None:
        launcher = DockerLauncher(home)
        await launcher.launch(step)
        main = container_name(home, ID)
        asked = ("container", "inspect", "--format", "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}")
        assert docker(*asked, main) == f"{5 * 10**8} {64 << 20}\n"
        assert docker(*asked, f"{main}-sidecar-0") == f"{25 * 10**7} 0\n"
        await launcher.remove(ID)
        await launcher.close()

    asyncio.run(play())
