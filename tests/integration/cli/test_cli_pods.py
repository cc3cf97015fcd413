"""Documents whose steps are more than one process: daemons and container sets, run for real as processes."""

from __future__ import annotations

import json
from typing import Any

from commandline import Rig

DAEMON = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: daemon-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - [{name: server, template: server}]
    - - name: client
        template: client
        arguments: {parameters: [{name: ip, value: "{{steps.server.ip}}"}]}
        withSequence: {count: "2"}
  - name: server
    daemon: true
    script:
      image: shell
      command: [python3]
      source: |
        import socket
        server = socket.create_server(("", 8765))
        while True:
            server.accept()[0].sendall(b"hello")
  - name: client
    inputs: {parameters: [{name: ip}]}
    script:
      image: shell
      command: [python3]
      source: |
        import socket, time
        while True:
            try:
                said = socket.create_connection(("{{inputs.parameters.ip}}", 8765)).recv(100)
                break
            except ConnectionRefusedError:
                time.sleep(0.01)
        open("/tmp/said", "wb").write(said)
    outputs: {parameters: [{name: said, valueFrom: {path: /tmp/said}}]}
"""
SET = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: set-}
spec:
  entrypoint: main
  templates:
  - name: main
    volumes: [{name: shared, emptyDir: {}}]
    containerSet:
      volumeMounts: [{name: shared, mountPath: /shared}]
      containers:
      - {name: first, image: shell, command: [sh, -c, "echo said first; echo first > /shared/out; exit CODE"]}
      - {name: main, image: shell, command: [sh, -c, "echo main >> /shared/out"], dependencies: [first]}
    outputs: {parameters: [{name: out, valueFrom: {path: /shared/out}}]}
"""


def nodes(rig: Rig, document: str, code: int) -> dict[str, dict[str, Any]]:
    """Run a document; its nodes by their display names, the root's as ""."""
    rig.file("pods.yaml", document)
    answer = rig.call("run", "pods.yaml", "--images", "images.toml", "--output", "json")
    assert answer.returncode == code, answer.stderr
    found = json.loads(answer.stdout)
    root = found["metadata"]["name"]
    return {"" if each["id"] == root else each["displayName"]: each for each in found["status"]["nodes"].values()}


def test_steps_reach_a_daemon_by_its_address(rig: Rig) -> None:
    found = nodes(rig, DAEMON, 0)
    said = [found[f"client({i}:{i})"]["outputs"]["parameters"][0]["value"] for i in range(2)]
    assert said == ["hello", "hello"]
    assert (found["server"]["phase"], found["server"]["podIP"]) == ("Succeeded", "127.0.0.1")
    assert "daemoned" not in found["server"]
    networks = rig.home / "networks"
    assert not networks.exists() or list(networks.iterdir()) == []


READY = DAEMON.replace(
    "    script:\n      image: shell\n      command: [python3]\n      source: |\n        import socket\n",
    """\
    script:
      image: shell
      command: [python3]
      ports: [{name: api, containerPort: 8765}]
      readinessProbe: {httpGet: {path: /ready, port: api, httpHeaders: [{name: X-Who, value: probe}]}, periodSeconds: 1}
      source: |
        import socket, time
        time.sleep(0.3)
""",
    1,
).replace(
    'server.accept()[0].sendall(b"hello")',
    """\
connection = server.accept()[0]
            asked = connection.recv(1000)
            ready = b"GET /ready HTTP/1.1\\r\\n" in asked and b"x-who: probe\\r\\n" in asked
            connection.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n" if ready else b"hello to " + asked)""",
)
READY = (
    READY[: READY.index("        import socket, time\n        while True:")]
    + """\
        import socket
        connection = socket.create_connection(("{{inputs.parameters.ip}}", 8765))
        connection.sendall(b"you")
        open("/tmp/said", "wb").write(connection.recv(100))
    outputs: {parameters: [{name: said, valueFrom: {path: /tmp/said}}]}
"""
)


def test_steps_after_a_daemon_wait_until_it_is_ready(rig: Rig) -> None:
    found = nodes(rig, READY, 0)
    said = [found[f"client({i}:{i})"]["outputs"]["parameters"][0]["value"] for i in range(2)]
    assert said == ["hello to you", "hello to you"]


def test_containers_of_a_set_have_nodes_of_their_own(rig: Rig) -> None:
    found = nodes(rig, SET.replace("CODE", "0"), 0)
    assert {name: (each["type"], each["phase"]) for name, each in found.items()} == {
        "": ("Pod", "Succeeded"),
        "first": ("Container", "Succeeded"),
        "main": ("Container", "Succeeded"),
    }
    assert found[""]["outputs"]["parameters"][0]["value"] == "first\nmain"
    (log,) = found[""]["outputs"]["artifacts"]
    assert log["name"] == "first-logs"
    assert (rig.home / "objects" / log["s3"]["key"]).read_text().endswith(" stdout F said first\n")
    assert found[""]["outputs"]["exitCode"] == "0"


def test_a_container_that_fails_fails_the_set(rig: Rig) -> None:
    found = nodes(rig, SET.replace("CODE", "3"), 1)
    assert {name: (each["phase"], each["message"]) for name, each in found.items()} == {
        "": ("Failed", "first: Error (exit code 3)"),
        "first": ("Failed", "first: Error (exit code 3): "),
        "main": ("Error", 'main: Error (exit code 64): dependency "first" exited with non-zero code: 3'),
    }
