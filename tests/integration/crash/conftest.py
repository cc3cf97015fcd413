"""The rig of the crash tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rigged import Rig, processes, signal_quietly

from penstock.bootstrap import open_home
from penstock.settings import Settings


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    ledger = tmp_path / "ledger"
    keeper = subprocess.Popen([sys.executable, Path(__file__).with_name("ledger.py"), ledger], stdout=subprocess.PIPE)
    assert keeper.stdout is not None
    port = int(keeper.stdout.readline())
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "penstock.toml").write_text('[images]\nshell = "host"\n')
    home = open_home(Settings(home=tmp_path / "home", images={"shell": "host"}))
    rig = Rig(home, ledger, port)
    yield rig
    home.close()
    keeper.kill()
    keeper.wait()
    keeper.stdout.close()
    if rig.server is not None:
        rig.server.kill()
        rig.server.wait()
    for pid in processes(rig.runs):
        signal_quietly(pid)
