"""Images that are built for components: by the real command, sent to a real registry, and run."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import Rig
from containers import SHELL, docker, registry

PIPELINE = """
import penstock
from penstock import dsl


@dsl.pipeline(name="greeting")
def greeting():
    dsl.ContainerOp(name="greet", image="{image}", command=["sh", "greet.sh"], arguments=["you"])
"""


@pytest.fixture
def rig_with_component(rig: Rig, container_engine: str, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")  # the other builder is a package of its own
    (rig.folder / "component" / "lib").mkdir(parents=True)
    rig.file("component/greet.sh", 'echo "hello, $1, from $PWD"; cat lib/words.txt; ls')
    rig.file("component/lib/words.txt", "words of its own\n")
    rig.file("component/secret.key", "not for the image")
    return rig


def built(rig: Rig, image: str, *more: str) -> None:
    answer = rig.call(
        "component", "build", "component", "--image", image, "--base-image", SHELL, "--files", r".*\.(sh|txt)", *more
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr.splitlines()[-1] == f"Built {image}"


def said_in(rig: Rig, image: str) -> str:
    """What a step in a container of that image prints."""
    rig.file("pipeline.py", PIPELINE.format(image=image))
    answer = rig.call("run", "pipeline.py", "--launcher", "docker", "--name", "greeting")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return rig.call("logs", "greeting", "greet").stdout


def test_a_folder_becomes_an_image_that_steps_run_in(rig_with_component: Rig) -> None:
    image = "localhost/penstock-built:1"
    try:
        built(rig_with_component, image, "--no-push")
        said = said_in(rig_with_component, image)
        # Its working folder holds what was asked for, and nothing else.
        assert said == "hello, you, from /app\nwords of its own\nDockerfile\ngreet.sh\nlib\n"
    finally:
        docker("image", "rm", "--force", image)


def test_an_image_is_sent_to_its_registry(rig_with_component: Rig, container_engine: str, tmp_path: Path) -> None:
    with registry(container_engine, tmp_path) as address:
        image = f"{address}/penstock/greet:1"
        built(rig_with_component, image)
        docker("image", "rm", "--force", image)
        assert said_in(rig_with_component, image).startswith("hello, you, from /app\n")
        docker("image", "rm", "--force", image)


def test_a_base_that_does_not_exist_is_told_of(rig_with_component: Rig) -> None:
    answer = rig_with_component.call(
        "component", "build", "component", "--image", "localhost/x", "--base-image", "localhost/none:1", "--no-push"
    )
    assert answer.returncode == 1
    assert "docker build: exit code 1" in answer.stderr
    assert "localhost/none:1" in answer.stderr
    assert "Traceback" not in answer.stderr
