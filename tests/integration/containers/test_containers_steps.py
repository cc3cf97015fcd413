"""Steps in containers of a real engine: their logs, their images, and processes beside them in one home."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archives import read_by_its_key
from commandline import Rig
from containers import SHELL, docker, registry
from penstock.adapters.local.docker.containers import container_name, create, plan
from penstock.adapters.local.docker.launcher import DockerLauncher
from penstock.errors import InvalidInput
from penstock.ports import Step, StepId, StepState

ID = StepId(run_id="run-1", node_id="node-1")


def shell(script: str, id: StepId = ID, image: str = SHELL, **more: Any) -> Step:
    return Step(id=id, name="train", image=image, command=("sh", "-c", script), **more)


def said(log: Path, stream: bytes) -> bytes:
    """What a step printed, put together again from its log."""
    text = []
    for line in log.read_bytes().split(b"\n")[:-1]:
        _, name, tag, words = line.split(b" ", 3)
        if name == stream:
            text.append(words + b"\n" if tag == b"F" else words)
    return b"".join(text)


def counted(last: int) -> bytes:
    """What `seq` prints."""
    return b"".join(b"%d\n" % i for i in range(1, last + 1))


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(120):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
def home(tmp_path: Path, container_engine: str) -> Iterator[Path]:
    """A home of which no container is left at the end."""
    yield tmp_path / "home"
    assert docker("ps", "--all", "--quiet", "--filter", f"label=penstock.home={tmp_path / 'home'}") == ""


def played(home: Path, play: Callable[[DockerLauncher], Awaitable[None]], notes: list[str] | None = None) -> None:
    """Do something with a launcher; what it left is removed."""

    async def whole() -> None:
        launcher = DockerLauncher(home, pauses=(0, 0), on_note=None if notes is None else notes.append)
        try:
            await play(launcher)
        finally:
            for id in launcher.known():
                await launcher.remove(id)
            await launcher.close()

    asyncio.run(whole())


# --- logs -------------------------------------------------------------------------------------------------------


def test_a_log_is_whole_to_the_last_byte(home: Path) -> None:
    async def play(launcher: DockerLauncher) -> None:
        await launcher.launch(shell("seq 30000; echo 'error: no' >&2; printf 'the end'"))
        await launcher.wait(ID)
        # A last line counts as whole, or as a part where a reader followed it before it ended.
        assert said(launcher.log(ID), b"stdout").removesuffix(b"\n") == counted(30_000) + b"the end"
        assert said(launcher.log(ID), b"stderr") == b"error: no\n"

    played(home, play)


@pytest.mark.parametrize("code", [0, 1, 125, 127])
@pytest.mark.parametrize("words", ["WARNING: old", "docker: Error response from daemon: no", "error: this", "plain"])
def test_what_a_step_says_is_not_taken_for_words_of_the_engine(home: Path, words: str, code: int) -> None:
    async def play(launcher: DockerLauncher) -> None:
        await launcher.launch(shell(f"echo '{words}' >&2; echo out; echo more >&2; exit {code}"))
        exit = await launcher.wait(ID)
        assert (exit.code, exit.error) == (code, "")
        assert said(launcher.log(ID), b"stderr") == f"{words}\nmore\n".encode()
        assert said(launcher.log(ID), b"stdout") == b"out\n"

    played(home, play)


def test_a_step_that_says_nothing_has_begun_and_is_taken_over(home: Path) -> None:
    async def play(launcher: DockerLauncher) -> None:
        step = shell("mkfifo /tmp/go; read -r word < /tmp/go; echo $word")
        await launcher.launch(step)
        assert launcher.state(ID) is StepState.RUNNING
        await launcher.close()
        later = DockerLauncher(home)
        await later.launch(step)
        await asyncio.to_thread(docker, "exec", container_name(home, ID), "sh", "-c", "echo on > /tmp/go")
        assert (await later.wait(ID)).code == 0
        assert said(later.log(ID), b"stdout") == b"on\n"
        await later.close()

    played(home, play)


def test_a_log_is_whole_that_was_torn_and_taken_over(home: Path) -> None:
    async def play(launcher: DockerLauncher) -> None:
        step = shell("mkfifo /tmp/go; seq 5000; read -r _ < /tmp/go; seq 5000; echo Error >&2")
        log = launcher.log(ID)
        await launcher.launch(step)
        await until(lambda: log.exists() and b" 5000\n" in log.read_bytes())
        await launcher.close()
        with log.open("r+b") as file:
            file.truncate(log.stat().st_size - 3)
        later = DockerLauncher(home)
        await later.launch(step)
        await asyncio.to_thread(docker, "exec", container_name(home, ID), "sh", "-c", "echo > /tmp/go")
        assert (await later.wait(ID)).code == 0
        await later.close()
        assert said(log, b"stdout") == counted(5000) * 2
        assert said(log, b"stderr") == b"Error\n"

    played(home, play)


def test_a_terminal_where_a_step_asks_for_one(home: Path) -> None:
    async def play(launcher: DockerLauncher) -> None:
        await launcher.launch(shell("if [ -t 0 ]; then echo one; echo two >&2; fi", tty=True))
        assert (await launcher.wait(ID)).code == 0
        assert said(launcher.log(ID), b"stdout") == b"one\r\ntwo\r\n"

    played(home, play)


# --- variables --------------------------------------------------------------------------------------------------


VARIABLES = {
    "TOKEN": "secret-value",
    "KEY": "-----BEGIN\nof several lines\n-----END\n",
    "EMPTY": "",
    "PATH": "/nowhere:/bin",
    "HOME": "/its/home",
    "DOCKER_HOST": "unix:///elsewhere",
    "https_proxy": "http://proxy:3128",
    "LONG": "x" * 100_000,
}


def test_variables_reach_the_step_as_they_are(home: Path) -> None:
    async def play(launcher: DockerLauncher) -> None:
        names = " ".join(VARIABLES)
        script = f'for name in {names}; do eval "printf \'%s|\' \\"\\$$name\\""; done'
        await launcher.launch(shell(script, env=tuple(VARIABLES.items())))
        assert (await launcher.wait(ID)).code == 0
        assert said(launcher.log(ID), b"stdout").decode().rstrip("\n") == "|".join(VARIABLES.values()) + "|"

    played(home, play)


def test_no_value_of_a_variable_stands_in_a_command_line(tmp_path: Path) -> None:
    step = shell("true", env=tuple(VARIABLES.items()))
    ((_, _, words),) = create(tmp_path, plan(tmp_path, step), step)
    assert not any("secret-value" in word or "BEGIN" in word for word in words)
    assert [word for word in words if word.startswith("--env=DOCKER")] == ["--env=DOCKER_HOST=unix:///elsewhere"]


# --- images -----------------------------------------------------------------------------------------------------


def test_an_image_is_pulled_once_with_progress(home: Path, container_engine: str, tmp_path: Path) -> None:
    notes: list[str] = []

    async def play(launcher: DockerLauncher) -> None:
        steps = [shell("cat /added", StepId(run_id="run-1", node_id=f"n-{i}"), image) for i in range(3)]
        await asyncio.gather(*(launcher.launch(step) for step in steps))
        assert [(await launcher.wait(step.id)).code for step in steps] == [0, 0, 0]
        assert said(launcher.log(steps[2].id), b"stdout") == b"layer\n"

    with registry(container_engine, tmp_path) as address:
        image = f"{address}/team/trainer:1"
        maker = docker("create", SHELL, "true").strip()
        (tmp_path / "added").write_text("layer\n")
        docker("cp", str(tmp_path / "added"), f"{maker}:/added")
        docker("commit", maker, image)
        docker("rm", maker)
        docker("push", image)
        docker("rmi", image)
        played(home, play, notes)
    assert [note for note in notes if "layers" not in note] == [
        f"image '{image}': pulling",
        next(note for note in notes if "pulled in" in note),
    ]
    assert f"image '{image}': 2 of 2 layers" in notes


def test_an_image_that_cannot_be_pulled_fails_with_the_reason(
    home: Path, container_engine: str, tmp_path: Path
) -> None:
    notes: list[str] = []

    async def play(launcher: DockerLauncher) -> None:
        with pytest.raises(InvalidInput) as caught:
            await launcher.launch(shell("true", image=f"{address}/team/absent:1"))
        assert str(caught.value).startswith(f"step 'train': cannot pull '{address}/team/absent:1' (manifest ")
        assert "unknown" in str(caught.value)
        assert "; failed after 3 tries, " in str(caught.value)
        assert launcher.state(ID) is StepState.ABSENT

    with registry(container_engine, tmp_path) as address:
        played(home, play, notes)
    assert sum("trying again in 0 s" in note for note in notes) == 2


def test_a_stop_ends_the_waiting_for_an_image(home: Path) -> None:
    async def play(launcher: DockerLauncher) -> None:
        slow = DockerLauncher(home, pauses=(3600,), on_note=notes.append)
        launching = asyncio.ensure_future(slow.launch(shell("true", image="registry.invalid/strange:1")))
        await until(lambda: any("trying again" in note for note in notes))
        await slow.stop(ID, 30)
        with pytest.raises(InvalidInput, match=r"ended while its image .* was pulled"):
            await launching
        await slow.close()
        assert list(launcher.known()) == []

    notes: list[str] = []
    played(home, play)


# --- both hosts -------------------------------------------------------------------------------------------------

BOTH = f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: both-}}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {{name: mapped, template: mapped}}
      - name: contained
        template: contained
        dependencies: [mapped]
        arguments: {{artifacts: [{{name: in, from: "{{{{tasks.mapped.outputs.artifacts.out}}}}"}}]}}
  - name: mapped
    container: {{image: shell, command: [sh, -c, "echo made here > /tmp/out"]}}
    outputs: {{artifacts: [{{name: out, path: /tmp/out}}]}}
  - name: contained
    inputs: {{artifacts: [{{name: in, path: /data/in}}]}}
    script:
      image: {SHELL}
      command: [sh]
      source: |
        echo more >> /data/in
        cat /data/in
        mkdir -p /made/sub
        seq 3 > /made/sub/numbers
    outputs: {{artifacts: [{{name: made, path: /made}}]}}
"""


