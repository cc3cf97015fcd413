"""One suite for every launcher, the process launcher in each way of isolation that this machine allows.

Containers have a file of their own, for their engine takes its time: `test_contract_containers.py`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from penstock.adapters.local.launcher import ProcessLauncher
from penstock.adapters.local.process.folders import StepFolder
from penstock.adapters.local.process.isolation import Isolation
from penstock.ports import ImageRule, Launcher, StepId
from penstock.testing import FakeLauncher, acting
from penstock.testing.launcher_contract import ACTING, ImageRulesContract, LauncherContract, Rig, SidecarContract


class FakeRig(Rig):
    def __init__(self, folder: Path) -> None:
        from penstock.adapters.local.clock import SystemClock

        self._launcher = FakeLauncher(folder, clock=SystemClock(), known_images=[ACTING])

    def launcher(self) -> Launcher:
        return self._launcher

    def interrupt(self, id: StepId) -> None:
        self._launcher.interrupt(id)


class ProcessRig(Rig):
    def __init__(self, home: Path, isolation: Isolation) -> None:
        self.home, self.isolation = home, isolation

    def launcher(self) -> Launcher:
        rule = ImageRule(entrypoint=(sys.executable, "-S", acting.__file__))
        return ProcessLauncher(self.home, images={ACTING: rule}, isolation=self.isolation)

    def interrupt(self, id: StepId) -> None:
        supervisor = StepFolder.of(self.home, id).pidfd()
        assert supervisor is not None
        signal.pidfd_send_signal(supervisor, signal.SIGKILL)
        os.close(supervisor)


class TestFakeLauncher(LauncherContract, SidecarContract, ImageRulesContract):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> Rig:
        return FakeRig(tmp_path / "steps")


class TestProcessLauncher(LauncherContract, ImageRulesContract):
    @pytest.fixture
    def rig(self, tmp_path: Path, isolation: Isolation) -> Rig:
        return ProcessRig(tmp_path / "home", isolation)


class TestProcessLauncherSidecars(SidecarContract):
    @pytest.fixture
    def rig(self, tmp_path: Path, own_root: Isolation) -> Rig:
        return ProcessRig(tmp_path / "home", own_root)

    async def over(self, launcher: Launcher, id: StepId, sidecar: str) -> None:
        folder = launcher.log(id).parent / "sidecar-0"
        async with asyncio.timeout(60):
            while not (folder / "exit.json").exists():
                await asyncio.sleep(0.005)
