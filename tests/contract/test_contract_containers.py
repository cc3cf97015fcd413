"""The suite of launchers, passed by containers of a real engine."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from containers import ENGINE, docker
from penstock.adapters.local.docker.containers import container_name
from penstock.adapters.local.docker.launcher import DockerLauncher
from penstock.ports import Launcher, StepId
from penstock.testing.launcher_contract import LauncherContract, Rig, SidecarContract


class DockerRig(Rig):
    def __init__(self, home: Path) -> None:
        self.home = home

    def launcher(self) -> Launcher:
        return DockerLauncher(self.home, pauses=())

    def interrupt(self, id: StepId) -> None:
        subprocess.run([ENGINE, "rm", "--force", container_name(self.home, id)], check=True)


class TestDockerLauncher(LauncherContract, SidecarContract):
    @pytest.fixture
    def rig(self, tmp_path: Path, container_engine: str) -> Rig:
        return DockerRig(tmp_path / "home")

    async def over(self, launcher: Launcher, id: StepId, sidecar: str) -> None:
        name = f"{container_name(launcher.log(id).parents[3], id)}-sidecar-0"
        async with asyncio.timeout(60):
            while docker("container", "inspect", "--format", "{{.State.Status}}", name) != "exited\n":
                await asyncio.sleep(0.05)