def test_one_home_serves_processes_and_containers(rig: Rig, container_engine: str, tmp_path: Path) -> None:
    rig.file("both.yaml", BOTH)
    answer = rig.call("run", "both.yaml", "--images", "images.toml", "--name", "both")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    said = f"image '{SHELL}': in containers, for no rule of [images] maps it and Docker "
    assert [line for line in answer.stderr.splitlines() if line.startswith(said)] == answer.stderr.splitlines()
    assert rig.call("logs", "both", "contained").stdout == "made here\nmore\n"
    document = json.loads(rig.call("runs", "get", "both", "--output", "json").stdout)
    contained = next(node for node in document["status"]["nodes"].values() if node["displayName"] == "contained")
    assert contained["outputs"]["artifacts"][0]["name"] == "made"
    assert docker("ps", "--all", "--quiet", "--filter", f"label=penstock.home={rig.home}") == ""


def test_the_way_may_be_said(rig: Rig, container_engine: str) -> None:
    rig.file("both.yaml", BOTH)
    answer = rig.call("run", "both.yaml", "--images", "images.toml", "--launcher", "process")
    assert answer.returncode == 2
    assert f"image '{SHELL}': no rule says what stands for it on this machine" in answer.stderr
    assert "Docker" not in answer.stderr
    rig.file(
        "one.yaml",
        BOTH.replace("entrypoint: main", "entrypoint: contained").replace("/data/in}", "/data/in, raw: {data: x}}"),
    )
    answer = rig.call("run", "one.yaml", "--images", "images.toml", "--launcher", "docker", "--name", "one")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert rig.call("logs", "one").stdout


def test_what_a_step_packed_itself_is_read_by_its_key(rig: Rig, container_engine: str) -> None:
    read_by_its_key(rig, SHELL, "--launcher", "docker")


def test_without_an_engine_both_ways_out_are_named(rig: Rig) -> None:
    rig.file("both.yaml", BOTH)
    answer = rig.call("run", "both.yaml", "--images", "images.toml")
    assert answer.returncode == 2
    assert f'"{SHELL}" = "host"' in answer.stderr
    assert "Or start Docker or Podman" in answer.stderr
    answer = rig.call("run", "both.yaml", "--launcher", "docker")
    assert answer.returncode == 2
    assert "no container engine answers (docker: " in answer.stderr
